//! Requests from the operations, parameters and examples of the documents, with random changes.

use std::io::Write;
use std::sync::LazyLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use openapi_document::{Operation, operations, resolve};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;
use usage_billing_sandbox::{self as demo, Vendor};

use super::Target;
use super::found_ids::FoundIds;
use super::values::{Edit, Mutation, NUMBERS, edit, mutation, one_of, word};

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

static DOCUMENTS: LazyLock<[(Vendor, Value); 3]> = LazyLock::new(|| {
    let parsed = |json| serde_json::from_str(json).unwrap();
    [
        (Vendor::Genesys, parsed(include_str!("../../../assets/openapi/genesys.json"))),
        (Vendor::Suger, parsed(include_str!("../../../assets/openapi/suger.json"))),
        (Vendor::Acronis, parsed(include_str!("../../../assets/openapi/acronis.json"))),
    ]
});

/// A random request of an operation.
#[derive(Clone, Debug)]
pub(super) struct Call {
    vendor: Vendor,
    pub(super) operation: &'static str,
    method: String,
    path: Vec<Segment>,
    query: Vec<(String, String)>,
    /// In place of the vendor's own.
    authorization: Option<String>,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
    /// The name of the encoding; the body is compressed with gzip.
    encoding: Option<String>,
    /// The length of its chunks, if it has some.
    chunk: Option<usize>,
}

#[derive(Clone, Debug)]
enum Segment {
    Fixed(String),
    /// An id of an earlier response.
    Found(Index),
}

/// Returns requests of all operations of all vendors.
pub(super) fn call() -> BoxedStrategy<Call> {
    let calls = DOCUMENTS
        .iter()
        .flat_map(|(vendor, root)| operations(root).into_iter().map(|operation| call_of(*vendor, root, &operation)));
    let calls: Vec<_> = calls.collect();
    // Not a union, which prepares all alternatives before the chosen one.
    (0..calls.len()).prop_flat_map(move |at| calls[at].clone()).boxed()
}

fn call_of(vendor: Vendor, root: &'static Value, operation: &Operation<'static>) -> BoxedStrategy<Call> {
    let id = operation.id();
    let segments: Vec<_> = operation.path.split('/').map(segment).collect();
    let queries = operation.parameters(root).into_iter().filter(|parameter| parameter["in"] == "query");
    let queries: Vec<_> = queries.map(|parameter| query(root, parameter)).collect();
    let methods = prop_oneof![
        19 => Just(operation.method.to_uppercase()),
        1 => one_of(&["PUT", "HEAD", "OPTIONS", "TRACE", "x"]),
    ];
    let authorization = prop_oneof![
        18 => Just(None),
        1 => Just(Some(String::new())),
        1 => word().prop_map(|word| Some(format!("Bearer {}", escaped(&word)))),
        1 => Just(Some(format!("Key {}", demo::SUGER_LIMITED_API_KEY))),
    ];
    let encoding = weighted(0.1, one_of(&["gzip", "deflate", "x"]));
    let body = body(operation.json_body(root).and_then(|media_type| media_type.get("example")));
    let target = (methods, segments, queries, weighted(0.1, (word(), word())));
    let content = (body, encoding, weighted(0.15, 1..2_000_usize));
    let call =
        (target, authorization, headers(), content).prop_map(move |(target, authorization, headers, content)| {
            let (method, path, query, further) = target;
            let (body, encoding, chunk) = content;
            let query = query.into_iter().flatten().chain(further).collect();
            Call { vendor, operation: id, method, path, query, authorization, headers, body, encoding, chunk }
        });
    call.boxed()
}

fn segment(template: &str) -> BoxedStrategy<Segment> {
    let fixed = |text: String| Segment::Fixed(text);
    if !template.starts_with('{') {
        return Just(fixed(template.to_owned())).boxed();
    }
    let other = prop_oneof![3 => any::<Index>().prop_map(Segment::Found), 1 => word().prop_map(move |word| fixed(escaped(&word)))];
    match EXISTING.iter().find(|(name, _)| *name == template) {
        Some((_, id)) => prop_oneof![7 => Just(fixed((*id).to_owned())), 3 => other].boxed(),
        None => other.boxed(),
    }
}

/// Returns a query parameter, or none.
fn query(root: &'static Value, parameter: &'static Value) -> impl Strategy<Value = Option<(String, String)>> + use<> {
    let schema = resolve(root, &parameter["schema"]);
    let value = match (schema["enum"].as_array(), schema["type"].as_str(), schema["format"].as_str()) {
        (Some(listed), ..) => select(listed.as_slice()).prop_map(|value| value.as_str().unwrap().to_owned()).boxed(),
        (None, Some("integer"), _) => one_of(&["1", "5", "100"]),
        (None, Some("boolean"), _) => one_of(&["true", "false"]),
        (None, _, Some("date")) => one_of(&["2026-10-01", "2026-11-30"]),
        (None, _, Some("date-time")) => one_of(&["2026-10-01T00:00:00Z", "2026-10-31T23:59:59Z"]),
        (None, _, Some("uuid")) => one_of(&[demo::ACRONIS_TENANT_ID]),
        _ => one_of(&[demo::ACRONIS_TENANT_ID, "ent-aws01", "AWS", "day", "name", "2026-10-01"]),
    };
    let value = prop_oneof![17 => value, 3 => word()];
    let name = parameter["name"].as_str().unwrap().to_owned();
    let pair = value.prop_map(move |value| (name.clone(), value));
    weighted(if parameter["required"] == true { 0.97 } else { 0.2 }, pair)
}

fn headers() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let other_types = [
        "text/plain",
        "application/json; charset=utf-16",
        "APPLICATION/JSON",
        "application/x-www-form-urlencoded",
        ";",
    ];
    let content_type = prop_oneof![17 => Just("application/json"), 3 => select(other_types.to_vec())];
    let strict = weighted(0.1, select(vec!["true", "1", "false", "x", ""]));
    let accepted = weighted(0.1, select(vec!["gzip", "identity;q=0", "*", "br, ,gzip;q=9"]));
    (content_type, strict, accepted).prop_map(|(content_type, strict, accepted)| {
        let headers =
            [("content-type", Some(content_type)), ("x-sandbox-strict", strict), ("accept-encoding", accepted)];
        headers.into_iter().filter_map(|(name, value)| Some((name, value?.to_owned()))).collect()
    })
}

/// Returns a changed example, or a body where the operation has none.
fn body(example: Option<&'static Value>) -> BoxedStrategy<Bytes> {
    let Some(example) = example else {
        return weighted(0.1, word()).prop_map(|word| Bytes::from(word.unwrap_or_default())).boxed();
    };
    let number = weighted(0.15, select(&NUMBERS[..]));
    let edited = weighted(0.1, edit(&[b"\"", b"[[[[", b"\\u0000", b"\\ud800", b"\xff"]));
    let changed = move |(mutations, number, edited): (Vec<Mutation>, Option<&str>, Option<Edit>)| {
        let mut example = example.clone();
        mutations.iter().for_each(|mutation| mutation.apply(&mut example));
        let mut text = example.to_string();
        if let Some((number, at)) = number.zip(text.find(|character: char| character.is_ascii_digit())) {
            text.replace_range(at..=at, number);
        }
        let mut bytes = text.into_bytes();
        if let Some(edit) = edited {
            edit.apply(&mut bytes);
        }
        Bytes::from(bytes)
    };
    (vec(mutation(), 0..5), number, edited).prop_map(changed).boxed()
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

impl Call {
    fn target(&self, found: &FoundIds) -> String {
        let segments = self.path.iter().map(|segment| match segment {
            Segment::Fixed(text) => text.clone(),
            Segment::Found(_) if found.ids.is_empty() => String::new(),
            Segment::Found(at) => escaped(&found.ids[at.index(found.ids.len())]),
        });
        let path = segments.collect::<Vec<_>>().join("/");
        let query = self.query.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value)));
        format!("{path}?{}", query.collect::<Vec<_>>().join("&"))
    }

    /// Returns a complete request to a sandbox, which closes the connection.
    pub(super) fn request(&self, target: &Target, found: &FoundIds) -> Vec<u8> {
        let own = target.authorizations.iter().find(|(vendor, _)| *vendor == self.vendor).map(|(_, own)| own);
        let authorization = self.authorization.as_ref().or(own).map_or("", String::as_str);
        let mut head = format!("{} {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n", self.method, self.target(found));
        let mut header = |name: &str, value: &str| head.push_str(&format!("{name}: {value}\r\n"));
        header("authorization", authorization);
        self.headers.iter().for_each(|(name, value)| header(name, value));
        let mut body = self.body.to_vec();
        if let Some(encoding) = &self.encoding {
            header("content-encoding", encoding);
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            gzip.write_all(&body).unwrap();
            body = gzip.finish().unwrap();
        }
        match self.chunk {
            Some(length) => {
                header("transfer-encoding", "chunked");
                let chunks = body
                    .chunks(length)
                    .map(|chunk| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
                body = chunks.chain([b"0\r\n\r\n".to_vec()]).collect::<Vec<_>>().concat();
            }
            None => header("content-length", &body.len().to_string()),
        }
        [head.as_bytes(), b"\r\n", &body].concat()
    }
}
