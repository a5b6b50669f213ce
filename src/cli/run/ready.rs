//! Readiness, on an address of its own: `/ready` for whoever sends requests, `/status` for people and scripts.

use std::convert::Infallible;
use std::net::SocketAddr;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::watch::Receiver;

use super::status::{State, Status};
use crate::cli::Failure;

/// Listens from here on; the address is the one that was asked for, with the port that was chosen where none was.
pub(super) async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let fail = |error| Failure::of(format!("--ready {address}"), error);
    let listener = TcpListener::bind(address).await.map_err(fail)?;
    let address = listener.local_addr().map_err(fail)?;
    Ok((listener, address))
}

/// Answers for as long as it is polled.
pub(super) async fn serve(listener: TcpListener, status: Receiver<Status>) {
    loop {
        // Whoever cannot be accepted asks again.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let status = status.clone();
        let service = service_fn(move |request| {
            let response = answer(&request, &status.borrow());
            async move { Ok::<_, Infallible>(response) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), service);
        tokio::spawn(connection);
    }
}

fn answer(request: &Request<Incoming>, status: &Status) -> Response<Full<Bytes>> {
    let (code, body) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/ready") => (readiness(status.state), serde_json::to_vec(&status.state)),
        (&Method::GET | &Method::HEAD, "/status") => (StatusCode::OK, serde_json::to_vec_pretty(status)),
        _ => (StatusCode::NOT_FOUND, Ok(br#""there are /ready and /status""#.to_vec())),
    };
    let mut body = body.unwrap_or_default();
    body.push(b'\n');
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = code;
    response.headers_mut().insert(
        CONTENT_TYPE,
        hyper::header::HeaderValue::from_static("application/json"),
    );
    response
}

fn readiness(state: State) -> StatusCode {
    match state {
        State::Live => StatusCode::OK,
        State::Starting | State::Draining => StatusCode::SERVICE_UNAVAILABLE,
    }
}
