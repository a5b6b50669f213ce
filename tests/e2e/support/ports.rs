//! Ports that are free and stay so until somebody listens there.

use std::net::SocketAddr;

use tokio::net::TcpSocket;

/// A port of this machine that nothing else is given while this lives.
///
/// It is bound and does not listen. Envoy binds its listeners with `SO_REUSEPORT` and so gets in beside it; clients' own ports, other
/// tests and other processes keep away.
pub struct Port {
    address: SocketAddr,
    held: Vec<TcpSocket>,
}

impl Port {
    pub fn reserve() -> Self {
        Self::at([127, 0, 0, 1], 0)
    }

    /// This port, at an address of this machine where it is free.
    pub fn numbered(port: u16) -> Self {
        let mut unique = Self::reserve();
        let [high, low] = unique.address.port().to_be_bytes();
        let mut numbered = Self::at([127, 1, high, low], port);
        numbered.held.append(&mut unique.held);
        numbered
    }

    fn at(address: [u8; 4], port: u16) -> Self {
        let held = TcpSocket::new_v4().unwrap();
        held.set_reuseport(true).unwrap();
        held.bind(SocketAddr::from((address, port))).unwrap();
        Self {
            address: held.local_addr().unwrap(),
            held: vec![held],
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
