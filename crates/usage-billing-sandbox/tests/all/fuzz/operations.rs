//! Requests from the operations, parameters and examples of the documents, with random changes.

use std::io::Write;

use fastrand::Rng;
use flate2::Compression;
use flate2::write::GzEncoder;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use usage_billing_sandbox::{self as demo, SandboxBuilder, Vendor};

use super::values::{self, chance, pick, word};
use super::{REQUESTS, Target, named, parsed, seeds};
use crate::builder;

/// Operations with a documented 500: Suger's batch validation reports each violation with it.
const DOCUMENTED_500: [&str; 1] = ["batchValidateUsageRecordGroups"];

/// Values of path parameters that exist.
const EXISTING: [(&str, &str); 11] = [
    ("{orgId}", demo::SUGER_ORG_ID),
    ("{entitlementId}", "ent-aws01"),
    ("{buyerId}", "buy-aws01"),
    ("{productId}", "prd-aws01"),
    ("{billableMetricId}", "gpu_seconds"),
    ("{partner}", "AWS"),
    ("{tenant_id}", demo::ACRONIS_TENANT_ID),
    ("{client_id}", demo::ACRONIS_CLIENT_ID),
    ("{trustorOrgId}", demo::GENESYS_TRUSTOR_ORG_ID),
    ("{clientId}", demo::GENESYS_CLIENT_ID),
    ("{licenseId}", "cloudCX1"),
];

pub(super) struct Operation {
    vendor: Vendor,
    name: String,
    method: String,
    path: String,
    /// Name, whether it is required, and schema.
    query: Vec<(String, bool, Value)>,
    example: Option<Value>,
}

/// Returns the operations of all three vendors.
pub(super) fn operations() -> Vec<Operation> {
    let documents = [
        (Vendor::Genesys, "", include_str!("../../../assets/openapi/genesys.json")),
        (Vendor::Suger, "", include_str!("../../../assets/openapi/suger.json")),
        (Vendor::Acronis, "/api/2", include_str!("../../../assets/openapi/acronis.json")),
    ];
    let mut all = Vec::new();
    for (vendor, base, text) in documents {
        let document: Value = serde_json::from_str(text).unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let Some(name) = operation["operationId"].as_str() else { continue };
                let parameters = operation["parameters"].as_array().into_iter().flatten();
                let resolved = |one: &Value| match one["$ref"].as_str() {
                    Some(reference) => document.pointer(&reference[1..]).unwrap().clone(),
                    None => one.clone(),
                };
                let query = parameters.map(resolved).filter(|one| one["in"] == "query").map(|one| {
                    let name = one["name"].as_str().unwrap().to_owned();
                    (name, one["required"] == true, resolved(&one["schema"]))
                });
                all.push(Operation {
                    vendor,
                    name: name.to_owned(),
                    method: method.to_uppercase(),
                    path: format!("{base}{path}"),
                    query: query.collect(),
                    example: operation.pointer("/requestBody/content/application~1json/example").cloned(),
                });
            }
        }
    }
    all
}

/// Returns a value that matches the schema.
fn fitting(random: &mut Rng, schema: &Value) -> String {
    if let Some(listed) = schema["enum"].as_array() {
        return random.choice(listed).unwrap().as_str().unwrap().to_owned();
    }
    let text = match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("integer"), _) => pick(random, &["1", "5", "100"]),
        (Some("boolean"), _) => pick(random, &["true", "false"]),
        (_, Some("date")) => pick(random, &["2026-10-01", "2026-11-30"]),
        (_, Some("date-time")) => pick(random, &["2026-10-01T00:00:00Z", "2026-10-31T23:59:59Z"]),
        (_, Some("uuid")) => demo::ACRONIS_TENANT_ID,
        _ => pick(random, &[demo::ACRONIS_TENANT_ID, "ent-aws01", "AWS", "day", "name", "2026-10-01"]),
    };
    text.to_owned()
}

/// Ids in responses, for later requests; newer ones replace others.
#[derive(Default)]
pub(super) struct Found(Vec<String>);

impl Found {
    const MOST: usize = 64;

    fn gather(&mut self, random: &mut Rng, response: &Value) {
        match response {
            Value::Array(items) => items.iter().for_each(|item| self.gather(random, item)),
            Value::Object(fields) => {
                for (name, field) in fields {
                    match field.as_str() {
                        Some(id) if name.to_ascii_lowercase().ends_with("id") && self.0.len() < Self::MOST => {
                            self.0.push(id.to_owned());
                        }
                        Some(id) if name.to_ascii_lowercase().ends_with("id") => {
                            self.0[random.usize(..Self::MOST)] = id.to_owned();
                        }
                        _ => self.gather(random, field),
                    }
                }
            }
            _ => {}
        }
    }
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

impl Operation {
    fn target(&self, random: &mut Rng, found: &Found) -> String {
        let segments = self.path.split('/').map(|segment| {
            let known = EXISTING.iter().find(|(name, _)| *name == segment).map(|(_, id)| *id);
            match known {
                _ if !segment.starts_with('{') => segment.to_owned(),
                Some(id) if chance(random, 70) => id.to_owned(),
                _ if chance(random, 75) => random.choice(&found.0).map_or_else(String::new, |id| escaped(id)),
                _ => escaped(&word(random)),
            }
        });
        let path = segments.collect::<Vec<_>>().join("/");
        let mut query = Vec::new();
        for (name, required, schema) in &self.query {
            if chance(random, if *required { 97 } else { 20 }) {
                let value = if chance(random, 85) { fitting(random, schema) } else { word(random) };
                query.push(format!("{name}={}", escaped(&value)));
            }
        }
        if chance(random, 10) {
            query.push(format!("{}={}", escaped(&word(random)), escaped(&word(random))));
        }
        format!("{path}?{}", query.join("&"))
    }

    fn body(&self, random: &mut Rng) -> Vec<u8> {
        let Some(mut example) = self.example.clone() else {
            return if chance(random, 10) { word(random).into_bytes() } else { Vec::new() };
        };
        for _ in 0..pick(random, &[0, 0, 1, 1, 2, 4]) {
            values::mutate(random, &mut example);
        }
        let mut text = example.to_string();
        if chance(random, 15)
            && let Some(at) = text.find(|character: char| character.is_ascii_digit())
        {
            text.replace_range(at..=at, pick(random, &values::NUMBERS));
        }
        let mut bytes = text.into_bytes();
        if chance(random, 10) {
            values::garble(random, &mut bytes, &[b"\"", b"[[[[", b"\\u0000", b"\\ud800", b"\xff"]);
        }
        bytes
    }

    /// Returns a complete request, which closes the connection.
    pub(super) fn request(&self, random: &mut Rng, found: &Found, authorization: &str) -> Vec<u8> {
        let method =
            if chance(random, 95) { &*self.method } else { pick(random, &["PUT", "HEAD", "OPTIONS", "TRACE", "x"]) };
        let mut request =
            format!("{method} {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n", self.target(random, found))
                .into_bytes();
        let authorization = match random.u8(..20) {
            0 => String::new(),
            1 => format!("Bearer {}", escaped(&word(random))),
            2 => format!("Key {}", demo::SUGER_LIMITED_API_KEY),
            _ => authorization.to_owned(),
        };
        let mut header = |name: &str, value: &str| request.extend(format!("{name}: {value}\r\n").bytes());
        header("authorization", &authorization);
        let kinds = [
            "text/plain",
            "application/json; charset=utf-16",
            "APPLICATION/JSON",
            "application/x-www-form-urlencoded",
            ";",
        ];
        header("content-type", if chance(random, 85) { "application/json" } else { pick(random, &kinds) });
        if chance(random, 10) {
            header("x-sandbox-strict", pick(random, &["true", "1", "false", "x", ""]));
        }
        if chance(random, 10) {
            header("accept-encoding", pick(random, &["gzip", "identity;q=0", "*", "br, ,gzip;q=9"]));
        }
        let mut body = self.body(random);
        if chance(random, 10) {
            header("content-encoding", pick(random, &["gzip", "deflate", "x"]));
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            gzip.write_all(&body).unwrap();
            body = gzip.finish().unwrap();
        }
        if chance(random, 15) {
            header("transfer-encoding", "chunked");
            request.extend(b"\r\n");
            for chunk in body.chunks(random.usize(1..2_000)) {
                request.extend(format!("{:x}\r\n", chunk.len()).bytes());
                request.extend(chunk);
                request.extend(b"\r\n");
            }
            request.extend(b"0\r\n\r\n");
        } else {
            header("content-length", &body.len().to_string());
            request.extend(b"\r\n");
            request.extend(body);
        }
        request
    }
}

impl Target {
    pub(super) fn authorization(&self, operation: &Operation) -> &str {
        self.authorizations.iter().find(|(vendor, _)| *vendor == operation.vendor).map_or("", |(_, it)| it)
    }
}

/// Sends random requests to a sandbox, and returns the number of successful ones.
pub(super) async fn run(builder: SandboxBuilder, seed: u64) -> usize {
    let (operations, target) = (operations(), Target::start(builder).await);
    let (mut random, mut found, mut successes) = (Rng::with_seed(seed), Found::default(), 0);
    for number in 0..REQUESTS {
        let operation = random.choice(&operations).unwrap();
        let request = operation.request(&mut random, &found, target.authorization(operation));
        if chance(&mut random, 2) {
            target.sandbox.advance(std::time::Duration::from_secs(random.u64(..40_000)));
        }
        let name = named(seed, number, &request);
        let response = target.ask(&request, &name).await;
        let Some((status, body)) = parsed(&response) else { panic!("{name}: no response: {response:?}") };
        let is_documented = status < 500 || DOCUMENTED_500.contains(&&*operation.name);
        assert!(is_documented, "{name}: {status} {}", String::from_utf8_lossy(body));
        successes += usize::from(status < 300);
        if let Ok(response) = serde_json::from_slice(body) {
            found.gather(&mut random, &response);
        }
    }
    target.assert_alive(&format!("after seed {seed}")).await;
    successes
}

#[tokio::test]
async fn random_operations_return_no_500() {
    let mut successes = 0;
    for seed in seeds(8) {
        successes += run(builder(), seed).await;
    }
    // Otherwise all requests would be rejected early.
    assert!(successes > REQUESTS, "only {successes} requests were successful");
}
