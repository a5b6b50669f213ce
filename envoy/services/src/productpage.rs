//! productpage: the book shop's page for people, and the same facts as JSON.

mod calls;
mod page;
mod session;

use std::time::Instant;

use axum::{
    Form, Json, Router,
    extract::{Path, State},
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, SET_COOKIE},
    },
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;

use self::calls::Calls;
use crate::{outbound::Outbound, reviews::Reviews};

const TITLE: &str = "The Comedy of Errors";
const SUMMARY: &str = "Two pairs of twins, parted by a storm when they were small, turn up in one town on one day. \
    Nobody knows that there are four of them, so everybody is taken for somebody else.";

#[derive(Clone)]
struct Context {
    id: String,
    calls: Calls,
}

pub fn router(id: &str, outbound: Outbound) -> Router {
    let context = Context {
        id: id.to_owned(),
        calls: Calls::new(outbound),
    };
    Router::new()
        .route("/", get(async || Redirect::to("/productpage")))
        .route("/productpage", get(page))
        .route("/login", post(login))
        .route("/logout", get(logout))
        .route(
            "/static/style.css",
            get(async || ([(CONTENT_TYPE, "text/css")], include_str!("productpage/style.css"))),
        )
        .route(
            "/static/book.svg",
            get(async || ([(CONTENT_TYPE, "image/svg+xml")], include_str!("productpage/book.svg"))),
        )
        .route("/api/v1/products", get(products))
        .route("/api/v1/products/{id}", get(details))
        .route("/api/v1/products/{id}/reviews", get(reviews))
        .route("/api/v1/products/{id}/ratings", get(ratings))
        .with_state(context)
}

async fn page(State(context): State<Context>, headers: HeaderMap) -> impl IntoResponse {
    let begin = Instant::now();
    let user = session::User::of(&headers);
    let headers = session::with_end_user(headers);
    let (details, reviews) = tokio::join!(context.calls.details(0, &headers), context.calls.reviews(0, &headers));
    let took = begin.elapsed();
    let page = page::Page {
        user,
        details,
        reviews,
        id: &context.id,
        took,
    }
    .render();
    let headers = [
        (CACHE_CONTROL, "no-store"),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'",
        ),
    ];
    (headers, Html(page.into_string()))
}

#[derive(Deserialize)]
struct Login {
    username: String,
}

/// Any name will do; no password is asked for.
async fn login(Form(Login { username }): Form<Login>) -> Response {
    match session::begin(username.trim()) {
        Some(cookie) => ([(SET_COOKIE, cookie)], Redirect::to("/productpage")).into_response(),
        None => (
            StatusCode::BAD_REQUEST,
            "a user's name has 1 to 64 bytes and no control characters\n",
        )
            .into_response(),
    }
}

async fn logout() -> impl IntoResponse {
    ([(SET_COOKIE, session::END)], Redirect::to("/productpage"))
}

async fn products() -> impl IntoResponse {
    Json(json!([{ "id": 0, "title": TITLE, "descriptionHtml": SUMMARY }]))
}

async fn details(State(context): State<Context>, Path(id): Path<u64>, headers: HeaderMap) -> Response {
    let found = context.calls.details(id, &session::with_end_user(headers)).await;
    relayed(found.answer.map(Json))
}

async fn reviews(State(context): State<Context>, Path(id): Path<u64>, headers: HeaderMap) -> Response {
    let found = context.calls.reviews(id, &session::with_end_user(headers)).await;
    relayed::<Json<Reviews>>(found.answer.map(Json))
}

async fn ratings(State(context): State<Context>, Path(id): Path<u64>, headers: HeaderMap) -> Response {
    let found = context.calls.ratings(id, &session::with_end_user(headers)).await;
    relayed(found.answer.map(Json))
}

/// The answer, or an own error.
fn relayed<T: IntoResponse>(answer: Result<T, String>) -> Response {
    match answer {
        Ok(answer) => answer.into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "error": error }))).into_response(),
    }
}
