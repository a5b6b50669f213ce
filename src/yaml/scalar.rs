//! What a scalar means to kubectl: the rules of go-yaml's `resolve`.

use serde_json::Number;

use super::Value;

/// What a plain scalar is. An error is why JSON cannot hold it.
pub(super) fn resolve(text: &str) -> Result<Value, &'static str> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Value::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Err("is not a number, which JSON cannot hold"),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf" | "-.INF" => {
            return Err("is infinite, which JSON cannot hold");
        }
        _ => match number(text) {
            Some(number) => Value::Number(number),
            None => Value::String(text.to_owned()),
        },
    })
}

/// A number in any of the spellings that Go's `ParseInt` with base 0 and YAML's floats have.
fn number(text: &str) -> Option<Number> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return None;
    }
    // A scalar that begins with a dot is read as it is.
    let digits = match text.starts_with('.') {
        true => text.to_owned(),
        false => text.replace('_', ""),
    };
    whole(&digits).or_else(|| float(&digits))
}

fn whole(text: &str) -> Option<Number> {
    let (negative, magnitude) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let lower = magnitude.to_ascii_lowercase();
    let (base, digits) = match lower.get(..2) {
        Some("0x") => (16, lower.get(2..)?),
        Some("0o") => (8, lower.get(2..)?),
        Some("0b") => (2, lower.get(2..)?),
        _ if lower.len() > 1 && lower.starts_with('0') => (8, lower.get(1..)?),
        _ => (10, lower.as_str()),
    };
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let value = u64::from_str_radix(digits, base).ok()?;
    match negative {
        true => i64::try_from(-i128::from(value)).ok().map(Number::from),
        false => Some(Number::from(value)),
    }
}

/// A decimal with a point or an exponent, or one that no whole number holds. A whole value is one, as Go writes it.
fn float(text: &str) -> Option<Number> {
    /// From here on doubles skip whole numbers.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mantissa = unsigned
        .split_once(['e', 'E'])
        .map_or(unsigned, |(mantissa, _)| mantissa);
    let has_digit = mantissa.contains(|c: char| c.is_ascii_digit());
    if !has_digit || !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let value: f64 = text.parse().ok().filter(|value: &f64| value.is_finite())?;
    if value.fract() == 0.0 && value.abs() < EXACT {
        return Some(Number::from(value as i64));
    }
    Number::from_f64(value)
}
