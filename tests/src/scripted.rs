//! A server that responds by a script, byte for byte. It sends what a typed mock cannot: a truncated body, a dropped connection, a third
//! response that differs from the second.
//!
//! It runs on its own threads, so that tests can pause tokio's clock.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A request that the server received.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`.
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, decoded as UTF-8.
    pub body: String,
}

impl Request {
    /// Returns the value of a header; the first one of several.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A response of the server.
#[derive(Clone, Debug)]
pub struct ScriptedResponse {
    bytes: Vec<u8>,
    /// Sent repeatedly after `bytes`, with a delay before each chunk, until the client closes the connection.
    repeated: Option<(Vec<u8>, Duration)>,
}

impl ScriptedResponse {
    /// Creates a complete response, after which the connection is closed.
    pub fn new(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        Self::with_length(status, headers, body.as_ref(), body.as_ref().len())
    }

    /// Creates a complete JSON response.
    pub fn json(status: u16, body: &str) -> Self {
        Self::new(status, &[("content-type", "application/json")], body)
    }

    /// Creates a response whose body is shorter than its `content-length`.
    pub fn truncated(status: u16, body: &str) -> Self {
        Self::with_length(status, &[("content-type", "application/json")], body.as_bytes(), body.len() + 100)
    }

    /// Closes the connection without a response.
    pub fn dropped() -> Self {
        Self { bytes: Vec::new(), repeated: None }
    }

    /// Sends `bytes` unchanged, status line and headers included, then closes the connection.
    pub fn raw(bytes: impl AsRef<[u8]>) -> Self {
        Self { bytes: bytes.as_ref().to_vec(), repeated: None }
    }

    /// Sends `head` (status line, headers and a prefix of the body), then `chunk` until the client closes the connection.
    pub fn endless(head: impl AsRef<[u8]>, chunk: impl AsRef<[u8]>) -> Self {
        Self::trickled(head, chunk, Duration::ZERO)
    }

    /// Sends the same as [`endless`](Self::endless), with a delay in real time before each chunk.
    pub fn trickled(head: impl AsRef<[u8]>, chunk: impl AsRef<[u8]>, delay: Duration) -> Self {
        Self { bytes: head.as_ref().to_vec(), repeated: Some((chunk.as_ref().to_vec(), delay)) }
    }

    fn with_length(status: u16, headers: &[(&str, &str)], body: &[u8], length: usize) -> Self {
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

/// A running server.
pub struct ScriptedServer {
    url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl ScriptedServer {
    /// Starts a server that calls `script` for each request, on a thread per request.
    pub fn start(script: impl Fn(&Request) -> ScriptedResponse + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
        let url = format!("http://{}", listener.local_addr().expect("a bound port"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (script, log) = (Arc::new(script), requests.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, log) = (script.clone(), log.clone());
                thread::spawn(move || {
                    if let Some(request) = read_request(&stream) {
                        log.lock().expect("no test panics under the lock").push(request.clone());
                        let _ = script(&request).send(&stream);
                    }
                });
            }
        });
        Self { url, requests }
    }

    /// Starts a server that sends `responses` in their order; the last one is repeated.
    pub fn in_turn(responses: Vec<ScriptedResponse>) -> Self {
        let next = Mutex::new(0);
        Self::start(move |_| {
            let mut next = next.lock().expect("no test panics under the lock");
            let response = responses[(*next).min(responses.len() - 1)].clone();
            *next += 1;
            response
        })
    }

    /// Returns the URL, `http://127.0.0.1:…`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns all requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no test panics under the lock").clone()
    }
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            // The connection broke within the headers.
            return None;
        }
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
