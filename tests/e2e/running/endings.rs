//! Processes that end under load.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::instance::{EVERY, PIECES};
use super::message as grpc;
use super::stage::{Stage, until};
use crate::support::admin::Stats;
use crate::support::http::{Answer, Call, Connection, Http2, call, get};
use crate::support::turn;

#[tokio::test]
async fn an_envoy_that_is_killed_serves_again_within_two_seconds() {
    let _turn = turn::alone().await;
    let begin = Instant::now();
    let mut stage = Stage::start("--drain-time=2").await;
    // A machine on which the first start takes longer has as long again.
    let patience = begin.elapsed().max(Duration::from_secs(2));
    let course = Arc::clone(&stage.clients.course);
    for change in 1..=2 {
        until("is it served", || stage.clients.have_seen(change - 1)).await;
        // Killed while a change is about to be applied, or is being applied.
        stage.world.change = change;
        course.enter(&stage.world);
        stage.write("rules.yaml");
        sleep(change * Duration::from_millis(30)).await;
        let killed = stage.switchyard.envoy();
        kill_process(killed, Signal::KILL).unwrap();
        let begin = Instant::now();
        let ended = || stage.switchyard.events("envoy-ended");
        until("is that noticed", || ended().len() == change as usize).await;
        assert_eq!(stage.switchyard.readiness().await, 503);
        let ended = ended().pop().unwrap();
        assert!(ended["status"].as_str().unwrap().contains("signal: 9"), "{ended}");
        let answer = loop {
            match get("web", "/").try_send(stage.port.address()).await {
                Ok(answer) => break answer,
                Err(_) if begin.elapsed() < patience => sleep(Duration::from_millis(5)).await,
                Err(error) => panic!("not served after {:?}: {error}", begin.elapsed()),
            }
        };
        println!("serving after {:?}", begin.elapsed());
        assert_eq!((answer.status.as_u16(), answer.header("x-instance")), (200, "v1"));
        until("is the change live", || stage.clients.have_seen(change)).await;
        assert_eq!(stage.switchyard.readiness().await, 200);
        assert_ne!(stage.switchyard.envoy(), killed);
    }
    // Clients lost what was under way, and nothing was answered by other rules.
    stage.clients.stop().await;
    assert_eq!(course.wrong(), [""; 0]);
}

/// Requests that are under way for two seconds, whatever carries them, and how each is to be answered.
fn long(to: SocketAddr, under_way: &mut JoinSet<(&'static str, Result<Answer, String>)>) {
    let pieces = Duration::from_secs(2).as_millis() / EVERY.as_millis();
    let slow = move |call: Call| call.header(PIECES, pieces.to_string());
    under_way.spawn(async move {
        let mut connection = Connection::open(to).await.unwrap();
        ("v1", connection.try_send(slow(get("web", "/"))).await)
    });
    under_way.spawn(async move { ("v1", Http2::open(to).await.send(slow(get("web", "/"))).await) });
    under_way.spawn(async move {
        let echo = call("POST", "echo", "/")
            .header("content-type", grpc::CONTENT_TYPE)
            .header("te", "trailers");
        (
            "echo-v1",
            Http2::open(to).await.send(slow(echo.body(grpc::message(b"")))).await,
        )
    });
    under_way.spawn(async move { ("waits", get("waits", "/").try_send(to).await) });
    under_way.spawn(async move { ("waits", Http2::open(to).await.send(get("waits", "/")).await) });
}

/// A host whose requests wait for two seconds.
const WAITS: &str = "\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: waits}
spec:
  hosts: [waits]
  http:
  - fault: {delay: {percentage: {value: 100}, fixedDelay: 2s}}
    route: [{destination: {host: web, subset: v1}}]
";

/// With ten requests that take 2 s under way.
async fn busy() -> (Stage, JoinSet<(&'static str, Result<Answer, String>)>) {
    let stage = Stage::start("--drain-time=8").await;
    stage.switchyard.write("waits.yaml", WAITS);
    until("is it live", || stage.switchyard.events("live").len() == 2).await;
    let mut under_way = JoinSet::new();
    long(stage.port.address(), &mut under_way);
    long(stage.port.address(), &mut under_way);
    let upstreams = |stats: &Stats| stats.get("wasmcustom.switchyard_active_faults") == 4;
    stage.switchyard.admin.until("are they under way", upstreams).await;
    sleep(Duration::from_millis(200)).await;
    (stage, under_way)
}

#[tokio::test]
async fn sigterm_under_load_loses_no_request_that_is_under_way() {
    let _turn = turn::alone().await;
    let (mut stage, mut under_way) = busy().await;
    let course = Arc::clone(&stage.clients.course);
    let begin = Instant::now();
    kill_process(stage.switchyard.process.id(), Signal::TERM).unwrap();
    until("does it drain", || !stage.switchyard.events("draining").is_empty()).await;
    assert_eq!(stage.switchyard.readiness().await, 503);
    // Clients that have not heard yet are served like others.
    sleep(Duration::from_secs(1)).await;
    course.closes();
    let status = stage.switchyard.process.ended().await;
    let took = begin.elapsed();
    println!("left after {took:?}; {course}");
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(9), "{took:?}");
    while let Some(answer) = under_way.join_next().await {
        let (from, answer) = answer.unwrap();
        let answer = answer.unwrap();
        assert_eq!(answer.status, 200);
        assert!(answer.took >= Duration::from_millis(1900), "{answer:?}");
        if from == "echo-v1" {
            assert_eq!((grpc::messages(answer.body).len(), answer.trailers.len()), (100, 1));
        }
    }
    stage.clients.go_home().await;
    assert_eq!((course.wrong(), course.lost()), (vec![], vec![]));
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let _turn = turn::alone().await;
    let (mut stage, _under_way) = busy().await;
    kill_process(stage.switchyard.process.id(), Signal::TERM).unwrap();
    until("does it drain", || !stage.switchyard.events("draining").is_empty()).await;
    let envoy = stage.switchyard.envoy();
    assert_eq!(stage.switchyard.readiness().await, 503);
    let begin = Instant::now();
    kill_process(stage.switchyard.process.id(), Signal::TERM).unwrap();
    let status = stage.switchyard.process.ended().await;
    let took = begin.elapsed();
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert!(kill_process(envoy, Signal::CONT).is_err(), "Envoy outlived it");
}
