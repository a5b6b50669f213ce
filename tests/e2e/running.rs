//! `switchyard run` under load: manifests that change, and processes that end.

mod changes;
mod clients;
mod endings;
mod instance;
mod message;
mod refusals;
mod stage;
mod untouched;
mod world;
