//! webapp: the shop in front of catalog.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;

use crate::outbound::Outbound;

const CATALOG_TIMEOUT: Duration = Duration::from_secs(10);

pub fn router(outbound: Outbound) -> Router {
    Router::new().route("/api/catalog", get(catalog)).with_state(outbound)
}

/// Relays what comes back, of any status; an error of its own only if nothing does.
async fn catalog(State(outbound): State<Outbound>, headers: HeaderMap) -> Response {
    match outbound.get("catalog:80", "/items", &headers, CATALOG_TIMEOUT).await {
        Ok(answer) => answer.into_response(),
        Err(error) => (error.status(), Json(json!({ "error": format!("catalog: {error}") }))).into_response(),
    }
}
