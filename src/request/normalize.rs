//! Paths as Envoy's `normalize_path` leaves them, which is how every rule sees them.
//!
//! `PathUtil::canonicalPath`, envoy `source/common/http/path_utility.cc`, by way of the URL library it shares with Chromium. Measured
//! byte for byte on Envoy 1.40.

/// A path with its query, normalised; the query stays as it is. `None` where Envoy answers 400: a fragment, or an escaped zero byte.
///
/// Dot segments are resolved (`/a/../b` is `/b`), also behind path parameters (`/a/..;x/b`), also escaped (`/a/%2e%2e/b`); a backslash is
/// a slash; escapes of letters, digits and `-_~.` are decoded, all other escapes stay as written; what may not stand in a path is escaped.
/// Slashes are not merged.
pub fn path(path_and_query: &[u8]) -> Option<Vec<u8>> {
    if path_and_query.contains(&b'#') {
        return None;
    }
    let end = path_and_query.iter().position(|byte| *byte == b'?');
    let (path, query) = path_and_query.split_at_checked(end.unwrap_or(path_and_query.len()))?;
    let path = without_parameters_of_dots(path);
    let mut canonical = Canonical {
        output: Vec::with_capacity(path_and_query.len()),
        stray_percent: None,
    };
    let mut rest = &path[..];
    while let Some((first, tail)) = rest.split_first() {
        rest = canonical.take(*first, rest, tail)?;
    }
    canonical.output.extend_from_slice(query);
    Some(canonical.output)
}

/// `/..;x/` is `/../`: servers that drop path parameters would find the dots.
fn without_parameters_of_dots(path: &[u8]) -> Vec<u8> {
    let segments = path.split(|byte| *byte == b'/').map(|segment| {
        let name = segment.split(|byte| *byte == b';').next().unwrap_or_default();
        if matches!(name, b"." | b"..") { name } else { segment }
    });
    segments.collect::<Vec<_>>().join(&b'/')
}

struct Canonical {
    output: Vec<u8>,
    /// Where the last percent sign stands that begins no escape.
    stray_percent: Option<usize>,
}

enum Dots {
    Current,
    Parent,
    Name,
}

impl Canonical {
    /// Takes one character, dot segment or escape from the front of `rest`, which is `first` and `tail`; what is left is returned.
    fn take<'p>(&mut self, first: u8, rest: &'p [u8], tail: &'p [u8]) -> Option<&'p [u8]> {
        if let Some(after) = dot(rest) {
            let behind_slash = self.output.last() == Some(&b'/');
            return Some(match behind_slash.then(|| dots(after)) {
                Some((Dots::Current, left)) => left,
                Some((Dots::Parent, left)) => {
                    self.back_up();
                    left
                }
                Some((Dots::Name, _)) | None => {
                    self.output.push(b'.');
                    after
                }
            });
        }
        match first {
            b'\\' => self.output.push(b'/'),
            b'%' => return self.escape(rest, tail),
            byte if is_plain(byte) => self.output.push(byte),
            byte => self.output.extend(format!("%{byte:02X}").bytes()),
        }
        Some(tail)
    }

    fn escape<'p>(&mut self, rest: &'p [u8], tail: &'p [u8]) -> Option<&'p [u8]> {
        let Some((value, left)) = decode(rest) else {
            self.stray_percent = Some(self.output.len());
            self.output.push(b'%');
            return Some(tail);
        };
        if value == 0 {
            return None;
        }
        if value.is_ascii_alphanumeric() || matches!(value, b'-' | b'_' | b'~') {
            self.output.push(value);
            self.guard_stray_percent(value, left);
        } else {
            self.output.extend(rest.iter().take(3));
        }
        Some(left)
    }

    /// `%%300` must not become `%00`: a percent sign that only now begins an escape is escaped itself.
    fn guard_stray_percent(&mut self, decoded: u8, left: &[u8]) {
        let Some(at) = self.stray_percent else {
            return;
        };
        let hex = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
        let begins_escape = match self.output.len().checked_sub(at) {
            Some(2) => hex(Some(&decoded)) && hex(left.first()),
            Some(3) => hex(self.output.get(at + 1)) && hex(Some(&decoded)),
            _ => false,
        };
        if begins_escape {
            self.output.splice(at + 1..at + 1, *b"25");
        }
    }

    /// To the slash before the last one; the first slash stays.
    fn back_up(&mut self) {
        let segment = self.output.len().saturating_sub(1);
        let above = self.output.iter().take(segment).rposition(|byte| *byte == b'/');
        self.output.truncate(above.unwrap_or_default() + 1);
    }
}

/// What follows a dot, escaped or not.
fn dot(rest: &[u8]) -> Option<&[u8]> {
    let escaped = || {
        let rest = rest.strip_prefix(b"%2")?;
        rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E"))
    };
    rest.strip_prefix(b".").or_else(escaped)
}

/// What a dot behind a slash is, and what is left behind it and its slash.
fn dots(after: &[u8]) -> (Dots, &[u8]) {
    let end = |rest: &'_ [u8]| -> Option<usize> {
        match rest.first() {
            None => Some(0),
            Some(b'/' | b'\\') => Some(1),
            Some(_) => None,
        }
    };
    if let Some(slash) = end(after) {
        return (Dots::Current, after.get(slash..).unwrap_or_default());
    }
    match dot(after).and_then(|after| Some((after, end(after)?))) {
        Some((after, slash)) => (Dots::Parent, after.get(slash..).unwrap_or_default()),
        None => (Dots::Name, after),
    }
}

/// An escape's value, and what follows it.
fn decode(rest: &[u8]) -> Option<(u8, &[u8])> {
    let digits = rest.get(1..3)?;
    let value = digits
        .iter()
        .try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))?;
    Some((u8::try_from(value).ok()?, rest.get(3..)?))
}

/// Whether a byte stands in a path as it is.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!$&'()*+,-/:;=@[]_~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(text: &str) -> Option<String> {
        path(text.as_bytes()).map(|path| String::from_utf8(path).unwrap())
    }

    /// Each as Envoy 1.40 answered when asked.
    #[test]
    fn paths_come_out_as_envoys() {
        let cases = [
            ("/a/../b", "/b"),
            ("/a/./b/../c", "/a/c"),
            ("/..", "/"),
            ("/a/b/../..", "/"),
            ("/a//../b", "/a/b"),
            ("//", "//"),
            ("/a/...", "/a/..."),
            ("/a/.b", "/a/.b"),
            ("/a/.%2e/b", "/b"),
            (r"/a\..\b", "/b"),
            ("/x/..;/b", "/b"),
            ("/x/..;a=b/c/../d", "/d"),
            ("/x/.;a/b", "/x/b"),
            ("/a/b/..;x?q=/../a", "/a/?q=/../a"),
            ("/x/;../b", "/x/;../b"),
            ("/x/%2e%2e;/b", "/x/..;/b"),
            (r"/a/..;\b", "/"),
            ("/a;x/../b", "/b"),
            ("/%61%7E%2D%5f%2e", "/a~-_."),
            ("/%2F%20%3b%2561", "/%2F%20%3b%2561"),
            ("/a?b=%61/../c", "/a?b=%61/../c"),
            ("/a%zz%4", "/a%zz%4"),
            ("/a%%30%30", "/a%2500"),
            ("/%%300", "/%2500"),
            ("/a%%4141", "/a%25A41"),
            ("/%%61", "/%a"),
            ("/%%6161", "/%25a61"),
            ("/a\"<>^`{|}", "/a%22%3C%3E%5E%60%7B%7C%7D"),
        ];
        for (written, expected) in cases {
            assert_eq!(normal(written).as_deref(), Some(expected), "{written}");
        }
    }

    #[test]
    fn a_fragment_and_a_zero_byte_are_refused() {
        assert_eq!(normal("/a?b#c"), None);
        assert_eq!(normal("/a%00"), None);
        assert_eq!(normal("/a?b=%00").as_deref(), Some("/a?b=%00"));
    }
}
