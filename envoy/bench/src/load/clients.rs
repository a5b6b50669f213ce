//! Clients of one listener that ask one thing again and again.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::{Pace, Run};

/// Connections to one listener, one request at a time on each.
pub struct Clients {
    /// The token of the first connection; the others' follow.
    first: usize,
    connections: Vec<Connection>,
    ask: Vec<u8>,
    /// What the last answer held.
    pub body: Vec<u8>,
    pace: Pace,
    begin: Instant,
    end: Instant,
    /// How many requests have begun.
    begun: usize,
    /// When those were due that no connection was free for.
    waiting: VecDeque<Instant>,
    free: Vec<usize>,
    run: Run,
}

struct Connection {
    stream: TcpStream,
    /// Since when a request is under way.
    since: Instant,
    answer: Vec<u8>,
}

impl Clients {
    /// Connects so many. Their tokens begin with `first`.
    pub fn connect(registry: &Registry, first: usize, to: SocketAddr, ask: &[u8], count: usize) -> Result<Self> {
        let now = Instant::now();
        let mut connections = Vec::new();
        for index in 0..count {
            let stream = std::net::TcpStream::connect(to)?;
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            let mut stream = TcpStream::from_std(stream);
            registry.register(&mut stream, Token(first + index), Interest::READABLE)?;
            connections.push(Connection {
                stream,
                since: now,
                answer: Vec::with_capacity(1024),
            });
        }
        Ok(Clients {
            first,
            free: (0..connections.len()).collect(),
            connections,
            ask: ask.to_owned(),
            body: Vec::new(),
            pace: Pace::Closed,
            begin: now,
            end: now,
            begun: 0,
            waiting: VecDeque::new(),
            run: Run::default(),
        })
    }

    /// Requests begin now and until `end`, and each connection asks at least once.
    pub fn begin(&mut self, pace: Pace, begin: Instant, end: Instant) {
        (self.pace, self.begin, self.end) = (pace, begin, end);
        self.begun = 0;
        self.run = Run::default();
        if pace == Pace::Closed {
            self.waiting.extend(std::iter::repeat_n(begin, self.connections.len()));
        }
    }

    /// Sends what is due.
    pub fn due(&mut self, now: Instant) -> Result<()> {
        if let Pace::Fixed { rate, .. } = self.pace {
            loop {
                let due = self.next(rate);
                if due > now || due >= self.end {
                    break;
                }
                self.begun += 1;
                self.waiting.push_back(due);
            }
        }
        while let Some(index) = self.free.pop() {
            let Some(due) = self.waiting.pop_front() else {
                self.free.push(index);
                break;
            };
            let since = if self.pace == Pace::Closed { Instant::now() } else { due };
            let connection = self.connections.get_mut(index).context("no such connection")?;
            connection.since = since;
            connection.stream.write_all(&self.ask)?;
        }
        Ok(())
    }

    /// When the next request is due: one in each period, spread over it by the golden ratio, for whoever comes in step with a clock of
    /// Envoy's or of the machine's measures the step.
    fn next(&self, rate: f64) -> Instant {
        let begun = self.begun as f64;
        self.begin + Duration::from_secs_f64((begun + (begun * 0.618_033_988_75).fract()) / rate)
    }

    /// Whether no request is to begin any more and none is under way.
    pub fn is_done(&self, now: Instant) -> bool {
        let ended = match self.pace {
            Pace::Closed => true,
            Pace::Fixed { .. } => now >= self.end,
        };
        ended && self.waiting.is_empty() && self.free.len() == self.connections.len()
    }

    /// How long nothing is due.
    pub fn timeout(&self, now: Instant) -> Option<Duration> {
        match self.pace {
            Pace::Closed => Some(Duration::from_millis(100)),
            Pace::Fixed { spin: true, .. } => Some(Duration::ZERO),
            Pace::Fixed { rate, .. } => Some(self.next(rate).saturating_duration_since(now)),
        }
    }

    /// A connection has something to read, if it is one of these.
    pub fn ready(&mut self, token: usize) -> Result<()> {
        let index = token.wrapping_sub(self.first);
        let Some(connection) = self.connections.get_mut(index) else {
            return Ok(());
        };
        let mut buffer = [0; 8 << 10];
        loop {
            match connection.stream.read(&mut buffer) {
                Ok(0) => bail!("Envoy has closed a connection"),
                Ok(read) => {
                    connection.answer.extend(buffer.iter().take(read));
                    if read < buffer.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        let Some((status, body)) = answer(&connection.answer)? else {
            return Ok(());
        };
        let now = Instant::now();
        self.run.latencies.push(now - connection.since);
        self.run.failed += usize::from(status != 200);
        self.body.clear();
        self.body.extend_from_slice(body);
        connection.answer.clear();
        self.free.push(index);
        if self.pace == Pace::Closed && now < self.end {
            self.waiting.push_back(now);
        }
        Ok(())
    }

    /// What was seen.
    pub fn finish(&mut self, begin: Instant) -> Run {
        self.run.elapsed = begin.elapsed();
        std::mem::take(&mut self.run)
    }
}

/// The status and the body of an answer that is there as a whole.
fn answer(bytes: &[u8]) -> Result<Option<(u16, &[u8])>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(bytes)? else {
        return Ok(None);
    };
    let length = response
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .and_then(|header| std::str::from_utf8(header.value).ok()?.parse::<usize>().ok())
        .unwrap_or_default();
    let status = response.code.context("an answer without a status")?;
    let end = head.checked_add(length).context("an answer of endless length")?;
    Ok(bytes.get(head..end).map(|body| (status, body)))
}
