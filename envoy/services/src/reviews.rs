//! reviews: what readers say; v2 adds black stars and v3 red ones, both from ratings.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::get,
};
use serde::{Deserialize, Serialize};

use crate::{outbound::Outbound, ratings::Ratings};

/// What `GET /reviews/{id}` answers.
#[derive(Serialize, Deserialize)]
pub struct Reviews {
    pub id: String,
    /// The instance that answered.
    pub podname: String,
    pub reviews: Vec<Review>,
}

#[derive(Serialize, Deserialize)]
pub struct Review {
    pub reviewer: String,
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating: Option<Rating>,
}

/// What stands at a review of v2 and v3.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub enum Rating {
    Stars { stars: u8, color: String },
    Error { error: String },
}

const TEXTS: [(&str, &str); 2] = [
    (
        "Reviewer1",
        "Two pairs of twins, one town, and not a dull line between them. I laughed on every page.",
    ),
    (
        "Reviewer2",
        "Light and quick. The plot asks for some goodwill, but the confusion is worth it.",
    ),
];

/// A version that shows stars.
#[derive(Clone, Copy)]
struct Stars {
    color: &'static str,
    timeout: Duration,
}

impl Stars {
    fn of(version: &str) -> Option<Self> {
        match version {
            "v2" => Some(Self {
                color: "black",
                timeout: Duration::from_secs(10),
            }),
            "v3" => Some(Self {
                color: "red",
                timeout: Duration::from_millis(2500),
            }),
            _ => None,
        }
    }
}

#[derive(Clone)]
struct Context {
    podname: String,
    stars: Option<Stars>,
    outbound: Outbound,
}

pub fn router(id: &str, version: &str, outbound: Outbound) -> Router {
    let context = Context {
        podname: id.to_owned(),
        stars: Stars::of(version),
        outbound,
    };
    Router::new().route("/reviews/{id}", get(reviews)).with_state(context)
}

async fn reviews(State(context): State<Context>, Path(id): Path<u64>, headers: HeaderMap) -> Json<Reviews> {
    let ratings = match context.stars {
        None => None,
        Some(stars) => Some((stars, ratings(&context.outbound, id, &headers, stars.timeout).await)),
    };
    let reviews = TEXTS.map(|(reviewer, text)| Review {
        reviewer: reviewer.to_owned(),
        text: text.to_owned(),
        rating: ratings
            .as_ref()
            .map(|(stars, ratings)| rating(*stars, ratings.as_ref(), reviewer)),
    });
    Json(Reviews {
        id: id.to_string(),
        podname: context.podname,
        reviews: reviews.into(),
    })
}

/// `None` if ratings is slow, fails or answers something else.
async fn ratings(outbound: &Outbound, id: u64, headers: &HeaderMap, timeout: Duration) -> Option<Ratings> {
    let answer = outbound
        .get("ratings:9080", &format!("/ratings/{id}"), headers, timeout)
        .await
        .ok()?;
    if answer.status != StatusCode::OK {
        return None;
    }
    serde_json::from_slice(&answer.body).ok()
}

fn rating(stars: Stars, ratings: Option<&Ratings>, reviewer: &str) -> Rating {
    match ratings.and_then(|ratings| ratings.ratings.get(reviewer)) {
        Some(&count) => Rating::Stars {
            stars: count,
            color: stars.color.to_owned(),
        },
        None => Rating::Error {
            error: "Ratings service is currently unavailable".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v2_waits_ten_seconds_for_ratings_and_v3_two_and_a_half() {
        assert!(Stars::of("v1").is_none());
        let timeout = |version| Stars::of(version).unwrap().timeout.as_millis();
        assert_eq!((timeout("v2"), timeout("v3")), (10_000, 2_500));
    }
}
