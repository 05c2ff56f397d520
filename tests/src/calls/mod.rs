//! Every operation of every client as a call that returns JSON, so that one harness can make all of them.

mod acronis;
mod genesys;
mod suger;

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::TryStreamExt;
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde_json::Value;
use usage_billing_core::{ByteStream, DecimalNumber, Error, LenientDateTime, ResponseValue};

pub(crate) use self::{acronis::calls as acronis, genesys::calls as genesys, suger::calls as suger};

/// The decoded response, encoded again as JSON.
pub type CallFuture = BoxFuture<'static, Result<String, Error>>;

/// One operation, with valid parameters.
pub struct Call<C> {
    /// `operationId`.
    pub operation: &'static str,
    /// Sends the request.
    pub send: fn(C) -> CallFuture,
}

macro_rules! calls {
    (|$client:ident: $type:ty| $($form:ident $operation:literal => $request:expr;)+) => {
        vec![$(crate::Call {
            operation: $operation,
            send: |$client: $type| Box::pin(async move { crate::calls::$form($request.send().await?).await }),
        }),+]
    };
}
use calls;

async fn json<T: Serialize>(response: ResponseValue<T>) -> Result<String, Error> {
    Ok(serde_json::to_string(&response.into_inner()).expect("responses encode"))
}

/// Returns a file's content as a JSON string.
async fn file(response: ResponseValue<ByteStream>) -> Result<String, Error> {
    let chunks: Vec<_> = response.into_inner().try_collect().await?;
    Ok(serde_json::to_string(&String::from_utf8_lossy(&chunks.concat())).expect("text encodes"))
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("a date-time")
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// Returns whether two JSON values are equivalent. `null`, an empty array and an empty object equal an absent field, `1.50` equals `1.5`, and
/// date-times are compared as instants.
pub fn is_equivalent(left: &Value, right: &Value) -> bool {
    canonical(left) == canonical(right)
}

fn canonical(value: &Value) -> Value {
    match value {
        Value::Number(number) => match DecimalNumber::from_str(&number.to_string()) {
            Ok(decimal) => format!("number {}", decimal.normalize()).into(),
            Err(_) => value.clone(),
        },
        Value::String(text) if text.contains('T') => match LenientDateTime::from_str(text) {
            Ok(instant) => instant.to_string().into(),
            Err(_) => value.clone(),
        },
        Value::Array(items) if items.is_empty() => Value::Null,
        Value::Array(items) => items.iter().map(canonical).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, field)| (name.clone(), canonical(field)));
            let fields: serde_json::Map<_, _> = fields.filter(|(_, field)| !field.is_null()).collect();
            if fields.is_empty() { Value::Null } else { Value::Object(fields) }
        }
        other => other.clone(),
    }
}
