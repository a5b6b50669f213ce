//! details: the facts about a book.

use axum::{Json, Router, extract::Path, routing::get};
use serde::{Deserialize, Serialize};

/// What `GET /details/{id}` answers.
#[derive(Serialize, Deserialize)]
pub struct Details {
    pub id: u64,
    pub author: String,
    pub year: u16,
    #[serde(rename = "type")]
    pub binding: String,
    pub pages: u16,
    pub publisher: String,
    pub language: String,
    #[serde(rename = "ISBN-10")]
    pub isbn_10: String,
    #[serde(rename = "ISBN-13")]
    pub isbn_13: String,
}

pub fn router() -> Router {
    Router::new().route("/details/{id}", get(details))
}

async fn details(Path(id): Path<u64>) -> Json<Details> {
    Json(Details {
        id,
        author: "William Shakespeare".into(),
        year: 1595,
        binding: "paperback".into(),
        pages: 200,
        publisher: "PublisherA".into(),
        language: "English".into(),
        isbn_10: "1234567890".into(),
        isbn_13: "123-1234567890".into(),
    })
}
