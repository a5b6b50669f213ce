//! The services behind the scenarios: bookinfo, kim, catalog and httpbin, small enough to run all of them on one machine.
//!
//! Each instance is a listener of its own; [`start`] binds them all. What every service does is in [`receive`](crate::receive):
//! take the body, log the request, obey the test controls. What one service does is in the file of its name.

mod auth;
mod catalog;
mod control;
mod details;
mod gateway;
mod httpbin;
mod instance;
mod log;
mod outbound;
mod payment;
mod productpage;
mod ratings;
mod receive;
mod reviews;
mod service;
mod uc;
mod webapp;

use std::{collections::HashSet, io, net::SocketAddr, sync::Arc};

use axum::serve::ListenerExt;
use tokio::net::TcpListener;

pub use instance::Instance;
pub use log::Log;

/// Starts every instance and returns, in the order given, the id and the address it listens on.
///
/// All listeners are bound before the first one serves; a fault (an address in use, an id twice, a log that cannot be
/// opened) starts none. The instances run until the runtime ends.
pub async fn start(instances: Vec<Instance>, log: &Log) -> io::Result<Vec<(String, SocketAddr)>> {
    let mut ids = HashSet::new();
    let mut bound = Vec::new();
    for instance in instances {
        if !ids.insert(instance.id.clone()) {
            return Err(named(&instance.id, io::Error::other("the id is used twice; set id=")));
        }
        let instance_log = log.open(&instance).map_err(|error| named(&instance.id, error))?;
        let listener = TcpListener::bind(&instance.listen).await.map_err(|error| {
            let at = format!("cannot listen on {}: {error}", instance.listen);
            named(&instance.id, io::Error::new(error.kind(), at))
        })?;
        bound.push((listener, instance, instance_log));
    }
    let mut listening = Vec::new();
    for (listener, instance, instance_log) in bound {
        listening.push((instance.id.clone(), listener.local_addr()?));
        let router = receive::around(service::router(&instance), Arc::new(instance), instance_log);
        let listener = listener.tap_io(|stream| {
            // Only latency is lost when this fails.
            let _ = stream.set_nodelay(true);
        });
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
    }
    Ok(listening)
}

fn named(id: &str, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{id}: {error}"))
}
