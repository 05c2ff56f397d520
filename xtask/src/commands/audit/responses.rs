//! Responses side by side with their drafts: bodies of successes, and headers of all.

use openapi_document::{Operation, pointer::child, resolve_at};
use serde_json::Value;

use super::{Difference, walk::Walk};
use crate::import;

impl<'a> Walk<'a> {
    pub(super) fn responses(&mut self, operation: &Operation<'a>, drafted: &'a Value) {
        let stated = operation.value.get("responses").and_then(Value::as_object).into_iter().flatten();
        let stated = stated.filter(|(status, _)| !status.starts_with("x-")).collect::<Vec<_>>();
        let has_success = stated.iter().any(|(status, _)| status.starts_with('2'));
        let has_200 = stated.iter().any(|(status, _)| *status == "200");
        for (status, response) in stated {
            let at = child(&child(&operation.pointer, "responses"), status);
            let from = at.clone();
            let (at, response) = resolve_at(self.theirs, at, response);
            let mut headers = response.get("headers").and_then(Value::as_object).into_iter().flatten();
            self.from.clear();
            if headers.any(|(name, _)| !import::is_ignored_header(name)) {
                self.add(&child(&at, "headers"), "the headers are not in the draft");
            }
            let is_success = status.starts_with('2') || !has_success && status == "default";
            // A response to HEAD has no body.
            if !is_success || operation.method == "head" {
                continue;
            }
            if drafted["x-download"] == true {
                self.download(response, &at);
                continue;
            }
            // All successes without a number of their own are 200 in the draft.
            let own = drafted["responses"].get(status).or_else(|| {
                let is_number = status.chars().all(|digit| digit.is_ascii_digit());
                drafted["responses"].get("200").filter(|_| !is_number && !has_200)
            });
            if own.is_none() {
                self.from = from;
                self.add(&at, format!("the response {status} is not in the draft"));
                self.from.clear();
                continue;
            }
            self.content(response, &at, own);
        }
    }

    /// Notes JSON that is passed on as bytes.
    fn download(&mut self, response: &'a Value, at: &str) {
        let media = response.get("content").and_then(Value::as_object).into_iter().flatten();
        for (media, _) in media.filter(|(media, _)| import::is_json(media)) {
            self.found.push(Difference {
                at: child(&child(at, "content"), media),
                from: at.to_owned(),
                text: "the bytes are passed on in the draft".to_owned(),
                is_certain: false,
            });
        }
    }
}
