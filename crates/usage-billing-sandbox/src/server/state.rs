//! Everything that a sandbox has from its start to its reset.

use std::convert::Infallible;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use chrono::{DateTime, Utc};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use uuid::Uuid;

use super::SandboxBuilder;
use crate::admin::page::{self, Page};
use crate::admin::{self, Admin};
use crate::clock::Clock;
use crate::dataset::{self, Dataset, Seed};
use crate::http_util::oauth::Tokens;
use crate::middleware::Layers;
use crate::middleware::fault_injection::{FaultError, FaultInjection, Faults};
use crate::middleware::permissions::Permissions;
use crate::middleware::rate_limit::RateLimiter;
use crate::middleware::request_log::{Log, RequestLog};
use crate::middleware::request_validation::RequestValidation;
use crate::vendors::Vendors;
use crate::vendors::acronis::Acronis;
use crate::vendors::genesys::Genesys;
use crate::vendors::suger::Suger;

/// A day, less a second.
const GENESYS_TOKEN_LIFETIME: Duration = Duration::from_secs(86_399);
const ACRONIS_TOKEN_LIFETIME: Duration = Duration::from_secs(7_200);

pub(super) struct State {
    pub(super) clock: Clock,
    pub(super) dataset: Arc<Dataset>,
    pub(super) log: Arc<Log>,
    pub(super) faults: Arc<Faults>,
    router: Router,
}

impl State {
    fn new(builder: &SandboxBuilder, url: &str) -> Result<Self, FaultError> {
        let faults = Arc::new(Faults::new(builder.fault_seed, builder.faults.clone())?);
        let log = Arc::new(Log::default());
        let clock = Clock::start(builder.today);
        let dataset = Arc::new(Dataset::new(Seed::new(builder.seed), &builder.size, clock.clone()));
        let router = router(builder, url, &clock, &dataset, &log, &faults);
        Ok(Self { clock, dataset, log, faults, router })
    }
}

fn router(
    builder: &SandboxBuilder,
    url: &str,
    clock: &Clock,
    dataset: &Arc<Dataset>,
    log: &Arc<Log>,
    faults: &Arc<Faults>,
) -> Router {
    // Addresses of running sandboxes differ, so that no sandbox accepts the tokens of another one.
    let realm = dataset::id(url);
    let tokens = |vendor: &str, lifetime| {
        let realm = Uuid::new_v5(&realm, vendor.as_bytes());
        Tokens::new(builder.token_lifetime.unwrap_or(lifetime), clock.clone(), realm)
    };
    let polls = builder.polls_before_ready;
    let genesys_tokens = tokens("genesys", GENESYS_TOKEN_LIFETIME);
    let acronis_tokens = tokens("acronis", ACRONIS_TOKEN_LIFETIME);
    let permissions = Permissions { genesys: genesys_tokens.clone(), acronis: acronis_tokens.clone() };
    let vendors = Arc::new(Vendors {
        genesys: Genesys::new(dataset.clone(), clock.clone(), genesys_tokens, polls, realm),
        suger: Suger::new(dataset.clone(), clock.clone(), realm),
        acronis: Acronis::new(dataset.clone(), clock.clone(), acronis_tokens, polls, builder.gzip_header, realm),
    });
    let layers = Layers {
        request_log: RequestLog { log: log.clone(), clock: clock.clone(), realm },
        fault_injection: FaultInjection { faults: faults.clone(), clock: clock.clone(), log: log.clone() },
        rate_limiter: RateLimiter::new(builder.requests_per_minute, clock.clone()),
        permissions,
        vendors: vendors.clone(),
        request_validation: RequestValidation { strict: builder.strict, log: log.clone() },
    };
    let page = Page {
        url: url.to_owned(),
        strict: builder.strict,
        clock: clock.clone(),
        dataset: dataset.clone(),
        faults: faults.clone(),
        log: log.clone(),
        vendors,
    };
    let admin = Admin { clock: clock.clone(), dataset: dataset.clone(), faults: faults.clone(), log: log.clone() };
    Router::new().merge(admin::routes(admin)).merge(page::routes(page)).fallback_service(layers.wrap())
}

/// The state that requests meet. A reset replaces it as a whole, so that it forgets nothing.
pub(crate) struct Current {
    builder: SandboxBuilder,
    url: String,
    state: RwLock<Arc<State>>,
}

impl Current {
    /// # Errors
    /// A fault of the builder is not valid.
    pub(super) fn new(builder: SandboxBuilder, url: String) -> Result<Self, FaultError> {
        let state = RwLock::new(Arc::new(State::new(&builder, &url)?));
        Ok(Self { builder, url, state })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn state(&self) -> Arc<State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.state().clock.now()
    }

    /// Returns to the state of the start. Requests that are in progress end with the state before.
    pub(crate) fn reset(&self) {
        // The faults were valid at the start.
        if let Ok(state) = State::new(&self.builder, &self.url) {
            *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
        }
    }

    pub(crate) async fn respond(&self, request: Request) -> Response {
        let router = TowerToHyperService::new(self.state().router.clone());
        router.call(request).await.unwrap_or_else(|never: Infallible| match never {})
    }
}
