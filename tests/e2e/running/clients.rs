//! Clients that never pause and never try again: over HTTP/1.1, HTTP/2 and gRPC.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::header::{CONTENT_TYPE, TE};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::instance::PIECES;
use super::message as grpc;
use super::world::{CHANGE, World};
use crate::support::http::{Answer, Call, Connection, Http2, NOT_SENT, call, get};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    Plain,
    Jason,
    Fault,
    Delayed,
    Beta,
    /// An answer that takes its time.
    Pieces,
}

/// In turn, by each client.
const ASKS: [Ask; 16] = {
    use Ask::*;
    [
        Plain, Jason, Fault, Beta, Plain, Jason, Fault, Beta, Plain, Jason, Fault, Beta, Plain, Delayed, Plain, Pieces,
    ]
};

impl Ask {
    pub fn pieces(self) -> usize {
        if self == Ask::Pieces { 4 } else { 1 }
    }

    fn call(self, is_grpc: bool) -> Call {
        let path = match self {
            Ask::Fault => "/fault",
            Ask::Delayed => "/delayed",
            Ask::Beta => "/beta",
            Ask::Plain | Ask::Jason | Ask::Pieces => "/",
        };
        let call = match is_grpc {
            false => get("web", path),
            true => call("POST", "echo", path)
                .header(CONTENT_TYPE.as_str(), grpc::CONTENT_TYPE)
                .header(TE.as_str(), "trailers")
                .body(grpc::message(b"who is there")),
        };
        match self {
            Ask::Jason => call.header("end-user", "jason"),
            _ => call.header(PIECES, self.pieces().to_string()),
        }
    }
}

/// What all clients of a test share.
#[derive(Default)]
pub struct Course {
    worlds: Mutex<Vec<World>>,
    /// The last change that was said to be live: no later answer is of an earlier one.
    live: AtomicU32,
    stop: AtomicBool,
    /// Whether it is known that nobody will listen any more.
    closes: AtomicBool,
    lost: Mutex<Vec<String>>,
    wrong: Mutex<Vec<String>>,
    /// Answers of upstreams.
    pub answers: AtomicU64,
    /// Aborts over HTTP.
    pub aborts: AtomicU64,
    /// Aborts over gRPC.
    pub grpc_aborts: AtomicU64,
    /// Connections that were opened.
    pub connections: AtomicU64,
}

/// The newest change that a client has seen.
type Newest = Arc<AtomicU32>;

pub struct Clients {
    pub course: Arc<Course>,
    seen: Vec<Newest>,
    tasks: JoinSet<()>,
}

impl Course {
    /// These rules may be met from now on.
    pub fn enter(&self, world: &World) {
        self.worlds.lock().unwrap().push(world.clone());
    }

    /// Rules of earlier changes are not to be met by requests from now on.
    pub fn is_live(&self, change: u32) {
        self.live.store(change, Relaxed);
    }

    /// From now on clients whose connection is closed go home.
    pub fn closes(&self) {
        self.closes.store(true, Relaxed);
    }

    /// Requests without an answer, and connections that could not be opened.
    pub fn lost(&self) -> Vec<String> {
        self.lost.lock().unwrap().clone()
    }

    /// Answers that no manifest asked for.
    pub fn wrong(&self) -> Vec<String> {
        self.wrong.lock().unwrap().clone()
    }

    fn loses(&self, text: String) {
        self.lost.lock().unwrap().push(text);
    }

    fn goes_on(&self) -> bool {
        !self.stop.load(Relaxed) && !self.closes.load(Relaxed)
    }

    async fn opened<C>(&self, connection: Result<C, String>) -> Option<C> {
        match connection {
            Ok(connection) => {
                self.connections.fetch_add(1, Relaxed);
                Some(connection)
            }
            Err(error) => {
                self.loses(error);
                sleep(Duration::from_millis(20)).await;
                None
            }
        }
    }

    /// Whether the connection goes on.
    fn judge(&self, ask: Ask, is_grpc: bool, live: u32, answer: Result<Answer, String>, seen: &Newest) -> bool {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                if !error.starts_with(NOT_SENT) {
                    self.loses(format!("{ask:?}, gRPC {is_grpc}: {error}"));
                }
                return false;
            }
        };
        let change = answer.header(CHANGE).parse().unwrap_or_default();
        seen.fetch_max(change, Relaxed);
        let count = match answer.headers.contains_key("x-instance") {
            true => &self.answers,
            false if is_grpc => &self.grpc_aborts,
            false => &self.aborts,
        };
        count.fetch_add(1, Relaxed);
        let worlds = self.worlds.lock().unwrap();
        let world = worlds.iter().find(|world| world.change == change && change >= live);
        if !world.is_some_and(|world| world.asks_for(ask, is_grpc, &answer)) {
            let newest = worlds.last().map(|world| world.change);
            self.wrong.lock().unwrap().push(format!(
                "{ask:?}, gRPC {is_grpc} after {live} (newest {newest:?}): {answer:?}"
            ));
        }
        answer.header("connection") != "close"
    }
}

impl fmt::Display for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [answers, aborts, grpc_aborts] =
            [&self.answers, &self.aborts, &self.grpc_aborts].map(|count| count.load(Relaxed));
        let (wrong, lost) = (self.wrong().len(), self.lost().len());
        write!(
            f,
            "{answers} answers, {aborts} aborts, {grpc_aborts} over gRPC; {wrong} wrong, {lost} lost"
        )
    }
}

impl Clients {
    /// Two of each sort.
    pub fn start(to: SocketAddr, course: Arc<Course>) -> Self {
        let mut tasks = JoinSet::new();
        let seen: Vec<Newest> = (0..6).map(|_| Newest::default()).collect();
        for (client, seen) in seen.iter().cloned().enumerate() {
            let course = Arc::clone(&course);
            match client % 3 {
                0 => tasks.spawn(http1(to, course, seen)),
                sort => tasks.spawn(http2(to, sort == 2, course, seen)),
            };
        }
        Self { course, seen, tasks }
    }

    /// Whether each client has seen a change.
    pub fn have_seen(&self, change: u32) -> bool {
        self.seen.iter().all(|seen| seen.load(Relaxed) >= change)
    }

    /// Lets each finish what it is at.
    pub async fn stop(self) {
        self.course.stop.store(true, Relaxed);
        self.go_home().await;
    }

    /// Waits until nobody listens to any of them.
    pub async fn go_home(self) {
        self.tasks.join_all().await;
    }
}

async fn http1(to: SocketAddr, course: Arc<Course>, seen: Newest) {
    let mut asks = ASKS.into_iter().cycle();
    while course.goes_on() {
        let Some(mut connection) = course.opened(Connection::open(to).await).await else {
            continue;
        };
        let mut goes_on = true;
        while goes_on && !course.stop.load(Relaxed) {
            let (ask, live) = (asks.next().unwrap(), course.live.load(Relaxed));
            let answer = connection.try_send(ask.call(false)).await;
            goes_on = course.judge(ask, false, live, answer, &seen);
        }
    }
}

async fn http2(to: SocketAddr, is_grpc: bool, course: Arc<Course>, seen: Newest) {
    let mut asks = ASKS.into_iter().cycle();
    while course.goes_on() {
        let Some(connection) = course.opened(Http2::try_open(to).await).await else {
            continue;
        };
        let mut goes_on = true;
        while goes_on && !course.stop.load(Relaxed) {
            let live = course.live.load(Relaxed);
            let mut send = || {
                let ask = asks.next().unwrap();
                let answer = connection.send(ask.call(is_grpc));
                async move { (ask, answer.await) }
            };
            // At once, on one connection.
            let (one, other) = tokio::join!(send(), send());
            for (ask, answer) in [one, other] {
                goes_on &= course.judge(ask, is_grpc, live, answer, &seen);
            }
        }
    }
}
