//! What productpage asks of the other services: each at most twice, 3 s a time.

use std::time::{Duration, Instant};

use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::{details::Details, outbound::Outbound, ratings::Ratings, reviews::Reviews};

const TIMEOUT: Duration = Duration::from_secs(3);
const ATTEMPTS: u32 = 2;

/// What came of the attempts to reach one service.
pub struct Outcome<T> {
    /// The answer, or the sentence that stands in its place.
    pub answer: Result<T, String>,
    /// The instance that answered.
    pub served_by: Option<String>,
    /// Why the last attempt failed.
    pub cause: Option<String>,
    pub attempts: u32,
    pub took: Duration,
}

#[derive(Clone)]
pub struct Calls {
    outbound: Outbound,
}

impl Calls {
    pub fn new(outbound: Outbound) -> Self {
        Self { outbound }
    }

    pub async fn details(&self, id: u64, headers: &HeaderMap) -> Outcome<Details> {
        self.attempts("Details", "details:9080", format!("/details/{id}"), headers)
            .await
    }

    pub async fn reviews(&self, id: u64, headers: &HeaderMap) -> Outcome<Reviews> {
        self.attempts("Reviews", "reviews:9080", format!("/reviews/{id}"), headers)
            .await
    }

    pub async fn ratings(&self, id: u64, headers: &HeaderMap) -> Outcome<Ratings> {
        self.attempts("Ratings", "ratings:9080", format!("/ratings/{id}"), headers)
            .await
    }

    async fn attempts<T: DeserializeOwned>(
        &self,
        name: &str,
        authority: &'static str,
        path: String,
        headers: &HeaderMap,
    ) -> Outcome<T> {
        let begin = Instant::now();
        let mut cause = None;
        for attempt in 1..=ATTEMPTS {
            match self.attempt(authority, &path, headers).await {
                Ok((answer, served_by)) => {
                    return Outcome {
                        answer: Ok(answer),
                        served_by,
                        cause,
                        attempts: attempt,
                        took: begin.elapsed(),
                    };
                }
                Err(error) => cause = Some(error),
            }
        }
        let answer = Err(format!("{name} service is currently unavailable"));
        Outcome {
            answer,
            served_by: None,
            cause,
            attempts: ATTEMPTS,
            took: begin.elapsed(),
        }
    }

    async fn attempt<T: DeserializeOwned>(
        &self,
        authority: &'static str,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<(T, Option<String>), String> {
        let answer = self
            .outbound
            .get(authority, path, headers, TIMEOUT)
            .await
            .map_err(|error| error.to_string())?;
        if answer.status != StatusCode::OK {
            return Err(format!("status {}", answer.status.as_u16()));
        }
        let served_by = answer.served_by().map(str::to_owned);
        Ok((
            serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?,
            served_by,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_is_asked_twice_for_three_seconds() {
        assert_eq!((ATTEMPTS, TIMEOUT), (2, Duration::from_secs(3)));
    }
}
