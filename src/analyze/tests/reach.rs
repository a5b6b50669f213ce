use super::{found, messages, rules, said};

/// Rules of which each has one list of matches and goes to `a`.
fn matching(lists: &[&str]) -> String {
    let rule = |list: &&str| match *list {
        "" => "- route: [{destination: {host: a}}]\n".to_owned(),
        list => format!("- match: [{list}]\n  route: [{{destination: {{host: a}}}}]\n"),
    };
    rules(&lists.iter().map(rule).collect::<String>())
}

#[test]
fn a_rule_behind_one_that_takes_everything_is_never_used() {
    let lists = ["{uri: {prefix: /}}", "{uri: {exact: /b}}", ""];
    assert_eq!(
        said(&matching(&lists)),
        [
            "I IST0131 vs http[1].match[0]",
            "W IST0130 vs http[1]",
            "W IST0130 vs http[2]"
        ]
    );
    assert_eq!(
        messages(&matching(&lists))[1],
        "is never used: http[0].match[0] takes every request for it"
    );
    let related = &found(&matching(&lists))[1].related;
    assert_eq!((related[0].path.as_str(), related.len()), ("http[0].match[0]", 1));
}

#[test]
fn a_match_is_reported_alone_where_its_rule_has_others() {
    let lists = ["{uri: {prefix: /a}}", "{uri: {prefix: /a/b}}, {uri: {prefix: /b}}"];
    assert_eq!(said(&matching(&lists)), ["I IST0131 vs http[1].match[0]"]);
}

#[test]
fn several_rules_may_take_everything_between_them() {
    let lists = ["{headers: {x: {}}}", "{withoutHeaders: {x: {}}}", "{uri: {exact: /b}}"];
    assert_eq!(
        messages(&matching(&lists)).last().unwrap(),
        "is never used: http[0].match[0] and http[1].match[0] take every request for it between them"
    );
}

#[test]
fn what_istio_guesses_wrong_is_not_repeated() {
    // Istio's webhook takes a match without a method for one of GET.
    assert_eq!(
        said(&matching(&[
            "{uri: {prefix: /a}, method: {exact: GET}}",
            "{uri: {prefix: /a/b}}"
        ])),
        [""; 0]
    );
}

#[test]
fn callers_and_gateways_are_conditions_too() {
    assert_eq!(
        said(&matching(&["{sourceLabels: {app: b}}", "{sourceLabels: {app: c}}", ""])),
        [""; 0]
    );
    assert_eq!(
        said(&matching(&[
            "{sourceLabels: {app: b}}",
            "{sourceLabels: {app: b}, uri: {exact: /b}}"
        ])),
        ["I IST0131 vs http[1].match[0]", "W IST0130 vs http[1]"]
    );
    assert_eq!(said(&matching(&["{sourceNamespace: x}", ""])), [""; 0]);
    let gateways = |lists: &[&str]| {
        let documents = matching(lists).replace("hosts: [a]", "hosts: [a]\n  gateways: [mesh, g]");
        let said = said(&documents)
            .into_iter()
            .filter(|finding| !finding.contains("IST0101"));
        said.collect::<Vec<_>>()
    };
    assert_eq!(gateways(&["{gateways: [g]}", "{uri: {prefix: /}}"]), [""; 0]);
    assert_eq!(
        gateways(&["{gateways: [g]}", "{gateways: [mesh]}", ""]),
        ["W IST0130 vs http[2]"]
    );
    assert_eq!(
        gateways(&["{gateways: [default/g, mesh]}", ""]),
        ["W IST0130 vs http[1]"]
    );
    assert_eq!(
        gateways(&["{gateways: [h]}", ""]),
        ["W SWY0101 vs http[0].match[0]", "W IST0130 vs http[0]"]
    );
    let elsewhere = matching(&["{gateways: [h]}", ""]).replace("hosts: [a]", "hosts: [a]\n  gateways: [mesh, g]");
    assert!(
        messages(&elsewhere)
            .contains(&"no request can meet it: the VirtualService is not for the gateways it names".to_owned())
    );
    assert_eq!(
        said(&matching(&["{port: 80}", "{port: 80, uri: {exact: /b}}, {port: 81}"])),
        ["I IST0131 vs http[1].match[0]"]
    );
}

#[test]
fn a_match_that_nothing_meets_is_explained() {
    let why = |list: &str| messages(&matching(&[list, ""])).first().cloned().unwrap_or_default();
    for (list, reason) in [
        (
            "{uri: {exact: '/a?b=1'}}",
            "uri is compared with the path up to its query; write the query under queryParams",
        ),
        ("{uri: {prefix: a}}", "every path begins with /"),
        (
            "{uri: {exact: /a/../b}}",
            "no path is written like this once Envoy has normalised it",
        ),
        ("{scheme: {exact: ftp}}", "the scheme is http or https"),
        (
            "{headers: {x: {exact: a}}, withoutHeaders: {x: {}}}",
            "headers.x and withoutHeaders.x contradict each other",
        ),
        (
            "{uri: {prefix: /a}, headers: {':method': {exact: GET}}, method: {exact: PUT}}",
            "the conditions on method contradict each other",
        ),
    ] {
        assert_eq!(why(list), format!("no request can meet it: {reason}"), "{list}");
    }
    for list in [
        "{uri: {prefix: /a%20}}",
        "{uri: {exact: /a.b}}",
        "{headers: {x: {exact: ''}}}",
        "{uri: {regex: '/a(?=b)|c'}}",
    ] {
        assert_eq!(why(list), "", "{list}");
    }
}

#[test]
fn a_delegates_rules_stand_in_their_roots_place() {
    let root = rules(
        "- match: [{uri: {prefix: /b}}]\n  route: [{destination: {host: a}}]\n- match: [{uri: {prefix: /}}]\n  delegate: {name: leaf}",
    );
    let leaf = "---\nkind: VirtualService\nmetadata: {name: leaf}\nspec: {http: [{match: [{uri: {prefix: /b/c}}], route: [{destination: {host: b}}]}, {route: [{destination: {host: b}}]}]}\n";
    assert_eq!(said(&format!("{root}{leaf}")), ["W IST0130 leaf http[0]"]);
    assert_eq!(
        messages(&format!("{root}{leaf}")),
        [
            "is never used where default/vs http[1] delegates to it: http[0].match[0] of default/vs takes every request for it"
        ]
    );
    assert_eq!(
        said(&leaf.replace("/b/c", "/").replace("---\n", "")),
        ["I SWY0103 leaf ", "W IST0130 leaf http[1]"]
    );
}

#[test]
fn nothing_is_said_where_a_condition_could_not_be_read() {
    let lists = matching(&["{uri: {prefix: /a}, mehtod: {exact: GET}}", "{uri: {prefix: /a/b}}"]);
    let misspelt = matching(&["{uri: {prefix: /a}}", "{uri: {prefix: /a/b}}"]).replacen("match:", "mtach:", 1);
    let elsewhere =
        matching(&["{uri: {prefix: /a}}", "{uri: {prefix: /a/b}}"]).replacen("route:", "timeuot: 1s\n    route:", 1);
    for (documents, expected) in [(lists, 0), (misspelt, 0), (elsewhere, 2)] {
        let document = crate::yaml::documents(&documents).remove(0).unwrap();
        let mut value = serde_json::json!({ "resources": [document] });
        value["resources"][0]["apiVersion"] = "networking.istio.io/v1".into();
        let (config, misread) = crate::config::Config::from_json(value.to_string().as_bytes());
        assert_eq!(misread.len(), 1);
        let findings = super::analyze(&config, &crate::registry::Registry::new(&config));
        assert_eq!(findings.len(), expected, "{documents}");
    }
}
