//! Every operation of every client as a call that answers JSON text, so that one harness can make them all.

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

/// The decoded answer, encoded again.
pub type Sent = BoxFuture<'static, Result<String, Error>>;

/// One operation, with parameters that fit.
pub struct Call<C> {
    /// `operationId`.
    pub operation: &'static str,
    /// Sends it.
    pub send: fn(C) -> Sent,
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

async fn json<T: Serialize>(answer: ResponseValue<T>) -> Result<String, Error> {
    Ok(serde_json::to_string(&answer.into_inner()).expect("answers encode"))
}

/// A file's text as a JSON string.
async fn file(answer: ResponseValue<ByteStream>) -> Result<String, Error> {
    let chunks: Vec<_> = answer.into_inner().try_collect().await?;
    Ok(serde_json::to_string(&String::from_utf8_lossy(&chunks.concat())).expect("text encodes"))
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("a date-time")
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// Whether two JSON values say the same: `null` and empty lists and maps are nothing, `1.50` is `1.5`, times are instants.
pub fn same(left: &Value, right: &Value) -> bool {
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
            let said = fields.iter().map(|(name, field)| (name.clone(), canonical(field)));
            let said: serde_json::Map<_, _> = said.filter(|(_, field)| !field.is_null()).collect();
            if said.is_empty() { Value::Null } else { Value::Object(said) }
        }
        other => other.clone(),
    }
}
