//! `directResponse`.

use base64::Engine;

use super::one_of::at_most_one;
use super::{At, value};
use crate::config::virtual_service::{HTTPBody, HTTPDirectResponse};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

pub(super) fn direct_response(at: &At, response: &HTTPDirectResponse) {
    value::http_status(&at.field("status"), response.status);
    if let Some(HTTPBody { string, bytes }) = &response.body {
        let at = at.field("body");
        at_most_one(&at, &[("string", string.is_some()), ("bytes", bytes.is_some())]);
        size(&at.field("string"), string.as_ref().map_or(0, String::len));
        if let Some(text) = bytes {
            match base64::prelude::BASE64_STANDARD.decode(text) {
                Ok(bytes) => size(&at.field("bytes"), bytes.len()),
                Err(error) => at.field("bytes").error(format!("is not base64: {error}")),
            }
        }
    }
}

fn size(at: &At, size: usize) {
    if size > MIB {
        at.error(format!("has {size} bytes; a direct response may have 1 MiB"));
    } else if size > 100 * KIB {
        at.warn(format!(
            "has {size} bytes, a lot for a configuration; serve it from an upstream"
        ));
    }
}
