//! gRPC's framing over HTTP/2.

use hyper::body::Bytes;
use hyper::header::HeaderName;

pub const CONTENT_TYPE: &str = "application/grpc";
/// In the trailers, or in the headers of an answer without a message.
pub const STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// A message that is not compressed.
pub fn message(payload: &[u8]) -> Bytes {
    let length = u32::try_from(payload.len()).unwrap();
    [&[0], length.to_be_bytes().as_slice(), payload].concat().into()
}

/// The messages of a body.
pub fn messages(mut body: Bytes) -> Vec<Bytes> {
    let mut messages = Vec::new();
    while !body.is_empty() {
        let head = body.split_to(5);
        assert_eq!(head[0], 0, "compressed");
        let length = u32::from_be_bytes(head[1..].try_into().unwrap());
        messages.push(body.split_to(length.try_into().unwrap()));
    }
    messages
}
