//! A Suger of a few lines: it stores each id once, and loses, truncates or repeats responses as a test configures.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use usage_billing::Decimal;
use usage_billing::suger::Client;
use usage_billing_tests::{Request, ScriptedResponse, ScriptedServer, untimed};

use super::ORG;

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// The connection breaks before the request has an effect.
    Lost,
    /// It breaks afterwards.
    LostAfterEffect,
    /// The response is truncated, after the effect.
    Truncated,
    /// 503 without an effect.
    Unavailable,
    /// 503 after the effect.
    UnavailableAfterEffect,
    /// A proxy sends the request twice, and forwards the second response.
    Repeated,
    /// A cache responds with its last response to the same list.
    Stale,
}

impl Fault {
    pub(crate) const ALL: [Self; 8] = [
        Self::None,
        Self::Lost,
        Self::LostAfterEffect,
        Self::Truncated,
        Self::Unavailable,
        Self::UnavailableAfterEffect,
        Self::Repeated,
        Self::Stale,
    ];
}

/// Entitlements with this prefix do not exist.
pub(crate) const REJECTED: &str = "rejected";

pub(crate) struct Vendor {
    server: ScriptedServer,
    groups: Arc<Mutex<BTreeMap<String, Value>>>,
}

impl Vendor {
    /// Starts a vendor for a marketplace. `fault` is called for each request, before its effect.
    pub(crate) fn start(marketplace: &'static str, fault: impl FnMut(&Request) -> Fault + Send + 'static) -> Self {
        let groups = Arc::new(Mutex::new(BTreeMap::new()));
        let (stored, fault) = (groups.clone(), Mutex::new(fault));
        let cache: Mutex<BTreeMap<String, ScriptedResponse>> = Mutex::default();
        let server = ScriptedServer::start(move |request| {
            let fault = (fault.lock().unwrap())(request);
            match fault {
                Fault::Lost => return ScriptedResponse::dropped(),
                Fault::Unavailable => return ScriptedResponse::json(503, r#""unavailable""#),
                _ => {}
            }
            let respond = || respond(request, marketplace, &mut stored.lock().unwrap());
            let (status, body) = respond();
            let response = ScriptedResponse::json(status, &body);
            let is_list = request.method == "GET";
            let cached = is_list.then(|| cache.lock().unwrap().insert(request.target.clone(), response.clone()));
            match fault {
                Fault::LostAfterEffect => ScriptedResponse::dropped(),
                Fault::Truncated => ScriptedResponse::truncated(status, &body),
                Fault::UnavailableAfterEffect => ScriptedResponse::json(503, r#""unavailable""#),
                Fault::Repeated => {
                    let (status, body) = respond();
                    ScriptedResponse::json(status, &body)
                }
                Fault::Stale => cached.flatten().unwrap_or(response),
                _ => response,
            }
        });
        Self { server, groups }
    }

    pub(crate) fn url(&self) -> &str {
        self.server.url()
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }

    /// Returns the bodies of the requests to store an event.
    pub(crate) fn sent(&self) -> Vec<String> {
        let requests = self.requests().into_iter();
        requests.filter(|request| request.method == "POST").map(|request| request.body).collect()
    }

    /// Returns the stored groups by id.
    pub(crate) fn groups(&self) -> BTreeMap<String, Value> {
        self.groups.lock().unwrap().clone()
    }

    /// Returns the sum of all stored quantities.
    pub(crate) fn sum(&self) -> Decimal {
        let records = |group: &Value| {
            group["records"]
                .as_object()
                .unwrap()
                .values()
                .map(|it| it.to_string().parse::<Decimal>().unwrap())
                .sum::<Decimal>()
        };
        self.groups().values().map(records).sum()
    }

    pub(crate) fn client(&self) -> Client {
        client(self.url())
    }
}

/// Returns a client without time limits, for tests with tokio's clock.
pub(crate) fn client(url: &str) -> Client {
    untimed(Client::builder(ORG, "hush").base_url(url)).build().unwrap().with_list_timeout(None)
}

fn respond(request: &Request, marketplace: &str, groups: &mut BTreeMap<String, Value>) -> (u16, String) {
    let path = request.target.split('?').next().unwrap_or_default();
    if request.method == "POST" {
        let sent: Value = serde_json::from_str(&request.body).unwrap();
        let id = sent["id"].as_str().unwrap().to_owned();
        if sent["entitlementID"].as_str().unwrap().starts_with(REJECTED) {
            return (404, r#""entitlement not found""#.to_owned());
        }
        if groups.contains_key(&id) {
            return (409, r#""duplicate id""#.to_owned());
        }
        let group = json!({
            "id": sent["id"], "entitlementID": sent["entitlementID"], "status": "CREATED", "records": sent["records"],
            "creationTime": sent["timestamp"], "partner": marketplace,
            "metaInfo": {"timestamp": sent["timestamp"], "originRecords": sent["records"]},
        });
        groups.insert(id, group.clone());
        return (200, group.to_string());
    }
    if path.contains("/entitlement/") {
        return (200, json!({"partner": marketplace}).to_string());
    }
    if path.contains("usageRecordReport") {
        return (200, json!({"usageRecordReports": []}).to_string());
    }
    let of_entitlement = |group: &&Value| {
        let id = group["entitlementID"].as_str().unwrap();
        !request.target.contains("ntitlementI") || request.target.contains(id)
    };
    let groups: Vec<_> = groups.values().filter(of_entitlement).collect();
    (200, json!({"usageRecordGroups": groups}).to_string())
}
