//! ratings: how many stars each reviewer gave.

use std::collections::BTreeMap;

use axum::{Json, Router, extract::Path, routing::get};
use serde::{Deserialize, Serialize};

/// What `GET /ratings/{id}` answers.
#[derive(Serialize, Deserialize)]
pub struct Ratings {
    pub id: u64,
    /// Stars, 1 to 5, by reviewer.
    pub ratings: BTreeMap<String, u8>,
}

pub fn router() -> Router {
    Router::new().route("/ratings/{id}", get(ratings))
}

async fn ratings(Path(id): Path<u64>) -> Json<Ratings> {
    let ratings = [("Reviewer1", 5), ("Reviewer2", 4)];
    Json(Ratings {
        id,
        ratings: ratings.map(|(reviewer, stars)| (reviewer.to_owned(), stars)).into(),
    })
}
