//! `rewrite`.

use super::At;
use crate::config::virtual_service::HTTPRewrite;

pub(super) fn rewrite(at: &At, rewrite: &HTTPRewrite) {
    let regex = rewrite.uri_regex_rewrite.as_ref();
    if !rewrite.uri.is_empty() && regex.is_some() {
        at.field("uriRegexRewrite").error("stands beside uri; keep one of them");
    }
    if rewrite.uri.is_empty() && rewrite.authority.is_empty() && regex.is_none() {
        at.error("changes nothing; write uri, uriRegexRewrite or authority");
    }
    let Some(regex) = regex else { return };
    let at = at.field("uriRegexRewrite");
    if regex.r#match.is_empty() || regex.rewrite.is_empty() {
        at.error("needs both match and rewrite");
    } else {
        at.field("match").unanchored_regex(&regex.r#match);
    }
}
