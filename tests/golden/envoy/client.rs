//! A client that sends bytes as they were written down, wrong ones too, which no library's client does.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::CASE_ID;
use crate::case::{Request, from_latin1, latin1};

/// No request waits longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came back.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub took: Duration,
}

impl Response {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// A client with one connection, which it opens when it needs one.
pub struct Client {
    to: SocketAddr,
    stream: Option<TcpStream>,
}

impl Client {
    pub fn new(to: SocketAddr) -> Client {
        Client { to, stream: None }
    }

    /// Sends a request under an id. A broken connection, or nothing for 30 s, is an error.
    pub async fn send(&mut self, request: &Request, id: &str) -> Result<Response, String> {
        let exchange = tokio::time::timeout(PATIENCE, self.exchange(request, id));
        let response = exchange.await.map_err(|_| format!("no answer in {PATIENCE:?}"))?;
        response.map_err(|error| error.to_string())
    }

    async fn exchange(&mut self, request: &Request, id: &str) -> std::io::Result<Response> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => TcpStream::connect(self.to).await?,
        };
        stream.set_nodelay(true)?;
        let begin = Instant::now();
        stream.write_all(&written(request, id)).await?;
        let mut bytes = Vec::new();
        let mut response = loop {
            if stream.read_buf(&mut bytes).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(response) = whole(&bytes, request.method == "HEAD") {
                break response;
            }
        };
        response.took = begin.elapsed();
        if response.header("connection") != Some("close") {
            self.stream = Some(stream);
        }
        Ok(response)
    }
}

fn written(request: &Request, id: &str) -> Vec<u8> {
    let Request { method, path, host, .. } = request;
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n{CASE_ID}: {id}\r\n");
    for (name, value) in &request.headers {
        text += &format!("{name}: {value}\r\n");
    }
    if matches!(method.as_str(), "POST" | "PUT" | "PATCH") {
        text += "content-length: 0\r\n";
    }
    latin1(&(text + "\r\n"))
}

/// The response, once all of it is there.
fn whole(bytes: &[u8], is_head: bool) -> Option<Response> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Response::new(&mut headers);
    let length = match head.parse(bytes).unwrap() {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return None,
    };
    let lines = head.headers.iter();
    let mut response = Response {
        status: head.code.unwrap(),
        headers: lines
            .map(|header| (header.name.to_owned(), from_latin1(header.value)))
            .collect(),
        body: String::new(),
        took: Duration::ZERO,
    };
    assert_eq!(response.header("transfer-encoding"), None, "bodies here have a length");
    let size = response.header("content-length").filter(|_| !is_head);
    let size = size.map_or(0, |size| size.parse().unwrap());
    response.body = from_latin1(bytes.get(length..length + size)?);
    Some(response)
}
