//! kim-payment-service: a greeting for the user that kim-uc-service knows; v2 adds the e-mail.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::get,
};
use serde::Serialize;

use crate::{log::text, outbound::Outbound, uc::User};

const UC_TIMEOUT: Duration = Duration::from_secs(1);

/// What the services of kim answer people with.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    pub request_id: Option<String>,
    pub code: u16,
    pub message: Option<String>,
    pub data: Option<String>,
}

#[derive(Clone)]
struct Context {
    version: String,
    outbound: Outbound,
}

pub fn router(version: &str, outbound: Outbound) -> Router {
    let context = Context {
        version: version.to_owned(),
        outbound,
    };
    Router::new().route("/balance/query", get(balance)).with_state(context)
}

/// 200 whatever becomes of kim-uc-service.
async fn balance(State(context): State<Context>, headers: HeaderMap) -> Json<Reply> {
    let version = context.version.as_str();
    let (message, data) = match user(&context.outbound, &headers).await {
        Ok(user) => (None, greeting(version, &user)),
        Err(cause) => (
            Some(format!("kim-uc-service: {cause}")),
            format!("Hello {version}, fallback!"),
        ),
    };
    Json(Reply {
        request_id: request_id(&headers),
        code: 200,
        message,
        data: Some(data),
    })
}

fn greeting(version: &str, User { id, name, email }: &User) -> String {
    let email = if version == "v1" {
        String::new()
    } else {
        format!("email: {email}")
    };
    format!("Hello {version}, {name}!, id: {id} {email}")
}

async fn user(outbound: &Outbound, headers: &HeaderMap) -> Result<User, String> {
    let call = outbound.get("kim-uc-service:8080", "/user/login/cheng", headers, UC_TIMEOUT);
    let answer = call.await.map_err(|error| error.to_string())?;
    if answer.status != StatusCode::OK {
        return Err(format!("status {}", answer.status.as_u16()));
    }
    serde_json::from_slice(&answer.body).map_err(|error| error.to_string())
}

/// The request's `x-request-id`, if it has one.
pub fn request_id(headers: &HeaderMap) -> Option<String> {
    headers.get("x-request-id").map(|value| text(value.as_bytes()))
}
