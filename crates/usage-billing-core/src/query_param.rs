//! Query parameters in OpenAPI's default style: `form`, exploded.

use reqwest::Url;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::path_parameter::encode_path;
use crate::{Error, ErrorKind, Result};

/// A query parameter that generated code passes to [`reqwest::RequestBuilder::query`]. It serializes to nothing for `null`, to one pair for a
/// scalar, to one pair for each item of an array, and to parameters with the names of an object's fields, each of which may be an array.
#[doc(hidden)]
pub struct QueryParam<'a, T> {
    name: &'a str,
    value: &'a T,
}

impl<'a, T> QueryParam<'a, T> {
    /// Creates a parameter.
    pub fn new(name: &'a str, value: &'a T) -> Self {
        Self { name, value }
    }
}

impl<T: Serialize> QueryParam<'_, T> {
    /// Returns the names and values of the parameters.
    pub(crate) fn pairs(&self) -> serde_json::Result<Vec<(String, String)>> {
        let pair = |name: &str, value: Value| match value {
            Value::Null => None,
            Value::String(text) => Some((name.to_owned(), text)),
            other => Some((name.to_owned(), other.to_string())),
        };
        let items = |name: &str, value: Value| match value {
            Value::Array(items) => items.into_iter().filter_map(|item| pair(name, item)).collect(),
            scalar => Vec::from_iter(pair(name, scalar)),
        };
        Ok(match serde_json::to_value(self.value)? {
            Value::Object(fields) => fields.into_iter().flat_map(|(name, field)| items(&name, field)).collect(),
            value => items(self.name, value),
        })
    }
}

/// Adds an array that is not exploded to the query of a URL: its items, joined by commas that are not percent-encoded (RFC 6570, 3.2.8).
/// Those in items are. Generated code calls it.
///
/// # Errors
/// [`ErrorKind::Request`] for a value that is not an array or a scalar.
pub fn joined_query<T: Serialize>(mut url: Url, name: &str, value: &T) -> Result<Url> {
    let pairs = QueryParam::new(name, value).pairs();
    let pairs = pairs.map_err(|error| {
        Error::new(ErrorKind::Request, format!("invalid value of the query parameter {name}: {error}"))
    })?;
    let encode = |text: &str| encode_path(text).to_string();
    let items: Vec<_> = pairs.iter().map(|(_, item)| encode(item)).collect();
    if !items.is_empty() {
        let before = url.query().map_or_else(String::new, |query| format!("{query}&"));
        url.set_query(Some(&format!("{before}{}={}", encode(name), items.join(","))));
    }
    Ok(url)
}

impl<T: Serialize> Serialize for QueryParam<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_seq(self.pairs().map_err(S::Error::custom)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query_of(value: impl Serialize) -> String {
        let request = reqwest::Request::new(reqwest::Method::GET, "http://x".parse().unwrap());
        let client = reqwest::RequestBuilder::from_parts(crate::http_client().unwrap().build().unwrap(), request);
        let request = client.query(&QueryParam::new("q", &value)).build().unwrap();
        request.url().query().unwrap_or_default().to_owned()
    }

    #[test]
    fn joined_array_has_literal_commas_between_encoded_items() {
        let joined = |value: &[&str]| {
            let url = joined_query("http://x/a?b=1".parse().unwrap(), "c d", &value).unwrap();
            joined_query(url, "e", &None::<Vec<u8>>).unwrap().query().unwrap_or_default().to_owned()
        };
        assert_eq!(joined(&["a,b", "ü &", "c"]), "b=1&c%20d=a%2Cb,%C3%BC%20%26,c");
        assert_eq!(joined(&[]), "b=1");
    }

    #[test]
    fn values_are_sent_in_form_style() {
        assert_eq!(query_of(None::<u8>), "");
        assert_eq!(query_of(Some(7)), "q=7");
        assert_eq!(query_of(true), "q=true");
        assert_eq!(query_of("a&b c+ü"), "q=a%26b+c%2B%C3%BC");
        assert_eq!(query_of(["x", "y"]), "q=x&q=y");
        assert_eq!(query_of(serde_json::json!({"a": 1, "b": null})), "a=1");
    }
}
