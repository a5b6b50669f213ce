//! Whose requests are asked about, by flags.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Failure;
use super::input::Input;
use crate::finding::Finding;
use crate::plugin::Plugin;
use crate::yaml::Node;

/// The proxy that has a request, and the listener it comes to.
#[derive(clap::Args)]
#[command(next_help_heading = "Caller")]
pub(super) struct ListenerArgs {
    /// Who calls: labels of the workload and its namespace, as app=web,ns=default
    #[arg(long, value_name = "LABELS", value_parser = From::parse, default_value = "")]
    from: From,
    /// Gateway that the request comes through, as namespace/name or name; may be given several times [default: a sidecar]
    #[arg(long = "gateway", value_name = "NAME")]
    gateways: Vec<String>,
    /// Service port that the listener stands for [default: the URL's]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Domain of the cluster
    #[arg(long, value_name = "NAME", default_value = "cluster.local")]
    domain: String,
}

#[derive(Debug, Clone, Default)]
pub(super) struct From {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) namespace: Option<String>,
}

impl From {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut from = From::default();
        for pair in text.split(',').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("ns" | "namespace", namespace)) => from.namespace = Some(namespace.to_owned()),
                Some((name, value)) if !name.is_empty() => {
                    from.labels.insert(name.to_owned(), value.to_owned());
                }
                _ => {
                    return Err(format!(
                        "`{pair}` is no label; write it as app=web, and the namespace as ns=default"
                    ));
                }
            }
        }
        Ok(from)
    }
}

#[derive(Serialize)]
struct PluginJson<'a> {
    proxy: Proxy<'a>,
    resources: Vec<&'a Node>,
}

#[derive(Serialize)]
struct Proxy<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    domain: &'a str,
    labels: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    gateways: &'a [String],
    port: u16,
}

impl ListenerArgs {
    /// The port that requests come to which were sent to another.
    pub(super) fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether it is a gateway's.
    pub(super) fn is_gateway(&self) -> bool {
        !self.gateways.is_empty()
    }

    /// What decides at a port; the findings where nothing may run.
    pub(super) fn load(&self, input: &Input, port: u16) -> Result<Result<Plugin, Vec<Finding>>, Failure> {
        let json = serde_json::to_vec(&PluginJson {
            proxy: Proxy {
                namespace: self.from.namespace.as_deref(),
                domain: &self.domain,
                labels: &self.from.labels,
                gateways: &self.gateways,
                port,
            },
            resources: input.resources.iter().map(|resource| &resource.node).collect(),
        })
        .map_err(|error| Failure::of("the documents", error))?;
        Ok(Plugin::load(&json))
    }
}
