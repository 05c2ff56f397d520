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
            let own = drafted["responses"].get(status).or_else(|| {
                let all = drafted["responses"].as_object()?;
                let first = || all.iter().find(|(own, _)| own.starts_with('2'));
                let (read, own) = all.get_key_value("200").or_else(first)?;
                // Two bodies are read as one.
                let at = child(&child(&operation.pointer, "responses"), read);
                let text = "read like another status".to_owned();
                for at in [at, from.clone()] {
                    self.found.push(Difference { from: at.clone(), at, text: text.clone(), is_certain: false });
                }
                Some(own)
            });
            self.content(response, &at, own);
        }
    }

    /// Notes what is passed on as bytes although it is described.
    fn download(&mut self, response: &'a Value, at: &str) {
        let media = response.get("content").and_then(Value::as_object).into_iter().flatten();
        for (media, body) in media {
            let media_at = child(&child(at, "content"), media);
            let described = !import::is_json(media) && self.is_structured(body);
            let passed_on = if described { child(&media_at, "schema") } else { media_at };
            if described || import::is_json(media) {
                self.found.push(Difference {
                    at: passed_on,
                    from: at.to_owned(),
                    text: "the bytes are passed on in the draft".to_owned(),
                    is_certain: false,
                });
            }
        }
    }
}
