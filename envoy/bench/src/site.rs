//! One Envoy with both sides in it: the same clusters, and a listener for each way to choose among them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};
use switchyard::decision::{Decision, decide};
use switchyard::dice::Fixed;
use switchyard::envoy::{Callers, Configuration, Manifests, Settings};
use switchyard::plugin::Plugin;
use switchyard::request::Request;

use crate::envoy::Envoy;
use crate::istiod;
use crate::shape::{Ask, HEADERS};

/// A way to choose a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The routes that istiod makes, and no filter.
    Native,
    /// `switchyard.wasm`, as `switchyard bootstrap` sets it up.
    Switchyard,
    /// One route, and no filter.
    Plain,
    /// One route, and a filter of the SDK that does nothing.
    Noop,
    /// As [`Self::Switchyard`], with `nativeMirrors`.
    Mirrors,
}

impl Side {
    /// Those that are compared everywhere.
    pub const ALL: [Side; 4] = [Side::Native, Side::Switchyard, Side::Plain, Side::Noop];

    /// Its listener's name.
    pub fn name(self) -> &'static str {
        match self {
            Side::Native => "native",
            Side::Switchyard => "switchyard",
            Side::Plain => "plain",
            Side::Noop => "noop",
            Side::Mirrors => "mirrors",
        }
    }
}

/// What is run.
#[derive(Debug, Clone)]
pub struct Programs {
    /// Envoy.
    pub envoy: PathBuf,
    /// The filter.
    pub wasm: PathBuf,
    /// The filter that does nothing.
    pub noop: PathBuf,
}

/// A configuration, compiled here as well: it knows which rule takes a request, and where to.
pub struct Site {
    pub resources: Vec<Value>,
    pub plugin: Plugin,
}

/// What a request should come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The position of the rule in its VirtualService.
    pub rule: usize,
    /// The cluster's name.
    pub cluster: String,
    /// What its upstream answers.
    pub subset: String,
}

impl Site {
    /// Takes the objects of a configuration.
    pub fn new(resources: Vec<Value>) -> Result<Self> {
        let json = json!({"proxy": {"namespace": "default", "port": 9080}, "resources": resources});
        let plugin = Plugin::load(json.to_string().as_bytes());
        let plugin = plugin.map_err(|findings| anyhow!("{findings:?}"))?;
        Ok(Site { resources, plugin })
    }

    /// What the library decides over a request.
    pub fn verdict(&self, ask: &Ask) -> Option<Verdict> {
        let headers = ask.header_map(&HEADERS);
        let request = Request::new(&headers);
        match decide(&self.plugin.table, &request, &mut Fixed::default()) {
            Decision::Routed(routed) => Some(Verdict {
                rule: routed.route.rule.http,
                cluster: routed.cluster()?.cluster.name(|| request.port()).into_owned(),
                subset: routed.cluster()?.subset.to_string(),
            }),
            _ => None,
        }
    }

    /// `envoy -c`: a listener for each side, on free ports. Of the clusters only those that are `reached`, for thousands that nobody asks
    /// for would take a minute to set up and change nothing.
    pub fn bootstrap(&self, programs: &Programs, reached: &[&str]) -> Result<Value> {
        let mut bootstrap = configuration(&self.resources, &programs.wasm, json!({}))?.bootstrap();
        let statics = bootstrap.get_mut("static_resources").context("resources")?;
        let clusters = statics
            .get_mut("clusters")
            .and_then(Value::as_array_mut)
            .context("clusters")?;
        clusters.retain(|cluster| cluster["name"].as_str().is_some_and(|name| reached.contains(&name)));
        let own = statics["listeners"][0].clone();
        let plain = json!({"virtual_hosts": [{
            "name": "all", "domains": ["*"],
            "routes": [{"match": {"prefix": "/"}, "route": {"cluster": reached.first(), "timeout": "0s"}}],
        }]});
        let mut listeners = Vec::new();
        for side in Side::ALL {
            let mut listener = own.clone();
            if side != Side::Switchyard {
                let manager = manager(&mut listener)?;
                manager["route_config"] = match side {
                    Side::Native => istiod::route_configuration(&self.resources),
                    _ => plain.clone(),
                };
                let filters = manager["http_filters"].as_array_mut().context("filters")?;
                match side {
                    Side::Noop => *filters.first_mut().context("a filter")? = noop(&programs.noop),
                    Side::Native if self.has_faults() => *filters.first_mut().context("a filter")? = fault(),
                    _ => drop(filters.remove(0)),
                }
            }
            open(&mut listener, side.name())?;
            listeners.push(listener);
        }
        statics["listeners"] = listeners.into();
        Ok(bootstrap)
    }

    /// Adds a listener whose filter leaves copies to Envoy.
    pub fn add_mirrors(&self, programs: &Programs, bootstrap: &mut Value) -> Result<()> {
        let own = configuration(&self.resources, &programs.wasm, json!({"nativeMirrors": true}))?.bootstrap();
        let mut listener = own
            .pointer("/static_resources/listeners/0")
            .context("a listener")?
            .clone();
        open(&mut listener, Side::Mirrors.name())?;
        let listeners = bootstrap
            .pointer_mut("/static_resources/listeners")
            .and_then(Value::as_array_mut);
        listeners.context("listeners")?.push(listener);
        Ok(())
    }

    fn has_faults(&self) -> bool {
        self.resources
            .iter()
            .any(|object| object.pointer("/spec/http/0/fault").is_some())
    }
}

/// What the product makes of the objects, for one caller in namespace `default`, whose filter has these options.
pub fn configuration(resources: &[Value], wasm: &Path, options: Value) -> Result<Configuration> {
    let callers = json!({
        "admin": "127.0.0.1:0",
        "accessLog": "",
        "options": options,
        "callers": [{"name": "bench", "ports": [{"number": 9080}]}],
    });
    let (callers, findings) = Callers::from_json(callers.to_string().as_bytes());
    anyhow::ensure!(findings.is_empty(), "{findings:?}");
    let (manifests, findings) = Manifests::new(resources.to_vec(), &callers);
    anyhow::ensure!(findings.is_empty(), "{findings:?}");
    let settings = Settings {
        wasm: Some(wasm.to_owned()),
        max_subscriptions: 0,
        ..Settings::default()
    };
    Configuration::new(&manifests, &callers, &settings).map_err(|findings| anyhow!("{findings:?}"))
}

/// Gives a listener a name and a free port.
pub fn open(listener: &mut Value, name: &str) -> Result<()> {
    listener["name"] = name.into();
    *listener
        .pointer_mut("/address/socket_address/port_value")
        .context("a port")? = 0.into();
    manager(listener)?["stat_prefix"] = name.into();
    Ok(())
}

fn manager(listener: &mut Value) -> Result<&mut Value> {
    let path = "/filter_chains/0/filters/0/typed_config";
    listener
        .pointer_mut(path)
        .context("a listener has a connection manager")
}

fn noop(path: &Path) -> Value {
    json!({"name": "noop", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {
            "name": "noop",
            "vm_config": {"vm_id": "noop", "runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": path}}},
        },
    }})
}

fn fault() -> Value {
    let kind = "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault";
    json!({"name": "envoy.filters.http.fault", "typed_config": {"@type": kind}})
}

/// Where the sides of a running Envoy listen.
pub fn addresses(envoy: &Envoy) -> Result<BTreeMap<Side, SocketAddr>> {
    let address = |side: Side| Ok((side, envoy.listener(side.name())?));
    Side::ALL.into_iter().map(address).collect()
}
