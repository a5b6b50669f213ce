//! Ports that are free and stay so until somebody listens there.

use std::net::SocketAddr;

use tokio::net::TcpSocket;

/// A port of this machine that nothing else is given while this lives.
///
/// It is bound and does not listen. Envoy binds its listeners with `SO_REUSEPORT` and so gets in beside it; clients' own ports, other
/// tests and other processes keep away.
pub struct Port {
    address: SocketAddr,
    _held: TcpSocket,
}

impl Port {
    pub fn reserve() -> Self {
        let held = TcpSocket::new_v4().unwrap();
        held.set_reuseport(true).unwrap();
        held.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        Self {
            address: held.local_addr().unwrap(),
            _held: held,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
