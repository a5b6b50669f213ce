//! Who is signed in: a name in a cookie, for anyone may be anyone here.

use axum::http::{HeaderMap, HeaderValue, header::COOKIE};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

use crate::log::text;

/// The cookie that ends a session.
pub const END: &str = "session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0";

const MAX_NAME_BYTES: usize = 64;

/// The cookie that begins a session, or `None` if nobody can have this name.
pub fn begin(name: &str) -> Option<String> {
    let name = is_name(name).then(|| utf8_percent_encode(name, NON_ALPHANUMERIC))?;
    Some(format!("session={name}; Path=/; HttpOnly; SameSite=Lax"))
}

/// Whom a request is for.
#[derive(Debug, PartialEq)]
pub enum User {
    SignedIn(String),
    /// By the `end-user` header; there is no session to end.
    Named(String),
    Nobody,
}

impl User {
    /// Who is signed in wins over whom the header names.
    pub fn of(headers: &HeaderMap) -> Self {
        let named = || headers.get("end-user").map(|value| User::Named(text(value.as_bytes())));
        signed_in(headers)
            .map(User::SignedIn)
            .or_else(named)
            .unwrap_or(User::Nobody)
    }
}

/// The headers to call others with: who is signed in is the `end-user`.
pub fn with_end_user(mut headers: HeaderMap) -> HeaderMap {
    if let Some(value) = signed_in(&headers).and_then(|name| HeaderValue::from_bytes(name.as_bytes()).ok()) {
        headers.insert("end-user", value);
    }
    headers
}

fn signed_in(headers: &HeaderMap) -> Option<String> {
    let cookies = headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|value| value.as_bytes().split(|&byte| byte == b';'));
    let value = cookies
        .map(<[u8]>::trim_ascii)
        .find_map(|cookie| cookie.strip_prefix(b"session="))?;
    let name = percent_decode(value).decode_utf8().ok()?;
    is_name(&name).then(|| name.into_owned())
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_NAME_BYTES && !name.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    fn asked_with(cookie: &[u8]) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, HeaderValue::from_bytes(cookie).unwrap())])
    }

    #[test]
    fn a_session_cookie_names_the_user() {
        for name in ["jason", "a b;c=d", "日本"] {
            let cookie = begin(name).unwrap();
            let cookie = cookie.split(';').next().unwrap();
            let headers = asked_with(format!("other=1; {cookie}").as_bytes());
            assert_eq!(User::of(&headers), User::SignedIn(name.into()));
            assert_eq!(with_end_user(headers)["end-user"].as_bytes(), name.as_bytes());
        }
    }

    #[test]
    fn a_name_that_cannot_be_a_header_is_nobody() {
        assert_eq!(begin("jason\r\nx-injected: 1"), None);
        assert_eq!(begin(""), None);
        assert_eq!(begin(&"j".repeat(65)), None);
        assert_eq!(User::of(&asked_with(b"session=jason%0d%0a")), User::Nobody);
        assert_eq!(User::of(&asked_with(b"session=%ff")), User::Nobody);
    }

    #[test]
    fn the_session_wins_over_the_header() {
        let mut headers =
            HeaderMap::from_iter([(HeaderName::from_static("end-user"), HeaderValue::from_static("jim"))]);
        assert_eq!(User::of(&headers), User::Named("jim".into()));
        headers.insert(COOKIE, HeaderValue::from_static("session=jason"));
        assert_eq!(User::of(&headers), User::SignedIn("jason".into()));
        assert_eq!(with_end_user(headers)["end-user"], "jason");
    }
}
