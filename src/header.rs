//! Headers: the map, changes to it, and the operations of a rule with their substitution commands.

pub mod edits;
pub mod format;
pub mod map;
pub mod parser;
