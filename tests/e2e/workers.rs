//! What has killed workers. After each of these the same worker serves on: no VM was reloaded and no stream is left open.

mod configurations;
mod faults;
mod requests;
mod shadows;

const ACTIVE_FAULTS: &str = "wasmcustom.switchyard_active_faults";
