#![cfg(feature = "cli")]

use serde_json::{Value, json};

use super::*;

mod effects;
mod listed;
mod reach;

/// What is said of these documents: severity's first letter, code, object's name and path of each finding.
fn said(documents: &str) -> Vec<String> {
    let brief = |finding: Finding| {
        let severity = format!("{:.1}", finding.severity.to_string());
        format!("{severity} {} {} {}", finding.code, finding.object.name, finding.path)
    };
    found(documents).into_iter().map(brief).collect()
}

/// The sentences.
fn messages(documents: &str) -> Vec<String> {
    found(documents).into_iter().map(|finding| finding.message).collect()
}

fn found(documents: &str) -> Vec<Finding> {
    let resource = |document: Result<crate::yaml::Node, _>| -> Value {
        let mut value =
            json!(document.unwrap_or_else(|faults: Vec<crate::yaml::Fault>| panic!("{faults:?}: {documents}")));
        let group = if value["kind"] == "Service" {
            "v1"
        } else {
            "networking.istio.io/v1"
        };
        value["apiVersion"] = json!(group);
        value
    };
    let resources: Vec<Value> = crate::yaml::documents(documents).into_iter().map(resource).collect();
    let (config, misread) = Config::from_json(json!({ "resources": resources }).to_string().as_bytes());
    assert_eq!(misread, [], "the test's own documents do not fit their types");
    analyze(&config, &Registry::new(&config))
}

/// A VirtualService `vs` for the host `a` with these rules.
fn rules(http: &str) -> String {
    let lines: Vec<String> = http.trim().lines().map(|line| format!("  {line}\n")).collect();
    format!(
        "kind: VirtualService\nmetadata: {{name: vs}}\nspec:\n  hosts: [a]\n  http:\n{}",
        lines.concat()
    )
}

const SERVICE: &str = "---\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{name: http, port: 80}]}\n";

#[test]
fn a_subset_has_to_be_defined() {
    let route =
        rules("- route: [{destination: {host: a, subset: v3}}]\n  mirrors: [{destination: {host: a, subset: v1}}]");
    let subsets = "---\nkind: DestinationRule\nmetadata: {name: a}\nspec: {host: a.default.svc.cluster.local, subsets: [{name: v1}, {name: v2}]}\n";
    let missing = "E IST0101 vs http[0].route[0].destination.subset";
    assert_eq!(
        said(&route),
        [missing, "E IST0101 vs http[0].mirrors[0].destination.subset"]
    );
    assert_eq!(
        messages(&route)[0],
        "no subset v3: there is no DestinationRule for a; requests that come here get 503"
    );
    assert_eq!(
        messages(&route)[1],
        "no subset v1: there is no DestinationRule for a; copies for it get lost"
    );
    let both = format!("{route}{subsets}");
    assert_eq!(said(&both), [missing]);
    assert_eq!(
        messages(&both),
        ["no subset v3: a has v1 and v2; requests that come here get 503"]
    );
    let none = both.replace(", subsets: [{name: v1}, {name: v2}]", "");
    assert_eq!(
        messages(&none)[0],
        "no subset v3: the DestinationRule for a has no subsets; requests that come here get 503"
    );
    let many = both.replace(
        "{name: v2}",
        "{name: v4}, {name: v5}, {name: w1}, {name: w2}, {name: w3}, {name: w4}",
    );
    assert_eq!(
        messages(&many)[0],
        "no subset v3: a has 7 others; did you mean v1?; requests that come here get 503"
    );
    let wildcard = both
        .replace("a.default.svc.cluster.local", "'*.default.svc.cluster.local'")
        .replace("v2}", "v3}");
    assert_eq!(said(&wildcard), [""; 0]);
    let layer4 = "kind: VirtualService\nmetadata: {name: vs}\nspec:\n  hosts: [a]\n  tcp: [{route: [{destination: {host: a, subset: v1}}]}]\n";
    assert_eq!(said(layer4), ["E IST0101 vs tcp[0].route[0].destination.subset"]);
}

#[test]
fn a_destination_has_to_be_served_where_services_are_known() {
    let route = rules("- route: [{destination: {host: b}}]");
    assert_eq!(said(&route), [""; 0], "nobody's services are known");
    assert_eq!(
        said(&format!("{route}{SERVICE}")),
        ["E IST0101 vs http[0].route[0].destination.host"]
    );
    assert_eq!(
        messages(&format!(
            "{}{SERVICE}",
            rules("- route: [{destination: {host: A.default}}]")
        )),
        ["nobody serves a.default; requests that come here get 503"]
    );
    let wildcard = "---\nkind: ServiceEntry\nmetadata: {name: w}\nspec: {hosts: ['*.x.org']}\n";
    assert_eq!(
        said(&format!(
            "{}{wildcard}",
            rules("- route: [{destination: {host: b.x.org}}]")
        )),
        [""; 0]
    );
}

#[test]
fn a_destination_names_one_of_several_ports() {
    let ports =
        "---\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{name: http, port: 80}, {name: admin, port: 81}]}\n";
    let to = |destination: &str| {
        said(&format!(
            "{}{ports}",
            rules(&format!("- route: [{{destination: {destination}}}]"))
        ))
    };
    assert_eq!(to("{host: a}"), ["E IST0112 vs http[0].route[0].destination"]);
    assert_eq!(
        to("{host: a, port: {number: 82}}"),
        ["E IST0101 vs http[0].route[0].destination.port.number"]
    );
    assert_eq!(to("{host: a, port: {number: 81}}"), [""; 0]);
}

#[test]
fn a_gateway_is_there_and_serves_the_hosts() {
    let bound = |name: &str| {
        rules("- route: [{destination: {host: a}}]")
            .replace("[a]", &format!("[a.org, b.org]\n  gateways: [mesh, {name}]"))
    };
    let gateway = "---\nkind: Gateway\nmetadata: {name: edge, namespace: istio}\nspec: {servers: [{port: {number: 80}, hosts: ['default/a.org', 'other/b.org']}]}\n";
    assert_eq!(said(&bound("istio/edge")), ["E IST0101 vs gateways[1]"]);
    assert_eq!(
        said(&format!("{}{gateway}", bound("istio/edge"))),
        ["W IST0132 vs hosts[1]"]
    );
    assert_eq!(
        messages(&format!("{}{gateway}", bound("istio/egde")))[0],
        "there is no Gateway istio/egde; did you mean istio/edge?"
    );
    let all = gateway.replace("'other/b.org'", "'*/*.org'");
    assert_eq!(said(&format!("{}{all}", bound("istio/edge"))), [""; 0]);
}

#[test]
fn gateways_of_the_same_workloads_share_no_host() {
    let gateway = |name: &str, host: &str, port: u16| {
        format!(
            "kind: Gateway\nmetadata: {{name: {name}}}\nspec: {{selector: {{app: gw}}, servers: [{{port: {{number: {port}}}, hosts: ['{host}']}}]}}\n"
        )
    };
    let pair = |a: &str, b: &str, port: u16| said(&format!("{}---\n{}", gateway("g", a, 80), gateway("h", b, port)));
    assert_eq!(
        pair("x.org", "*.org", 80),
        ["E IST0145 g servers[0]", "E IST0145 h servers[0]"]
    );
    assert_eq!(pair("x.org", "*.com", 80), [""; 0]);
    assert_eq!(pair("x.org", "*.org", 81), [""; 0]);
    assert_eq!(pair("./x.org", "other/x.org", 80), [""; 0]);
}

#[test]
fn sidecars_take_one_virtual_service_for_a_host() {
    let route = rules("- route: [{destination: {host: a}}]");
    let other = |name: &str, more: &str| {
        route
            .replace("{name: vs}", &format!("{{name: {name}}}"))
            .replace("hosts: [a]", &format!("hosts: [a.default.svc.cluster.local]{more}"))
    };
    let both = format!("{}---\n{route}", other("zz", ""));
    assert_eq!(said(&both), ["E IST0109 zz hosts[0]", "E IST0109 vs hosts[0]"]);
    assert!(messages(&both)[0].starts_with("default/vs has a.default.svc.cluster.local already"));
    assert!(messages(&both)[1].ends_with("which is this one: merge them"));
    assert_eq!(
        said(&format!(
            "{}---\n{}",
            other("zz", "\n  exportTo: [x, y]"),
            other("yy", "\n  exportTo: [z, '.']")
        )),
        [""; 0]
    );
    assert_eq!(
        said(&format!(
            "{}---\n{}",
            other("zz", "\n  exportTo: [x, y]"),
            other("yy", "\n  exportTo: [z, y]")
        ))
        .len(),
        2
    );
}

#[test]
fn a_delegate_is_there_and_has_no_hosts() {
    let root = rules("- match: [{uri: {prefix: /b}}]\n  delegate: {name: leaf}");
    let leaf =
        "---\nkind: VirtualService\nmetadata: {name: leaf}\nspec: {http: [{route: [{destination: {host: b}}]}]}\n";
    assert_eq!(said(&format!("{root}{leaf}")), [""; 0]);
    assert_eq!(said(&root), ["E SWY0102 vs http[0].delegate"]);
    assert_eq!(
        said(&format!("{root}{}", leaf.replace("name: leaf", "name: loaf"))),
        ["E SWY0102 vs http[0].delegate", "I SWY0103 loaf "]
    );
    let elsewhere = leaf
        .replace("{name: leaf}", "{name: leaf, namespace: x}")
        .replace("{http:", "{exportTo: ['.'], http:");
    let asks = root.replace("{name: leaf}", "{name: leaf, namespace: x}");
    assert_eq!(
        messages(&format!("{asks}{elsewhere}")),
        ["x/leaf is not exported to default; the rule is left out"]
    );
    let with_hosts = leaf.replace("{http:", "{hosts: [c], http:");
    assert_eq!(
        messages(&format!("{root}{with_hosts}")),
        ["VirtualService default/leaf has hosts of its own, and can not be delegated to; the rule is left out"]
    );
}

#[test]
fn policies_and_subsets_are_used() {
    let rule = |name: &str, spec: &str| {
        format!("kind: DestinationRule\nmetadata: {{name: {name}}}\nspec: {{host: a, {spec}}}\n")
    };
    let tls = "trafficPolicy: {tls: {mode: SIMPLE}, portLevelSettings: [{port: {number: 1}, tls: {mode: MUTUAL}}, {port: {number: 2}, tls: {mode: SIMPLE, caCertificates: /ca}}]}";
    assert_eq!(
        said(&rule("dr", tls)),
        [
            "W IST0128 dr trafficPolicy.tls",
            "W IST0129 dr trafficPolicy.portLevelSettings[0].tls"
        ]
    );
    let subsets = "subsets: [{name: v1, labels: {v: '1'}}], trafficPolicy: {loadBalancer: {simple: RANDOM}}";
    assert_eq!(
        said(&format!("{}---\n{}", rule("a", subsets), rule("b", subsets))),
        ["W SWY0104 b trafficPolicy", "W SWY0104 b subsets[0]"]
    );
    let served = |labels: &str| {
        let entry = format!(
            "---\nkind: ServiceEntry\nmetadata: {{name: s}}\nspec: {{hosts: [a.default.svc.cluster.local], endpoints: [{{address: 127.0.0.1, labels: {labels}}}]}}\n"
        );
        said(&format!("{}{entry}", rule("dr", subsets)))
    };
    assert_eq!(served("{v: '2'}"), ["E IST0173 dr subsets[0]"]);
    assert_eq!(served("{v: '1', app: a}"), [""; 0]);
    assert_eq!(served("{}"), [""; 0], "the labels are not known");
    let unknown = rule("dr", "subsets: []").replace("host: a", "host: aa");
    assert_eq!(said(&format!("{unknown}{SERVICE}")), ["W IST0174 dr host"]);
    assert_eq!(
        messages(&format!("{unknown}{SERVICE}")),
        ["nobody serves aa.default.svc.cluster.local; did you mean a?; the rule is for nothing"]
    );
    assert_eq!(
        said(&format!("{}{SERVICE}", unknown.replace("host: aa", "host: '*.local'"))),
        [""; 0]
    );
}
