//! `nativeMirrors`: Envoy's own router makes the copies.

use std::time::Duration;

use futures_util::stream;
use http_body_util::BodyExt;
use hyper::body::{Bytes, Frame, Incoming};
use hyper::{HeaderMap, Request, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::support::admin::Stats;
use crate::support::chance::may_be_chance;
use crate::support::http::{Connection, Http2, call, get, load};
use crate::support::manifest::{service, service_of, subsets, virtual_service};
use crate::support::turn;
use crate::support::twin::Twins;
use crate::support::upstream::{Behaviour, Received, Upstream, serve};
use crate::support::web::{Front, TO_V1, Web};

const SOON: Duration = Duration::from_secs(5);
const MIRRORED: &str = "{match: [{uri: {prefix: /mirrored}}], mirror: {host: web, subset: v2}, route: [{destination: {host: web, subset: v1}}]}";

fn options() -> Value {
    json!({"nativeMirrors": true, "maxMirrorBodyBytes": 1000})
}

/// How many copies were asked for, of those for a host, or of all.
fn mirrored(stats: &Stats, host: &str) -> usize {
    let end = if host.is_empty() {
        String::new()
    } else {
        format!(".destination.{host}_default_svc_cluster_local")
    };
    stats.sum("wasmcustom.switchyard_mirrored_total", &end) as usize
}

/// That neither side has heard of what is between the filter and its routes.
fn assert_nothing_reserved(received: &[Received]) {
    for request in received {
        let reserved = request
            .headers
            .keys()
            .find(|name| name.as_str().starts_with("x-switchyard"));
        assert_eq!(reserved, None, "{request:?}");
    }
}

#[tokio::test]
async fn a_copy_streams_has_no_bound_and_carries_trailers() {
    let _turn = turn::alongside().await;
    let v1 = Upstream::start(Behaviour::default()).await;
    let (hears, mut heard) = mpsc::unbounded_channel();
    // Says what it hears of a copy as it comes.
    let v2 = serve(move |request: Request<Incoming>| {
        let hears = hears.clone();
        async move {
            let mut body = request.into_body();
            while let Some(frame) = body.frame().await {
                hears.send(frame.unwrap()).unwrap();
            }
            Ok(Response::new(http_body_util::Empty::<Bytes>::new()))
        }
    })
    .await;
    let manifests = [
        service_of("web", "name: http2", 8080, &[("v1", v1.address), ("v2", v2)]),
        subsets("web", &["v1", "v2"]),
        virtual_service("web", &[MIRRORED, TO_V1]),
    ];
    let mut front = Front::of(options(), &manifests).await;
    let (feed, food) = mpsc::channel::<Frame<Bytes>>(1);
    let body = stream::unfold(food, |mut food| async { Some((food.recv().await?, food)) });
    let http2 = Http2::open(front.address).await;
    let answer = tokio::spawn(async move { http2.send(call("POST", "web:8080", "/mirrored").frames(body)).await });
    // More than the filter would keep for all its copies together.
    let piece = Bytes::from(vec![b'x'; 1 << 20]);
    for number in 0..80 {
        feed.send(Frame::data(piece.clone())).await.unwrap();
        let mut length = 0;
        while length < piece.len() {
            let frame = timeout(SOON, heard.recv()).await.expect("it is kept back").unwrap();
            length += frame.into_data().unwrap().len();
        }
        assert_eq!(length, piece.len(), "{number}");
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "42".parse().unwrap());
    feed.send(Frame::trailers(trailers)).await.unwrap();
    drop(feed);
    let mut last = timeout(SOON, heard.recv()).await.unwrap().unwrap();
    if last.is_data() {
        last = timeout(SOON, heard.recv()).await.unwrap().unwrap();
    }
    assert_eq!(last.into_trailers().unwrap()["x-sum"], "42");
    assert_eq!(answer.await.unwrap().unwrap().text(), "upstream");
    let received = v1.received();
    assert_eq!(
        (received[0].body.len(), &received[0].trailers["x-sum"]),
        (80 << 20, &"42".parse().unwrap())
    );
    front.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn every_mirror_gets_its_share_of_one_draw() {
    let _turn = turn::alongside().await;
    const REQUESTS: usize = 1000;
    let v1 = Upstream::start(Behaviour::default()).await;
    let all = Upstream::start(Behaviour::default()).await;
    let half = Upstream::start(Behaviour::default()).await;
    let tenth = Upstream::start(Behaviour::default()).await;
    let mirrors = "mirrors: [{destination: {host: all}}, {destination: {host: half}, percentage: {value: 50}}, \
        {destination: {host: tenth}, percentage: {value: 10}}]";
    let retries = "retries: {attempts: 1, retryOn: 5xx, backoff: 30ms}";
    let to = "route: [{destination: {host: web}}]";
    let manifests = [
        service("web", 8080, &[("v1", v1.address)]),
        service("all", 8080, &[("v1", all.address)]),
        service("half", 8080, &[("v1", half.address)]),
        service("tenth", 8080, &[("v1", tenth.address)]),
        virtual_service(
            "web",
            &[
                format!("{{match: [{{uri: {{exact: /retried}}}}], {mirrors}, {retries}, {to}}}"),
                format!("{{{mirrors}, {to}}}"),
            ],
        ),
    ];
    let mut front = Front::of(options(), &manifests).await;
    for path in ["/", "/retried"] {
        [&v1, &all, &half, &tenth].iter().for_each(|upstream| upstream.forget());
        let before = front.switchyard.admin.stats().await;
        load(front.address, REQUESTS, 4, || get("web:8080", path)).await;
        assert_eq!(all.receives(REQUESTS).await.len(), REQUESTS);
        let after = front.switchyard.admin.stats().await;
        for (upstream, host, share) in [(&half, "half", 0.5), (&tenth, "tenth", 0.1)] {
            let count = mirrored(&after, host) - mirrored(&before, host);
            assert!(may_be_chance(count, REQUESTS, share), "{host}: {count}");
            assert_eq!(upstream.receives(count).await.len(), count, "{path} {host}");
        }
        // One number draws for all: whoever is in the tenth is in the half.
        let ids = |upstream: &Upstream| {
            let ids = upstream.received();
            ids.iter()
                .map(|copy| copy.header("x-request-id").to_vec())
                .collect::<std::collections::BTreeSet<_>>()
        };
        assert!(ids(&tenth).is_subset(&ids(&half)), "{path}");
        [&v1, &all, &half, &tenth]
            .iter()
            .for_each(|upstream| assert_nothing_reserved(&upstream.received()));
    }
    front.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn copies_are_those_that_envoys_own_routes_make() {
    let _turn = turn::alongside().await;
    let v1 = Upstream::start(Behaviour::default()).await;
    let v2 = Upstream::start(Behaviour::default()).await;
    let to = "timeout: 5s, mirror: {host: copies}, route: [{destination: {host: web}}]";
    let manifests = [
        service("web", 8080, &[("v1", v1.address)]),
        service("copies", 8080, &[("v2", v2.address)]),
        virtual_service(
            "web",
            &[
                format!(
                    "{{match: [{{uri: {{prefix: /retried}}}}], retries: {{attempts: 2, retryOn: 5xx, perTryTimeout: 2s}}, {to}}}"
                ),
                format!("{{{to}}}"),
            ],
        ),
    ];
    for suffix in [true, false] {
        let options = json!({"nativeMirrors": true, "shadowHostSuffix": suffix});
        let twins = Twins::with_options(&options, &manifests, |manager| native(manager, suffix)).await;
        for (path, status) in [("/", 200), ("/", 503), ("/retried", 200), ("/retried", 503)] {
            for behaviour in [&v1, &v2] {
                behaviour.behave(Behaviour {
                    status: status.try_into().unwrap(),
                    ..Behaviour::default()
                });
            }
            let mut seen = Vec::new();
            for address in [twins.ours, twins.native] {
                [&v1, &v2].iter().for_each(|upstream| upstream.forget());
                let request = call("POST", "web:8080", path)
                    .header("x-bytes", [0xe4, b'!'])
                    .body("body");
                assert_eq!(request.send(address).await.status, status);
                // Tried again the request may be, but not its copy.
                let copies = v2.receives(1).await;
                assert_nothing_reserved(&[v1.received(), copies.clone()].concat());
                let as_received = |mut request: Received| {
                    request.headers.remove("x-request-id");
                    format!("{request:#?}")
                };
                let received: Vec<String> = v1.received().into_iter().map(as_received).collect();
                seen.push((received, copies.into_iter().map(as_received).collect::<Vec<_>>()));
            }
            assert_eq!(seen[0], seen[1], "{path} {status}");
        }
    }
}

/// The route that istiod would make of each rule.
fn native(manager: &mut Value, suffix: bool) {
    let hosts = manager["route_config"]["virtual_hosts"].as_array_mut().unwrap();
    let web = hosts
        .iter_mut()
        .find(|host| host["name"].as_str().unwrap().starts_with("web."))
        .unwrap();
    let routes = web["routes"].as_array_mut().unwrap();
    let mut route = routes.pop().unwrap();
    route["route"]["timeout"] = "5s".into();
    route["route"]["request_mirror_policies"] = json!([{"cluster": "outbound|8080||copies.default.svc.cluster.local", "disable_shadow_host_suffix_append": !suffix}]);
    let mut retried = route.clone();
    retried["match"]["prefix"] = "/retried".into();
    retried["route"]["retry_policy"]["retry_on"] = "5xx".into();
    retried["route"]["retry_policy"]["per_try_timeout"] = "2s".into();
    *routes = vec![retried, route];
}

#[tokio::test]
async fn what_does_not_go_upstream_is_not_copied() {
    let _turn = turn::alongside().await;
    let always = "percentage: {value: 100}";
    let mirror = "mirror: {host: web, subset: v2}";
    let rules = [
        format!(
            "{{match: [{{uri: {{exact: /aborted}}}}], {mirror}, fault: {{abort: {{httpStatus: 418, {always}}}}}, route: [{{destination: {{host: web, subset: v1}}}}]}}"
        ),
        format!("{{match: [{{uri: {{exact: /no-host}}}}], {mirror}, route: [{{destination: {{host: empty}}}}]}}"),
        format!(
            "{{match: [{{uri: {{exact: /no-cluster}}}}], {mirror}, route: [{{destination: {{host: web, subset: v9}}}}]}}"
        ),
        format!(
            "{{match: [{{uri: {{exact: /delayed}}}}], {mirror}, fault: {{delay: {{fixedDelay: 0.3s, {always}}}}}, route: [{{destination: {{host: web, subset: v1}}}}]}}"
        ),
    ];
    let mut web = Web::with_options(options(), &rules.each_ref().map(String::as_str)).await;
    for (path, status) in [("/aborted", 418), ("/no-host", 503), ("/no-cluster", 503)] {
        assert_eq!(get("web:8080", path).send(web.address).await.status, status, "{path}");
    }
    let delayed = get("web:8080", "/delayed").send(web.address);
    let early = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        web.v2.received().len()
    };
    let (answer, early) = tokio::join!(delayed, early);
    assert_eq!((answer.status.as_u16(), early), (200, 0));
    let copies = web.v2.receives(1).await;
    assert_eq!(
        copies.iter().map(|copy| copy.path.as_str()).collect::<Vec<_>>(),
        ["/delayed"]
    );
    // The filter counts what it asks for, and knows no more.
    assert_eq!(mirrored(&web.switchyard.admin.stats().await, ""), 3);
    web.assert_unharmed().await;
}

#[tokio::test]
async fn what_becomes_of_a_copy_is_in_the_statistics_of_its_cluster() {
    let _turn = turn::alongside().await;
    let timed = "{match: [{uri: {exact: /timed}}], timeout: 0.3s, mirror: {host: web, subset: v2}, route: [{destination: {host: web, subset: v1}}]}";
    let mut web = Web::with_options(options(), &[timed, MIRRORED]).await;
    let of_v2 = |stats: &Stats, counter: &str| {
        stats.get(&format!(
            "cluster.outbound|8080|v2|web.default.svc.cluster.local;.{counter}"
        ))
    };
    web.v2.behave(Behaviour {
        status: 500.try_into().unwrap(),
        ..Behaviour::default()
    });
    get("web:8080", "/mirrored").send(web.address).await;
    let has_failed = |stats: &Stats| of_v2(stats, "upstream_rq_500") == 1;
    web.switchyard.admin.until("is it counted", has_failed).await;
    web.v2.behave(Behaviour {
        delay: Duration::from_secs(3),
        ..Behaviour::default()
    });
    let answer = get("web:8080", "/timed").send(web.address).await;
    assert_eq!(answer.status, 200);
    let has_ended = |stats: &Stats| of_v2(stats, "upstream_rq_timeout") == 1;
    let stats = web
        .switchyard
        .admin
        .until("does the rule's timeout end it", has_ended)
        .await;
    assert_eq!(stats.get("wasmcustom.switchyard_mirror_failures_total"), 0);
    web.assert_unharmed().await;
}

#[tokio::test]
async fn a_client_asks_for_no_copies() {
    let _turn = turn::alongside().await;
    let mut web = Web::with_options(options(), &[MIRRORED]).await;
    let key = "outbound|8080|v2|web.default.svc.cluster.local";
    for host in ["web:8080", "plain:8080", "nowhere:8080"] {
        for name in ["x-switchyard-mirror", "X-Switchyard-Mirror"] {
            get(host, "/")
                .header(name, key)
                .header(name, "other")
                .send(web.address)
                .await;
        }
    }
    let wrong = "outbound|8080|v1|web.default.svc.cluster.local";
    get("web:8080", "/mirrored")
        .header("x-switchyard-mirror", wrong)
        .send(web.address)
        .await;
    let copies = web.v2.receives(1).await;
    assert_eq!(
        copies.iter().map(|copy| copy.path.as_str()).collect::<Vec<_>>(),
        ["/mirrored"]
    );
    assert_eq!(web.v1.received().len(), 5);
    assert_nothing_reserved(&[web.v1.received(), copies].concat());
    web.assert_unharmed().await;
}

#[tokio::test]
async fn a_request_that_gets_another_authority_is_copied_too() {
    let _turn = turn::alongside().await;
    let rewritten = |to: &str| {
        format!(
            "{{match: [{{uri: {{exact: /{to}}}}}], rewrite: {{authority: {to}}}, mirror: {{host: web, subset: v2}}, route: [{{destination: {{host: web, subset: v1}}}}]}}"
        )
    };
    let rules = [rewritten("plain"), rewritten("elsewhere")];
    let mut web = Web::with_options(options(), &rules.each_ref().map(String::as_str)).await;
    for to in ["plain", "elsewhere"] {
        get("web:8080", &format!("/{to}")).send(web.address).await;
    }
    let copies = web.v2.receives(2).await;
    let hosts: Vec<&[u8]> = copies.iter().map(|copy| copy.header("host")).collect();
    assert_eq!(hosts, [&b"plain-shadow"[..], b"elsewhere-shadow"]);
    web.assert_unharmed().await;
}

#[tokio::test]
async fn while_mirrors_change_every_request_is_copied_once() {
    let _turn = turn::alongside().await;
    let rules = |mirror: &str, retries: &str| {
        let rule =
            format!("{{mirror: {{host: {mirror}}}, {retries} route: [{{destination: {{host: web, subset: v1}}}}]}}");
        virtual_service("web", &[rule])
    };
    let mut web = Web::with_options(options(), &[]).await;
    let copies = [
        Upstream::start(Behaviour::default()).await,
        Upstream::start(Behaviour::default()).await,
    ];
    for (name, upstream) in ["a", "b"].into_iter().zip(&copies) {
        web.switchyard
            .apply(&service(name, 8080, &[("v1", upstream.address)]))
            .await;
    }
    web.switchyard.apply(&rules("a", "")).await;
    let (stop, mut stopped) = mpsc::channel::<()>(1);
    let address = web.address;
    let clients = tokio::spawn(async move {
        let mut count = 0;
        while stopped.try_recv() != Err(mpsc::error::TryRecvError::Disconnected) {
            let answers = load(address, 20, 4, || get("web:8080", "/")).await;
            assert!(answers.iter().all(|answer| answer.status == 200));
            count += answers.len();
        }
        count
    });
    for (mirror, retries) in [
        ("b", ""),
        ("b", "retries: {attempts: 1, backoff: 30ms},"),
        ("a", "retries: {attempts: 1, backoff: 40ms},"),
        ("a", ""),
        ("b", ""),
    ] {
        web.switchyard.apply(&rules(mirror, retries)).await;
    }
    drop(stop);
    let count = clients.await.unwrap();
    let begin = std::time::Instant::now();
    let copied = || copies.iter().map(|upstream| upstream.received().len()).sum::<usize>();
    while copied() < count && begin.elapsed() < SOON {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(copied(), count);
    assert!(
        count > 100 && copies.iter().all(|upstream| !upstream.received().is_empty()),
        "{count}"
    );
    web.assert_unharmed().await;
}

/// Agrees to every upgrade, and says what it hears from then on.
async fn upgrading() -> (std::net::SocketAddr, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (hears, heard) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut some = [0; 4096];
        assert!(stream.read(&mut some).await.unwrap() > 0);
        let agreed = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
        stream.write_all(agreed.as_bytes()).await.unwrap();
        while let Ok(length @ 1..) = stream.read(&mut some).await {
            hears.send(String::from_utf8(some[..length].to_vec()).unwrap()).unwrap();
        }
    });
    (address, heard)
}

#[tokio::test]
async fn an_upgrade_is_copied_with_all_that_the_client_says() {
    let _turn = turn::alongside().await;
    let (v1, mut upstream) = upgrading().await;
    let (v2, mut copy) = upgrading().await;
    let manifests = [
        service("web", 8080, &[("v1", v1), ("v2", v2)]),
        subsets("web", &["v1", "v2"]),
        virtual_service("web", &[MIRRORED, TO_V1]),
    ];
    let mut front = Front::of(options(), &manifests).await;
    let mut client = TcpStream::connect(front.address).await.unwrap();
    let head = "GET /mirrored HTTP/1.1\r\nhost: web:8080\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    let mut some = [0; 4096];
    let length = client.read(&mut some).await.unwrap();
    assert!(some[..length].starts_with(b"HTTP/1.1 101 "));
    for word in ["one", "two"] {
        client.write_all(word.as_bytes()).await.unwrap();
        for heard in [&mut upstream, &mut copy] {
            assert_eq!(timeout(SOON, heard.recv()).await.unwrap().unwrap(), word);
        }
    }
    drop(client);
    // It ends for both.
    for heard in [&mut upstream, &mut copy] {
        assert_eq!(timeout(SOON, heard.recv()).await.unwrap(), None);
    }
    front.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn a_mirror_that_does_not_read_holds_a_long_body_back_until_it_goes() {
    let _turn = turn::alongside().await;
    const PIECE: usize = 50_000;
    let v1 = Upstream::start(Behaviour::default()).await;
    let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let manifests = [
        service("web", 8080, &[("v1", v1.address), ("v2", deaf.local_addr().unwrap())]),
        subsets("web", &["v1", "v2"]),
        virtual_service("web", &[MIRRORED, TO_V1]),
    ];
    let mut front = Front::of(options(), &manifests).await;
    let mut connection = Connection::open(front.address).await.unwrap();
    let pieces = vec![Bytes::from_static(&[b'x'; PIECE]); 1000];
    let sending = connection.send(call("POST", "web:8080", "/mirrored").pieces(pieces));
    let mut sending = std::pin::pin!(sending);
    assert!(timeout(Duration::from_secs(1), &mut sending).await.is_err());
    let (held, _) = deaf.accept().await.unwrap();
    drop(held);
    let answer = timeout(SOON, sending).await.unwrap();
    assert_eq!(
        (answer.status.as_u16(), v1.received()[0].body.len()),
        (200, 1000 * PIECE)
    );
    front.switchyard.assert_unharmed().await;
}
