use super::*;
use crate::dice::{Fixed, Wyrand};
use crate::header::format::Attribute;
use crate::header::map::HeaderMap;
use crate::plugin::Plugin;

/// A plugin of VirtualServices, each as its name and its spec.
fn plugin(services: &[(&str, &str)]) -> Plugin {
    let object = |(name, spec): &(&str, &str)| {
        format!(
            r#"{{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {{"name": "{name}"}}, "spec": {spec}}}"#
        )
    };
    let objects: Vec<String> = services.iter().map(object).collect();
    Plugin::load(format!(r#"{{"resources": [{}]}}"#, objects.join(",")).as_bytes()).unwrap()
}

fn routed(plugin: &Plugin, path: &str, dice: &mut impl Dice) -> Option<Routed> {
    let headers: HeaderMap = [
        (":authority", "reviews"),
        (":path", path),
        (":method", "GET"),
        (":scheme", "http"),
    ]
    .into_iter()
    .collect();
    match decide(&plugin.table, &Request::new(&headers), dice) {
        Decision::Routed(routed) => Some(routed),
        Decision::Untouched | Decision::NotFound => None,
    }
}

#[test]
fn weights_and_mirrors_are_drawn_with_one_number() {
    let plugin = plugin(&[(
        "reviews",
        r#"{"hosts": ["reviews"], "http": [{
            "route": [{"destination": {"host": "reviews", "subset": "v1"}, "weight": 500000},
                      {"destination": {"host": "reviews", "subset": "v2"}, "weight": 500000}],
            "mirrors": [{"destination": {"host": "a"}, "percentage": {"value": 10}},
                        {"destination": {"host": "b"}, "percentage": {"value": 50}}]}]}"#,
    )]);
    let mut dice = Wyrand::new(1);
    let (mut tenth, mut half) = (0, 0);
    for _ in 0..2_000 {
        let routed = routed(&plugin, "/", &mut dice).unwrap();
        let mirrors = routed.mirrors().count();
        tenth += u32::from(mirrors == 2);
        half += u32::from(mirrors > 0);
        // The mirrored requests are those of the first half, and the tenth is a part of them.
        assert_eq!(mirrors > 0, routed.destination == 0);
    }
    assert!(
        (150..250).contains(&tenth) && (900..1100).contains(&half),
        "{tenth} {half}"
    );
}

#[test]
fn every_fault_takes_a_number_of_its_own() {
    let plugin = plugin(&[(
        "reviews",
        r#"{"hosts": ["reviews"], "http": [{"route": [{"destination": {"host": "reviews"}}], "fault": {
            "delay": {"fixedDelay": "1s", "percentage": {"value": 50}},
            "abort": {"httpStatus": 500, "percentage": {"value": 50}}}}]}"#,
    )]);
    let faults = |delay, abort| {
        let routed = routed(&plugin, "/", &mut Fixed([delay, abort].into())).unwrap();
        (routed.delay.is_some(), routed.abort.is_some())
    };
    assert_eq!(faults(0, 500_000), (true, false));
    assert_eq!(faults(500_000, 0), (false, true));
}

#[test]
fn what_a_delegate_does_not_say_its_root_does() {
    let plugin = plugin(&[
        (
            "root",
            r#"{"hosts": ["reviews"], "http": [{"name": "r", "match": [{"uri": {"prefix": "/a"}}], "delegate": {"name": "leaf"},
                "timeout": "1s", "fault": {"abort": {"httpStatus": 500, "percentage": {"value": 100}}}}]}"#,
        ),
        (
            "leaf",
            r#"{"http": [{"name": "l", "match": [{"uri": {"prefix": "/a/b"}}], "timeout": "2s",
                "route": [{"destination": {"host": "reviews"}}]},
                {"match": [{"uri": {"prefix": "/c"}}], "route": [{"destination": {"host": "reviews"}}]}]}"#,
        ),
    ]);
    let delegated = routed(&plugin, "/a/b", &mut Wyrand::new(0)).unwrap();
    assert_eq!(&*delegated.route.rule.name, "r-l");
    assert_eq!(delegated.abort, Some(Abort::Http(500)));
    assert_eq!(delegated.forward().unwrap().timeout, Some(Duration::from_secs(2)));
    // No match of the root's goes with the leaf's second one.
    assert_eq!(routed(&plugin, "/c", &mut Wyrand::new(0)), None);
    assert_eq!(routed(&plugin, "/a", &mut Wyrand::new(0)), None);
}

#[test]
fn formats_have_the_rules_own_name_and_the_chosen_cluster() {
    let plugin = plugin(&[(
        "reviews",
        r#"{"hosts": ["reviews"], "http": [
            {"name": "r", "match": [{"name": "m", "uri": {"prefix": "/named"}}], "route": [{"destination": {"host": "reviews"}}],
                "headers": {"request": {"set": {"x": "%ROUTE_NAME% %UPSTREAM_CLUSTER% %UPSTREAM_HOST% %RESPONSE_CODE%"}},
                            "response": {"set": {"x": "%ROUTE_NAME% %UPSTREAM_CLUSTER% %UPSTREAM_HOST% %REQ(x)%"}}}},
            {"headers": {"response": {"set": {"x": "%ROUTE_NAME% %UPSTREAM_CLUSTER% %RESP(:status)%"}}}, "directResponse": {"status": 200}}]}"#,
    )]);
    let headers: HeaderMap = [(":authority", "reviews:9080"), (":path", "/")].into_iter().collect();
    let request = Request::new(&headers);
    let text = |map: &HeaderMap| String::from_utf8(map.get("x").unwrap().to_vec()).unwrap();

    let named = routed(&plugin, "/named", &mut Wyrand::new(0)).unwrap();
    let host = |wanted| (wanted == Attribute::UpstreamHost).then(|| b"1.2.3.4:5".to_vec());
    let cluster = "outbound|9080||reviews.default.svc.cluster.local;";
    let up = format!("r.m {cluster}  0");
    assert_eq!(text(&named.request_edits(&request, &host).applied()), up);
    let response = HeaderMap::default();
    let is_there = |_| Some(b"1.2.3.4:5".to_vec());
    let answered = named.response_edits(&response, &request, &is_there).applied();
    assert_eq!(text(&answered), format!("r.m {cluster} 1.2.3.4:5 {up}"));
    // Without the cluster nothing went up.
    assert_eq!(
        text(&named.response_edits(&response, &request, &host).applied()),
        "r.m  1.2.3.4:5 "
    );

    let unnamed = routed(&plugin, "/", &mut Wyrand::new(0)).unwrap();
    let reply = unnamed.local_reply(&request, &is_there).unwrap();
    assert_eq!(
        (text(&reply.headers), reply.headers.get(":status")),
        ("  200".to_owned(), None)
    );
}
