use super::{messages, rules, said};

#[test]
fn a_fault_reaches_somebody() {
    let fault = |fault: &str| {
        said(&rules(&format!(
            "- fault: {fault}\n  route: [{{destination: {{host: a}}}}]"
        )))
    };
    assert_eq!(
        fault("{delay: {fixedDelay: 1s}, abort: {httpStatus: 500, percentage: {value: 0}}}"),
        ["W SWY0105 vs http[0].fault.delay", "I SWY0105 vs http[0].fault.abort"]
    );
    assert_eq!(
        fault("{delay: {fixedDelay: 1s, percent: 5}, abort: {httpStatus: 500, percentage: {value: 0.1}}}"),
        [""; 0]
    );
    assert_eq!(
        fault("{abort: {httpStatus: 500, percentage: {value: 0.00001}}}"),
        ["I SWY0105 vs http[0].fault.abort"]
    );
}

#[test]
fn a_mirror_is_another_destination() {
    let mirror = |route: &str, mirror: &str| said(&rules(&format!("- route: [{route}]\n  {mirror}")));
    let a = "{destination: {host: a}}";
    assert_eq!(
        mirror(a, "mirror: {host: a.default.svc.cluster.local}"),
        ["W SWY0107 vs http[0].mirror"]
    );
    assert_eq!(mirror(a, "mirror: {host: a, port: {number: 1}}"), [""; 0]);
    let split = "{destination: {host: a}, weight: 1}, {destination: {host: b}, weight: 9}";
    assert_eq!(
        mirror(split, "mirrors: [{destination: {host: b}}]"),
        ["I SWY0107 vs http[0].mirrors[0].destination"]
    );
    assert_eq!(
        mirror(&split.replace('9', "0"), "mirrors: [{destination: {host: b}}]"),
        [""; 0]
    );
    assert_eq!(
        mirror(a, "mirror: {host: b}\n  mirrorPercentage: {value: 0}"),
        ["I SWY0106 vs http[0].mirror"]
    );
    assert_eq!(
        mirror(a, "mirror: {host: b}\n  mirrorPercent: 0"),
        ["I SWY0106 vs http[0].mirror"]
    );
    assert_eq!(
        mirror(a, "mirrors: [{destination: {host: b}, percentage: {value: 0}}]"),
        ["I SWY0106 vs http[0].mirrors[0]"]
    );
}

#[test]
fn retries_fit_the_timeout() {
    let retries = |timeout: &str, retries: &str| {
        said(&rules(&format!(
            "- timeout: {timeout}\n  retries: {retries}\n  route: [{{destination: {{host: a}}}}]"
        )))
    };
    assert_eq!(
        retries("2s", "{attempts: 3, perTryTimeout: 2s}"),
        ["W SWY0108 vs http[0].retries.perTryTimeout"]
    );
    assert_eq!(
        retries("5s", "{attempts: 2, perTryTimeout: 2s}"),
        ["I SWY0108 vs http[0].retries.attempts"]
    );
    assert_eq!(retries("6s", "{attempts: 2, perTryTimeout: 2s}"), [""; 0]);
    assert_eq!(retries("1s", "{attempts: 0}"), [""; 0]);
    assert!(
        messages(&rules(
            "- timeout: 5s\n  retries: {attempts: 4, perTryTimeout: 2s}\n  route: [{destination: {host: a}}]"
        ))[0]
            .ends_with("if each is slow, 3 are begun")
    );
}

#[test]
fn what_has_no_effect_is_named() {
    assert_eq!(
        said(&rules("- route: [{destination: {host: a}, weight: 30}]")),
        ["I SWY0109 vs http[0].route[0].weight"]
    );
    assert_eq!(
        said(&rules(
            "- timeout: 1s\n  retries: {attempts: 1}\n  directResponse: {status: 200}"
        )),
        ["W SWY0109 vs http[0].timeout", "W SWY0109 vs http[0].retries"]
    );
    assert_eq!(
        said(&rules(
            "- mirror: {host: b}\n  mirrors: [{destination: {host: c}}]\n  redirect: {uri: /}\n  match: [{uri: {exact: /b}}]"
        )),
        ["W SWY0109 vs http[0].mirror", "W SWY0109 vs http[0].mirrors"]
    );
}

#[test]
fn a_redirect_leads_away() {
    let redirect = |uri: &str, to: &str| {
        said(&rules(&format!(
            "- match: [{{uri: {uri}}}]\n  redirect: {to}\n- route: [{{destination: {{host: a}}}}]"
        )))
    };
    let endless = ["W SWY0110 vs http[0].redirect"];
    assert_eq!(redirect("{prefix: /a}", "{uri: /ab}"), endless);
    assert_eq!(redirect("{prefix: /a}", "{uri: /b}"), [""; 0]);
    assert_eq!(redirect("{prefix: /a}", "{uri: /ab, authority: b}"), [""; 0]);
    assert_eq!(redirect("{prefix: /a}", "{uri: /ab, scheme: https}"), [""; 0]);
    assert_eq!(redirect("{prefix: /a}", "{prefixRewrite: /a/v2}"), endless);
    assert_eq!(redirect("{prefix: /a}", "{prefixRewrite: /v2}"), [""; 0]);
    assert_eq!(redirect("{exact: /a}", "{uri: a}"), endless);
    let earlier = "- match: [{uri: {exact: /ab}}]\n  route: [{destination: {host: a}}]\n- match: [{uri: {prefix: /a}}]\n  redirect: {uri: /ab}";
    assert_eq!(said(&rules(earlier)), [""; 0]);
}
