//! Start and stop, and the one router of all vendors.

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use chrono::NaiveDate;
use http::{StatusCode, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::acronis::Acronis;
use crate::answer;
use crate::auth::Tokens;
use crate::clock::Clock;
use crate::genesys::Genesys;
use crate::log::{Log, LoggedRequest};
use crate::suger::Suger;
use crate::world::{self, World};

/// A day, less a second.
const GENESYS_TOKEN_LIFETIME: Duration = Duration::from_secs(86_399);
const ACRONIS_TOKEN_LIFETIME: Duration = Duration::from_secs(7_200);
/// Open requests have so long to end when the sandbox is shut down.
const LAST_CALL: Duration = Duration::from_secs(5);

/// The running stand-in for Genesys Cloud, Suger and Acronis. It stops when it is dropped.
///
/// Each sandbox has a state of its own, and starts from the same world.
pub struct Sandbox {
    url: String,
    log: Arc<Log>,
    /// Dropping it is the signal.
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

impl Sandbox {
    /// Starts with all defaults on a free port of 127.0.0.1.
    ///
    /// Has to be called within a Tokio runtime, which then runs the server.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start() -> std::io::Result<Self> {
        Self::builder().start().await
    }

    /// To change a default first.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    /// Where it answers, all vendors under one address: `http://127.0.0.1:` and the port, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The last 1000 requests, oldest first.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.log.all()
    }

    /// Stops, and waits until the open requests have been answered.
    pub async fn shut_down(self) {
        drop(self.stop);
        let mut server = self.server;
        if tokio::time::timeout(LAST_CALL, &mut server).await.is_err() {
            server.abort();
        }
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("url", &self.url).finish_non_exhaustive()
    }
}

/// What a sandbox is like. See [`Sandbox::builder`].
#[derive(Clone, Debug)]
pub struct SandboxBuilder {
    port: u16,
    today: Option<NaiveDate>,
    polls_before_ready: u32,
    token_lifetime: Option<Duration>,
    gzip_header: bool,
}

impl Default for SandboxBuilder {
    fn default() -> Self {
        Self { port: 0, today: None, polls_before_ready: 2, token_lifetime: None, gzip_header: true }
    }
}

impl SandboxBuilder {
    /// Port of 127.0.0.1; 0 (the default) is a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The day on which the world's history ends, for the same answers on any day. The default is the day of the start
    /// (UTC), which a running sandbox keeps.
    pub fn today(mut self, today: NaiveDate) -> Self {
        self.today = Some(today);
        self
    }

    /// How many polls find a report or query in progress; 2 by default, 0 has everything ready at once.
    pub fn polls_before_ready(mut self, polls: u32) -> Self {
        self.polls_before_ready = polls;
        self
    }

    /// How long tokens live. By default as long as the vendors' do: 86,399 seconds (Genesys Cloud), two hours
    /// (Acronis).
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = Some(lifetime);
        self
    }

    /// Whether downloads from Acronis say `Content-Encoding: gzip`; true by default. The bytes are gzip either way.
    pub fn gzip_header(mut self, header: bool) -> Self {
        self.gzip_header = header;
        self
    }

    /// Starts.
    ///
    /// Has to be called within a Tokio runtime, which then runs the server.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(self) -> std::io::Result<Sandbox> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let log = Arc::new(Log::default());
        let router = self.router(&url, log.clone());
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(async move {
            let stopped = async {
                // The sender is never used, only dropped.
                let _ = stopped.await;
            };
            // Serving does not fail: what goes wrong is a connection's own business.
            let _ = axum::serve(listener, router).with_graceful_shutdown(stopped).await;
        });
        Ok(Sandbox { url, log, stop, server })
    }

    fn router(&self, url: &str, log: Arc<Log>) -> Router {
        let clock = Clock::start(self.today);
        let world = Arc::new(World::new(clock.now().date_naive()));
        // No two sandboxes that run at once have the same address, so none takes the tokens of another.
        let realm = world::id(url);
        let tokens = |vendor: &str, lifetime| {
            Tokens::new(self.token_lifetime.unwrap_or(lifetime), Uuid::new_v5(&realm, vendor.as_bytes()))
        };
        let polls = self.polls_before_ready;
        let genesys_tokens = tokens("genesys", GENESYS_TOKEN_LIFETIME);
        let acronis_tokens = tokens("acronis", ACRONIS_TOKEN_LIFETIME);
        let door = Arc::new(Door {
            realm,
            log,
            genesys: Genesys::new(world.clone(), genesys_tokens, polls, realm),
            suger: Suger::new(world.clone(), clock, realm),
            acronis: Acronis::new(world, clock, acronis_tokens, polls, self.gzip_header, realm),
        });
        let vendors = Router::new()
            .merge(door.genesys.routes())
            .merge(door.suger.routes())
            .merge(door.acronis.routes())
            .fallback(no_such_path)
            .method_not_allowed_fallback(no_such_method);
        // A layer of the router with the paths would run only once a path was chosen.
        Router::new().fallback_service(vendors).layer(from_fn_with_state(door, enter))
    }
}

/// Where every request comes in.
struct Door {
    realm: Uuid,
    log: Arc<Log>,
    genesys: Arc<Genesys>,
    suger: Arc<Suger>,
    acronis: Arc<Acronis>,
}

#[derive(Clone, Copy)]
enum Vendor {
    Genesys,
    Suger,
    Acronis,
}

impl Vendor {
    fn of(path: &str) -> Option<Self> {
        [(Self::Genesys, Genesys::owns(path)), (Self::Suger, Suger::owns(path)), (Self::Acronis, Acronis::owns(path))]
            .into_iter()
            .find_map(|(vendor, owns)| owns.then_some(vendor))
    }
}

async fn enter(State(door): State<Arc<Door>>, mut request: Request, next: Next) -> Response {
    let number = door.log.note(request.method(), request.uri());
    let correlation_id = Uuid::new_v5(&door.realm, format!("request/{number}").as_bytes());
    if let Some(readable) = readable_path(request.uri().path()) {
        *request.uri_mut() = readable;
    }
    match Vendor::of(request.uri().path()) {
        Some(Vendor::Genesys) => door.genesys.frame(correlation_id, request, next).await,
        Some(Vendor::Suger) => door.suger.frame(correlation_id, request, next).await,
        Some(Vendor::Acronis) => door.acronis.frame(request, next).await,
        None => next.run(request).await,
    }
}

/// A path whose escapes are no UTF-8, with U+FFFD in their place: an id that nothing has.
fn readable_path(path: &str) -> Option<Uri> {
    let decoded = percent_decode_str(path);
    if decoded.clone().decode_utf8().is_ok() {
        return None;
    }
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/');
    utf8_percent_encode(&decoded.decode_utf8_lossy(), ESCAPED).to_string().parse().ok()
}

async fn no_such_path(uri: Uri) -> Response {
    match Vendor::of(uri.path()) {
        Some(Vendor::Genesys) => Genesys::no_such_path(),
        Some(Vendor::Suger) => Suger::no_such_path(),
        Some(Vendor::Acronis) => Acronis::no_such_path(),
        None => {
            let message = "The sandbox answers for Genesys Cloud under /api/v2 and /oauth/token, for Suger under /org, \
                           and for Acronis under /api/2.";
            answer::json(StatusCode::NOT_FOUND, &json!({"message": message}))
        }
    }
}

async fn no_such_method(uri: Uri) -> Response {
    match Vendor::of(uri.path()) {
        Some(Vendor::Genesys) => Genesys::no_such_method(),
        Some(Vendor::Suger) => Suger::no_such_method(),
        Some(Vendor::Acronis) => Acronis::no_such_method(),
        None => answer::json(StatusCode::METHOD_NOT_ALLOWED, &json!({"message": "The path has no such method."})),
    }
}
