//! The services behind Envoy: each subset answers its own name.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;

use anyhow::Result;
use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};

use super::UPSTREAMS;

/// Listeners for v1, v2 and v3, and their connections.
pub struct Upstreams {
    /// In the order of the subsets.
    pub ports: [u16; 3],
    listeners: [TcpListener; 3],
    connections: Vec<Option<Connection>>,
}

struct Connection {
    stream: TcpStream,
    subset: usize,
    /// How much of the blank line that ends a request's head has been seen.
    matched: usize,
}

const END: [u8; 4] = *b"\r\n\r\n";

impl Upstreams {
    /// Listens on free ports.
    pub fn listen(registry: &Registry) -> Result<Self> {
        let any: SocketAddr = ([127, 0, 0, 1], 0).into();
        let mut listeners = [
            TcpListener::bind(any)?,
            TcpListener::bind(any)?,
            TcpListener::bind(any)?,
        ];
        let mut ports = [0; 3];
        for (index, (listener, port)) in listeners.iter_mut().zip(&mut ports).enumerate() {
            *port = listener.local_addr()?.port();
            registry.register(listener, Token(UPSTREAMS + index), Interest::READABLE)?;
        }
        Ok(Upstreams {
            ports,
            listeners,
            connections: Vec::new(),
        })
    }

    /// Something has come for a listener, or for a connection.
    pub fn ready(&mut self, registry: &Registry, index: usize) -> Result<()> {
        let Some(connection) = index.checked_sub(self.listeners.len()) else {
            return self.accept(registry, index);
        };
        let Some(slot) = self.connections.get_mut(connection) else {
            return Ok(());
        };
        if slot.as_mut().is_some_and(|open| !open.serve()) {
            *slot = None;
        }
        Ok(())
    }

    fn accept(&mut self, registry: &Registry, subset: usize) -> Result<()> {
        let Some(listener) = self.listeners.get(subset) else {
            return Ok(());
        };
        while let Ok((mut stream, _)) = listener.accept() {
            stream.set_nodelay(true)?;
            let token = Token(UPSTREAMS + self.listeners.len() + self.connections.len());
            registry.register(&mut stream, token, Interest::READABLE)?;
            self.connections.push(Some(Connection {
                stream,
                subset,
                matched: 0,
            }));
        }
        Ok(())
    }
}

impl Connection {
    /// Answers what has come; false if the connection has ended.
    fn serve(&mut self) -> bool {
        let mut buffer = [0; 16 << 10];
        loop {
            let read = match self.stream.read(&mut buffer) {
                Ok(0) => return false,
                Ok(read) => read,
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            };
            for byte in buffer.iter().take(read) {
                self.matched = match END.get(self.matched) {
                    Some(expected) if expected == byte => self.matched + 1,
                    _ => usize::from(*byte == b'\r'),
                };
                if self.matched == END.len() {
                    self.matched = 0;
                    let answer = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nv{}",
                        self.subset + 1
                    );
                    if self.stream.write_all(answer.as_bytes()).is_err() {
                        return false;
                    }
                }
            }
            if read < buffer.len() {
                return true;
            }
        }
    }
}
