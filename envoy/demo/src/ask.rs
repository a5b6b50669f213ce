//! Requests as a scenario has them, and what their answers say.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, Response, body::Incoming};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;

use crate::scenario::Ask;

/// Equal answers, how many of them, and how long one took.
#[derive(Debug)]
pub struct Answers {
    /// Their status; none where there was no answer.
    pub status: Option<u16>,
    /// What they say.
    pub said: String,
    /// How many.
    pub count: usize,
    /// The median.
    pub took: Duration,
}

/// Asks, and groups the answers by what they say, the most frequent first.
pub async fn ask(ask: &Ask) -> Result<Vec<Answers>> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let cookie = match &ask.user {
        Some(user) => Some(log_in(&client, &ask.url, user).await?),
        None => None,
    };
    let mut groups: BTreeMap<(Option<u16>, String), Vec<Duration>> = BTreeMap::new();
    let mut left = ask.times;
    while left > 0 {
        let batch = left.min(ask.at_once.max(1));
        left -= batch;
        let mut asked = tokio::task::JoinSet::new();
        for _ in 0..batch {
            asked.spawn(once(client.clone(), ask.clone(), cookie.clone()));
        }
        while let Some(answer) = asked.join_next().await {
            let (status, said, took) = answer?;
            groups.entry((status, said)).or_default().push(took);
        }
    }
    let mut answers: Vec<Answers> = groups
        .into_iter()
        .map(|((status, said), took)| group(status, said, took))
        .collect();
    answers.sort_by_key(|answers| std::cmp::Reverse(answers.count));
    Ok(answers)
}

fn group(status: Option<u16>, said: String, mut took: Vec<Duration>) -> Answers {
    took.sort();
    Answers {
        status,
        said,
        count: took.len(),
        took: took.get(took.len() / 2).copied().unwrap_or_default(),
    }
}

type HttpClient = Client<HttpConnector, Full<Bytes>>;

async fn once(client: HttpClient, ask: Ask, cookie: Option<String>) -> (Option<u16>, String, Duration) {
    let begin = Instant::now();
    let answer = match request(&ask, cookie.as_deref()) {
        Ok(request) => tokio::time::timeout(Duration::from_secs(20), read(&client, request)).await,
        Err(error) => return (None, error.to_string(), Duration::ZERO),
    };
    let took = begin.elapsed();
    match answer {
        Ok(Ok((status, text))) => (Some(status), said(&ask, &text), took),
        Ok(Err(error)) => (None, error.to_string(), took),
        Err(_) => (None, "no answer within 20 s".to_owned(), took),
    }
}

fn request(ask: &Ask, cookie: Option<&str>) -> Result<Request<Full<Bytes>>> {
    let mut request = Request::get(&ask.url);
    for (name, value) in &ask.headers {
        request = request.header(name, value);
    }
    if let Some(host) = &ask.host {
        request = request.header("host", host);
    }
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    Ok(request.body(Full::default())?)
}

/// Status, then headers and body as one text.
async fn read(client: &HttpClient, request: Request<Full<Bytes>>) -> Result<(u16, String)> {
    let response: Response<Incoming> = client.request(request).await?;
    let status = response.status().as_u16();
    let headers: Vec<String> = response
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    let body = response.into_body().collect().await?.to_bytes();
    Ok((
        status,
        format!("{}\n\n{}", headers.join("\n"), String::from_utf8_lossy(&body)),
    ))
}

/// What a scenario looks for, or the body's first line.
fn said(ask: &Ask, text: &str) -> String {
    let found = ask
        .look
        .iter()
        .find(|look| text.contains(&look.has))
        .map(|look| look.say.clone());
    let body = || {
        text.split_once("\n\n")
            .map_or("", |(_, body)| body)
            .lines()
            .next()
            .unwrap_or_default()
    };
    found.unwrap_or_else(|| body().chars().take(60).collect())
}

async fn log_in(client: &HttpClient, url: &str, user: &str) -> Result<String> {
    let origin = url.rsplit_once('/').map_or(url, |(origin, _)| origin);
    let form = Full::from(format!("username={user}"));
    let request = Request::post(format!("{origin}/login"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)?;
    let response = client.request(request).await?;
    let cookie = response
        .headers()
        .get("set-cookie")
        .and_then(|value| value.to_str().ok());
    let cookie = cookie
        .and_then(|cookie| cookie.split(';').next())
        .context("the page gave no session cookie")?;
    Ok(cookie.to_owned())
}

/// A page's text.
pub async fn text(url: &str) -> Result<String> {
    let client: HttpClient = Client::builder(TokioExecutor::new()).build_http();
    Ok(read(&client, Request::get(url).body(Full::default())?).await?.1)
}
