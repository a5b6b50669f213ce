//! Fields of which a document has one at most.

use super::At;

/// Says so where more than one of the fields is written. istiod keeps the last and says nothing; the schema of its resources refuses it.
pub(super) fn at_most_one(at: &At, fields: &[(&str, bool)]) {
    let written: Vec<&str> = fields
        .iter()
        .filter(|(_, is_written)| *is_written)
        .map(|(name, _)| *name)
        .collect();
    if let [first, rest @ ..] = &written[..]
        && !rest.is_empty()
    {
        at.error(format!("has {first} and {}; keep one of them", rest.join(" and ")));
    }
}
