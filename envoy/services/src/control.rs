//! What a test can ask of a service: to be slow, to fail, to answer at length.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use http_body::{Frame, SizeHint};

const MAX_DELAY_MS: u64 = 60_000;
/// The longest body [`Noise`] is asked for.
pub const MAX_BYTES: u64 = 100 * 1024 * 1024;

/// What is asked of one request, or of every request to an instance.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Control {
    /// How late the answer is.
    pub delay: Duration,
    /// Answer with this and do nothing else.
    pub status: Option<StatusCode>,
    /// Answer with a body of this length and do nothing else.
    pub bytes: Option<u64>,
}

impl Control {
    /// Refuses, with a sentence, what is out of bounds.
    pub fn new(delay_ms: Option<u64>, status: Option<u64>, bytes: Option<u64>) -> Result<Self, String> {
        let delay_ms = at_most("delay-ms", delay_ms, MAX_DELAY_MS)?.unwrap_or(0);
        Ok(Self {
            delay: Duration::from_millis(delay_ms),
            status: status.map(final_status).transpose()?,
            bytes: at_most("bytes", bytes, MAX_BYTES)?,
        })
    }

    /// Reads `x-echo-delay-ms`, `x-echo-status` and `x-echo-bytes`.
    pub fn asked_by(headers: &HeaderMap) -> Result<Self, String> {
        let number = |name| match headers.get(name) {
            None => Ok(None),
            Some(value) => match value.to_str().unwrap_or("").parse::<u64>() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(format!("{name} is not a whole number")),
            },
        };
        Self::new(
            number("x-echo-delay-ms")?,
            number("x-echo-status")?,
            number("x-echo-bytes")?,
        )
    }

    /// Both; the other one wins where both say something, delays add up.
    pub fn and(self, other: Self) -> Self {
        Self {
            delay: self.delay + other.delay,
            status: other.status.or(self.status),
            bytes: other.bytes.or(self.bytes),
        }
    }

    /// The answer in place of the service's own, if one is asked for.
    pub fn answer(&self) -> Option<Response> {
        let status = self.status.unwrap_or(StatusCode::OK);
        match self.bytes {
            Some(length) => Some((status, Noise::new(length, length)).into_response()),
            None => self.status.map(|status| status_line(status).into_response()),
        }
    }
}

/// A status a server may end with; the text names the range.
pub fn final_status(code: u64) -> Result<StatusCode, String> {
    u16::try_from(code)
        .ok()
        .filter(|code| (200..600).contains(code))
        .and_then(|code| StatusCode::from_u16(code).ok())
        .ok_or_else(|| format!("status {code} is not one of 200 to 599"))
}

fn at_most(key: &str, value: Option<u64>, most: u64) -> Result<Option<u64>, String> {
    match value {
        Some(value) if value > most => Err(format!("{key} {value} is above {most}")),
        _ => Ok(value),
    }
}

/// The status with its own name as the body.
fn status_line(status: StatusCode) -> impl IntoResponse {
    (status, format!("{status}\n"))
}

/// A body of so many bytes that mean nothing, made as it is sent.
pub struct Noise {
    left: u64,
    state: u64,
}

impl Noise {
    /// The same seed gives the same bytes.
    pub fn new(length: u64, seed: u64) -> Self {
        Self {
            left: length,
            state: seed,
        }
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl http_body::Body for Noise {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        const PIECE: u64 = 64 * 1024;
        let length = self.left.min(PIECE);
        if length == 0 {
            return Poll::Ready(None);
        }
        self.left -= length;
        let mut piece: Vec<u8> = (0..length.div_ceil(8))
            .flat_map(|_| self.next().to_le_bytes())
            .collect();
        piece.truncate(usize::try_from(length).unwrap_or(0));
        Poll::Ready(Some(Ok(Frame::data(piece.into()))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

impl IntoResponse for Noise {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, "application/octet-stream")], Body::new(self)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use http_body::Body as _;

    #[test]
    fn noise_is_as_long_as_said_and_made_in_small_pieces() {
        let mut noise = Noise::new(200_001, 0);
        assert_eq!(noise.size_hint().exact(), Some(200_001));
        let mut pieces = Vec::new();
        while let Poll::Ready(Some(frame)) = Pin::new(&mut noise).poll_frame(&mut Context::from_waker(Waker::noop())) {
            pieces.push(frame.unwrap().into_data().unwrap().len());
        }
        assert_eq!(pieces, [65_536, 65_536, 65_536, 3_393]);
    }

    #[test]
    fn a_request_overrules_its_instance_and_delays_add_up() {
        let instance = Control::new(Some(100), Some(500), Some(7)).unwrap();
        let asked = Control::new(Some(20), Some(404), None).unwrap();
        assert_eq!(
            instance.and(asked),
            Control::new(Some(120), Some(404), Some(7)).unwrap()
        );
    }
}
