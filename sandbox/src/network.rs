//! The network between the services and everybody else, which can be gone.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpSocket;
use tokio::sync::watch;

/// Whether the services can be reached.
#[derive(Debug, Default)]
pub(crate) struct Network {
    is_cut: watch::Sender<bool>,
    /// How many services have noticed that it is.
    unreachable: watch::Sender<usize>,
}

impl Network {
    /// Cuts or restores it, and waits until all `services` have noticed.
    pub(crate) async fn set(&self, is_cut: bool, services: usize) {
        self.is_cut.send_replace(is_cut);
        let expected = if is_cut { services } else { 0 };
        // The sender is this.
        let _ = self.unreachable.subscribe().wait_for(|count| *count == expected).await;
    }

    /// Waits until it is cut.
    pub(crate) async fn cut(&self) {
        let _ = self.is_cut.subscribe().wait_for(|is_cut| *is_cut).await;
    }

    /// Waits until it is restored. Until then nobody else can take the service's port, and connections are refused.
    pub(crate) async fn restored(&self, address: SocketAddr) -> io::Result<tokio::net::TcpListener> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        self.unreachable.send_modify(|count| *count += 1);
        let _ = self.is_cut.subscribe().wait_for(|is_cut| !*is_cut).await;
        let listener = socket.listen(BACKLOG)?;
        self.unreachable.send_modify(|count| *count -= 1);
        Ok(listener)
    }
}

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;
