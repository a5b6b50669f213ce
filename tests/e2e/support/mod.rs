//! What the tests stand on.

pub mod admin;
pub mod chance;
pub mod container;
pub mod envoy;
pub mod exposition;
pub mod grpc;
pub mod http;
pub mod manifest;
pub mod ports;
pub mod process;
pub mod scenario;
pub mod switchyard;
pub mod turn;
pub mod twin;
pub mod upstream;
pub mod web;
