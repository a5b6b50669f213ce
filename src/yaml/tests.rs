use super::*;

fn read(text: &str) -> Node {
    let mut documents = documents(text);
    assert_eq!(documents.len(), 1, "{documents:?}");
    documents.remove(0).unwrap()
}

fn json(text: &str) -> String {
    serde_json::to_string(&read(text)).unwrap()
}

fn faults(text: &str) -> Vec<String> {
    documents(text)
        .into_iter()
        .filter_map(Result::err)
        .flatten()
        .map(|fault| format!("{} {}", fault.at, fault.message))
        .collect()
}

/// But for `y` and `n`, what `kubectl label --local -o json` of Kubernetes 1.32 printed for the same text.
#[test]
fn plain_scalars_resolve_as_kubectl_resolves_them() {
    let text = r#"[on, yes, y, n, 0o14, 010, 08, 1_000, 0b11, 1e3, .5, "5", 1:30, 2001-01-01, ~, 0x1f, +5, 1., 0.1, -0, 1.0,
        100.0, =, Null, 0x, 0b, 1__0, 0b1_1, -0b11, -0x1f, +0x1f, 1e+3, 1_0.5, 0o8, +.5, -.5, .5e1, ._5,
        1.5e20, 0.0000001, !!str 5, !!int "5", !!float 5, !foo 5, !!bool "yes", _1, 1_, 0_7, 0777, 09.5, 8080, "on", '1', -]"#;
    assert_eq!(
        json(text.strip_suffix(", -]").map(|t| format!("{t}]")).unwrap().as_str()),
        r#"[true,true,"y","n",12,8,8,1000,3,1000,0.5,"5","1:30","2001-01-01",null,31,5,1,0.1,0,1,"#.to_owned()
            + r#"100,"=",null,"0x","0b",10,3,-3,-31,31,1000,10.5,"0o8",0.5,-0.5,5,"._5","#
            + r#"1.5e+20,1e-7,"5",5,5,"5",true,"_1",1,7,511,9.5,8080,"on","1"]"#
    );
}

#[test]
fn numbers_keep_their_64_bits_and_larger_ones_become_doubles() {
    assert_eq!(
        json("[18446744073709551615, -9223372036854775808, 123456789012345678901234567890]"),
        "[18446744073709551615,-9223372036854775808,1.2345678901234568e+29]"
    );
}

#[test]
fn keys_are_text_as_kubectl_makes_it() {
    assert_eq!(
        json("on: 1\n5: 2\n1.5: 3\nno: 4\n\"yes\": 5"),
        r#"{"true":1,"5":2,"1.5":3,"false":4,"yes":5}"#
    );
    assert_eq!(
        faults("~: 1\n[a]: 2"),
        [
            "1:1 a key cannot be null; quote it if it is text",
            "2:1 a key has to be text"
        ]
    );
}

#[test]
fn a_key_that_comes_twice_is_a_fault_wherever_it_is() {
    assert_eq!(
        faults("a: 1\nb: {c: 1, c: 2}\na: 2\n"),
        ["2:11 `c` is here twice; keep one", "3:1 `a` is here twice; keep one"]
    );
}

#[test]
fn what_json_cannot_hold_is_a_fault() {
    assert_eq!(
        faults("a: .nan\nb: -.inf\nc: !!int x\nd: !!binary aGk="),
        [
            "1:4 `.nan` is not a number, which JSON cannot hold",
            "2:4 `-.inf` is infinite, which JSON cannot hold",
            "3:10 `x` is no number, as its tag says",
            "4:13 `aGk=` is binary; write it as text",
        ]
    );
}

#[test]
fn merge_keys_bring_in_what_is_not_written() {
    let text = "base: &base {x: 1, z: 2}\nmore: &more {z: 3, w: 4}\none:\n  <<: *base\n  x: 9\nlist:\n  v: 0\n  <<: [*more, *base]\n\"<<\": 5";
    assert_eq!(
        json(text),
        r#"{"base":{"x":1,"z":2},"more":{"z":3,"w":4},"one":{"x":9,"z":2},"list":{"v":0,"z":3,"w":4,"x":1},"<<":5}"#
    );
    assert_eq!(faults("<<: 5"), ["1:1 `<<` takes an object, or a list of objects"]);
}

#[test]
fn aliases_are_bounded() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let below = level - 1;
        text += &format!("a{level}: &a{level} [{}]\n", vec![format!("*a{below}"); 10].join(", "));
    }
    let faults = faults(&text);
    assert_eq!(faults.len(), 1);
    assert!(faults[0].contains("aliases add more than 400000 values"), "{faults:?}");
    assert_eq!(
        super::documents("a: &a [*a]")
            .into_iter()
            .filter(Result::is_err)
            .count(),
        1
    );
}

#[test]
fn nesting_is_bounded() {
    assert_eq!(faults(&"[".repeat(100_000)).len(), 1);
    assert_eq!(faults(&"- ".repeat(100_000)).len(), 1);
}

#[test]
fn a_wrong_document_does_not_hide_the_others() {
    let text = "# one\na: 1\n---\n---\nb: [1, 2\nc: 3\n---\n# nothing\n---\nd:\n\te: 4\n---\ne: 5\n...\n---\nf: 6\n";
    let read = documents(text);
    let shown: Vec<_> = read
        .iter()
        .map(|document| match document {
            Ok(node) => serde_json::to_string(node).unwrap(),
            Err(faults) => faults[0].at.to_string(),
        })
        .collect();
    assert_eq!(shown, [r#"{"a":1}"#, "6:2", "11:2", r#"{"e":5}"#, r#"{"f":6}"#]);
}

#[test]
fn json_is_read_as_well() {
    let text = "\u{feff}{\n\t\"a\":\t[1.0, 2e0, \"x\\/\\u00e9\"],\n\t\"b\": {\"c\": null, \"d\": true}\n}\n";
    assert_eq!(json(text), r#"{"a":[1,2,"x/é"],"b":{"c":null,"d":true}}"#);
    let line = format!(
        "{{\"annotation\": \"{}\", \"{}\": 1}}",
        "x".repeat(100_000),
        "k".repeat(5_000)
    );
    assert!(json(&line).ends_with(":1}"));
    assert_eq!(json(r#""\ud83d\ude00""#), r#""😀""#);
}

const OBJECT: &str = "\
kind: VirtualService
metadata:
  name: a
  annotations: {a.b/c: x}
spec:
  hosts: [a,
    b]
  http:
  - match:
    - headers:
        x.y:
          exact: \"1\"
        x.y.z: {exact: two}
    mirror_percent: 5
    route:
    - destination:
        host: é
";

#[test]
fn a_path_leads_to_its_line_and_column() {
    let node = read(OBJECT);
    let at = |path: &str| node.position(path).to_string();
    assert_eq!(at(""), "1:1");
    assert_eq!(at("kind"), "1:1");
    assert_eq!(at("metadata.name"), "3:3");
    assert_eq!(at("metadata.annotations.a.b/c"), "4:17");
    assert_eq!(at("hosts[1]"), "7:5");
    assert_eq!(at("http[0].match[0].headers.x.y.exact"), "12:11");
    assert_eq!(at("http[0].match[0].headers.x.y.z.exact"), "13:17");
    assert_eq!(at("http[0].route[0].destination.host"), "17:9");
    assert_eq!(at("spec.http[0].route"), "15:5");
}

#[test]
fn what_is_not_written_stands_at_what_is_around_it() {
    let node = read(OBJECT);
    let at = |path: &str| node.position(path).to_string();
    assert_eq!(at("http[0].route[0].weight"), "16:7");
    assert_eq!(at("http[7].route"), "8:3");
    assert_eq!(at("gateways"), "5:1");
    assert_eq!(at("metadata.namespace"), "2:1");
    assert_eq!(at("apiVersion"), "1:1");
    assert_eq!(at("http[0].mirrorPercent"), "14:5");
}

#[test]
fn an_entry_of_a_list_stands_where_its_first_key_does() {
    assert_eq!(read("a:\n- b: 1\n- c: 2").position("a[1]").to_string(), "3:3");
}
