//! Envoy's admin interface.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Statistics by name: numbers and texts as they are printed, without quotes.
pub(super) type Stats = BTreeMap<String, String>;

/// An Envoy that answers long questions answers none: 10,000 clusters have some million statistics.
const PATIENCE: Duration = Duration::from_secs(5);
const MAX_ANSWER: usize = 256 << 20;

/// Where to ask.
#[derive(Debug, Clone, Copy)]
pub(super) struct Admin {
    pub(super) address: SocketAddr,
}

type Error = Box<dyn std::error::Error + Send + Sync>;

impl Admin {
    pub(super) async fn get(&self, path: &str) -> Result<(StatusCode, String), Error> {
        self.ask(Method::GET, path).await
    }

    pub(super) async fn post(&self, path: &str) -> Result<(), Error> {
        match self.ask(Method::POST, path).await? {
            (StatusCode::OK, _) => Ok(()),
            (status, answer) => Err(format!("{path}: {status}: {}", answer.trim()).into()),
        }
    }

    /// The statistics that `query` asks for, in the words of `/stats`.
    pub(super) async fn stats(&self, query: &str) -> Result<Stats, Error> {
        let (_, answer) = self.get(&format!("/stats?{query}")).await?;
        Ok(parse(&answer))
    }

    async fn ask(&self, method: Method, path: &str) -> Result<(StatusCode, String), Error> {
        tokio::time::timeout(PATIENCE, self.exchange(method, path)).await?
    }

    async fn exchange(&self, method: Method, path: &str) -> Result<(StatusCode, String), Error> {
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.address.to_string())
            .header("connection", "close")
            .body(Empty::<Bytes>::new())?;
        let answer = async move {
            let response = sender.send_request(request).await?;
            let status = response.status();
            let body = Limited::new(response.into_body(), MAX_ANSWER)
                .collect()
                .await?
                .to_bytes();
            Ok((status, String::from_utf8_lossy(&body).into_owned()))
        };
        let (answer, _) = tokio::join!(answer, connection);
        answer
    }
}

/// Each line is a name, a colon and a value.
fn parse(text: &str) -> Stats {
    let line = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        Some((name.to_owned(), value.trim_matches('"').to_owned()))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_lose_their_quotes() {
        let stats = parse("a.rds.b.version_text: \"7\"\ncluster.outbound|80||x.update_rejected: 0\nnothing\n");
        let expected = [
            ("a.rds.b.version_text", "7"),
            ("cluster.outbound|80||x.update_rejected", "0"),
        ];
        assert_eq!(
            stats,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
        );
    }
}
