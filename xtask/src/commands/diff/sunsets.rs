//! Announced removals: everything that a document marks as deprecated or gives a last day.

use std::io::{Result, Write};

use chrono::NaiveDate;
use openapi_document::{
    Document, Positions,
    pointer::{child, item},
};
use serde_json::{Value, json};
use spec_diff::{
    input::Source,
    output::{Format, markdown::plain},
};

use crate::text::printable;

/// The number of days before the last one at which a job begins to fail.
const NOTICE: i64 = 30;

/// Something that will be removed.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sunset {
    /// The days left; below zero if the day has passed. Without a day it comes last.
    left: Left,
    file: String,
    line: usize,
    /// Its name, for messages.
    what: String,
    day: Option<NaiveDate>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Left {
    /// The day is not a date.
    Unreadable,
    Days(i64),
    /// Deprecated without a day.
    Open,
}

impl Sunset {
    /// Returns whether a maintainer has to act soon.
    pub(super) fn is_urgent(&self) -> bool {
        match self.left {
            Left::Unreadable => true,
            Left::Days(days) => days < NOTICE,
            Left::Open => false,
        }
    }

    fn left(&self) -> String {
        match self.left {
            Left::Unreadable => "invalid x-sunset: expected a date such as 2027-03-31".to_owned(),
            Left::Days(days) if days < 0 => {
                format!("passed {} ago", crate::output::pluralize(days.unsigned_abs() as usize, "day"))
            }
            Left::Days(days) => format!("{} left", crate::output::pluralize(days.unsigned_abs() as usize, "day")),
            Left::Open => "no last day stated".to_owned(),
        }
    }
}

/// Returns the sunsets of a document, the earliest first.
pub(super) fn of(source: &Source, today: NaiveDate) -> std::result::Result<Vec<Sunset>, String> {
    let document = Document::parse(&source.name, &source.text)?;
    let positions = Positions::of(&source.text);
    let mut found = Vec::new();
    // A walk without recursion: documents may be as deep as they like.
    let mut open = vec![(String::new(), &document.root)];
    while let Some((pointer, value)) = open.pop() {
        match value {
            Value::Array(list) => {
                open.extend(list.iter().enumerate().map(|(index, value)| (item(&pointer, index), value)));
            }
            Value::Object(map) => {
                let is_named = pointer.ends_with("/properties");
                let children = map
                    .iter()
                    .filter(|(key, _)| is_named || !matches!(key.as_str(), "example" | "examples" | "default"));
                open.extend(children.map(|(key, value)| (child(&pointer, key), value)));
                let day = map.get("x-sunset").filter(|day| !day.is_null() && !day.is_object());
                let is_deprecated = map.get("deprecated") == Some(&Value::Bool(true));
                if is_named || day.is_none() && !is_deprecated {
                    continue;
                }
                let text = day.map(|day| day.as_str().and_then(|day| day.get(..10)).and_then(|day| day.parse().ok()));
                let left = match text {
                    None => Left::Open,
                    Some(None) => Left::Unreadable,
                    Some(Some(day)) => Left::Days(NaiveDate::signed_duration_since(day, today).num_days()),
                };
                let line = positions.at(&pointer).line;
                found.push(Sunset {
                    left,
                    file: source.name.clone(),
                    line,
                    what: name(&pointer, map),
                    day: text.flatten(),
                });
            }
            _ => {}
        }
    }
    found.sort();
    Ok(found)
}

/// Returns the name for messages: `GET /orders (listOrders)`, `parameter limit`, else the pointer.
fn name(pointer: &str, map: &serde_json::Map<String, Value>) -> String {
    let text = |key: &str| map.get(key).and_then(Value::as_str);
    let keys = openapi_document::pointer::keys(pointer).collect::<Vec<_>>();
    match (keys.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), text("name"), text("in")) {
        (["paths", path, method], ..) => {
            let id = text("operationId").map_or(String::new(), |id| format!(" ({id})"));
            format!("{} {path}{id}", method.to_uppercase())
        }
        (["paths", path, method, ..], Some(name), Some(location)) => {
            format!("{name} ({location}) of {} {path}", method.to_uppercase())
        }
        (["components", "schemas", schema, rest @ ..], ..) => {
            let rest = rest.iter().filter(|key| **key != "properties").copied().collect::<Vec<_>>();
            if rest.is_empty() { (*schema).to_owned() } else { format!("{schema}.{}", rest.join(".")) }
        }
        _ => pointer.to_owned(),
    }
}

/// Writes the list: as text, as a table, or for programs.
pub(super) fn write(format: Format, sunsets: &[Sunset], problems: &[String], out: &mut impl Write) -> Result<()> {
    match format {
        Format::Json => {
            let entry = |sunset: &Sunset| {
                let days = if let Left::Days(days) = sunset.left { Some(days) } else { None };
                json!({"file": sunset.file, "line": sunset.line, "what": sunset.what, "sunset": sunset.day, "days_left": days})
            };
            writeln!(
                out,
                "{:#}",
                json!({"schema": 1, "sunsets": sunsets.iter().map(entry).collect::<Vec<_>>(), "problems": problems})
            )
        }
        _ if sunsets.is_empty() => writeln!(out, "Nothing is deprecated."),
        Format::Markdown => {
            writeln!(out, "| last day | | what | where |\n|---|---|---|---|")?;
            for sunset in sunsets {
                let day = sunset.day.map_or("-".to_owned(), |day| day.to_string());
                let what = plain(&sunset.what);
                writeln!(out, "| {day} | {} | {what} | {}:{} |", sunset.left(), sunset.file, sunset.line)?;
            }
            Ok(())
        }
        _ => {
            for sunset in sunsets {
                let day = sunset.day.map_or("no day    ".to_owned(), |day| day.to_string());
                let what = printable(&sunset.what);
                writeln!(out, "{day}  {}:{}: {what}: {}", sunset.file, sunset.line, sunset.left())?;
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
paths:
  /a:
    get: {operationId: listA, deprecated: true, x-sunset: 2026-12-31}
    post: {deprecated: true, parameters: [{name: n, in: query, deprecated: true, x-sunset: '2026-11-20T00:00:00Z'}]}
    put: {x-sunset: soon, example: {deprecated: true}}
components:
  schemas:
    A: {properties: {deprecated: {type: boolean}, b: {deprecated: true, x-sunset: '2026-11-22'}}}
";

    fn sunsets() -> Vec<Sunset> {
        let source = Source { name: "a.yaml".to_owned(), text: TEXT.to_owned() };
        of(&source, "2026-11-22".parse().expect("a day")).expect("it is YAML")
    }

    #[test]
    fn sunsets_are_sorted_by_the_days_left() {
        let mut out = Vec::new();
        write(Format::Text, &sunsets(), &[], &mut out).expect("a vector takes all");
        assert_eq!(
            String::from_utf8_lossy(&out),
            "no day      a.yaml:5: PUT /a: invalid x-sunset: expected a date such as 2027-03-31
2026-11-20  a.yaml:4: n (query) of POST /a: passed 2 days ago
2026-11-22  a.yaml:8: A.b: 0 days left
2026-12-31  a.yaml:3: GET /a (listA): 39 days left
no day      a.yaml:4: POST /a: no last day stated
"
        );
    }

    #[test]
    fn near_past_and_invalid_days_are_urgent() {
        assert_eq!(sunsets().iter().map(Sunset::is_urgent).collect::<Vec<_>>(), [true, true, true, false, false]);
    }

    #[test]
    fn markdown_and_json_have_the_same_sunsets() {
        let written = |format| {
            let mut out = Vec::new();
            write(format, &sunsets(), &[], &mut out).expect("a vector takes all");
            String::from_utf8_lossy(&out).into_owned()
        };
        assert!(written(Format::Markdown).contains("| 2026-12-31 | 39 days left | GET /a (listA) | a.yaml:3 |"));
        let json = serde_json::from_str::<Value>(&written(Format::Json)).expect("it is JSON");
        assert_eq!((&json["sunsets"][1]["days_left"], &json["sunsets"][1]["line"]), (&json!(-2), &json!(4)));
    }
}
