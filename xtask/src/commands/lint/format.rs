//! Findings as text, as JSON for programs, and as annotations for GitHub.

use std::io::{Result, Write};

use clap::ValueEnum;
use openapi_document::Position;
use serde_json::json;
use spec_diff::output::github::{data, property};

use super::checked::Checked;
use crate::{
    lint::{Level, RULES, Scope},
    output::{Output, pluralize},
    text::printable,
};

/// Output format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// One line per finding, with file, line and column.
    #[default]
    Text,
    /// One object with all documents.
    Json,
    /// GitHub Actions annotations.
    Github,
}

pub(super) fn write(format: Format, checked: &[Checked], output: &mut Output<'_>) -> Result<()> {
    match format {
        Format::Text => text(checked, output),
        Format::Json => json(checked, output.out),
        Format::Github => github(checked, output.out),
    }
}

fn text(checked: &[Checked], Output { out, err, .. }: &mut Output<'_>) -> Result<()> {
    for document in checked {
        match &document.outcome {
            Ok(located) => {
                for finding in &located.findings {
                    writeln!(out, "{}", finding.line(&document.name, located.positions.at(&finding.pointer)))?;
                }
                if !document.curated {
                    let name = &document.name;
                    writeln!(out, "{name}: checked against the generator's rules; --strict adds our own")?;
                }
            }
            Err(error) => writeln!(err, "error: {}", printable(error))?,
        }
    }
    summary(checked, out)
}

fn summary(checked: &[Checked], out: &mut dyn Write) -> Result<()> {
    let [errors, warnings] = [Level::Error, Level::Warning].map(|level| pluralize(count(checked, level), level.name()));
    let unread = checked.iter().filter(|document| document.outcome.is_err()).count();
    let unread = if unread == 0 { String::new() } else { format!(", {unread} not read") };
    writeln!(out, "{}: {errors}, {warnings}{unread}", pluralize(checked.len(), "document"))
}

fn count(checked: &[Checked], level: Level) -> usize {
    checked.iter().map(|document| document.count(level)).sum()
}

fn json(checked: &[Checked], out: &mut dyn Write) -> Result<()> {
    let documents = checked.iter().map(|document| {
        let findings = document.outcome.iter().flat_map(|located| {
            located.findings.iter().map(|finding| {
                let position = located.positions.at(&finding.pointer);
                json!({
                    "rule": finding.rule.id,
                    "level": finding.rule.level.name(),
                    "pointer": finding.pointer,
                    "line": position.line,
                    "column": position.column,
                    "message": finding.message,
                    "help": finding.help,
                })
            })
        });
        json!({
            "file": document.name,
            "curation": document.curated,
            "error": document.outcome.as_ref().err(),
            "findings": findings.collect::<Vec<_>>(),
        })
    });
    let report = json!({
        "schema": 1,
        "documents": documents.collect::<Vec<_>>(),
        "errors": count(checked, Level::Error),
        "warnings": count(checked, Level::Warning),
    });
    writeln!(out, "{report:#}")
}

fn github(checked: &[Checked], out: &mut dyn Write) -> Result<()> {
    for document in checked {
        let file = property(&document.name);
        match &document.outcome {
            Ok(located) => {
                for finding in &located.findings {
                    let Position { line, column } = located.positions.at(&finding.pointer);
                    let command = finding.rule.level.name();
                    let (title, message) = (property(finding.rule.id), data(&finding.to_string()));
                    writeln!(out, "::{command} file={file},line={line},col={column},title={title}::{message}")?;
                }
            }
            Err(error) => writeln!(out, "::error file={file}::{}", data(error))?,
        }
    }
    summary(checked, out)
}

/// Writes the table of rules.
pub(super) fn rules(format: Format, out: &mut dyn Write) -> Result<()> {
    if format == Format::Json {
        let rules = RULES.iter().map(|rule| {
            json!({
                "rule": rule.id,
                "level": rule.level.name(),
                "curation": rule.scope == Scope::Curation,
                "help": rule.finds,
                "why": rule.why,
                "instead": rule.instead,
            })
        });
        return writeln!(out, "{:#}", json!({"schema": 1, "rules": rules.collect::<Vec<_>>()}));
    }
    let width = RULES.iter().map(|rule| rule.id.len()).max().unwrap_or_default();
    for rule in RULES {
        writeln!(out, "{:width$}  {:7}  {:4}  {}", rule.id, rule.level.name(), rule.scope.name(), rule.finds)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use openapi_document::Positions;

    use super::*;
    use crate::{commands::lint::Located, lint::lint, test_support::changed};

    fn written(format: Format) -> String {
        let findings = lint(&changed("/paths/~1orders/get/parameters/2/in", "50%\ncookie".into()));
        let positions = Positions::of("paths:\n  /orders:\n    get:\n      parameters: [{}, {}, {}]\n");
        let good = Checked { name: "a,b.yaml".to_owned(), curated: true, outcome: Ok(Located { positions, findings }) };
        let bad = Checked { name: "c.yaml".to_owned(), curated: true, outcome: Err("c.yaml:1:2: broken".to_owned()) };
        let mut out = Vec::new();
        let mut err = Vec::new();
        write(format, &[good, bad], &mut Output::new(&mut out, &mut err)).expect("a vector takes all");
        if format == Format::Text {
            out.extend(err);
        }
        String::from_utf8(out).expect("it is text")
    }

    #[test]
    fn every_format_has_all_of_a_finding() {
        for format in [Format::Text, Format::Github, Format::Json] {
            let text = written(format);
            // Snapshots are compared without the end of the last line.
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{format:?}: {text:?}");
            insta::assert_snapshot!(format!("{format:?}"), text);
        }
    }

    #[test]
    fn table_has_a_line_for_each_rule() {
        let mut out = Vec::new();
        rules(Format::Text, &mut out).expect("a vector takes all");
        let out = String::from_utf8(out).expect("it is text");
        assert_eq!(out.lines().count(), RULES.len());
        assert!(out.contains("\nnumber              error    any   A number has no `format: decimal`."), "{out}");
    }
}
