//! kim-uc-service: the user's record.

use axum::{Json, Router, extract::Path, routing::get};
use serde::{Deserialize, Serialize};

/// What `GET /user/login/{name}` answers.
#[derive(Serialize, Deserialize)]
pub struct User {
    pub id: u64,
    pub name: String,
    pub email: String,
}

pub fn router() -> Router {
    Router::new().route("/user/login/{name}", get(user))
}

/// Every name has a record.
async fn user(Path(name): Path<String>) -> Json<User> {
    let email = format!("{name}@163.com");
    Json(User { id: 1, name, email })
}
