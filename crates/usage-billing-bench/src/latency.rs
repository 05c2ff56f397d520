//! Simulated latency: a relay on loopback that forwards requests after a delay.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Starts a relay to `base`, which runs until the process ends, and returns its URL. Its work is part of the process's time.
pub(crate) fn relay(base: &str, latency: Duration) -> io::Result<String> {
    let server = base.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            if let Ok(server) = TcpStream::connect(&server) {
                connect(client, server, latency);
            }
        }
    });
    Ok(format!("http://{address}"))
}

fn connect(client: TcpStream, server: TcpStream, latency: Duration) {
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (Ok(mut requests), Ok(mut forwarded)) = (client.try_clone(), server.try_clone()) else { return };
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = [0; 64 << 10];
        while let Ok(length @ 1..) = requests.read(&mut buffer) {
            let _ = sender.send((Instant::now() + latency, buffer[..length].to_vec()));
        }
    });
    thread::spawn(move || {
        for (due, bytes) in receiver {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if forwarded.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = forwarded.shutdown(Shutdown::Write);
    });
    thread::spawn(move || {
        let (mut server, mut client) = (server, client);
        // In the kernel, where it has a call for this.
        let _ = io::copy(&mut server, &mut client);
        let _ = client.shutdown(Shutdown::Write);
    });
}
