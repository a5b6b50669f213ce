use super::*;

/// An object whose name says what it is; `wrong: true` in its spec makes the checks below refuse it.
fn object(name: &str, spec: &str) -> String {
    format!("kind: K\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n---\n")
}

fn check(nodes: &[&Node]) -> Vec<Finding> {
    let is_wrong = |node: &Node| node.get("spec").and_then(|spec| spec.get("wrong")).is_some();
    let wrong = nodes.iter().enumerate().filter(|(_, node)| is_wrong(node));
    wrong.map(|(index, node)| refusal(index, node)).collect()
}

fn refusal(index: usize, node: &Node) -> Finding {
    Finding {
        severity: Severity::Error,
        sort: Sort::Validation,
        code: "",
        resource: Some(index),
        object: reference(node),
        path: "wrong".to_owned(),
        message: "is wrong".to_owned(),
        related: Vec::new(),
    }
}

/// Reads files in place of those before, and serves what comes of it.
fn read(manifests: &mut Manifests, files: &[(&str, String)], check: &Check) -> Reading {
    let mut input = Input::default();
    files.iter().for_each(|(name, text)| input.add(name, text.as_bytes()));
    let reading = manifests.read(input, check);
    manifests.enforce(&reading.resources);
    reading
}

/// The objects in force, each by its name and the `v` of its spec.
fn served(reading: &Reading) -> Vec<String> {
    let show = |resource: &Rc<Resource>| {
        let spec = resource.node.get("spec").unwrap();
        format!("{}{}", reference(&resource.node).name, spec.text("v"))
    };
    reading.resources.iter().map(show).collect()
}

fn refused(reading: &Reading) -> Vec<String> {
    let show = |refused: &Refused| {
        let name = refused.object.as_ref().map_or("?", |object| &object.name);
        format!("{} {name} {}", refused.file, if refused.kept { "kept" } else { "out" })
    };
    reading.refused.iter().map(show).collect()
}

#[test]
fn a_wrong_document_is_refused_alone() {
    let mut manifests = Manifests::default();
    let files = [
        ("1", object("a", "v: x") + &object("b", "wrong: true")),
        ("2", object("c", "")),
    ];
    let reading = read(&mut manifests, &files, &check);
    assert_eq!(
        (served(&reading), refused(&reading)),
        (vec!["ax".to_owned(), "c".to_owned()], vec!["1 b out".to_owned()])
    );
    assert_eq!(reading.found.len(), 1);
    assert!(Rc::ptr_eq(
        &reading.found[0].1.as_ref().unwrap().file,
        &reading.refused[0].file
    ));
}

#[test]
fn the_last_good_version_stays() {
    let mut manifests = Manifests::default();
    read(
        &mut manifests,
        &[("1", object("a", "v: old") + &object("b", "v: x"))],
        &check,
    );
    let wrong = [("1", object("a", "v: new, wrong: true") + &object("b", "v: y"))];
    for _ in 0..2 {
        let reading = read(&mut manifests, &wrong, &check);
        assert_eq!(
            (served(&reading), refused(&reading)),
            (vec!["aold".to_owned(), "by".to_owned()], vec!["1 a kept".to_owned()])
        );
    }
    let reading = read(&mut manifests, &[("1", object("b", "v: y"))], &check);
    assert_eq!((served(&reading), refused(&reading)), (vec!["by".to_owned()], vec![]));
}

#[test]
fn an_object_whose_file_cannot_be_read_is_not_deleted() {
    let mut manifests = Manifests::default();
    read(
        &mut manifests,
        &[("1", object("a", "") + &object("b", "")), ("2", object("c", ""))],
        &check,
    );
    let reading = read(
        &mut manifests,
        &[("1", "kind: [\n---\n".to_owned() + &object("b", "v: 'new'"))],
        &check,
    );
    // In its place: for Envoy nothing has changed but what has.
    assert_eq!(served(&reading), ["a", "bnew"]);
    assert_eq!(
        (refused(&reading), reading.unreadable.len()),
        (vec!["1 ? kept".to_owned()], 1)
    );
    let reading = read(&mut manifests, &[("1", object("b", ""))], &check);
    assert_eq!(served(&reading), ["b"]);
}

#[test]
fn what_lies_below_a_directory_that_cannot_be_read_stays() {
    let mut manifests = Manifests::default();
    read(
        &mut manifests,
        &[("m/1", object("a", "")), ("n/1", object("b", ""))],
        &check,
    );
    let mut input = Input::default();
    input.unreadable.push(Unreadable::whole(Path::new("m"), "it is gone"));
    input
        .unreadable
        .push(Unreadable::whole(Path::new("n/2"), "it was never there"));
    let reading = manifests.read(input, &check);
    assert_eq!(served(&reading), ["a"]);
    assert_eq!(refused(&reading), ["m ? kept", "n/2 ? out"]);
}

#[test]
fn an_object_may_move_to_another_file() {
    let mut manifests = Manifests::default();
    read(&mut manifests, &[("1", object("a", "v: old"))], &check);
    let reading = read(
        &mut manifests,
        &[("1", "[".to_owned()), ("2", object("a", "v: new"))],
        &check,
    );
    assert_eq!(served(&reading), ["anew"]);
}

#[test]
fn of_two_documents_for_one_object_the_later_counts() {
    let mut manifests = Manifests::default();
    let reading = read(
        &mut manifests,
        &[
            ("1", object("a", "v: x") + &object("a", "v: y")),
            ("2", object("a", "v: z")),
        ],
        &check,
    );
    assert_eq!(served(&reading), ["az"]);
    let said: Vec<&str> = reading
        .found
        .iter()
        .map(|(finding, _)| finding.message.as_str())
        .collect();
    assert_eq!(
        said,
        ["the object is written again in 2:1:1, and that one counts; remove one of them"; 2]
    );
}

#[test]
fn objects_without_a_name_are_not_the_same_object() {
    let mut manifests = Manifests::default();
    let reading = read(
        &mut manifests,
        &[("1", "kind: K\nspec: {}\n---\nkind: K\nspec: {}\n".to_owned())],
        &check,
    );
    assert_eq!(reading.resources.len(), 2);
}

#[test]
fn what_only_fits_without_an_old_version_drives_it_out() {
    let mut manifests = Manifests::default();
    read(&mut manifests, &[("1", object("a", "v: old"))], &check);
    // The old `a` and the new `b` do not fit together.
    let quarrel = |nodes: &[&Node]| {
        let mut findings = check(nodes);
        if let [a, b] = nodes
            && a.get("spec").unwrap().text("v") == "old"
            && b.text("kind") == "K"
        {
            findings.push(refusal(0, a));
        }
        findings
    };
    let files = [("1", object("a", "wrong: true") + &object("b", ""))];
    assert_eq!(served(&read(&mut manifests, &files, &quarrel)), ["b"]);
}
