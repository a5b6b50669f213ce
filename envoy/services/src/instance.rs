//! One service to run, as the command line gives it.

use std::{collections::BTreeMap, str::FromStr, time::Duration};

use axum::http::uri::Authority;

use crate::{control::Control, service::Service};

/// One service on one address.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Its name in `x-served-by`, log lines and file names.
    pub id: String,
    pub(crate) service: Service,
    pub(crate) version: String,
    pub(crate) listen: String,
    /// Where its calls go, `host:port`; to the called name itself if absent.
    pub(crate) via: Option<String>,
    /// In place of the service's own time-out for calls.
    pub(crate) timeout: Option<Duration>,
    /// What it does to every request.
    pub(crate) control: Control,
}

impl FromStr for Instance {
    type Err = String;

    /// Reads `key=value,key=value`; the error is one sentence for the command line.
    fn from_str(spec: &str) -> Result<Self, String> {
        let mut pairs = Pairs::read(spec)?;
        let service = service_named(&pairs.required("name")?)?;
        let version = pairs.take("version").unwrap_or_else(|| "v1".into());
        check_version(service, &version)?;
        let instance = Instance {
            id: pairs
                .take("id")
                .unwrap_or_else(|| format!("{}-{version}", service.name())),
            service,
            version,
            listen: pairs.required("listen")?,
            via: pairs.take("via").map(host_and_port).transpose()?,
            timeout: pairs.number("timeout-ms")?.map(Duration::from_millis),
            control: Control::new(
                pairs.number("delay-ms")?,
                pairs.number("status")?,
                pairs.number("bytes")?,
            )?,
        };
        check_label("id", &instance.id)?;
        pairs.none_left()?;
        Ok(instance)
    }
}

fn service_named(name: &str) -> Result<Service, String> {
    Service::ALL
        .into_iter()
        .find(|service| service.name() == name)
        .ok_or_else(|| {
            let known = Service::ALL.map(Service::name).join(", ");
            format!("no service is named `{name}`; there are {known}")
        })
}

fn check_version(service: Service, version: &str) -> Result<(), String> {
    let known = service.versions();
    if known.is_empty() || known.contains(&version) {
        return check_label("version", version);
    }
    Err(format!(
        "{} has no version `{version}`; it has {}",
        service.name(),
        known.join(", ")
    ))
}

/// An id goes into a header, a log line and a file name.
fn check_label(key: &str, value: &str) -> Result<(), String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if value.starts_with(|first: char| first.is_ascii_alphanumeric()) && value.bytes().all(is_plain) {
        return Ok(());
    }
    Err(format!(
        "{key} `{value}` must begin with a letter or digit and hold only those and `-`, `_`, `.`"
    ))
}

fn host_and_port(via: String) -> Result<String, String> {
    match via.parse::<Authority>() {
        Ok(authority) if authority.port().is_some() => Ok(via),
        _ => Err(format!("via `{via}` is not host:port")),
    }
}

/// The pairs not read yet.
struct Pairs<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Pairs<'a> {
    fn read(spec: &'a str) -> Result<Self, String> {
        let mut pairs = BTreeMap::new();
        for pair in spec.split(',') {
            let (key, value) = pair
                .split_once('=')
                .ok_or_else(|| format!("`{pair}` is not key=value"))?;
            if pairs.insert(key, value).is_some() {
                return Err(format!("{key} is there twice"));
            }
        }
        Ok(Self(pairs))
    }

    fn take(&mut self, key: &str) -> Option<String> {
        self.0.remove(key).map(str::to_owned)
    }

    fn required(&mut self, key: &str) -> Result<String, String> {
        self.take(key).ok_or_else(|| format!("{key}= is missing"))
    }

    fn number(&mut self, key: &str) -> Result<Option<u64>, String> {
        let Some(text) = self.0.remove(key) else {
            return Ok(None);
        };
        text.parse()
            .map(Some)
            .map_err(|_| format!("{key} `{text}` is not a whole number"))
    }

    fn none_left(&self) -> Result<(), String> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(key) => Err(format!("there is no key `{key}`; see --help for the keys")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(spec: &str) -> String {
        spec.parse::<Instance>().unwrap_err()
    }

    #[test]
    fn a_spec_names_service_version_and_addresses() {
        let spec = "name=kim-payment-service,version=v2,listen=127.0.0.1:0,via=envoy:8080,timeout-ms=50,delay-ms=2000";
        let instance: Instance = spec.parse().unwrap();
        assert_eq!(instance.id, "kim-payment-service-v2");
        assert_eq!(instance.service, Service::KimPayment);
        assert_eq!(instance.via.as_deref(), Some("envoy:8080"));
        assert_eq!(instance.timeout, Some(Duration::from_millis(50)));
        assert_eq!(instance.control.delay, Duration::from_millis(2000));
    }

    #[test]
    fn a_faulty_spec_is_refused_with_its_reason() {
        assert_eq!(fault("name=ratings"), "listen= is missing");
        assert_eq!(fault("listen=:0"), "name= is missing");
        assert_eq!(fault("ratings"), "`ratings` is not key=value");
        assert_eq!(fault("name=ratings,name=ratings"), "name is there twice");
        assert!(fault("name=rating,listen=:0").contains("there are productpage, details"));
        assert_eq!(
            fault("name=reviews,version=v4,listen=:0"),
            "reviews has no version `v4`; it has v1, v2, v3"
        );
        assert!(fault("name=ratings,listen=:0,delay=3").contains("no key `delay`"));
        assert!(fault("name=ratings,listen=:0,delay-ms=soon").contains("not a whole number"));
        assert!(fault("name=ratings,listen=:0,status=101").contains("200 to 599"));
        assert_eq!(
            fault("name=webapp,listen=:0,via=http://envoy:80"),
            "via `http://envoy:80` is not host:port"
        );
        assert!(fault("name=ratings,listen=:0,id=../up").contains("must begin with"));
    }
}
