//! Requests that are asked about: by curl's flags, or from a file.

use std::path::Path;
use std::str::FromStr;

use hyper::Uri;
use hyper::http::uri::Authority;
use serde::Serialize;
use serde_json::{Map, Value};

use super::Failure;
use crate::header::map::HeaderMap;
use crate::hostname;
use crate::request::downstream::{Downstream, PathNormalizationFailed};

/// A request as its client sends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Sent {
    pub(super) scheme: String,
    pub(super) method: String,
    pub(super) authority: String,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    /// The port of the listener, where it is not the authority's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) port: Option<u16>,
    /// The port that an access log has of Envoy's own side; it counts where nothing else names one.
    #[serde(skip)]
    pub(super) listener: Option<u16>,
    /// How many there are of it.
    #[serde(skip)]
    pub(super) count: u64,
}

/// A header as curl takes it: `name: value`, or `name;` for an empty one.
pub(super) fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = match (text.split_once(':'), text.strip_suffix(';')) {
        (Some((name, value)), _) => (name, value.trim()),
        (None, Some(name)) => (name, ""),
        (None, None) => return Err("write it as 'name: value'".to_owned()),
    };
    let is_name = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
    if is_name(name) {
        Ok((name.to_owned(), value.to_owned()))
    } else {
        Err(format!("`{name}` is no header's name; write it as 'name: value'"))
    }
}

impl Sent {
    /// A GET of a URL; without a scheme it is http's.
    pub(super) fn get(url: &str) -> Result<Self, String> {
        let whole = if url.contains("://") {
            url.to_owned()
        } else {
            format!("http://{url}")
        };
        let wrong = |reason: &dyn std::fmt::Display| format!("{url}: is no URL: {reason}");
        let uri = Uri::from_str(&whole).map_err(|error| wrong(&error))?;
        let scheme = uri.scheme_str().unwrap_or("http");
        if !["http", "https"].contains(&scheme) {
            return Err(wrong(&format!("the scheme is http or https, not {scheme}")));
        }
        let authority = uri.authority().map(Authority::as_str).unwrap_or_default();
        if authority.is_empty() || authority.starts_with(':') {
            return Err(wrong(&"it has no host"));
        }
        Ok(Sent {
            scheme: scheme.to_owned(),
            method: "GET".to_owned(),
            authority: authority.to_owned(),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            headers: Vec::new(),
            port: None,
            listener: None,
            count: 1,
        })
    }

    /// Adds headers; a host takes the authority's place.
    pub(super) fn with_headers(mut self, headers: impl IntoIterator<Item = (String, String)>) -> Self {
        for (name, value) in headers {
            if name.eq_ignore_ascii_case("host") {
                self.authority = value;
            } else {
                self.headers.push((name, value));
            }
        }
        self
    }

    /// The port it comes to.
    pub(super) fn port(&self) -> u16 {
        let default = if self.scheme == "https" { 443 } else { 80 };
        let own = || hostname::split_port(self.authority.as_bytes()).1;
        self.port.or_else(own).or(self.listener).unwrap_or(default)
    }

    /// The headers as Envoy hands them to its filters.
    pub(super) fn received(&self) -> Result<HeaderMap, PathNormalizationFailed> {
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()));
        Downstream {
            scheme: &self.scheme,
            method: &self.method,
            authority: self.authority.as_bytes(),
            path: self.path.as_bytes(),
            headers: headers.collect(),
        }
        .received()
    }

    /// As one would type it.
    pub(super) fn line(&self) -> String {
        let Sent {
            scheme,
            method,
            authority,
            path,
            ..
        } = self;
        format!("{method} {scheme}://{authority}{path}")
    }

    fn read(object: &Map<String, Value>) -> Result<Self, String> {
        let any = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| object.get(*name).filter(|value| !value.is_null()))
        };
        let text = |names: &[&str]| any(names).and_then(Value::as_str).map(str::to_owned);
        let mut sent = match text(&["url"]) {
            Some(url) => Sent::get(&url)?,
            None => {
                let authority = text(&["authority", ":authority", "host"]);
                let path = text(&["path", ":path"]);
                Sent {
                    scheme: text(&["scheme", ":scheme"]).unwrap_or_else(|| "http".to_owned()),
                    method: String::new(),
                    authority: authority.ok_or("has neither url nor authority")?,
                    path: path.unwrap_or_else(|| "/".to_owned()),
                    headers: Vec::new(),
                    port: None,
                    listener: None,
                    count: 1,
                }
            }
        };
        sent.method = text(&["method", ":method"]).unwrap_or_else(|| "GET".to_owned());
        sent.port = match any(&["port"]) {
            None => None,
            Some(port) => {
                let number = port.as_u64().or_else(|| port.as_str()?.parse().ok());
                let number = number
                    .and_then(|number| u16::try_from(number).ok())
                    .filter(|number| *number > 0);
                Some(number.ok_or_else(|| format!("has {port} for a port"))?)
            }
        };
        sent.listener = text(&["downstream_local_address"]).and_then(|address| service_port(&address));
        sent.count = any(&["count"])
            .map_or(Some(1), Value::as_u64)
            .ok_or("has a count that is no number")?;
        let logged = [
            ("user_agent", "user-agent"),
            ("x_forwarded_for", "x-forwarded-for"),
            ("request_id", "x-request-id"),
        ];
        let logged = logged
            .iter()
            .filter_map(|(field, name)| Some(((*name).to_owned(), text(&[field])?)));
        Ok(sent
            .with_headers(logged.collect::<Vec<_>>())
            .with_headers(headers(any(&["headers"]))?))
    }
}

/// The service port that a sidecar's listener stands for. Ports that need privileges stand 10000 higher, unless callers say otherwise.
fn service_port(address: &str) -> Option<u16> {
    const OFFSET: u16 = 10_000;
    let port = hostname::split_port(address.as_bytes()).1?;
    let below = port.checked_sub(OFFSET).filter(|port| (1..1024).contains(port));
    Some(below.unwrap_or(port))
}

/// An object, or a list of pairs.
fn headers(value: Option<&Value>) -> Result<Vec<(String, String)>, String> {
    const SHAPE: &str = "has headers that are neither an object of texts nor a list of pairs";
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match value {
        None => Ok(Vec::new()),
        Some(Value::Object(map)) => {
            let pairs = map.iter().map(|(name, value)| Some((name.clone(), text(value)?)));
            pairs.collect::<Option<_>>().ok_or_else(|| SHAPE.to_owned())
        }
        Some(Value::Array(list)) => {
            let pair = |pair: &Value| match pair.as_array().map(Vec::as_slice) {
                Some([name, value]) => Some((text(name)?, text(value)?)),
                _ => None,
            };
            list.iter()
                .map(pair)
                .collect::<Option<_>>()
                .ok_or_else(|| SHAPE.to_owned())
        }
        Some(_) => Err(SHAPE.to_owned()),
    }
}

/// The requests of a file, one JSON object a line: our own fields, or those of an access log of Envoy.
pub(super) fn read(path: &Path) -> Result<Vec<Sent>, Failure> {
    let (name, text) = if path.as_os_str() == "-" {
        ("standard input".to_owned(), std::io::read_to_string(std::io::stdin()))
    } else {
        (path.display().to_string(), std::fs::read_to_string(path))
    };
    let text = text.map_err(|error| Failure::of(&name, error))?;
    let mut requests = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = |reason: String| Failure(format!("{name}:{}: {reason}", index + 1));
        let value: Value = serde_json::from_str(line).map_err(|error| wrong(format!("is not JSON: {error}")))?;
        let object = value.as_object().ok_or_else(|| wrong("is no JSON object".to_owned()))?;
        requests.push(Sent::read(object).map_err(wrong)?);
    }
    if requests.is_empty() {
        return Err(Failure(format!("{name}: holds no request")));
    }
    Ok(requests)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_written_as_for_curl() {
        let pair = |name: &str, value: &str| Ok((name.to_owned(), value.to_owned()));
        assert_eq!(header("x: a:b "), pair("x", "a:b"));
        assert_eq!(header("x;"), pair("x", ""));
        assert!(header("x").is_err() && header(": a").is_err() && header("a b: c").is_err());
    }

    #[test]
    fn a_url_has_a_host_and_a_port() {
        let of = |url: &str| Sent::get(url).map(|sent| (sent.port(), sent.path));
        assert_eq!(of("reviews:9080/a?b=c"), Ok((9080, "/a?b=c".to_owned())));
        assert_eq!(of("https://reviews"), Ok((443, "/".to_owned())));
        assert_eq!(of("http://[::1]:81/"), Ok((81, "/".to_owned())));
        for wrong in ["ftp://a/", "http://", "http:///a", "http://a b/", "", ":80/", "/a"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn access_logs_are_requests_too() {
        let read = |text: &str| Sent::read(&serde_json::from_str(text).unwrap());
        let logged =
            read(r#"{"method":"PUT","authority":"a:81","path":"/x","user_agent":"curl","response_code":200}"#).unwrap();
        assert_eq!((logged.line().as_str(), logged.port()), ("PUT http://a:81/x", 81));
        assert_eq!(logged.headers, [("user-agent".to_owned(), "curl".to_owned())]);
        let own_log = r#"{"authority":"httpbin","path":"/","downstream_local_address":"127.0.0.1:8000"}"#;
        assert_eq!(read(own_log).unwrap().port(), 8000);
        assert_eq!(read(&own_log.replace("8000", "10080")).unwrap().port(), 80);
        assert_eq!(read(&own_log.replace("httpbin", "httpbin:81")).unwrap().port(), 81);
        let own = read(r#"{"url":"a/x","port":"9","headers":[["Host","b"],["x","1"]],"count":3}"#).unwrap();
        assert_eq!((own.authority.as_str(), own.port(), own.count), ("b", 9, 3));
        assert!(
            read("{}").is_err()
                && read(r#"{"url":"a","port":0}"#).is_err()
                && read(r#"{"url":"a","headers":1}"#).is_err()
        );
    }
}
