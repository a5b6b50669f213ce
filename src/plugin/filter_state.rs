//! What the filter leaves behind for access logs: `%FILTER_STATE(wasm.switchyard_route:PLAIN)%`. A name that was not set reads as `-`, or as
//! null in JSON.

/// The rule's name, or where it was written.
pub const ROUTE: &str = "switchyard_route";
/// The chosen destination's subset; empty for all of a service.
pub const SUBSET: &str = "switchyard_subset";
/// What was injected: `delay`, `abort` or `delay,abort`. It tells an injected 500 from a real one.
pub const FAULT: &str = "switchyard_fault";
/// `true` if a copy was to be sent.
pub const MIRROR: &str = "switchyard_mirror";
/// What was decided and why, for a request that asks for it; see `explainHeader` of [`crate::config::Options`].
pub const EXPLANATION: &str = "switchyard_explanation";
