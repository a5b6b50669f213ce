//! A request's or a response's headers, as bytes.

/// Headers in order, pseudo-headers among them, several lines of one name as several entries. Names are in lower case.
///
/// All text lies in one buffer, as the host hands it over: reading a request's headers costs two allocations, however many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderMap {
    bytes: Vec<u8>,
    /// Where name and value begin, and where the value ends.
    entries: Vec<(u32, u32, u32)>,
}

impl HeaderMap {
    /// Reads the host's own form of a map: a count, the lengths of all names and values, then names and values with a zero byte after each,
    /// numbers in 32 bits, little-endian. `None` where the lengths do not fit the bytes.
    pub fn from_wire(bytes: Vec<u8>) -> Option<Self> {
        let number = |raw: &[u8; 4]| u32::from_le_bytes(*raw);
        let (count, rest) = bytes.split_first_chunk()?;
        let lengths = rest.get(..(number(count) as usize).checked_mul(8)?)?;
        let mut at = u32::try_from(lengths.len() + 4).ok()?;
        let mut entries = Vec::with_capacity(lengths.len() / 8);
        // Names and values in turn.
        for [name, value] in lengths.as_chunks().0.as_chunks().0 {
            let value_at = at.checked_add(number(name))?.checked_add(1)?;
            let end = value_at.checked_add(number(value))?;
            entries.push((at, value_at, end));
            at = end.checked_add(1)?;
        }
        (at as usize <= bytes.len()).then_some(HeaderMap { bytes, entries })
    }

    /// Adds a line, whatever is there.
    pub fn push(&mut self, name: &str, value: &[u8]) {
        let begin = self.bytes.len() as u32;
        self.bytes.extend(name.bytes().map(|byte| byte.to_ascii_lowercase()));
        self.bytes.push(0);
        let middle = self.bytes.len() as u32;
        self.bytes.extend_from_slice(value);
        self.entries.push((begin, middle, self.bytes.len() as u32));
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        self.entries
            .iter()
            .map(|(name, value, end)| (self.slice(*name, value.saturating_sub(1)), self.slice(*value, *end)))
    }

    /// The values of one name, which has to be in lower case, line by line.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + Clone {
        self.iter()
            .filter(move |(key, _)| *key == name.as_bytes())
            .map(|(_, value)| value)
    }

    /// The first line of one name.
    pub fn get<'a>(&'a self, name: &'a str) -> Option<&'a [u8]> {
        self.get_all(name).next()
    }

    /// Removes all lines of a name.
    pub fn remove(&mut self, name: &str) {
        let mut entries = std::mem::take(&mut self.entries);
        entries.retain(|(begin, value, _)| self.slice(*begin, value.saturating_sub(1)) != name.as_bytes());
        self.entries = entries;
    }

    fn slice(&self, begin: u32, end: u32) -> &[u8] {
        self.bytes.get(begin as usize..end as usize).unwrap_or_default()
    }
}

impl<'a, V: AsRef<[u8]>> FromIterator<(&'a str, V)> for HeaderMap {
    fn from_iter<I: IntoIterator<Item = (&'a str, V)>>(pairs: I) -> Self {
        let mut map = HeaderMap::default();
        pairs
            .into_iter()
            .for_each(|(name, value)| map.push(name, value.as_ref()));
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(pairs: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = (pairs.len() as u32).to_le_bytes().to_vec();
        for (name, value) in pairs {
            bytes.extend((name.len() as u32).to_le_bytes());
            bytes.extend((value.len() as u32).to_le_bytes());
        }
        for (name, value) in pairs {
            bytes.extend([name.as_bytes(), b"\0", value, b"\0"].concat());
        }
        bytes
    }

    #[test]
    fn the_hosts_form_is_read_as_it_is() {
        let pairs: [(&str, &[u8]); 3] = [(":path", b"/"), ("x", b"\xff"), ("x", b"")];
        let map = HeaderMap::from_wire(wire(&pairs)).unwrap();
        assert!(
            map.iter()
                .eq(pairs.iter().map(|(name, value)| (name.as_bytes(), *value)))
        );
        assert!(map.get_all("x").eq([&b"\xff"[..], b""]));
        assert_eq!(
            HeaderMap::from_wire(wire(&[])),
            Some(HeaderMap {
                bytes: vec![0; 4],
                entries: vec![]
            })
        );
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        let good = wire(&[("a", b"b"), ("c", b"d")]);
        (0..good.len()).for_each(|end| assert_eq!(HeaderMap::from_wire(good[..end].to_vec()), None, "{end}"));
        (0..20).for_each(|at| {
            let mut bad = good.clone();
            bad[at] = 0xff;
            let _ = HeaderMap::from_wire(bad);
        });
        assert_eq!(HeaderMap::from_wire(vec![0xff; 64]), None);
    }

    #[test]
    fn removing_takes_every_line() {
        let mut map: HeaderMap = [("A", "1"), ("b", "2"), ("a", "3")].into_iter().collect();
        map.remove("a");
        assert!(map.iter().eq([(&b"b"[..], &b"2"[..])]));
    }
}
