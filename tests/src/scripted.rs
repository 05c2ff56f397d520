//! A server that answers by a script, byte for byte: what a typed mock cannot send (a body cut off, a connection dropped, the third answer
//! other than the second).
//!
//! It runs on threads of its own, so that tests can pause tokio's clock.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What the server got.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`.
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: String,
}

impl Request {
    /// A header's value; the first, if there are several.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What the server sends back.
#[derive(Clone, Debug)]
pub struct Reply {
    bytes: Vec<u8>,
    /// Sent again and again after `bytes`, with a delay before each, until the client closes the connection.
    repeated: Option<(Vec<u8>, Duration)>,
}

impl Reply {
    /// A whole answer; the connection closes after it.
    pub fn new(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        Self::announced(status, headers, body.as_ref(), body.as_ref().len())
    }

    /// An answer of JSON.
    pub fn json(status: u16, body: &str) -> Self {
        Self::new(status, &[("content-type", "application/json")], body)
    }

    /// An answer whose body ends before the length that it announces.
    pub fn cut_off(status: u16, body: &str) -> Self {
        Self::announced(status, &[("content-type", "application/json")], body.as_bytes(), body.len() + 100)
    }

    /// The connection closes without an answer.
    pub fn dropped() -> Self {
        Self { bytes: Vec::new(), repeated: None }
    }

    /// `bytes` as they are, status line and headers included; then the connection closes.
    pub fn raw(bytes: impl AsRef<[u8]>) -> Self {
        Self { bytes: bytes.as_ref().to_vec(), repeated: None }
    }

    /// `head` byte for byte (status line, headers and the beginning of a body), then `chunk` until the client closes the connection.
    pub fn endless(head: impl AsRef<[u8]>, chunk: impl AsRef<[u8]>) -> Self {
        Self::trickled(head, chunk, Duration::ZERO)
    }

    /// The same with a delay before each chunk; the delay is real time.
    pub fn trickled(head: impl AsRef<[u8]>, chunk: impl AsRef<[u8]>, delay: Duration) -> Self {
        Self { bytes: head.as_ref().to_vec(), repeated: Some((chunk.as_ref().to_vec(), delay)) }
    }

    fn announced(status: u16, headers: &[(&str, &str)], body: &[u8], length: usize) -> Self {
        let mut head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        Self { bytes: [head.as_bytes(), body].concat(), repeated: None }
    }

    fn send(&self, mut stream: &TcpStream) -> std::io::Result<()> {
        stream.write_all(&self.bytes)?;
        while let Some((chunk, delay)) = &self.repeated {
            thread::sleep(*delay);
            stream.write_all(chunk)?;
        }
        Ok(())
    }
}

/// A running script.
pub struct ScriptedServer {
    url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl ScriptedServer {
    /// `script` is called for each request in turn, each on its own thread.
    pub fn start(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
        let url = format!("http://{}", listener.local_addr().expect("a bound port"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (script, log) = (Arc::new(script), requests.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, log) = (script.clone(), log.clone());
                thread::spawn(move || {
                    if let Some(request) = read(&stream) {
                        log.lock().expect("no test panics under the lock").push(request.clone());
                        let _ = script(&request).send(&stream);
                    }
                });
            }
        });
        Self { url, requests }
    }

    /// Answers one after the other; the last one stays.
    pub fn in_turn(replies: Vec<Reply>) -> Self {
        let next = Mutex::new(0);
        Self::start(move |_| {
            let mut next = next.lock().expect("no test panics under the lock");
            let reply = replies[(*next).min(replies.len() - 1)].clone();
            *next += 1;
            reply
        })
    }

    /// `http://127.0.0.1:…`
    pub fn url(&self) -> &str {
        &self.url
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no test panics under the lock").clone()
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None => break,
        }
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Request { method, target, headers, body: String::from_utf8_lossy(&body).into_owned() })
}
