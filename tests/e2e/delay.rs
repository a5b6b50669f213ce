//! How exact a delay is, beside Envoy's own.

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::http::get;
use crate::support::manifest::{service, virtual_service};
use crate::support::turn;
use crate::support::twin::Twins;
use crate::support::upstream::{Behaviour, Upstream};

const REQUESTS: usize = 101;

#[tokio::test]
async fn a_delay_of_300_ms_is_as_exact_as_envoys_own() {
    let _turn = turn::alone().await;
    let upstream = Upstream::start(Behaviour::default()).await;
    let delay = "{fault: {delay: {percentage: {value: 100}, fixedDelay: 0.3s}}, route: [{destination: {host: web}}]}";
    let manifests = [
        service("web", 8080, &[("v1", upstream.address)]),
        virtual_service("web", &[delay]),
    ];
    let twins = Twins::start(&manifests, |manager| {
        let filters = manager["http_filters"].as_array_mut().unwrap();
        let fault = json!({"name": "envoy.filters.http.fault", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
            "delay": {"fixed_delay": "0.3s", "percentage": {"numerator": 100}},
        }});
        filters.insert(0, fault);
    })
    .await;

    // One after the other and not at once: neither waits for the other's turn.
    let (mut by_us, mut natively) = (JoinSet::new(), JoinSet::new());
    for _ in 0..REQUESTS {
        for (answers, to) in [(&mut by_us, twins.ours), (&mut natively, twins.native)] {
            answers.spawn(get("web:8080", "/delayed").send(to));
            tokio::time::sleep(Duration::from_millis(11)).await;
        }
    }
    let (by_us, natively) = (median(by_us).await, median(natively).await);
    println!("median of ours {by_us:?}, of Envoy's own {natively:?}");
    assert!(
        by_us.abs_diff(natively) <= Duration::from_millis(5),
        "{by_us:?} and {natively:?}"
    );
    let right = Duration::from_millis(298)..Duration::from_millis(320);
    assert!(
        right.contains(&by_us) && right.contains(&natively),
        "{by_us:?} and {natively:?}"
    );

    let stats = twins.envoy.admin.stats().await;
    assert_eq!(
        stats.sum("wasmcustom.switchyard_delays_injected_total", ""),
        REQUESTS as u64
    );
    assert_eq!(stats.sum("http.", ".fault.delays_injected"), REQUESTS as u64);
}

async fn median(answers: JoinSet<crate::support::http::Answer>) -> Duration {
    let answers = answers.join_all().await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    let mut took: Vec<Duration> = answers.iter().map(|answer| answer.took).collect();
    took.sort();
    took[took.len() / 2]
}
