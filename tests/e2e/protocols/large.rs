//! 100 MB, in memory that does not grow with them.

use std::fs;
use std::net::SocketAddr;

use futures_util::stream;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Body, Buf, Bytes, Frame, Incoming};
use hyper::{Method, Request, Response};
use rustix::process::Pid;
use serde_json::json;

use super::{mirrors_sent, mirrors_skipped};
use crate::support::http::{Call, Connection, Http2, call, get};
use crate::support::manifest::{service_of, subsets, virtual_service};
use crate::support::turn;
use crate::support::upstream::{Behaviour, Upstream, serve};
use crate::support::web::Front;

const LENGTH: usize = 100_000_000;
/// Of no round length, so that a piece that is lost or comes twice is seen.
const PIECE: usize = 49_999;

/// What is sent: the same piece again and again.
fn pieces() -> impl Iterator<Item = Bytes> {
    let piece: Bytes = (0..PIECE)
        .map(|at| (at * 31 + at / 251) as u8)
        .collect::<Vec<u8>>()
        .into();
    (0..LENGTH.div_ceil(PIECE)).map(move |number| piece.slice(..PIECE.min(LENGTH - number * PIECE)))
}

/// How long a body is whose every byte is right. It begins to be read late, so that all that would keep it has it all.
async fn read(mut body: impl Body<Data = Bytes, Error: std::fmt::Debug> + Unpin) -> usize {
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let whole = pieces().next().unwrap();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let mut data = frame.unwrap().into_data().unwrap_or_default();
        while data.has_remaining() {
            let at = length % PIECE;
            let some = data.split_to(data.len().min(PIECE - at));
            assert!(some == whole[at..at + some.len()], "at {length}");
            length += some.len();
        }
    }
    length
}

/// Gets and gives as much; HTTP/1.1 or HTTP/2.
async fn warehouse() -> SocketAddr {
    serve(async |request: Request<Incoming>| {
        if request.method() == Method::GET {
            let frames = pieces().map(|piece| Ok::<_, std::convert::Infallible>(Frame::data(piece)));
            return Ok(Response::new(StreamBody::new(stream::iter(frames)).boxed()));
        }
        let length = read(request.into_body()).await;
        Ok(Response::new(Full::from(length.to_string()).boxed()))
    })
    .await
}

/// In bytes, the most that a process has had in memory since the last call.
fn peak(process: Pid) -> usize {
    let of_process = |file| format!("/proc/{}/{file}", process.as_raw_nonzero());
    let status = fs::read_to_string(of_process("status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    fs::write(of_process("clear_refs"), "5").unwrap();
    peak.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * 1024
}

#[tokio::test]
async fn a_hundred_megabytes_pass_either_way_and_envoy_keeps_none_of_them() {
    let _turn = turn::alongside().await;
    let v1 = warehouse().await;
    let v2 = Upstream::start(Behaviour::default()).await;
    let mut manifests = Vec::new();
    for (host, port) in [("http", "name: http"), ("http2", "name: http2")] {
        let to = format!("route: [{{destination: {{host: {host}, subset: v1}}}}]");
        let mirror = format!("mirror: {{host: {host}, subset: v2}}");
        let everything = format!(
            "{{match: [{{uri: {{exact: /everything}}}}], {mirror}, fault: {{delay: {{percentage: {{value: 100}}, fixedDelay: 0.3s}}}}, \
            headers: {{response: {{set: {{x-seen: b}}}}}}, {to}}}"
        );
        let mirrored = format!("{{match: [{{uri: {{exact: /mirrored}}}}], {mirror}, {to}}}");
        manifests.push(service_of(host, port, 8080, &[("v1", v1), ("v2", v2.address)]));
        manifests.push(subsets(host, &["v1", "v2"]));
        manifests.push(virtual_service(host, &[&everything, &mirrored, &format!("{{{to}}}")]));
    }
    let mut front = Front::of(json!({}), &manifests).await;
    let process = front.switchyard.envoy();
    peak(process);
    let before = peak(process);
    // Of HTTP/2 Envoy takes 16 MiB a stream before anybody reads them, from its client and again for its upstream.
    const MB: usize = 1_000_000;
    for (host, path, most) in [
        ("http", "/plain", 10 * MB),
        ("http", "/mirrored", 10 * MB),
        ("http2", "/plain", 60 * MB),
        ("http2", "/everything", 60 * MB),
    ] {
        let host = format!("{host}:8080");
        let begin = async |call: Call| match host.starts_with("http2") {
            true => Http2::open(front.address).await.begin(call).await.unwrap(),
            false => Connection::open(front.address)
                .await
                .unwrap()
                .begin(call)
                .await
                .unwrap(),
        };
        let frames = stream::iter(pieces().map(Frame::data));
        let said = begin(call("POST", &host, path).frames(frames)).await;
        assert_eq!(
            said.collect().await.unwrap().to_bytes(),
            LENGTH.to_string(),
            "{host}{path}"
        );
        let up = peak(process).saturating_sub(before);
        assert_eq!(
            read(begin(get(&host, path)).await.into_body()).await,
            LENGTH,
            "{host}{path}"
        );
        let down = peak(process).saturating_sub(before);
        println!(
            "{host}{path}: Envoy has grown by {} KB after up, {} KB after down",
            up >> 10,
            down >> 10
        );
        assert!(up.max(down) < most, "{host}{path}: {up} up, {down} down");
    }
    let stats = front.switchyard.admin.stats().await;
    // The long requests were given up; those without a body were copied.
    assert_eq!((mirrors_skipped(&stats), mirrors_sent(&stats)), (2, 2));
    front.switchyard.assert_unharmed().await;
}
