//! kim gateway: the way in to kim-payment-service.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::{RawQuery, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::get,
};

use crate::{
    outbound::{CallError, Outbound},
    payment::{Reply, request_id},
};

/// Between the 7 s and the 10 s of the delay scenarios.
const READ_TIMEOUT: Duration = Duration::from_secs(8);

pub fn router(outbound: Outbound) -> Router {
    Router::new()
        .route("/payment/balance/query", get(balance))
        .with_state(outbound)
}

/// Relays what comes back, of any status; an error of its own only if nothing does.
async fn balance(State(outbound): State<Outbound>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let path = format!("/balance/query{query}");
    match outbound
        .get("kim-payment-service:8080", &path, &headers, READ_TIMEOUT)
        .await
    {
        Ok(answer) => answer.into_response(),
        Err(error) => own_error(&error, &headers),
    }
}

fn own_error(error: &CallError, headers: &HeaderMap) -> Response {
    let status = error.status();
    let message = Some(format!("kim-payment-service: {error}"));
    let reply = Reply {
        request_id: request_id(headers),
        code: status.as_u16(),
        message,
        data: None,
    };
    (status, Json(reply)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_read_time_out_lies_between_seven_and_ten_seconds() {
        assert!(Duration::from_secs(7) < READ_TIMEOUT && READ_TIMEOUT < Duration::from_secs(10));
    }
}
