//! The headers between the filter and Envoy's routes. No client's copy of them gets past the filter, and none goes upstream.

/// The cluster that was chosen; the overlay route sends the request there.
pub const CLUSTER: &str = "x-switchyard-cluster";
/// Which variant of the overlay route's retry policy holds; see [`crate::action::retry`].
pub const RETRY: &str = "x-switchyard-retry";
/// Which mirrors Envoy's router has to make copies for; see [`crate::action::mirror`].
pub const MIRROR: &str = "x-switchyard-mirror";

/// What every reserved name begins with.
pub const PREFIX: &str = "x-switchyard-";
/// All of them, as `internal_only_headers` wants them.
pub const ALL: [&str; 3] = [CLUSTER, RETRY, MIRROR];

/// The filter state that holds the key of a consistent hash.
pub const HASH_KEY: &str = "envoy.hashable_string";

/// Whether a header's name, in lower case, is reserved.
pub fn is_reserved(name: &[u8]) -> bool {
    name.starts_with(PREFIX.as_bytes())
}
