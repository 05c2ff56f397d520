//! An address at which no server listens.

use std::net::Ipv4Addr;

use tokio::net::TcpSocket;

/// A port of 127.0.0.1 that is bound and does not listen: connections are refused, and nothing else can take the port.
pub struct ClosedPort {
    url: String,
    _socket: TcpSocket,
}

impl ClosedPort {
    /// Reserves a port.
    pub fn reserve() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port on loopback");
        Self { url: format!("http://{}", socket.local_addr().expect("a bound port")), _socket: socket }
    }

    /// Returns the URL, `http://127.0.0.1:…`.
    pub fn url(&self) -> &str {
        &self.url
    }
}
