//! Bodies side by side with their drafts: JSON, forms, and what callers encode.

use openapi_document::{pointer::child, resolve};
use serde_json::Value;

use super::{
    parts::properties,
    schema::{kinds, resolved},
    walk::Walk,
};
use crate::import;

impl<'a> Walk<'a> {
    /// Compares a request body of any media type: it is in the draft, unless nothing may be in it.
    pub(super) fn request_body(&mut self, body: &'a Value, from: String, at: &str, drafted: &'a Value) {
        if let Some(own) = drafted.get("requestBody") {
            self.content(body, at, Some(own));
            return self.from.clear();
        }
        let media = body.get("content").and_then(Value::as_object).into_iter().flatten();
        let schemas = media.map(|(_, media)| resolve(self.theirs, media).get("schema"));
        let mut schemas = schemas.chain(body.get("schema").map(Some));
        if schemas.any(|schema| schema.is_none_or(|schema| !self.is_empty_object(schema))) {
            self.from = from;
            self.add(at, "the body is not in the draft");
            self.from.clear();
        }
    }

    /// Returns whether an object has no fields in the direction that is compared.
    fn is_empty_object(&self, schema: &'a Value) -> bool {
        let (at, schema) = resolved(self.theirs, String::new(), schema);
        let fields = properties(self.theirs, schema, &at);
        let is_map = schema.get("additionalProperties").is_some_and(import::states_something);
        kinds(self.theirs, schema).iter().eq(["object"].iter())
            && !is_map
            && fields.iter().all(|(_, (_, property))| self.is_skipped(property))
    }

    /// Compares the JSON or the form of a body.
    pub(super) fn content(&mut self, holder: &'a Value, at: &str, own: Option<&'a Value>) {
        let json = |holder: &'a Value| {
            let content = holder.get("content").and_then(Value::as_object).into_iter().flatten();
            let bodies = content.map(|(media, body)| (media.as_str(), body)).collect::<Vec<_>>();
            let of = |fits: fn(&str) -> bool| bodies.iter().find(|(media, _)| fits(media)).copied();
            of(import::is_json).or_else(|| of(import::is_any_media)).or_else(|| of(import::is_form))
        };
        self.from.clear();
        if self.is_swagger_2() && holder.get("content").is_none() {
            // Swagger 2 has the schema without a media type.
            let described = holder.get("schema");
            match (described, own.and_then(json).and_then(|(_, own)| own.get("schema"))) {
                (Some(schema), Some(own)) => self.schema(schema, child(at, "schema"), own, 0),
                (Some(_), None) if own.is_none_or(|own| own.get("content").is_none()) => {
                    self.add(&child(at, "schema"), "the body is not in the draft");
                }
                (None, Some(_)) => self.add(&child(at, "schema"), "the body is not described"),
                _ => self.encoded_by_callers(holder, at, own),
            }
            return;
        }
        let own_media = own.and_then(json).map(|(media, _)| media);
        let same = own_media.and_then(|media| Some((media, holder.get("content")?.get(media)?)));
        let Some((media, body)) = same.or_else(|| json(holder)) else {
            return self.encoded_by_callers(holder, at, own);
        };
        if own.is_none() {
            return self.add(at, "the body is not in the draft");
        }
        let body = resolve(self.theirs, body);
        let at = child(&child(&child(at, "content"), media), "schema");
        match (body.get("schema"), own.and_then(json).and_then(|(_, body)| body.get("schema"))) {
            (Some(schema), Some(own)) => {
                self.is_form = import::is_form(media);
                if self.is_form {
                    self.encoding(body, &at, own);
                }
                self.schema(schema, at, own, 0);
                self.is_form = false;
            }
            // A string of any media type is text or bytes.
            (Some(_), None) if import::is_any_media(media) && !self.is_structured(body) && has_content(own) => {}
            (Some(_), None) => self.add(&at, "the JSON is not in the draft"),
            (None, Some(_)) => self.add(&at, "the body is not described"),
            (None, None) => {}
        }
    }

    /// Compares a body that is neither JSON nor a form: callers encode it, whatever its schema is.
    fn encoded_by_callers(&mut self, holder: &'a Value, at: &str, own: Option<&'a Value>) {
        let content = holder.get("content").and_then(Value::as_object).into_iter().flatten();
        let is_sent = |media: &str| own.and_then(|own| own.get("content")?.get(media)).is_some();
        let bodies = content.filter(|(media, _)| is_sent(media));
        let bodies = bodies.map(|(media, body)| (child(&child(at, "content"), media), body));
        for (at, body) in bodies.chain([(at.to_owned(), holder)]) {
            if self.is_structured(body) {
                return self.add(&child(&at, "schema"), "the body's schema is not in the draft");
            }
        }
    }

    /// Returns whether the schema of a body describes more than a string.
    pub(super) fn is_structured(&self, body: &'a Value) -> bool {
        let schema = body.get("schema").map(|schema| resolved(self.theirs, String::new(), schema).1);
        schema.is_some_and(|schema| kinds(self.theirs, schema).iter().any(|kind| !["string", "file"].contains(kind)))
    }
}

fn has_content(own: Option<&Value>) -> bool {
    own.and_then(|own| own.get("content")?.as_object()).is_some_and(|content| !content.is_empty())
}
