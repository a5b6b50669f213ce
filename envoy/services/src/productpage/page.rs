//! The page's HTML. maud escapes every value put into it.

use std::time::Duration;

use maud::{DOCTYPE, Markup, html};

use super::{SUMMARY, TITLE, calls::Outcome, session::User};
use crate::{
    details::Details,
    reviews::{Rating, Review, Reviews},
};

/// All that the page shows.
pub struct Page<'a> {
    pub user: User,
    pub details: Outcome<Details>,
    pub reviews: Outcome<Reviews>,
    /// The instance that makes the page.
    pub id: &'a str,
    pub took: Duration,
}

impl Page<'_> {
    pub fn render(&self) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (TITLE) " · Bookinfo" }
                    link rel="icon" href="/static/book.svg";
                    link rel="stylesheet" href="/static/style.css";
                }
                body {
                    header { a.brand href="/productpage" { "Bookinfo" } (self.session()) }
                    main { (book(&self.details)) (reviews(&self.reviews)) }
                    (self.hops())
                }
            }
        }
    }

    fn session(&self) -> Markup {
        html! {
            @if let User::SignedIn(user) = &self.user {
                p.session { "Signed in as " strong { (user) } " " a.button href="/logout" { "Sign out" } }
            } @else {
                form.session method="post" action="/login" {
                    @if let User::Named(user) = &self.user { span { "For " strong { (user) } "." } }
                    label for="username" { "Any name will do" }
                    input #username name="username" placeholder="jason" required maxlength="64" autocomplete="off";
                    button { "Sign in" }
                }
            }
        }
    }

    /// Who had a part in the page, and how long each took.
    fn hops(&self) -> Markup {
        html! {
            footer {
                p { "Who answered, and how long it took" }
                (hop("whole page", Some(self.id), self.took, 1, None))
                (outcome("details", &self.details))
                (outcome("reviews", &self.reviews))
            }
        }
    }
}

fn book(details: &Outcome<Details>) -> Markup {
    html! {
        section.book {
            img src="/static/book.svg" alt="" width="132" height="176";
            div {
                h1 { (TITLE) }
                @match &details.answer {
                    Ok(details) => { p.author { (details.author) ", " (details.year) } p { (SUMMARY) } (facts(details)) }
                    Err(error) => { p { (SUMMARY) } p.error { (error) } }
                }
            }
        }
    }
}

fn facts(details: &Details) -> Markup {
    let facts = [
        ("Type", details.binding.clone()),
        ("Pages", details.pages.to_string()),
        ("Publisher", details.publisher.clone()),
        ("Language", details.language.clone()),
        ("ISBN-10", details.isbn_10.clone()),
        ("ISBN-13", details.isbn_13.clone()),
    ];
    html! { dl { @for (name, value) in facts { div { dt { (name) } dd { (value) } } } } }
}

fn reviews(reviews: &Outcome<Reviews>) -> Markup {
    html! {
        section.reviews {
            h2 { "Reviews" @if let Some(id) = &reviews.served_by { " " span.badge { (id) } } }
            @match &reviews.answer {
                Ok(reviews) => @for review in &reviews.reviews { (quote(review)) },
                Err(error) => p.error { (error) },
            }
        }
    }
}

fn quote(review: &Review) -> Markup {
    html! {
        article {
            blockquote { (review.text) }
            p.reviewer { (review.reviewer) }
            @match &review.rating {
                None => {},
                Some(Rating::Stars { stars: count, color }) => (stars(*count, color)),
                Some(Rating::Error { error }) => p.error { (error) },
            }
        }
    }
}

/// Five stars, the first so many of them full.
fn stars(count: u8, color: &str) -> Markup {
    let count = usize::from(count.min(5));
    let class = if color == "red" { "red" } else { "black" };
    html! {
        p class={ "stars " (class) } role="img" aria-label={ (count) " of 5 stars" } {
            @if count > 0 { ("★".repeat(count)) }
            @if count < 5 { span.empty { ("☆".repeat(5 - count)) } }
        }
    }
}

fn outcome<T>(role: &str, outcome: &Outcome<T>) -> Markup {
    hop(
        role,
        outcome.served_by.as_deref(),
        outcome.took,
        outcome.attempts,
        outcome.cause.as_deref(),
    )
}

fn hop(role: &str, served_by: Option<&str>, took: Duration, attempts: u32, cause: Option<&str>) -> Markup {
    html! {
        div.hop {
            span.role { (role) }
            @match served_by {
                Some(id) => strong { (id) },
                None => strong.failed { "no answer" },
            }
            span { (milliseconds(took)) @if attempts > 1 { ", " (attempts) " attempts" } }
            @if let Some(cause) = cause { span.failed { (cause) } }
        }
    }
}

fn milliseconds(duration: Duration) -> String {
    if duration < Duration::from_millis(10) {
        return format!("{:.1} ms", duration.as_secs_f64() * 1000.0);
    }
    format!("{} ms", duration.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome<T>(answer: Result<T, String>) -> Outcome<T> {
        Outcome {
            answer,
            served_by: None,
            cause: None,
            attempts: 1,
            took: Duration::from_millis(3),
        }
    }

    fn page(user: &str, answer: Result<Reviews, String>) -> String {
        let details = outcome(Err("Details service is currently unavailable".into()));
        let took = Duration::from_millis(12);
        let reviews = outcome(answer);
        Page {
            user: User::SignedIn(user.into()),
            details,
            reviews,
            id: "productpage-v1",
            took,
        }
        .render()
        .into_string()
    }

    fn one_review(rating: Option<Rating>) -> Result<Reviews, String> {
        let review = Review {
            reviewer: "R".into(),
            text: "T".into(),
            rating,
        };
        Ok(Reviews {
            id: "0".into(),
            podname: "reviews-v1".into(),
            reviews: vec![review],
        })
    }

    #[test]
    fn what_users_and_services_say_is_escaped() {
        let hostile = "<script>alert('\"&')</script>";
        let rating = Rating::Error { error: hostile.into() };
        for html in [
            page(hostile, one_review(Some(rating))),
            page("jason", Err(hostile.into())),
        ] {
            assert!(!html.contains("<script"), "{html}");
            assert!(html.contains("&lt;script&gt;"), "{html}");
        }
    }

    #[test]
    fn stars_are_counted_and_coloured() {
        let rated = |stars, color: &str| {
            page(
                "",
                one_review(Some(Rating::Stars {
                    stars,
                    color: color.into(),
                })),
            )
        };
        let black = rated(4, "black");
        assert!(
            black.contains("stars black") && black.contains("★★★★<span class=\"empty\">☆</span>"),
            "{black}"
        );
        assert!(rated(5, "red").contains("★★★★★"));
        assert!(rated(5, "red").contains("stars red"));
        assert!(rated(200, "\" onload=\"").contains("stars black"));
        assert!(!page("", one_review(None)).contains('★'));
    }
}
