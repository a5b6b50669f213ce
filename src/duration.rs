//! Durations as Go writes them: `1h30m`, `0.5s`, `500ms`.

use std::time::Duration;

/// Why a text is no duration, in one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidDuration(pub String);

/// Reads a duration: numbers with a fraction or none, each with its unit (`ns`, `us`, `µs`, `ms`, `s`, `m`, `h`), or `0`.
/// A negative one is refused, for nothing here may be negative.
///
/// `ParseDuration` of Go's package `time`.
pub fn parse(text: &str) -> Result<Duration, InvalidDuration> {
    let refuse = || InvalidDuration(format!("`{text}` is not a duration; write one as 1.5s, 500ms or 1h30m"));
    if text.starts_with('-') {
        return Err(InvalidDuration(format!(
            "`{text}` is negative; a duration has to be at least 1ms"
        )));
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    let mut nanoseconds: u128 = 0;
    while !rest.is_empty() || nanoseconds == 0 && text.is_empty() {
        let number = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(refuse)?;
        let (number, tail) = rest.split_at_checked(number).ok_or_else(refuse)?;
        let unit = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(unit).ok_or_else(refuse)?;
        nanoseconds = scale(number, unit)
            .and_then(|part| nanoseconds.checked_add(part))
            .ok_or_else(refuse)?;
        rest = tail;
    }
    let longest = i64::MAX as u128;
    u64::try_from(nanoseconds)
        .ok()
        .filter(|_| nanoseconds <= longest)
        .map(Duration::from_nanos)
        .ok_or_else(refuse)
}

/// `number` of `unit` in nanoseconds; digits below a nanosecond are dropped.
fn scale(number: &str, unit: &str) -> Option<u128> {
    let unit: u128 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let digits = |text: &str| {
        if text.is_empty() {
            Some(0)
        } else {
            text.parse::<u128>().ok()
        }
    };
    let fraction = fraction.get(..fraction.len().min(18))?;
    let part = digits(fraction)?.checked_mul(unit)? / 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    digits(whole)?.checked_mul(unit)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_durations_are_read() {
        let cases = [
            ("1h30m", 5_400_000),
            ("0.5s", 500),
            ("1m30.5s", 90_500),
            ("500ms", 500),
            ("0", 0),
            (".5s", 500),
            ("1.s", 1_000),
            ("0s", 0),
        ];
        cases
            .iter()
            .for_each(|(text, ms)| assert_eq!(parse(text), Ok(Duration::from_millis(*ms)), "{text}"));
        assert_eq!(parse("1us"), Ok(Duration::from_micros(1)));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "10",
            "1",
            "s",
            "1 s",
            "-1s",
            "1d",
            "1.2.3s",
            ".s",
            "9999999h",
            "1s ",
            "1e3s",
            "5 minutes",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
