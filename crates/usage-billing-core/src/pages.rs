//! What the methods `stream` and `poll` of generated calls have in common: where the next page is, where a list ends, and when a job has
//! finished.

use std::fmt::Display;
use std::future::Future;
use std::str::FromStr;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::list_end::{ListEnd, Numbering, PageStatement};
use crate::{ClientInfo, Error, ErrorKind, Pager, PollResult, ResponseValue, Result, Transport, printable};

/// A page as generated code reads it.
#[derive(Debug)]
pub struct Page<T> {
    /// The items; `None` if the response has no list.
    pub items: Option<Vec<T>>,
    /// Where the list is in the response, for the error.
    pub list: &'static str,
    /// The position of the next page, or a link to it.
    pub next: Option<String>,
    /// Whether more pages follow, if the response states it.
    pub more: Option<bool>,
    /// The number of pages, if the response states it.
    pub pages: Option<i64>,
    /// The error that the response states beside its list or in place of it.
    pub error: Option<String>,
    /// The error that the response states, unless it has items: a code or a message. A success is not an error.
    pub reasons: Vec<String>,
}

impl<T> Page<T> {
    /// Creates a page that states nothing of others.
    pub fn new(list: &'static str, items: Option<Vec<T>>) -> Self {
        Self { items, list, next: None, more: None, pages: None, error: None, reasons: Vec::new() }
    }

    /// Returns the items.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] if there is no list, or an error in its place: it would read as the end. A Go server writes a list that it does
    /// not have as null.
    fn items(&mut self) -> Result<Vec<T>> {
        let has_items = self.items.as_ref().is_some_and(|items| !items.is_empty());
        // A Go server also writes a code that it did not set as 0, so the message beside it decides.
        let is_set = |text: &String| !["0", "{}", "[]"].contains(&text.as_str());
        let error = self.error.take().filter(is_set);
        let mut reasons = std::mem::take(&mut self.reasons);
        reasons.retain(is_set);
        if has_items || reasons.first().is_some_and(|first| is_success(first)) {
            reasons.clear();
        }
        let stated: Vec<_> = error.into_iter().chain(reasons).collect();
        if !stated.is_empty() {
            let message = format!("the response has an error in place of the list: {}", printable(&stated.join(": ")));
            return Err(Error::new(ErrorKind::Decode, message));
        }
        self.items.take().ok_or_else(|| {
            let message = format!("the response has no list `{}`: the list may be incomplete", self.list);
            Error::new(ErrorKind::Decode, message)
        })
    }
}

/// Returns whether a code, or a message without one, states a success: a status 2xx, or a word for it.
fn is_success(reason: &str) -> bool {
    let reason = reason.trim();
    let words = ["ok", "success", "successful", "succeeded"];
    words.iter().any(|word| word.eq_ignore_ascii_case(reason))
        || reason.parse::<u16>().is_ok_and(|status| (200..300).contains(&status))
}

/// Returns the error that a field of a response states: null, false and an empty string state none. A string has no quotes.
pub fn stated_error(value: &impl Serialize) -> Option<String> {
    match serde_json::to_value(value).ok()? {
        Value::Null | Value::Bool(false) => None,
        Value::String(text) => Some(text).filter(|text| !text.trim().is_empty()),
        other => Some(other.to_string()),
    }
}

/// Streams a list whose pages have numbers. `size` is the requested page size.
pub fn numbered_pages<T, F>(
    client: &impl ClientInfo<Transport>,
    numbering: Numbering,
    first: i64,
    size: Option<i64>,
    mut fetch: impl FnMut(i64) -> F + Send + 'static,
) -> Pager<T>
where
    T: Serialize + Send + 'static,
    F: Future<Output = Result<Page<T>>> + Send + 'static,
{
    let end = Arc::new(ListEnd::new(numbering, size));
    let pager = Pager::new(first, move |position| {
        let (page, end) = (fetch(position), end.clone());
        async move {
            let mut page = page.await?;
            let items = page.items()?;
            let next = page.next.as_deref().map(str::trim).filter(|next| !next.is_empty());
            let next = next.and_then(|next| match (next.parse(), numbering) {
                (Ok(next), _) => Some(next),
                // A link, which names the next number.
                (Err(_), Numbering::Pages { .. }) => position.checked_add(1),
                (Err(_), Numbering::Items) => None,
            });
            end.page(position, items, PageStatement { next, more: page.more, pages: page.pages })
        }
    });
    pager.masking(client)
}

/// Streams a list whose pages name the next one. An empty position is that of the first page.
pub fn linked_pages<T, F>(
    client: &impl ClientInfo<Transport>,
    first: String,
    mut fetch: impl FnMut(String) -> F + Send + 'static,
) -> Pager<T>
where
    T: Send + 'static,
    F: Future<Output = Result<Page<T>>> + Send + 'static,
{
    let pager = Pager::new(first, move |position| {
        let page = fetch(position);
        async move {
            let mut page = page.await?;
            let items = page.items()?;
            let next = page.next.filter(|next| !next.trim().is_empty() && page.more != Some(false));
            if next.is_none() && page.more == Some(true) {
                let message =
                    "more pages follow, but the response does not name the next one: the list would be incomplete";
                return Err(Error::new(ErrorKind::Decode, message));
            }
            Ok((items, next))
        }
    });
    pager.masking(client)
}

/// Returns a position as the value of the parameter that requests its page.
///
/// # Errors
/// [`ErrorKind::Decode`] for a position that is not one, such as a string in place of a number.
pub fn position<T: FromStr>(position: &impl ToString) -> Result<T> {
    let text = position.to_string();
    text.parse().map_err(|_| {
        let message = format!("invalid position of the next page \"{}\": the list may be incomplete", printable(&text));
        Error::new(ErrorKind::Decode, message)
    })
}

/// Returns the id of a job that was started.
///
/// # Errors
/// [`ErrorKind::Decode`] if the response has none.
pub fn job_id(id: Option<String>, operation: &'static str, field: &str) -> Result<String> {
    id.filter(|id| !id.trim().is_empty()).ok_or_else(|| {
        let message = format!("the job was started, but the response has no `{field}`");
        Error::new(ErrorKind::Decode, message).with_operation(operation)
    })
}

/// Returns the value of a parameter as a number, if it is set to one.
pub fn number_in<V: Display>(parameter: &Result<Option<V>, String>) -> Option<i64> {
    text_in(parameter).parse().ok()
}

/// Returns the value of a parameter; an empty string if it is not set. An invalid one is reported when the call is sent.
pub fn text_in<V: Display>(parameter: &Result<Option<V>, String>) -> String {
    parameter.as_ref().ok().and_then(Option::as_ref).map(V::to_string).unwrap_or_default()
}

/// The state of a job, and which states are final.
#[derive(Debug)]
pub struct JobState<'a> {
    /// The operation that returns the state.
    pub operation: &'static str,
    /// The state in the response.
    pub status: Option<String>,
    /// The states of jobs that have succeeded.
    pub succeeded: &'a [&'a str],
    /// The states of jobs that have failed.
    pub failed: &'a [&'a str],
    /// Why the job has failed.
    pub reason: Option<String>,
}

impl JobState<'_> {
    /// Returns whether the job has finished. A state that the document does not list is not final.
    ///
    /// # Errors
    /// [`ErrorKind::Failed`] with the reason if it has failed.
    pub fn is_ready(&self) -> Result<bool> {
        let status = self.status.as_deref().unwrap_or_default();
        if self.failed.contains(&status) {
            let reason = self.reason.as_deref().filter(|reason| !reason.trim().is_empty());
            let reason = printable(reason.unwrap_or("the vendor states no reason; start another job"));
            let message = format!("the job is {}: {reason}", printable(status));
            return Err(Error::new(ErrorKind::Failed, message).with_operation(self.operation));
        }
        Ok(self.succeeded.contains(&status))
    }

    /// Returns the result of a poll.
    ///
    /// # Errors
    /// Those of [`is_ready`](Self::is_ready).
    pub fn poll_result<T>(self, response: ResponseValue<T>) -> Result<PollResult<T>> {
        if self.is_ready()? {
            return Ok(PollResult::Ready(response.into_inner()));
        }
        Ok(PollResult::pending(&response, self.status))
    }

    /// Checks the state in a response that is one of the pages of a finished job.
    ///
    /// # Errors
    /// [`ErrorKind::Failed`] if the job has not succeeded: its list would be incomplete.
    pub fn require_ready(&self) -> Result<()> {
        if self.is_ready()? {
            return Ok(());
        }
        let status = self.status.as_deref().unwrap_or("unknown");
        let message = format!("the job has not finished (status: {}): its list would be incomplete", printable(status));
        Err(Error::new(ErrorKind::Failed, message).with_operation(self.operation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job<'a>(status: Option<&str>) -> JobState<'a> {
        let status = status.map(str::to_owned);
        JobState { operation: "getJob", status, succeeded: &["DONE"], failed: &["LOST"], reason: None }
    }

    #[test]
    fn only_documented_states_are_final() {
        for (status, expected) in
            [(Some("DONE"), Some(true)), (Some("NEW"), Some(false)), (None, Some(false)), (Some("LOST"), None)]
        {
            assert_eq!(job(status).is_ready().ok(), expected, "{status:?}");
            assert_eq!(job(status).require_ready().is_ok(), expected == Some(true), "{status:?}");
        }
        for (reason, expected) in [("disk full", "disk full"), (" ", "the vendor states no reason; start another job")]
        {
            let lost = JobState { reason: Some(reason.to_owned()), ..job(Some("LOST")) };
            assert_eq!(lost.is_ready().unwrap_err().message(), format!("the job is LOST: {expected}"));
        }
        let error = job(Some("LOST")).is_ready().unwrap_err();
        let expected = "the job is LOST: the vendor states no reason; start another job";
        assert_eq!((error.kind(), error.message()), (ErrorKind::Failed, expected));
    }

    #[test]
    fn error_in_place_of_a_list_is_an_error() {
        use serde_json::json;
        for (items, error, reasons, expected) in [
            (vec![], json!(null), vec![json!(""), json!(null)], None),
            (vec![], json!(""), vec![], None),
            (vec![1], json!(false), vec![json!("OK"), json!("done")], None),
            (vec![], json!("maintenance"), vec![], Some("maintenance")),
            (vec![1], json!({"message": "no"}), vec![], Some("{\"message\":\"no\"}")),
            (vec![], json!(null), vec![json!("InternalServerError"), json!("no")], Some("InternalServerError: no")),
            (vec![], json!(0), vec![json!({}), json!([])], None),
            (vec![1], json!({}), vec![], None),
            (vec![], json!(null), vec![json!(0), json!("database unavailable")], Some("database unavailable")),
            (vec![1], json!(null), vec![json!(0), json!("database unavailable")], None),
            (vec![], json!([]), vec![json!(0), json!("success")], None),
            (vec![], json!(null), vec![json!("0"), json!("OK")], None),
            (vec![], json!(null), vec![json!(0), json!("")], None),
            (vec![], json!(null), vec![json!("Success"), json!("no usage")], None),
            (vec![], json!(null), vec![json!(204)], None),
            (vec![], json!(null), vec![json!("300"), json!("success")], Some("300: success")),
            (vec![], json!(null), vec![json!(null), json!(" OK ")], None),
            (vec![], json!(null), vec![json!(null), json!("maintenance")], Some("maintenance")),
            (vec![], json!(7), vec![json!(0)], Some("7")),
        ] {
            let reasons = reasons.iter().filter_map(stated_error).collect();
            let mut page = Page { error: stated_error(&error), reasons, ..Page::new("groups", Some(items.clone())) };
            let found = page.items().map_err(|error| error.message().to_owned());
            let expected = expected.map(|text| format!("the response has an error in place of the list: {text}"));
            assert_eq!(found, expected.map_or(Ok(items), Err));
        }
    }

    #[test]
    fn positions_and_parameters_convert() {
        assert_eq!(position::<String>(&"x").unwrap(), "x");
        assert_eq!(position::<i32>(&7_i64).unwrap(), 7);
        assert_eq!(position::<i32>(&"x\u{202e}").unwrap_err().kind(), ErrorKind::Decode);
        assert_eq!(
            (number_in(&Ok(Some("7"))), number_in(&Ok(None::<i64>)), number_in(&Err::<Option<i64>, _>(String::new()))),
            (Some(7), None, None)
        );
        for id in [None, Some(String::new()), Some(" ".to_owned())] {
            assert_eq!(
                job_id(id, "start", "id").unwrap_err().message(),
                "the job was started, but the response has no `id`"
            );
        }
    }
}
