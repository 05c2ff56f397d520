//! Measures the small reads per second: `cargo bench -p usage-billing-sandbox --bench load`.
//!
//! Two threads serve and two send requests, over 64 connections that stay open. Other load of the machine changes the rate; the CPU time
//! per request, which Linux reports by thread, hardly changes.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use http::{Request, StatusCode, header};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use usage_billing_sandbox::{self as demo, Sandbox, Vendor};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const CONNECTIONS: usize = 64;
const WARM_UP: Duration = Duration::from_millis(500);
const TIME: Duration = Duration::from_secs(4);
/// Name of the threads that serve, by which the CPU time is read.
const SERVING: &str = "serving";

fn main() -> Result<(), Failure> {
    let (serving, asking) = (threads(SERVING)?, threads("asking")?);
    let builder = Sandbox::builder().requests_per_minute(Vendor::Genesys, None);
    let sandbox = serving.block_on(builder.start())?;
    let address = sandbox.url().trim_start_matches("http://").to_owned();
    asking.block_on(async {
        for (vendor, path, authorization) in reads(&address).await? {
            measure(vendor, &address, &path, &authorization).await?;
        }
        Ok(())
    })
}

fn threads(name: &str) -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(2).thread_name(name).enable_all().build()
}

/// Returns a small read of each vendor, with its authorization.
async fn reads(address: &str) -> Result<[(&'static str, String, String); 3], Failure> {
    let genesys = token(address, "/oauth/token", demo::GENESYS_CLIENT_ID, demo::GENESYS_CLIENT_SECRET).await?;
    let acronis = token(address, "/api/2/idp/token", demo::ACRONIS_CLIENT_ID, demo::ACRONIS_CLIENT_SECRET).await?;
    let metric = format!("/org/{}/billableMetric/gpu_seconds", demo::SUGER_ORG_ID);
    let tenant = format!("/api/2/tenants/{}", demo::ACRONIS_TENANT_ID);
    Ok([
        ("Suger, a billable metric", metric, format!("Key {}", demo::SUGER_API_KEY)),
        ("Genesys Cloud, a licence definition", "/api/v2/license/definitions/cloudCX1".to_owned(), genesys),
        ("Acronis, a tenant", tenant, acronis),
    ])
}

async fn token(address: &str, path: &str, id: &str, secret: &str) -> Result<String, Failure> {
    let http = usage_billing_core::http_client()?.no_proxy().build()?;
    let form = [("grant_type", "client_credentials")];
    let response = http.post(format!("http://{address}{path}")).basic_auth(id, Some(secret)).form(&form).send().await?;
    let token: serde_json::Value = serde_json::from_slice(&response.bytes().await?)?;
    Ok(format!("Bearer {}", token["access_token"].as_str().ok_or("no token")?))
}

/// Prints one line.
async fn measure(what: &str, address: &str, path: &str, authorization: &str) -> Result<(), Failure> {
    let count = Arc::new(AtomicU64::new(0));
    let mut asking: Vec<JoinHandle<Result<Infallible, Failure>>> = Vec::new();
    for _ in 0..CONNECTIONS {
        let request = Request::get(path).header(header::HOST, address).header(header::AUTHORIZATION, authorization);
        let mut connection = connect(address).await?;
        let (request, count) = (request.body(())?, count.clone());
        asking.push(tokio::spawn(async move {
            loop {
                ask(&mut connection, &request).await?;
                count.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    tokio::time::sleep(WARM_UP).await;
    let (began, asked, busy) = (Instant::now(), count.load(Ordering::Relaxed), time_of_processor());
    tokio::time::sleep(TIME).await;
    let (asked, seconds) = (count.load(Ordering::Relaxed) - asked, began.elapsed().as_secs_f64());
    let busy = time_of_processor().saturating_sub(busy);
    for connection in asking {
        connection.abort();
        if let Ok(Err(failure)) = connection.await {
            return Err(failure);
        }
    }
    let rate = asked as f64 / seconds;
    let each = if busy.is_zero() {
        "unknown".to_owned()
    } else {
        format!("{:.1} µs", busy.as_secs_f64() * 1e6 / asked as f64)
    };
    println!("{what}: {rate:.0} requests/s, processor's time for each: {each}");
    Ok(())
}

async fn connect(address: &str) -> Result<SendRequest<Body>, Failure> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn ask(connection: &mut SendRequest<Body>, request: &Request<()>) -> Result<(), Failure> {
    connection.ready().await?;
    let response = connection.send_request(request.clone().map(|()| Body::empty())).await?;
    let status = response.status();
    let body = to_bytes(Body::new(response.into_body()), 1 << 20).await?;
    if status != StatusCode::OK {
        return Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into());
    }
    Ok(())
}

/// Returns the CPU time of the threads that serve; zero if the system does not report it.
fn time_of_processor() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let times = threads.filter_map(|thread| {
        let read = |file: &str| std::fs::read_to_string(thread.path().join(file)).ok();
        let nanoseconds = read("schedstat")?.split(' ').next()?.parse().ok()?;
        (read("comm")?.trim() == SERVING).then(|| Duration::from_nanos(nanoseconds))
    });
    times.sum()
}
