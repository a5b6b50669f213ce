//! `switchyard plugin-config`: the filter's configuration out of manifests.

use std::collections::BTreeMap;

use serde::Serialize;

use super::input::{Input, InputArgs};
use super::proxy::ProxyArgs;
use super::{Failure, Status, report};
use crate::config::DECIDING_KINDS;
use crate::plugin::Plugin;
use crate::yaml::Node;

/// Print the filter's configuration for a proxy
///
/// The JSON is what goes into Envoy's plugin configuration, or a WasmPlugin's pluginConfig: the objects as they are, and who the proxy is.
/// Findings go to standard error; nothing is printed when one of them is an error of a document.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  switchyard plugin-config -f reviews.yaml
  switchyard plugin-config -f manifests/ --namespace shop --label app=web --port 9080
  kubectl get virtualservice,destinationrule -o json | switchyard plugin-config -f -")]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    proxy: ProxyArgs,
}

#[derive(Serialize)]
struct PluginJson<'a, P: Serialize> {
    proxy: P,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    options: BTreeMap<&'a str, serde_json::Value>,
    resources: Vec<&'a Node>,
}

pub(super) fn run(args: &Args) -> Result<Status, Failure> {
    let input = args.input.read()?;
    let loaded = Plugin::load(&plugin_json(&input, &args.proxy, |_| true)?);
    let findings = loaded
        .as_ref()
        .map_or_else(|findings| findings, |plugin| &plugin.findings);
    report::findings(&input, findings);
    if loaded.is_err() || !input.unreadable.is_empty() {
        return Ok(Status::Refused);
    }
    let read = |node: &Node| DECIDING_KINDS.contains(&node.text("kind"));
    super::print(&plugin_json(&input, &args.proxy, read)?)?;
    Ok(Status::Done)
}

fn plugin_json(input: &Input, proxy: &ProxyArgs, wanted: impl Fn(&Node) -> bool) -> Result<Vec<u8>, Failure> {
    let nodes = input.resources.iter().map(|resource| &resource.node);
    serde_json::to_vec_pretty(&PluginJson {
        proxy: proxy.proxy(),
        options: proxy.options(),
        resources: nodes.filter(|node| wanted(node)).collect(),
    })
    .map_err(|error| Failure::of("the plugin's configuration", error))
}
