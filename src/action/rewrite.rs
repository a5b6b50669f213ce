//! Paths that change on the way up.

use crate::matcher::{PathMatcher, Regex};
use crate::request::Request;

/// `rewrite.uri` or `rewrite.uriRegexRewrite`, compiled.
#[derive(Debug, Clone, PartialEq)]
pub enum PathRewrite {
    /// In place of the matched prefix, or of the whole path where the match is no prefix.
    Matched(Box<str>),
    /// In place of every match of an expression.
    Regex(Regex, Box<str>),
}

impl PathRewrite {
    /// The new path, the query kept.
    pub fn apply(&self, request: &Request, matcher: &PathMatcher) -> Vec<u8> {
        let path = request.path_only();
        let rest = request.path.get(path.len()..).unwrap_or_default();
        match self {
            PathRewrite::Matched(text) => {
                let kept = path.get(matcher.matched_len(path)..).unwrap_or_default();
                [text.as_bytes(), kept, rest].concat()
            }
            PathRewrite::Regex(regex, text) => [regex.replace_all(path, text.as_bytes()), rest.to_vec()].concat(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::map::HeaderMap;
    use crate::matcher::StringMatcher;

    fn rewritten(path: &str, matcher: PathMatcher, text: &str) -> String {
        let headers: HeaderMap = [(":path", path)].into_iter().collect();
        let new = PathRewrite::Matched(text.into()).apply(&Request::new(&headers), &matcher);
        String::from_utf8(new).unwrap()
    }

    #[test]
    fn a_prefix_is_replaced_byte_by_byte() {
        let prefix = |text: &str| PathMatcher::new(StringMatcher::Prefix(text.as_bytes().into()), false);
        assert_eq!(rewritten("/foo/bar?a", prefix("/foo"), "/"), "//bar?a");
        assert_eq!(rewritten("/foo/bar", prefix("/foo/"), "/"), "/bar");
        assert_eq!(rewritten("/a/b", PathMatcher::Any, "/x"), "/xa/b");
    }

    #[test]
    fn an_exact_match_is_replaced_whole() {
        let exact = PathMatcher::new(StringMatcher::Exact(b"/a"[..].into()), false);
        assert_eq!(rewritten("/a?q=1", exact, "/new/path"), "/new/path?q=1");
    }
}
