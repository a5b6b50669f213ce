//! A request's or a response's headers, as bytes.

/// Headers in order, pseudo-headers among them, several lines of one name as several entries. Names are in lower case.
///
/// A map stays as the host hands it over: reading a request's headers costs one allocation, however many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderMap {
    /// A count, the lengths of all names and values, then names and values with a zero byte after each; numbers in 32 bits, little-endian.
    wire: Vec<u8>,
}

/// Of a name and its value.
type Lengths = [[u8; 4]; 2];

impl HeaderMap {
    /// Takes the host's own form of a map. `None` where the lengths do not fit the bytes.
    pub fn from_wire(wire: Vec<u8>) -> Option<Self> {
        let map = HeaderMap { wire };
        let (lengths, text) = map.parts()?;
        let needed = lengths.iter().flatten().map(|length| u64::from(number(length)) + 1);
        (needed.sum::<u64>() <= text.len() as u64).then_some(map)
    }

    /// The host's own form.
    pub fn as_wire(&self) -> &[u8] {
        &self.wire
    }

    /// Each line's lengths, and the text of all.
    fn parts(&self) -> Option<(&[Lengths], &[u8])> {
        let (count, rest) = self.wire.split_first_chunk()?;
        let (lengths, text) = rest.split_at_checked((number(count) as usize).checked_mul(8)?)?;
        Some((lengths.as_chunks().0.as_chunks().0, text))
    }

    /// Adds a line, whatever is there. Many lines are collected in less time.
    pub fn push(&mut self, name: &str, value: &[u8]) {
        let lines = self.iter().chain([(name.as_bytes(), value)]);
        *self = lines.collect();
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        let (lengths, mut text) = self.parts().unwrap_or_default();
        let mut next = move |length| {
            let (part, rest) = text.split_at_checked(number(length) as usize)?;
            text = rest.get(1..)?;
            Some(part)
        };
        lengths
            .iter()
            .map_while(move |[name, value]| Some((next(name)?, next(value)?)))
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
        if self.get(name).is_some() {
            let kept = self.iter().filter(|(key, _)| *key != name.as_bytes());
            *self = kept.collect();
        }
    }
}

impl Default for HeaderMap {
    fn default() -> Self {
        HeaderMap { wire: vec![0; 4] }
    }
}

fn number(bytes: &[u8; 4]) -> u32 {
    u32::from_le_bytes(*bytes)
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for HeaderMap {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(lines: I) -> Self {
        let lines: Vec<(N, V)> = lines.into_iter().collect();
        let number = |length: usize| (length as u32).to_le_bytes();
        let mut wire = number(lines.len()).to_vec();
        for (name, value) in &lines {
            wire.extend(number(name.as_ref().len()));
            wire.extend(number(value.as_ref().len()));
        }
        for (name, value) in &lines {
            wire.extend(name.as_ref().iter().map(u8::to_ascii_lowercase));
            wire.push(0);
            wire.extend_from_slice(value.as_ref());
            wire.push(0);
        }
        HeaderMap { wire }
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
        assert_eq!(map, pairs.into_iter().collect());
        assert_eq!(HeaderMap::from_wire(wire(&[])), Some(HeaderMap::default()));
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
