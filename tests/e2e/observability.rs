//! What an operator sees: metrics, the access log, the filter's own log.

mod counts;
mod page;
mod strangers;
