//! Many requests that wait.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::ACTIVE_FAULTS;
use crate::support::admin::Stats;
use crate::support::http::{Http2, get};
use crate::support::turn;
use crate::support::upstream::Upstream;
use crate::support::web::Web;

#[tokio::test]
async fn four_thousand_aborts_due_at_one_instant_are_all_answered() {
    // The worker stands still in it, which must not be taken for another test's fault.
    let _turn = turn::alone().await;
    let abort = "{match: [{uri: {exact: /abort}}], fault: {delay: {percentage: {value: 100}, fixedDelay: 3s}, \
        abort: {percentage: {value: 100}, httpStatus: 418}}, route: [{destination: {host: web, subset: v1}}]}";
    let mut web = Web::with(&[abort]).await;
    let mut answers = JoinSet::new();
    for _ in 0..40 {
        let connection = Http2::open(web.address).await;
        for _ in 0..100 {
            let connection = connection.clone();
            answers.spawn(async move { connection.send(get("web:8080", "/abort")).await });
        }
    }
    let all_wait = |stats: &Stats| stats.get(ACTIVE_FAULTS) == 4000;
    web.switchyard.admin.until("do 4,000 wait", all_wait).await;
    // Stopped until the last is due, Envoy wakes up to all of them at once.
    let stopped = web.switchyard.stop_envoy();
    tokio::time::sleep(Duration::from_secs(3)).await;
    drop(stopped);
    while let Some(answer) = answers.join_next().await {
        let answer = answer.unwrap().unwrap();
        assert_eq!((answer.status.as_u16(), answer.text()), (418, "fault filter abort"));
        assert!(answer.took >= Duration::from_millis(2990), "{:?}", answer.took);
    }
    assert!(web.v1.received().is_empty());
    web.assert_unharmed().await;
}

#[tokio::test]
async fn clients_that_leave_while_delayed_leave_nothing_behind() {
    let _turn = turn::alongside().await;
    let delay = "{match: [{uri: {exact: /delay}}], fault: {delay: {percentage: {value: 100}, fixedDelay: 2s}}, \
        mirror: {host: web, subset: v2}, route: [{destination: {host: web, subset: v1}}]}";
    let mut web = Web::with(&[delay]).await;
    let address = web.address;
    let mut leaving = JoinSet::new();
    for _ in 0..50 {
        // By closing, by a reset, and by a reset of the stream only, each with a body on its way.
        for reset in [false, true] {
            leaving.spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                let head = b"POST /delay HTTP/1.1\r\nhost: web:8080\r\ncontent-length: 9\r\n\r\nhalf";
                stream.write_all(head).await.unwrap();
                tokio::time::sleep(Duration::from_millis(500)).await;
                if reset {
                    stream.set_zero_linger().unwrap();
                }
            });
        }
        leaving.spawn(async move {
            let connection = Http2::open(address).await;
            let call = connection.send(get("web:8080", "/delay"));
            assert!(tokio::time::timeout(Duration::from_millis(500), call).await.is_err());
        });
    }
    let stays = tokio::spawn(get("web:8080", "/delay").send(address));
    let all_wait = |stats: &Stats| stats.get(ACTIVE_FAULTS) == 151;
    web.switchyard.admin.until("do 151 wait", all_wait).await;
    leaving.join_all().await;
    let one_waits = |stats: &Stats| stats.get(ACTIVE_FAULTS) == 1;
    web.switchyard.admin.until("is only one left", one_waits).await;
    assert_eq!(stays.await.unwrap().status, 200);
    web.assert_unharmed().await;
    let paths = |upstream: &Upstream| -> Vec<String> {
        upstream.received().into_iter().map(|received| received.path).collect()
    };
    assert_eq!(paths(&web.v1), ["/delay", "/still-there"]);
    assert_eq!(paths(&web.v2), ["/delay"]);
}
