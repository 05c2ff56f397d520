//! The pagination of a list, drafted as `x-pagination` where parameters and response follow one common convention.

use openapi_document::{Operation, field, resolve};
use serde_json::{Map, Value, json};

use crate::codegen::identifiers::value_name;

/// Returns the extension of an operation of a drafted document. `published` is the operation in the vendor's file, which has the limits of
/// parameters.
pub(super) fn draft(root: &Value, operation: &Operation<'_>, published: (&Value, &Operation<'_>)) -> Option<Value> {
    if operation.value.contains_key("x-pagination") || operation.flag("x-download") {
        return None;
    }
    let response = operation.success(root)?;
    let list = Response { root, response };
    if let Some(pageable) = published.1.value.get("x-ms-pageable").and_then(Value::as_object) {
        return list.pageable(pageable);
    }
    if operation.method != "get" {
        return None;
    }
    let items = list.items()?;
    let parameters = Parameters::of((root, operation), published);
    let mut extension = list
        .cursor(&items, &parameters)
        .or_else(|| list.link())
        .or_else(|| has_link_header(published.1.value).then(|| json!({"style": "link"})))
        .or_else(|| parameters.offset())
        .or_else(|| list.page_number(&parameters))?;
    if !items.is_empty() {
        extension["items"] = json!(items);
    }
    if let Some(limit) = parameters.limit().filter(|limit| limit.is("integer")) {
        extension["limit"] = json!(limit.name);
        for (key, keyword) in [("default", "default"), ("max", "maximum")] {
            if let Some(value) = limit.number(keyword).filter(|value| *value > 0) {
                extension[key] = json!(value);
            }
        }
    }
    Some(extension)
}

/// Returns whether a success documents the header `Link`.
fn has_link_header(published: &Map<String, Value>) -> bool {
    let responses = published.get("responses").and_then(Value::as_object).into_iter().flatten();
    let mut headers = responses
        .filter(|(status, _)| status.starts_with('2'))
        .filter_map(|(_, response)| response.get("headers")?.as_object());
    headers.any(|headers| headers.keys().any(|name| name.eq_ignore_ascii_case("link")))
}

/// The query parameters of an operation.
struct Parameters<'a>(Vec<Parameter<'a>>);

#[derive(Clone, Copy)]
struct Parameter<'a> {
    name: &'a str,
    schema: &'a Value,
    /// The schema in the vendor's file.
    published: Option<&'a Value>,
}

impl Parameter<'_> {
    fn is(&self, of: &str) -> bool {
        self.schema.get("type").and_then(Value::as_str) == Some(of)
    }

    fn number(&self, keyword: &str) -> Option<i64> {
        self.published?.get(keyword)?.as_i64()
    }
}

const CURSORS: [&str; 9] = [
    "cursor",
    "after",
    "page_token",
    "next_token",
    "next_page_token",
    "continuation_token",
    "pagination_token",
    "page_cursor",
    "next_cursor",
];
const LIMITS: [&str; 10] =
    ["limit", "page_size", "per_page", "max_results", "page_limit", "take", "top", "size", "count", "first"];

impl<'a> Parameters<'a> {
    fn of(
        (root, operation): (&'a Value, &Operation<'a>),
        (published_root, published): (&'a Value, &Operation<'a>),
    ) -> Self {
        let text = |parameter: &'a Value, key: &str| parameter.get(key).and_then(Value::as_str);
        let known = published.parameters(published_root);
        // Swagger 2.0 has the keywords at the parameter itself.
        let stated = |name: &str| {
            let parameter = *known.iter().find(|known| text(known, "name") == Some(name))?;
            Some(parameter.get("schema").map_or(parameter, |schema| resolve(published_root, schema)))
        };
        let all = operation.parameters(root).into_iter().filter(|parameter| text(parameter, "in") == Some("query"));
        let all = all.filter_map(|parameter| {
            let name = text(parameter, "name")?;
            Some(Parameter { name, schema: resolve(root, parameter.get("schema")?), published: stated(name) })
        });
        Self(all.collect())
    }

    /// Returns the parameter of one of these names; none if there are several.
    fn only(&self, names: &[&str]) -> Option<Parameter<'a>> {
        let mut found = self.0.iter().filter(|known| names.contains(&value_name(known.name).trim_matches('_')));
        let first = *found.next()?;
        found.next().is_none().then_some(first)
    }

    fn limit(&self) -> Option<Parameter<'a>> {
        self.only(&LIMITS)
    }

    /// Returns pagination by an offset, which is recognized by its name and counts items.
    fn offset(&self) -> Option<Value> {
        let offset = self.only(&["offset", "skip"]).filter(|offset| offset.is("integer") && self.limit().is_some())?;
        Some(json!({"style": "offset", "param": offset.name}))
    }
}

/// The response of an operation.
struct Response<'a> {
    root: &'a Value,
    response: &'a Value,
}

impl<'a> Response<'a> {
    fn of(&self, path: &str) -> Option<&'a str> {
        field(self.root, self.response, path)?.get("type")?.as_str()
    }

    fn properties(&self, path: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let schema = if path.is_empty() { Some(self.response) } else { field(self.root, self.response, path) };
        let properties =
            schema.and_then(|schema| resolve(self.root, schema).get("properties")).and_then(Value::as_object);
        properties.into_iter().flatten().map(|(name, _)| name.as_str())
    }

    /// Returns the only array of the response: empty if it is the response itself.
    fn items(&self) -> Option<String> {
        if self.response.get("type").and_then(Value::as_str) == Some("array") {
            return Some(String::new());
        }
        let usual = |name: &&&str| ["data", "items", "results", "value", "records", "entries"].contains(*name);
        let arrays = self.properties("").filter(|name| self.of(name) == Some("array")).collect::<Vec<_>>();
        match (arrays.as_slice(), arrays.iter().find(usual)) {
            ([only], _) => Some((*only).to_owned()),
            (_, Some(usual)) => Some((**usual).to_owned()),
            _ => None,
        }
    }

    /// Returns the paths of all fields of the response and of its objects.
    fn fields(&self) -> Vec<String> {
        let top = self.properties("").map(str::to_owned).collect::<Vec<_>>();
        let objects = top.iter().filter(|name| self.of(name) == Some("object"));
        let inner = objects
            .flat_map(|name| self.properties(name).map(move |inner| format!("{name}.{inner}")))
            .collect::<Vec<_>>();
        // A dot or `[]` in a name would read as a level.
        let is_plain = |path: &String| path.matches('.').count() <= 1 && !path.contains("[]");
        top.iter().cloned().chain(inner).filter(is_plain).collect()
    }

    /// Returns the first field with one of these names and one of these types.
    fn field_called(&self, names: &[&str], of: &[&str]) -> Option<String> {
        self.fields().into_iter().find(|path| {
            let name = value_name(path.rsplit('.').next().unwrap_or(path));
            names.contains(&name.trim_matches('_')) && self.of(path).is_some_and(|known| of.contains(&known))
        })
    }

    /// Returns a cursor in the response that a parameter takes, or the id of the last item.
    fn cursor(&self, items: &str, parameters: &Parameters<'_>) -> Option<Value> {
        let more = self.field_called(&["has_more", "has_next", "has_next_page", "more"], &["boolean"]);
        let with_more = |mut extension: Value| {
            if let Some(more) = &more {
                extension["more"] = json!(more);
            }
            extension
        };
        if let Some(param) = parameters.only(&["starting_after"])
            && more.is_some()
            && field(self.root, self.response, &format!("{items}[].id")).is_some()
            && !items.is_empty()
        {
            return Some(with_more(json!({"style": "cursor", "param": param.name, "next": format!("{items}[].id")})));
        }
        if let Some(param) = parameters.only(&CURSORS) {
            let name = value_name(param.name);
            let own = [name.clone(), format!("next_{name}")];
            let same = if name.starts_with("next") || name.starts_with("continuation") { &own[..] } else { &own[1..] };
            let same = same.iter().map(String::as_str).collect::<Vec<_>>();
            let next = self.field_called(&same, &["string"]).or_else(|| {
                let tokens = ["next_cursor", "next_page_token", "next_token", "next_page_cursor"];
                self.field_called(&tokens, &["string"])
            })?;
            return Some(with_more(json!({"style": "cursor", "param": param.name, "next": next})));
        }
        // The number of the next page: the first page needs none.
        let page = parameters.only(&["page", "page_number"]).filter(|page| page.is("integer"))?;
        let next = self.field_called(&["next_page"], &["integer"])?;
        Some(json!({"style": "cursor", "param": page.name, "next": next}))
    }

    /// Returns a link to the next page, beside one to the page before it or named as a link.
    fn link(&self) -> Option<Value> {
        let by_name = ["next_url", "next_uri", "next_link", "next_page_url", "next_page_uri", "odata_next_link"];
        let next = self.field_called(&by_name, &["string"]).or_else(|| {
            let next = self.field_called(&["next"], &["string"])?;
            let holder = next.rsplit_once('.').map_or("", |(holder, _)| holder);
            let mut siblings = self.properties(holder).map(value_name);
            let is_link = matches!(holder, "links" | "_links")
                || siblings.any(|name| matches!(name.as_str(), "previous" | "prev"));
            is_link.then_some(next)
        });
        let hal = || (self.of("_links.next.href") == Some("string")).then(|| "_links.next.href".to_owned());
        next.or_else(hal).map(|next| json!({"style": "next-uri", "next": next}))
    }

    /// Returns pagination by page numbers, if the first one is stated.
    fn page_number(&self, parameters: &Parameters<'_>) -> Option<Value> {
        let page = parameters.only(&["page", "page_number", "page_num"]).filter(|page| page.is("integer"))?;
        let stated = ["minimum", "default"].into_iter().filter_map(|keyword| page.number(keyword));
        let first = stated.min().filter(|first| matches!(first, 0 | 1))?;
        let mut extension = json!({"style": "page", "param": page.name, "first": first});
        if let Some(pages) = self.field_called(&["total_pages", "page_count", "last_page", "pages_total"], &["integer"])
        {
            extension["pages"] = json!(pages);
        }
        Some(extension)
    }

    /// Returns the pagination of Azure's extension, which names the list and the link.
    fn pageable(&self, pageable: &Map<String, Value>) -> Option<Value> {
        let next = pageable.get("nextLinkName").and_then(Value::as_str)?;
        let items = pageable.get("itemName").and_then(Value::as_str).unwrap_or("value");
        (self.of(items) == Some("array") && self.of(next) == Some("string"))
            .then(|| json!({"style": "next-uri", "items": items, "next": next}))
    }
}

#[cfg(test)]
mod tests {
    use openapi_document::operations;

    use super::*;

    /// Returns the draft for a list with these query parameters and these fields beside its items.
    fn drafted(parameters: &Value, fields: &Value) -> Option<Value> {
        published(parameters, fields, &json!({}))
    }

    fn published(parameters: &Value, fields: &Value, published: &Value) -> Option<Value> {
        let parameters = parameters.as_object().into_iter().flatten();
        let parameters =
            parameters.map(|(name, schema)| json!({"name": name, "in": "query", "schema": schema})).collect::<Vec<_>>();
        let mut properties = fields.as_object().cloned().unwrap_or_default();
        properties.insert("data".to_owned(), json!({"type": "array", "items": {"$ref": "#/components/schemas/Item"}}));
        let root = json!({
            "paths": {"/list": {"get": {"operationId": "list", "parameters": parameters, "responses": {"200": {"content":
                {"application/json": {"schema": {"type": "object", "properties": properties}}}}}}}},
            "components": {"schemas": {"Item": {"type": "object", "properties": {"id": {"type": "string"}}}}},
        });
        let mut vendor = root.clone();
        for (key, value) in published.as_object().into_iter().flatten() {
            vendor["paths"]["/list"]["get"][key] = value.clone();
        }
        draft(&root, &operations(&root).remove(0), (&vendor, &operations(&vendor).remove(0)))
    }

    #[test]
    fn conventions_are_drafted() {
        let (text, integer) = (json!({"type": "string"}), json!({"type": "integer"}));
        let object = |name: &str, of: &Value| json!({"type": "object", "properties": {name: of}});
        for (parameters, fields, expected) in [
            (
                json!({"starting_after": text, "limit": {"type": "integer", "default": 10, "maximum": 100}}),
                json!({"has_more": {"type": "boolean"}}),
                json!({"style": "cursor", "param": "starting_after", "next": "data[].id", "more": "has_more", "items": "data", "limit": "limit", "default": 10, "max": 100}),
            ),
            (
                json!({"pageToken": text, "pageSize": integer}),
                json!({"nextPageToken": text}),
                json!({"style": "cursor", "param": "pageToken", "next": "nextPageToken", "items": "data", "limit": "pageSize"}),
            ),
            (
                json!({"cursor": text}),
                json!({"pagination": object("next_cursor", &text)}),
                json!({"style": "cursor", "param": "cursor", "next": "pagination.next_cursor", "items": "data"}),
            ),
            (
                json!({"nextToken": text}),
                json!({"nextToken": text}),
                json!({"style": "cursor", "param": "nextToken", "next": "nextToken", "items": "data"}),
            ),
            (
                json!({"page": integer, "per_page": integer}),
                json!({"meta": object("next_page", &integer)}),
                json!({"style": "cursor", "param": "page", "next": "meta.next_page", "items": "data", "limit": "per_page"}),
            ),
            (
                json!({"offset": integer, "limit": integer}),
                json!({"total": integer}),
                json!({"style": "offset", "param": "offset", "items": "data", "limit": "limit"}),
            ),
            (
                json!({"page": {"type": "integer", "minimum": 0}}),
                json!({"totalPages": integer}),
                json!({"style": "page", "param": "page", "first": 0, "pages": "totalPages", "items": "data"}),
            ),
            (
                json!({"page": integer}),
                json!({"next": text, "previous": text}),
                json!({"style": "next-uri", "next": "next", "items": "data"}),
            ),
            (
                json!({}),
                json!({"links": object("next", &text)}),
                json!({"style": "next-uri", "next": "links.next", "items": "data"}),
            ),
        ] {
            assert_eq!(drafted(&parameters, &fields), Some(expected), "{parameters} {fields}");
        }
        let link = json!({"responses": {"200": {"headers": {"Link": {}}}}});
        assert_eq!(published(&json!({}), &json!({}), &link), Some(json!({"style": "link", "items": "data"})));
        let pageable = json!({"x-ms-pageable": {"itemName": "data", "nextLinkName": "more"}});
        let expected = json!({"style": "next-uri", "items": "data", "next": "more"});
        assert_eq!(published(&json!({}), &json!({"more": {"type": "string"}}), &pageable), Some(expected));
    }

    #[test]
    fn nothing_is_drafted_where_several_things_can_be_meant() {
        let (text, integer) = (json!({"type": "string"}), json!({"type": "integer"}));
        for (parameters, fields) in [
            (json!({}), json!({})),
            // Whether the first page is 0 or 1 is not stated.
            (json!({"page": integer, "per_page": integer}), json!({"total_pages": integer})),
            // The cursor may be that of this page.
            (json!({"cursor": text}), json!({"cursor": text})),
            (json!({"after": text}), json!({"end": text})),
            (json!({"starting_after": text}), json!({})),
            (json!({"offset": text, "limit": integer}), json!({})),
            (json!({"offset": integer}), json!({})),
            // The next what?
            (json!({}), json!({"next": text})),
        ] {
            assert_eq!(drafted(&parameters, &fields), None, "{parameters} {fields}");
        }
    }
}
