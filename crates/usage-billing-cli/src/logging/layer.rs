//! Writes events, and each finished request, as one line.

use std::fmt::Debug;
use std::time::Instant;

use chrono::{SecondsFormat, Utc};
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// The span of a call in `usage-billing-core`.
pub(crate) const CALL: (&str, &str) = ("usage_billing::http", "http_call");

pub(super) struct LogLayer<W> {
    is_json: bool,
    write: W,
}

/// A call that has not ended.
struct Call {
    started: Instant,
    fields: Map<String, Value>,
}

/// Collects the fields of a span or event.
struct Collect<'a>(&'a mut Map<String, Value>);

impl Visit for Collect<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl<W: Fn(&str)> LogLayer<W> {
    pub(super) fn new(is_json: bool, write: W) -> Self {
        Self { is_json, write }
    }

    fn line(&self, level: Level, target: &str, message: &str, fields: Map<String, Value>) {
        let time = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let level = level.as_str();
        let line = if self.is_json {
            let mut object = Map::new();
            object.insert("time".to_owned(), time.into());
            object.insert("level".to_owned(), level.to_ascii_lowercase().into());
            object.insert("target".to_owned(), target.into());
            object.insert("message".to_owned(), message.into());
            object.extend(fields);
            Value::from(object).to_string()
        } else {
            let fields: String = fields.iter().map(|(name, value)| format!(" {name}={value}")).collect();
            format!("{time} {level} {target}: {message}{fields}")
        };
        (self.write)(&line);
    }

    fn request(&self, call: &Call) {
        let elapsed = u64::try_from(call.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let text = |name: &str| call.fields.get(name).and_then(Value::as_str).unwrap_or_default();
        let status = call.fields.get("http.response.status_code").cloned();
        let attempts = call.fields.get("http.request.resend_count").and_then(Value::as_u64).unwrap_or(0) + 1;
        let (method, template) = (text("http.request.method"), text("url.template"));
        let mut fields = Map::new();
        fields.insert("operation".to_owned(), text("otel.name").into());
        if self.is_json {
            fields.insert("method".to_owned(), method.into());
            fields.insert("template".to_owned(), template.into());
            fields.insert("status".to_owned(), status.into());
            fields.insert("duration_ms".to_owned(), elapsed.into());
            fields.insert("attempts".to_owned(), attempts.into());
            return self.line(Level::INFO, CALL.0, "request", fields);
        }
        let outcome = status.map_or_else(|| text("error.type").to_owned(), |status| status.to_string());
        let attempts = if attempts == 1 { String::new() } else { format!(", {attempts} attempts") };
        self.line(Level::INFO, CALL.0, &format!("{method} {template} {outcome} in {elapsed} ms{attempts}"), fields);
    }
}

impl<S, W> Layer<S> for LogLayer<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Fn(&str) + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let metadata = attributes.metadata();
        if (metadata.target(), metadata.name()) != CALL {
            return;
        }
        let mut fields = Map::new();
        attributes.record(&mut Collect(&mut fields));
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Call { started: Instant::now(), fields });
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(call) = span.extensions_mut().get_mut::<Call>() {
            values.record(&mut Collect(&mut call.fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Map::new();
        event.record(&mut Collect(&mut fields));
        let message = fields.remove("message").unwrap_or_default();
        let metadata = event.metadata();
        self.line(*metadata.level(), metadata.target(), message.as_str().unwrap_or_default(), fields);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        if let Some(call) = span.extensions().get::<Call>() {
            self.request(call);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    fn lines(is_json: bool) -> Vec<String> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let to = lines.clone();
        let layer = LogLayer::new(is_json, move |line: &str| to.lock().unwrap().push(line.to_owned()));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let span = tracing::info_span!(
                target: "usage_billing::http",
                "http_call",
                otel.name = "get_report",
                http.request.method = %"GET",
                url.template = "/reports/{report_id}",
                http.response.status_code = tracing::field::Empty,
                http.request.resend_count = tracing::field::Empty,
            );
            span.in_scope(|| tracing::warn!(target: "usage_billing::http", attempt = 1, "retrying\nforged"));
            span.record("http.response.status_code", 200);
            span.record("http.request.resend_count", 1);
        });
        let lines = lines.lock().unwrap();
        lines.clone()
    }

    #[test]
    fn request_is_one_line_with_status_duration_and_attempts() {
        let [retry, request] = lines(false).try_into().unwrap();
        assert!(retry.contains(" WARN usage_billing::http: retrying") && retry.ends_with(" attempt=1"), "{retry}");
        assert!(request.contains(" INFO usage_billing::http: GET /reports/{report_id} 200 in "), "{request}");
        assert!(request.ends_with(" ms, 2 attempts operation=\"get_report\""), "{request}");
    }

    #[test]
    fn request_is_one_json_object() {
        let [retry, request] = lines(true).try_into().unwrap();
        let retry: Value = serde_json::from_str(&retry).unwrap();
        assert_eq!(
            (&retry["level"], &retry["message"], &retry["attempt"]),
            (&"warn".into(), &"retrying\nforged".into(), &1.into())
        );
        let request: Value = serde_json::from_str(&request).unwrap();
        for (name, value) in [
            ("method", "GET"),
            ("template", "/reports/{report_id}"),
            ("operation", "get_report"),
            ("message", "request"),
        ] {
            assert_eq!(request[name], value, "{request}");
        }
        assert!(request["status"] == 200 && request["attempts"] == 2 && request["duration_ms"].is_u64(), "{request}");
    }
}
