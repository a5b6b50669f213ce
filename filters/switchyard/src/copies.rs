//! The copies of one request, while its body passes.

use std::rc::Rc;

use crate::host;
use crate::mirrors::Mirror;
use crate::shared::Shared;

/// Sent once the body is whole; given up and counted if that does not come, or if there is no room for it.
pub struct Copies {
    shared: Rc<Shared>,
    mirrors: Vec<Mirror>,
    body: Vec<u8>,
}

impl Copies {
    /// Nothing of the body is there yet.
    pub fn new(shared: Rc<Shared>, mirrors: Vec<Mirror>) -> Self {
        let body = Vec::new();
        Copies { shared, mirrors, body }
    }

    /// Adds the part of the body that is passing now; false if there is no room for it.
    pub fn add(&mut self, size: usize) -> bool {
        let has_room = self.shared.mirrors.has_room(self.body.len(), size);
        let Some(chunk) = has_room.then(|| host::request_body(size)).flatten() else {
            return false;
        };
        self.shared.mirrors.keep(chunk.len());
        self.body.extend_from_slice(&chunk);
        true
    }

    /// Sends them from a stream's callback.
    pub fn send(mut self) {
        for mirror in std::mem::take(&mut self.mirrors) {
            self.shared.mirrors.send_from_stream(mirror, self.body.clone());
        }
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        self.shared.mirrors.release(self.body.len());
        self.shared.metrics.mirrors_skipped.add(self.mirrors.len() as i64);
    }
}
