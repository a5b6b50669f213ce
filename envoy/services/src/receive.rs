//! What every service does with a request before and after its own answer.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderValue, StatusCode, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};

use crate::{
    control::Control,
    instance::Instance,
    log::{Entry, InstanceLog},
    service::Service,
};

/// How much of a request's body is kept for the service; the rest is only measured.
const KEPT_BYTES: usize = 2 * 1024 * 1024;

/// The header that names the instance whose answer it is.
pub const SERVED_BY: &str = "x-served-by";

/// A request's body, as an extension of the request.
#[derive(Clone)]
pub struct Received {
    pub length: u64,
    /// In lower-case hexadecimal.
    pub sha256: String,
    /// The whole body, or `None` if it was longer than 2 MiB.
    pub kept: Option<Bytes>,
}

/// Puts around a service what all of them do alike.
pub fn around(service: Router, instance: Arc<Instance>, log: Arc<InstanceLog>) -> Router {
    service.layer(middleware::from_fn(move |request, next| {
        answer(instance.clone(), log.clone(), request, next)
    }))
}

async fn answer(instance: Arc<Instance>, log: Arc<InstanceLog>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let mut entry = Entry::begin(&log, &parts);
    let Ok(received) = receive(body).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    entry.received(&received);
    let mut response = match controlled(&instance, &parts).await {
        Some(response) => response,
        None => next.run(restored(parts, received)).await,
    };
    if let Ok(id) = HeaderValue::from_str(&instance.id) {
        // A relayed answer names who made it.
        response.headers_mut().entry(SERVED_BY).or_insert(id);
    }
    entry.answered(response.status());
    response
}

/// Reads a body to its end, of any length, in bounded memory.
async fn receive(mut body: Body) -> Result<Received, axum::Error> {
    let mut digest = Sha256::new();
    let mut length = 0;
    let mut kept = Some(Vec::new());
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        digest.update(&data);
        length += data.len() as u64;
        kept = kept.filter(|kept| kept.len() + data.len() <= KEPT_BYTES);
        if let Some(kept) = &mut kept {
            kept.extend_from_slice(&data);
        }
    }
    Ok(Received {
        length,
        sha256: format!("{:x}", Bytes::copy_from_slice(&digest.finalize())),
        kept: kept.map(Bytes::from),
    })
}

/// Waits as asked and returns the answer asked for, if any. The page for people obeys no request.
async fn controlled(instance: &Instance, request: &Parts) -> Option<Response> {
    let asked = match instance.service {
        Service::Productpage => Control::default(),
        _ => match Control::asked_by(&request.headers) {
            Ok(control) => control,
            Err(sentence) => return Some((StatusCode::BAD_REQUEST, format!("{sentence}\n")).into_response()),
        },
    };
    let control = instance.control.clone().and(asked);
    if control.delay > Duration::ZERO {
        tokio::time::sleep(control.delay).await;
    }
    control.answer()
}

fn restored(mut parts: Parts, received: Received) -> Request {
    let body = received.kept.clone().map(Body::from).unwrap_or_default();
    parts.extensions.insert(received);
    Request::from_parts(parts, body)
}
