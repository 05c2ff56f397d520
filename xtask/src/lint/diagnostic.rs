//! Rules and what they find.

use std::{collections::BTreeSet, fmt};

use openapi_document::Position;

use super::Context;
use crate::text::printable;

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// The client works; the document is not as it should be.
    Warning,
    /// Generation stops.
    Error,
}

impl Level {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// The documents to which a rule applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Any document: without the rule there is no client, or a wrong one.
    Generator,
    /// Our own documents: another document that violates the rule makes a client that works.
    Curation,
}

impl Scope {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Generator => "any",
            Self::Curation => "ours",
        }
    }
}

/// A rule. Each has a file of its own, which explains it and checks it.
pub(crate) struct Rule {
    pub(crate) id: &'static str,
    pub(crate) level: Level,
    pub(crate) scope: Scope,
    /// The violation, in one sentence.
    pub(crate) finds: &'static str,
    /// Why that matters.
    pub(crate) why: &'static str,
    /// The correction.
    pub(crate) instead: &'static str,
    pub(crate) example: Example,
    pub(super) check: fn(&Context<'_>, &mut Findings),
}

/// A change of the tests' small document that violates one rule only.
pub(crate) struct Example {
    /// The value that is set.
    pub(crate) pointer: &'static str,
    /// As JSON; `null` removes the value.
    pub(crate) value: &'static str,
    /// The pointer of the finding.
    pub(crate) found_at: &'static str,
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

/// One violation of a rule.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) rule: &'static Rule,
    /// The JSON pointer of the value that is wrong.
    pub(crate) pointer: String,
    pub(crate) message: String,
    pub(crate) help: String,
}

impl Finding {
    /// Returns the finding in one line, with file, line and column in front.
    pub(crate) fn line(&self, name: &str, position: Position) -> String {
        format!("{}:{position}: {self}", printable(name))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (level, rule) = (self.rule.level.name(), self.rule.id);
        let text = format!("{level}[{rule}] at {}: {}; {}", self.pointer, self.message, self.help);
        // It quotes keys and values of the document, which may hold anything.
        f.write_str(&printable(&text))
    }
}

/// The findings of one rule: pointer, message, help. A violation that several operations share is found once.
#[derive(Default)]
pub(super) struct Findings(BTreeSet<(String, String, String)>);

impl Findings {
    pub(super) fn add(&mut self, pointer: &str, message: impl Into<String>, help: impl Into<String>) {
        self.0.insert((pointer.to_owned(), message.into(), help.into()));
    }

    pub(super) fn of(self, rule: &'static Rule) -> impl Iterator<Item = Finding> {
        self.0.into_iter().map(move |(pointer, message, help)| Finding { rule, pointer, message, help })
    }
}
