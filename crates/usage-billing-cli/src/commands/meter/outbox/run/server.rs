//! The HTTP server of `meter run`: health, metrics and a page, for this machine.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::get;
use clap::Args;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use usage_billing_sandbox::http_server::{ConnectionLimits, HostName, check, serve};

use super::monitor::Monitor;
use super::{metrics, page};
use crate::exit::Failure;
use crate::terminal;

/// Prometheus, a probe and some browsers.
const CONNECTIONS: usize = 64;
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Args)]
pub(super) struct ServerArguments {
    /// Address for /healthz and /metrics, such as 127.0.0.1:9464; port 0 chooses a free one [default: no server].
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,

    /// Serve a page of the state at /.
    #[arg(long, requires = "listen")]
    page: bool,

    /// Accept an address that other machines reach. They see the names of entitlements and all failures; nothing asks them for a password.
    #[arg(long, requires = "listen")]
    allow_remote: bool,

    /// Host name of the server for its callers. IP addresses, localhost and names without a dot are always accepted; requests for other names are
    /// rejected, so that no web page can read it. May be repeated.
    #[arg(long, value_name = "NAME", requires = "listen")]
    allow_host: Vec<HostName>,
}

/// A running server. It stops when it is dropped.
pub(super) struct Server {
    /// Its end stops the server.
    _stop: oneshot::Sender<()>,
}

impl ServerArguments {
    /// Rejects an address that is not of this machine only.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match self.listen {
            Some(address) if !address.ip().is_loopback() && !self.allow_remote => Err(Failure::Usage(format!(
                "--listen {address} is reached by other machines: use 127.0.0.1, or add --allow-remote"
            ))),
            _ => Ok(()),
        }
    }

    /// Starts the server, if there is an address for it.
    pub(super) async fn start(&self, monitor: Arc<Monitor>) -> Result<Option<Server>, Failure> {
        let Some(address) = self.listen else { return Ok(None) };
        let failed = |error| Failure::Local(format!("--listen {address}: {error}"));
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let url = format!("http://{}", listener.local_addr().map_err(failed)?);
        let (stop, stopped) = oneshot::channel::<()>();
        let limits = ConnectionLimits { max: CONNECTIONS, max_per_peer: CONNECTIONS, ..ConnectionLimits::default() };
        let routes = routes(monitor, self.page, self.allow_host.as_slice().into());
        tokio::spawn(serve(listener, routes, limits, async move { _ = stopped.await }));
        let page = if self.page { format!("{url}/, ") } else { String::new() };
        terminal::print_progress(&format!("outbox: {page}{url}/healthz, {url}/metrics"));
        Ok(Some(Server { _stop: stop }))
    }
}

fn routes(monitor: Arc<Monitor>, has_page: bool, allowed: Arc<[HostName]>) -> Router {
    let routes = Router::new().route("/healthz", get(healthz)).route("/metrics", get(metrics));
    let routes = if has_page { routes.route("/", get(status_page)) } else { routes };
    routes.with_state(monitor).layer(from_fn_with_state(allowed, check))
}

async fn healthz(State(monitor): State<Arc<Monitor>>) -> Response {
    let (status, body) = match monitor.status().await {
        Ok(status) => {
            let code = if status.is_delivering { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            let problem = |problem: &usage_billing_outbox::Problem| json!({"problem": problem, "is_of_delivery": problem.is_of_delivery(), "advice": problem.advice()});
            let problems: Vec<_> = status.problems.iter().map(problem).collect();
            let failure = &status.store_failure;
            (
                code,
                json!({"as_of": status.as_of, "is_delivering": status.is_delivering, "problems": problems, "store_failure": failure}),
            )
        }
        Err(error) => {
            let body = json!({"is_delivering": false, "error": error.to_string()});
            (StatusCode::SERVICE_UNAVAILABLE, body)
        }
    };
    response(status, "application/json", format!("{body}\n"))
}

async fn metrics(State(monitor): State<Arc<Monitor>>) -> Response {
    match monitor.status().await {
        Ok(status) => response(StatusCode::OK, OPEN_METRICS, metrics::text(&status)),
        Err(error) => response(StatusCode::SERVICE_UNAVAILABLE, "text/plain; charset=utf-8", format!("{error}\n")),
    }
}

async fn status_page(State(monitor): State<Arc<Monitor>>) -> Response {
    let status = monitor.status().await;
    let code = if status.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let html = page::page(&monitor.organization, status.as_deref());
    let mut response = response(code, "text/html; charset=utf-8", html);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(page::POLICY));
    response
}

fn response(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
