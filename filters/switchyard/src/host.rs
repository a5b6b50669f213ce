//! Every call to the host, and the only place that makes one.
//!
//! Most are declared here a second time, beside the SDK's: the SDK panics on a status that it does not expect, and a panic takes an Envoy
//! worker down. The one call that has to be the SDK's own is the callout, for the SDK's dispatcher panics on a token it did not register.

use std::borrow::Cow;
use std::ptr::null_mut;
use std::time::{Duration, Instant, SystemTime};

use proxy_wasm::hostcalls;
use switchyard::decision::local_reply::LocalReply;
use switchyard::header::edits::HeaderEdit;
use switchyard::header::format::Attribute;
use switchyard::header::map::HeaderMap;
use switchyard::metric::Kind;

use imports::*;

mod imports;

/// Proxy-Wasm's numbers of maps and buffers.
const REQUEST_HEADERS: u32 = 0;
const RESPONSE_HEADERS: u32 = 2;
const CALL_RESPONSE_HEADERS: u32 = 6;
const REQUEST_BODY: u32 = 0;
const PLUGIN_CONFIGURATION: u32 = 7;
const REQUEST_STREAM: u32 = 0;
const COUNTER: u32 = 0;
const GAUGE: u32 = 1;
const OK: u32 = 0;

/// What the host hands over lies in memory that the SDK's allocator gave it: a vector of just that size.
fn taken(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Option<Vec<u8>> {
    let mut data = null_mut();
    let mut size = 0;
    if call(&mut data, &mut size) != OK {
        return None;
    }
    if data.is_null() {
        return Some(Vec::new());
    }
    // SAFETY: the host filled `size` bytes at `data`, which it got from `proxy_on_memory_allocate`: a Vec of that capacity.
    Some(unsafe { Vec::from_raw_parts(data, size, size) })
}

fn map(kind: u32) -> Option<HeaderMap> {
    // SAFETY: both pointers live through the call.
    HeaderMap::from_wire(taken(|data, size| unsafe {
        proxy_get_header_map_pairs(kind, data, size)
    })?)
}

/// The request's headers, all in one call.
pub fn request_headers() -> Option<HeaderMap> {
    map(REQUEST_HEADERS)
}

/// The response's headers, all in one call.
pub fn response_headers() -> Option<HeaderMap> {
    map(RESPONSE_HEADERS)
}

/// The `:status` of a callout's answer; a callout that failed has no headers to ask for.
pub fn call_status(headers: usize) -> Option<u16> {
    if headers == 0 {
        return None;
    }
    let name = ":status";
    // SAFETY: all pointers live through the call.
    let value = taken(|data, size| unsafe {
        proxy_get_header_map_value(CALL_RESPONSE_HEADERS, name.as_ptr(), name.len(), data, size)
    })?;
    std::str::from_utf8(&value).ok()?.parse().ok()
}

/// Writes changes into the request's headers; Envoy then chooses the route anew.
pub fn edit_request(edits: &[HeaderEdit]) {
    edits.iter().for_each(|edit| write(REQUEST_HEADERS, edit));
}

/// Writes changes into the response's headers.
pub fn edit_response(edits: &[HeaderEdit]) {
    edits.iter().for_each(|edit| write(RESPONSE_HEADERS, edit));
}

fn write(map: u32, edit: &HeaderEdit) {
    // SAFETY: all pointers live through the call. A header that the host refuses stays as it was.
    unsafe {
        match edit {
            HeaderEdit::Remove(name) => proxy_remove_header_map_value(map, name.as_ptr(), name.len()),
            HeaderEdit::Set(name, value) => {
                proxy_replace_header_map_value(map, name.as_ptr(), name.len(), value.as_ptr(), value.len())
            }
            HeaderEdit::Add(name, value) => {
                proxy_add_header_map_value(map, name.as_ptr(), name.len(), value.as_ptr(), value.len())
            }
        };
    }
}

/// The plugin's configuration.
pub fn configuration() -> Option<Vec<u8>> {
    // SAFETY: both pointers live through the call.
    taken(|data, size| unsafe { proxy_get_buffer_bytes(PLUGIN_CONFIGURATION, 0, usize::MAX, data, size) })
}

/// The part of a request's body that is passing now.
pub fn request_body(size: usize) -> Option<Vec<u8>> {
    // SAFETY: both pointers live through the call.
    taken(|data, length| unsafe { proxy_get_buffer_bytes(REQUEST_BODY, 0, size, data, length) })
}

fn property(path: &[&str]) -> Option<Vec<u8>> {
    let path = path.join("\0");
    // SAFETY: all pointers live through the call.
    taken(|data, size| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, size) })
}

/// Whether the response came from an upstream.
pub fn is_via_upstream() -> bool {
    property(&["response", "code_details"]).is_some_and(|details| details == b"via_upstream")
}

/// The client's address, without its port.
pub fn source_ip() -> Option<Vec<u8>> {
    property(&["source", "address"]).map(without_port)
}

fn without_port(address: Vec<u8>) -> Vec<u8> {
    let host = switchyard::hostname::without_port(&address);
    let bare = host
        .strip_prefix(b"[")
        .and_then(|host| host.strip_suffix(b"]"))
        .unwrap_or(host);
    bare.to_vec()
}

/// The port that the request came to: behind the redirection of a sidecar, the one that the client asked for.
pub fn local_port() -> Option<u16> {
    u16::try_from(integer(property(&["destination", "port"])?)?).ok()
}

/// What Envoy knows of the request beside its headers and the decision, as format strings name it.
pub fn attribute(attribute: Attribute) -> Option<Vec<u8>> {
    match attribute {
        Attribute::DownstreamRemoteAddress => property(&["source", "address"]),
        Attribute::DownstreamRemoteAddressWithoutPort => source_ip(),
        Attribute::DownstreamLocalAddress => property(&["destination", "address"]),
        Attribute::DownstreamLocalAddressWithoutPort => property(&["destination", "address"]).map(without_port),
        Attribute::DownstreamLocalPort => number(property(&["destination", "port"])?),
        Attribute::Protocol => property(&["request", "protocol"]),
        Attribute::DownstreamTlsVersion => property(&["connection", "tls_version"]),
        Attribute::DownstreamPeerSubject => property(&["connection", "subject_peer_certificate"]),
        Attribute::RequestedServerName => property(&["connection", "requested_server_name"]),
        Attribute::UpstreamCluster => property(&["xds", "cluster_name"]),
        Attribute::UpstreamHost => property(&["upstream", "address"]),
        Attribute::ResponseCode if !is_via_upstream() => Some(b"0".to_vec()),
        Attribute::ResponseCode => number(property(&["response", "code"])?),
        Attribute::RouteName => None,
    }
}

fn number(raw: Vec<u8>) -> Option<Vec<u8>> {
    Some(integer(raw)?.to_string().into_bytes())
}

/// Numbers come as eight bytes, little-endian.
fn integer(raw: Vec<u8>) -> Option<i64> {
    raw.try_into().ok().map(i64::from_le_bytes)
}

/// Leaves a value for access logs, as `%FILTER_STATE(wasm.NAME:PLAIN)%`.
pub fn set_filter_state(name: &str, value: &[u8]) {
    // SAFETY: all pointers live through the call.
    unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) };
}

/// Gives the load balancer the key to hash. Envoy takes text alone, so any other key is handed over by its hexadecimal digits.
pub fn set_hash_key(key: &[u8]) {
    let key = match std::str::from_utf8(key) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(key.iter().map(|byte| format!("{byte:02x}")).collect()),
    };
    let mut argument = Vec::with_capacity(key.len() + 32);
    for (field, text) in [(1, switchyard::reserved::HASH_KEY), (2, &key)] {
        argument.push(field << 3 | 2);
        varint(text.len(), &mut argument);
        argument.extend_from_slice(text.as_bytes());
    }
    let name = "set_envoy_filter_state";
    // SAFETY: all pointers live through the call.
    taken(|data, size| unsafe {
        proxy_call_foreign_function(name.as_ptr(), name.len(), argument.as_ptr(), argument.len(), data, size)
    });
}

/// Protocol buffers' numbers: seven bits a byte, the lowest first.
fn varint(mut number: usize, out: &mut Vec<u8>) {
    while number > 0x7f {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Answers the request of the effective context.
pub fn reply(reply: &LocalReply) {
    let headers = reply.headers.as_wire();
    // SAFETY: all pointers live through the call.
    unsafe {
        proxy_send_local_response(
            u32::from(reply.status),
            reply.details.as_ptr(),
            reply.details.len(),
            reply.body.as_ptr(),
            reply.body.len(),
            headers.as_ptr(),
            headers.len(),
            reply.grpc_status.map_or(-1, i32::from),
        )
    };
}

/// Makes calls act on another stream; false if it is gone.
pub fn enter(context: u32) -> bool {
    // SAFETY: takes a number.
    unsafe { proxy_set_effective_context(context) == OK }
}

/// Lets the effective stream's request go on.
pub fn resume_request() {
    // SAFETY: takes a number.
    unsafe { proxy_continue_stream(REQUEST_STREAM) };
}

/// Sets this configuration's one timer; none stops it.
pub fn set_timer(period: Option<Duration>) {
    let period = period.map_or(0, |period| u32::try_from(period.as_millis()).unwrap_or(u32::MAX));
    // SAFETY: takes a number.
    unsafe { proxy_set_tick_period_milliseconds(period) };
}

/// What the VMs of all workers share under a name.
pub fn shared(key: &str) -> Option<Vec<u8>> {
    versioned(key).0
}

fn versioned(key: &str) -> (Option<Vec<u8>>, u32) {
    let mut version = 0;
    // SAFETY: all pointers live through the call.
    let data = taken(|data, size| unsafe { proxy_get_shared_data(key.as_ptr(), key.len(), data, size, &mut version) });
    (data, version)
}

/// Replaces what the VMs of all workers share under a name by what `change` makes of it; false if that is nothing, or if another VM came
/// between.
pub fn update_shared(key: &str, change: impl FnOnce(&[u8]) -> Option<Vec<u8>>) -> bool {
    let (before, version) = versioned(key);
    let Some(after) = change(&before.unwrap_or_default()) else {
        return false;
    };
    // SAFETY: all pointers live through the call.
    unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), after.as_ptr(), after.len(), version) == OK }
}

/// The time of day, since 1970.
pub fn time() -> Duration {
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
}

/// A point of the monotonic clock.
pub fn now() -> Instant {
    Instant::now()
}

/// Random bits, for a seed.
pub fn random() -> Option<u64> {
    getrandom::u64().ok()
}

/// Sends a request of the root context's own; false if Envoy would not take it. Its answer comes to the context that is active in the SDK.
pub fn call(cluster: &str, headers: Vec<(&str, &str)>, body: &[u8], timeout: Duration) -> bool {
    let body = (!body.is_empty()).then_some(body);
    hostcalls::dispatch_http_call(cluster, headers, body, vec![], timeout).is_ok()
}

/// Says that a root context whose `on_done` asked for time needs no more of it.
pub fn done() {
    let _ = hostcalls::done();
}

/// A metric of Envoy's, by name; the same name is the same metric. None if Envoy refuses it.
pub fn metric(kind: Kind, name: &str) -> Option<u32> {
    let kind = match kind {
        Kind::Counter => COUNTER,
        Kind::Gauge => GAUGE,
    };
    let mut id = 0;
    // SAFETY: all pointers live through the call.
    (unsafe { proxy_define_metric(kind, name.as_ptr(), name.len(), &mut id) } == OK).then_some(id)
}

/// Adds to a counter or a gauge.
pub fn add(metric: u32, offset: i64) {
    // SAFETY: takes numbers.
    unsafe { proxy_increment_metric(metric, offset) };
}
