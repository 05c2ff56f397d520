//! A network that is cut or stalls: a proxy on the loopback interface.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What happens to bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Network {
    Works,
    /// Connections break, and new ones are closed at once.
    Cut,
    /// Nothing arrives, and no connection breaks.
    Stalls,
}

/// Where the connections of a proxy lead to.
#[derive(Clone, Debug)]
pub(super) enum Target {
    Tcp(String),
    Unix(PathBuf),
}

#[derive(Debug, Default)]
struct State {
    network: AtomicU8,
    open: Mutex<Vec<TcpStream>>,
}

/// A proxy, which ends with the process.
#[derive(Debug)]
pub(super) struct Proxy {
    port: u16,
    state: Arc<State>,
}

impl Proxy {
    pub(super) fn start(target: Target) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // Ends the proxy of a run that has ended.
                if Arc::strong_count(&shared) == 1 {
                    return;
                }
                if shared.network.load(Ordering::SeqCst) != Network::Cut as u8 {
                    let _ = connect(client, &target, &shared);
                }
            }
        });
        Self { port, state }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn set(&self, network: Network) {
        self.state.network.store(network as u8, Ordering::SeqCst);
        if network == Network::Cut {
            for stream in self.state.open.lock().unwrap().drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.set(Network::Cut);
        let port = self.port;
        // Wakes up the listener when the state has one owner.
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(10));
            TcpStream::connect(("127.0.0.1", port))
        });
    }
}

fn connect(client: TcpStream, target: &Target, state: &Arc<State>) -> std::io::Result<()> {
    state.open.lock().unwrap().push(client.try_clone()?);
    client.set_nodelay(true)?;
    match target {
        Target::Tcp(address) => {
            let server = TcpStream::connect(address)?;
            forward(client.try_clone()?, server.try_clone()?, state.clone());
            forward(server, client, state.clone());
        }
        Target::Unix(path) => {
            let server = UnixStream::connect(path)?;
            forward(client.try_clone()?, server.try_clone()?, state.clone());
            forward(server, client, state.clone());
        }
    }
    Ok(())
}

/// The end of a stream is forwarded as well, by closing the other one.
trait Stream: Read + Write + Send + 'static {
    fn close(&self, how: Shutdown);
}

impl Stream for TcpStream {
    fn close(&self, how: Shutdown) {
        let _ = self.shutdown(how);
    }
}

impl Stream for UnixStream {
    fn close(&self, how: Shutdown) {
        let _ = self.shutdown(how);
    }
}

fn forward(mut from: impl Stream, mut to: impl Stream, state: Arc<State>) {
    thread::spawn(move || {
        let mut bytes = [0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            while state.network.load(Ordering::SeqCst) == Network::Stalls as u8 {
                thread::sleep(Duration::from_millis(1));
            }
            if to.write_all(&bytes[..length]).is_err() {
                break;
            }
        }
        to.close(Shutdown::Write);
        from.close(Shutdown::Read);
    });
}
