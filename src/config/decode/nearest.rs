//! Which name was meant.

/// The name a person most likely meant by `name`: at most two changes of a letter away, or one in three.
pub fn nearest<'n>(name: &str, names: &[&'n str]) -> Option<&'n str> {
    let near = |known: &&str| distance(&name.to_ascii_lowercase(), &known.to_ascii_lowercase());
    let best = names.iter().copied().min_by_key(near)?;
    (near(&best) <= (name.len() / 3).max(2)).then_some(best)
}

/// Levenshtein's distance in bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut left = i + 1;
        let mut diagonal = i;
        for (y, above) in b.bytes().zip(row.iter_mut().skip(1)) {
            let cost = (diagonal + usize::from(x != y)).min(left + 1).min(*above + 1);
            diagonal = std::mem::replace(above, cost);
            left = cost;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}
