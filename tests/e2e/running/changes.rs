//! Change under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::stage::{Stage, until};
use super::world::World;
use crate::support::admin::Stats;
use crate::support::http::get;
use crate::support::turn;

/// The changes come in rounds, each of which ends where it began.
const ROUND: usize = 20;
const CHANGES: usize = 200;
/// Within which a change is to be seen by clients.
const SOON: Duration = Duration::from_secs(1);
/// The cluster of the service `web`'s subset v1.
const V1: &str = "cluster.outbound|{port}|v1|web.default.svc.cluster.local;.";

/// What is to be seen after a change.
#[derive(Debug, Clone, Copy)]
enum Sign {
    /// Answers by the new rules, at each client.
    Rules,
    /// The instance v1b serves; or it is known no more.
    Endpoints,
    /// The breaker's new limit.
    Breaker,
    /// The service `late` answers; or nothing listens for it.
    Host,
}

/// The changes, in the order of a round.
fn change(world: &mut World, number: usize) -> Sign {
    let in_round = number % ROUND;
    match in_round {
        0 | 8 | 17 => world.to_v2 = [30, 60, 0][in_round / 8],
        1 | 14 => world.jason = in_round == 1,
        2 | 10 => world.abort = (in_round == 2).then_some(512 + number as u16 % 80),
        3 | 15 => {
            world.max_connections = 100_000 + number as u32;
            return Sign::Breaker;
        }
        4 | 12 => {
            world.v1b = in_round == 4;
            return Sign::Endpoints;
        }
        5 | 16 => world.v3 = in_round == 5,
        6 | 13 => {
            world.late = in_round == 6;
            return Sign::Host;
        }
        7 | 11 => world.delay = in_round == 7,
        9 | 18 => world.mirror = in_round == 9,
        _ => world.retries = !world.retries,
    }
    Sign::Rules
}

impl Stage {
    /// Makes a change, waits until it is seen, and tells how long that took.
    async fn change(&mut self, number: usize) -> Duration {
        let served = self.instances.v1b.requests();
        let sign = change(&mut self.world, number);
        if let Sign::Rules = sign {
            self.world.change = number as u32 + 1;
            self.clients.course.enter(&self.world);
        }
        let live = self.switchyard.events("live").len();
        let files = self.files();
        let begin = Instant::now();
        for (name, text) in &files {
            if !self.written.iter().any(|(old, was)| old == name && was == text) {
                self.switchyard.write(name, text);
            }
        }
        for (name, _) in &self.written {
            if !files.iter().any(|(new, _)| new == name) {
                std::fs::remove_file(self.switchyard.manifests().join(name)).unwrap();
            }
        }
        self.written = files;
        while !self.shows(sign, served).await {
            assert!(
                begin.elapsed() < 10 * SOON,
                "{number}: {sign:?} is not seen: {:?}",
                self.world
            );
            sleep(Duration::from_millis(5)).await;
        }
        let took = begin.elapsed();
        until("is it said to be live", || self.switchyard.events("live").len() > live).await;
        self.clients.course.is_live(self.world.change);
        took
    }

    async fn shows(&self, sign: Sign, served: u64) -> bool {
        let v1 = V1.replace("{port}", &self.port.address().port().to_string());
        match sign {
            Sign::Rules => self.clients.have_seen(self.world.change),
            Sign::Endpoints if self.world.v1b => self.instances.v1b.requests() > served,
            Sign::Endpoints => {
                self.stats("membership_total")
                    .await
                    .get(&format!("{v1}membership_total"))
                    == 1
            }
            Sign::Breaker => {
                let clusters = self.switchyard.admin.get("/clusters").await;
                let cluster = v1.trim_start_matches("cluster.").trim_end_matches(";.");
                let limit = format!(
                    "{cluster}::default_priority::max_connections::{}\n",
                    self.world.max_connections
                );
                clusters.text().contains(&limit)
            }
            Sign::Host => {
                let answer = get("late", "/").try_send(self.late.address()).await;
                match answer {
                    Ok(answer) => self.world.late && answer.status == 200,
                    Err(_) => !self.world.late,
                }
            }
        }
    }

    async fn stats(&self, filter: &str) -> Stats {
        self.switchyard.admin.stats_of(filter).await
    }

    /// What Envoy keeps in memory, in KB, when nothing of earlier configurations is left.
    async fn memory(&self) -> u64 {
        let in_use = "switchyard_config_in_use";
        let is_settled = |stats: &Stats| stats.count(&format!("wasmcustom.{in_use}")) == 1;
        self.switchyard
            .admin
            .until("is one configuration left", is_settled)
            .await;
        sleep(Duration::from_secs(1)).await;
        self.switchyard.resident()
    }
}

#[tokio::test]
async fn two_hundred_changes_under_load_lose_nothing() {
    let _turn = turn::alone().await;
    let mut stage = Stage::start("--drain-time=2").await;
    let (mut took, mut memory) = (Vec::new(), Vec::new());
    for number in 0..CHANGES {
        took.push((stage.change(number).await, number));
        if number % (CHANGES / 2) == CHANGES / 2 - 1 {
            memory.push(stage.memory().await);
        }
    }
    took.sort();
    println!(
        "seen after {:?} (median), {:?}",
        took[CHANGES / 2].0,
        &took[CHANGES - 5..]
    );
    let course = Arc::clone(&stage.clients.course);
    stage.clients.stop().await;
    println!("memory in KB: {memory:?}; {course}");
    assert_eq!((course.wrong(), course.lost()), (vec![], vec![]));
    assert!(
        took[CHANGES - 1].0 < SOON,
        "change {} is seen after {:?}",
        took[CHANGES - 1].1,
        took[CHANGES - 1].0
    );
    assert!(memory[1] * 100 <= memory[0] * 105, "memory grows: {memory:?} KB");

    // Envoy, the filter and the upstreams have counted what the clients have.
    let count = |count: &AtomicU64| count.load(Relaxed);
    let (answers, aborts, grpc_aborts) = (
        count(&course.answers),
        count(&course.aborts),
        count(&course.grpc_aborts),
    );
    let all = answers + aborts + grpc_aborts;
    let stats = stage.switchyard.admin.stats().await;
    let http = |name: &str| {
        stats.get(&format!(
            "http.client_{}.downstream_{name}",
            stage.port.address().port()
        ))
    };
    assert_eq!((http("rq_total"), http("rq_completed")), (all, all));
    assert_eq!((http("rq_2xx"), http("rq_5xx")), (answers + grpc_aborts, aborts));
    assert_eq!((http("cx_total"), count(&course.connections)), (6, 6));
    for name in [
        "rq_tx_reset",
        "cx_destroy_remote_active_rq",
        "cx_destroy_local_active_rq",
        "cx_protocol_error",
    ] {
        assert_eq!(http(name), 0, "{name}");
    }
    let switchyard = |name: &str| stats.sum(&format!("wasmcustom.switchyard_{name}_total"), "");
    assert_eq!(
        (switchyard("requests"), switchyard("aborts_injected")),
        (all, aborts + grpc_aborts)
    );
    assert_eq!(
        (
            switchyard("unmatched"),
            switchyard("config_rejects"),
            switchyard("mirror_failures")
        ),
        (0, 0, 0)
    );
    assert_eq!(stage.instances.shadow.requests(), switchyard("mirrored"));
    let instances = stage.instances.of_clients();
    assert_eq!(
        instances.iter().map(|instance| instance.requests()).sum::<u64>(),
        answers
    );
    assert_eq!(instances.iter().map(|instance| instance.repeated()).sum::<u64>(), 0);
    assert!(stage.switchyard.events("envoy-ended").is_empty() && stage.switchyard.events("change-refused").is_empty());
}
