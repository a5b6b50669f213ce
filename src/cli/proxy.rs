//! Who a proxy is, by flags.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// The plugin's `proxy` and `options`.
#[derive(clap::Args)]
#[command(next_help_heading = "Proxy")]
pub(super) struct ProxyArgs {
    /// Namespace of the workload, against which short names and exportTo are read [default: default]
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
    /// Domain of the cluster [default: cluster.local]
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
    /// Label of the workload, for sourceLabels and workloadSelector; may be given several times
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = pair)]
    labels: Vec<(String, String)>,
    /// Gateway it serves, as namespace/name or name; may be given several times [default: mesh, a sidecar]
    #[arg(long = "gateway", value_name = "NAME")]
    gateways: Vec<String>,
    /// Service port its listener stands for [default: the one that each request names or comes to]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Choice or limit of the filter, as explainHeader=x-explain or maxActiveFaults=100; may be given several times
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = pair)]
    options: Vec<(String, String)>,
}

/// The plugin's `proxy`, with what differs from its defaults.
#[derive(Serialize)]
struct Proxy<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    gateways: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
}

impl ProxyArgs {
    /// As the plugin's JSON has it.
    pub(super) fn proxy(&self) -> impl Serialize {
        Proxy {
            namespace: self.namespace.as_deref(),
            domain: self.domain.as_deref(),
            labels: self.labels.iter().map(|(name, value)| (&**name, &**value)).collect(),
            gateways: &self.gateways,
            port: self.port,
        }
    }

    /// As the plugin's JSON has them: what reads as JSON is JSON, everything else is text.
    pub(super) fn options(&self) -> BTreeMap<&str, Value> {
        let value = |text: &String| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str()));
        self.options
            .iter()
            .map(|(name, text)| (name.as_str(), value(text)))
            .collect()
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}
