//! gRPC, by a real client and a real server.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use hyper::body::Bytes;
use serde_json::json;
use tokio::sync::mpsc;
use tonic::{Code, Status};

use super::{mirrors_sent, mirrors_skipped};
use crate::support::grpc::{self, Client, ECHO, FAIL, LONG, SLOW};
use crate::support::http::call;
use crate::support::manifest::{service_of, subsets, virtual_service};
use crate::support::turn;
use crate::support::twin::Twins;
use crate::support::upstream::{Behaviour, Upstream};
use crate::support::web::Front;

/// A rule for calls whose header `x-case` is this.
fn case(name: &str, does: &str) -> String {
    format!(
        "{{match: [{{headers: {{x-case: {{exact: {name}}}}}}}], {does}, route: [{{destination: {{host: shop, subset: v1}}}}]}}"
    )
}

/// The service `shop:8080`, which v1 serves; what goes to v2 is a copy.
async fn shop(cases: &[(&str, &str)]) -> (Front, Upstream) {
    shop_of("name: grpc", cases).await
}

async fn shop_of(port: &str, cases: &[(&str, &str)]) -> (Front, Upstream) {
    let v1 = grpc::serve().await;
    let v2 = Upstream::start(Behaviour::default()).await;
    let rules: Vec<String> = cases.iter().map(|(name, does)| case(name, does)).collect();
    let mut rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    rules.push("{route: [{destination: {host: shop, subset: v1}}]}");
    let manifests = [
        service_of("shop", port, 8080, &[("v1", v1), ("v2", v2.address)]),
        subsets("shop", &["v1", "v2"]),
        virtual_service("shop", &rules),
    ];
    (Front::of(json!({}), &manifests).await, v2)
}

async fn client(front: &Front, case: &str) -> Client {
    Client::open(front.address, "shop:8080").await.header("x-case", case)
}

/// Of the 100 ms that rules say; timers may be a little early.
const DELAY: Duration = Duration::from_millis(97);

#[tokio::test]
async fn calls_of_all_four_kinds_pass_with_their_metadata_and_trailers() {
    let _turn = turn::alongside().await;
    let delay = "fault: {delay: {percentage: {value: 100}, fixedDelay: 0.1s}}";
    let headers = "headers: {request: {set: {x-added: a}}, response: {set: {x-seen: b}}}";
    let mirror = "mirror: {host: shop, subset: v2}";
    let everything = format!("{delay}, {headers}, {mirror}");
    let cases = [
        ("delay", delay),
        ("headers", headers),
        ("mirror", mirror),
        ("everything", &everything),
    ];
    let (mut front, v2) = shop(&cases).await;
    for case in ["plain", "delay", "headers", "mirror", "everything"] {
        let mut client = client(&front, case).await;
        let begin = Instant::now();
        let unary = client.unary(ECHO, "one".into()).await.unwrap();
        assert_eq!(unary.get_ref(), "one", "{case}");
        let waited = begin.elapsed() >= DELAY;
        assert_eq!(
            waited,
            ["delay", "everything"].contains(&case),
            "{case}: {:?}",
            begin.elapsed()
        );
        let seen = |name| unary.metadata().get(name).map(|value| value.to_str().unwrap());
        let edited = ["headers", "everything"].contains(&case);
        assert_eq!(
            (seen("x-heard-added"), seen("x-seen")),
            (edited.then_some("a"), edited.then_some("b")),
            "{case}"
        );

        let messages = stream::iter(["one"]).map(Bytes::from);
        assert_eq!(
            client.client_stream(ECHO, messages).await.unwrap().get_ref(),
            "one",
            "{case}"
        );

        let mut said = client.server_stream(FAIL, "one".into()).await.unwrap().into_inner();
        assert_eq!(said.message().await.unwrap().unwrap(), "one", "{case}");
        let failure = said.message().await.unwrap_err();
        assert_eq!(
            (failure.code(), failure.message()),
            (Code::DataLoss, "as told"),
            "{case}"
        );
        assert_eq!(failure.metadata().get("x-reason").unwrap(), "none", "{case}");

        // Each message is answered before the next one is sent, so nothing keeps any of them back.
        let (say, saying) = mpsc::channel::<Bytes>(1);
        let saying = stream::unfold(saying, |mut saying| async { Some((saying.recv().await?, saying)) });
        let mut said = client.streams(ECHO, saying).await.unwrap().into_inner();
        for message in ["one", "two", "three"] {
            say.send(message.into()).await.unwrap();
            assert_eq!(said.message().await.unwrap().unwrap(), message, "{case}");
        }
        drop(say);
        assert!(said.message().await.unwrap().is_none(), "{case}");
    }
    // Copies of two cases, with all that was said, by a client that takes trailers: servers of some languages ask for that.
    let copies = v2.receives(8).await;
    let framed = |messages: &[&str]| -> Vec<u8> {
        let frame = |message: &&str| [&[0, 0, 0, 0, message.len() as u8], message.as_bytes()].concat();
        messages.iter().flat_map(frame).collect()
    };
    for (number, copy) in copies.iter().enumerate() {
        let said: &[&str] = if number % 4 == 3 {
            &["one", "two", "three"]
        } else {
            &["one"]
        };
        assert_eq!(copy.body, framed(said), "{number}");
        assert_eq!(
            (copy.header("content-type"), copy.header("te")),
            (&b"application/grpc"[..], &b"trailers"[..])
        );
    }
    let stats = front
        .switchyard
        .admin
        .until("are all copies sent", |stats| mirrors_sent(stats) == 8)
        .await;
    assert_eq!(mirrors_skipped(&stats), 0);
    front.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn an_abort_is_a_status_to_every_kind_of_call() {
    let _turn = turn::alongside().await;
    let abort = |status| {
        format!("fault: {{abort: {{percentage: {{value: 100}}, {status}}}}}, mirror: {{host: shop, subset: v2}}")
    };
    let delayed = abort("grpcStatus: RESOURCE_EXHAUSTED").replace(
        "fault: {",
        "fault: {delay: {percentage: {value: 100}, fixedDelay: 0.1s}, ",
    );
    let cases = [
        ("grpc", &*abort("grpcStatus: NOT_FOUND"), Code::NotFound),
        ("delayed", &delayed, Code::ResourceExhausted),
        ("http", &abort("httpStatus: 503"), Code::Unavailable),
        ("odd", &abort("httpStatus: 418"), Code::Unknown),
    ];
    let rules = cases.each_ref().map(|(name, does, _)| (*name, *does));
    let (mut front, v2) = shop(&rules).await;
    for (name, _, code) in cases {
        let mut client = client(&front, name).await;
        let endless = || stream::repeat(Bytes::from("more"));
        let statuses: [Status; 4] = [
            client.unary(ECHO, "one".into()).await.unwrap_err(),
            client.client_stream(ECHO, endless()).await.unwrap_err(),
            client.server_stream(ECHO, "one".into()).await.unwrap_err(),
            client.streams(ECHO, endless()).await.unwrap_err(),
        ];
        for status in statuses {
            assert_eq!(
                (status.code(), status.message()),
                (code, "fault filter abort"),
                "{name}"
            );
        }
    }
    assert!(v2.received().is_empty());
    front.switchyard.assert_unharmed().await;
}

/// What a client sees of a call: how it ends, and which deadline the server was told.
async fn seen(client: &mut Client, path: &'static str) -> (Code, String, String) {
    let (end, heard) = match client.server_stream(path, "one".into()).await {
        Ok(answer) => {
            let heard = answer.metadata().get("x-heard-timeout").cloned();
            let mut said = answer.into_inner();
            let end = loop {
                match said.message().await {
                    Ok(Some(message)) => assert_eq!(message, "one"),
                    Ok(None) => break Status::ok("done"),
                    Err(status) => break status,
                }
            };
            (end, heard)
        }
        Err(status) => (status, None),
    };
    let heard = heard.map_or_else(String::new, |heard| heard.to_str().unwrap().to_owned());
    (end.code(), end.message().to_owned(), heard)
}

#[tokio::test]
async fn deadlines_end_calls_as_under_istios_own_routes() {
    let _turn = turn::alongside().await;
    let shop = grpc::serve().await;
    let hosts = [("none", "0s"), ("short", "0.3s"), ("long", "9s")];
    let mut manifests = Vec::new();
    for (host, timeout) in hosts {
        manifests.push(service_of(host, "name: grpc", 8080, &[("v1", shop)]));
        let timeout = if timeout == "0s" {
            String::new()
        } else {
            format!("timeout: {timeout}, ")
        };
        manifests.push(virtual_service(
            host,
            &[&format!("{{{timeout}route: [{{destination: {{host: {host}}}}}]}}")],
        ));
    }
    // As istiod writes a rule's timeout.
    let twins = Twins::start(&manifests, |manager| {
        for (host, timeout) in hosts {
            let all = manager["route_config"]["virtual_hosts"].as_array_mut().unwrap();
            let own = all
                .iter_mut()
                .find(|own| own["name"].as_str().unwrap().starts_with(&format!("{host}.")))
                .unwrap();
            let route = own["routes"].as_array_mut().unwrap().last_mut().unwrap();
            assert_eq!(route["name"], "default");
            route["route"]["timeout"] = timeout.into();
            route["route"]["max_grpc_timeout"] = timeout.into();
        }
    })
    .await;
    for (host, own, ends) in [
        ("none", None, None),
        ("none", Some("300m"), Some(300)),
        ("short", None, Some(300)),
        ("short", Some("100m"), Some(100)),
        ("short", Some("7S"), Some(300)),
        ("short", Some("0m"), Some(300)),
        ("short", Some("soon"), Some(300)),
        ("long", Some("300000u"), Some(300)),
    ] {
        let open = async |to| {
            let client = Client::open(to, &format!("{host}:8080")).await;
            match own {
                Some(own) => client.header("grpc-timeout", own),
                None => client,
            }
        };
        let (mut ours, mut native) = (open(twins.ours).await, open(twins.native).await);
        let what = format!("{host} {own:?}");
        assert_eq!(seen(&mut ours, ECHO).await, seen(&mut native, ECHO).await, "{what}");
        let Some(ends) = ends else { continue };
        let begin = Instant::now();
        let (code, message, _) = seen(&mut ours, SLOW).await;
        assert_eq!(
            (code, &*message),
            (Code::Unavailable, "upstream request timeout"),
            "{what}"
        );
        let late = begin.elapsed().as_millis() as i64 - ends;
        assert!((-10..1000).contains(&late), "{what}: {late} ms late");
        // Once it has begun, an answer is broken off.
        let (ours, native) = tokio::join!(seen(&mut ours, LONG), seen(&mut native, LONG));
        assert_eq!(ours, native, "{what}");
        assert_ne!(ours.0, Code::Ok, "{what}");
    }
}

/// A frame of gRPC-Web: its trailers are one, too.
fn frame(flag: u8, text: &str) -> Vec<u8> {
    [&[flag, 0, 0, 0, text.len() as u8], text.as_bytes()].concat()
}

#[tokio::test]
async fn browsers_are_translated_for_where_a_port_says_so() {
    let _turn = turn::alongside().await;
    let abort = "fault: {abort: {percentage: {value: 100}, httpStatus: 503}}";
    let cases = [
        ("mirror", "mirror: {host: shop, subset: v2}"),
        ("abort", abort),
        ("late", "timeout: 0.2s"),
    ];
    let (mut front, v2) = shop_of("name: grpc-web", &cases).await;
    let ask = async |case, path| {
        let request = call("POST", "shop:8080", path).header("content-type", "application/grpc-web+proto");
        request
            .header("x-case", case)
            .body(frame(0, "one"))
            .send(front.address)
            .await
    };
    for case in ["plain", "mirror"] {
        let answer = ask(case, ECHO).await;
        assert_eq!(answer.header("content-type"), "application/grpc-web+proto");
        let expected = [frame(0, "one"), frame(0x80, "grpc-status:0\r\n")].concat();
        assert_eq!(answer.body, expected, "{case}");
    }
    assert_eq!(v2.receives(1).await[0].header("content-type"), b"application/grpc");
    for (case, path) in [("abort", ECHO), ("late", SLOW)] {
        assert_eq!(ask(case, path).await.header("grpc-status"), "14", "{case}");
    }
    front.switchyard.assert_unharmed().await;
}
