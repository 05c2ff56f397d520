//! What differs, as the walks note it.

use openapi_document::pointer::Pointer;
use serde_json::Value;

use super::ScopeId;
use crate::{
    report::{Direction, Level},
    rules::{Place, Rule},
};

/// What differs, before findings are grouped.
#[derive(Debug, Clone)]
pub(crate) struct Finding<'a> {
    pub(crate) rule: &'static Rule,
    /// The level if the rule's does not fit the case.
    pub(crate) level: Option<Level>,
    pub(crate) direction: Direction,
    pub(crate) place: Option<Place>,
    /// The keyword for rules that serve several.
    pub(crate) what: &'static str,
    pub(crate) scope: ScopeId,
    pub(crate) base: Option<Pointer<'a>>,
    pub(crate) revision: Option<Pointer<'a>>,
    /// The member's name, if it is not what the pointer says.
    pub(crate) name: Option<String>,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
}

impl<'a> Finding<'a> {
    pub(super) fn new(rule: &'static Rule) -> Self {
        Self {
            rule,
            level: None,
            direction: Direction::None,
            place: None,
            what: "",
            scope: 0,
            base: None,
            revision: None,
            name: None,
            before: None,
            after: None,
        }
    }

    pub(super) fn at(mut self, base: &Pointer<'a>, revision: &Pointer<'a>) -> Self {
        self.base = Some(base.clone());
        self.revision = Some(revision.clone());
        self
    }

    pub(super) fn removed(mut self, base: &Pointer<'a>) -> Self {
        self.base = Some(base.clone());
        self
    }

    pub(super) fn added(mut self, revision: &Pointer<'a>) -> Self {
        self.revision = Some(revision.clone());
        self
    }

    pub(super) fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    pub(super) fn what(mut self, what: &'static str) -> Self {
        self.what = what;
        self
    }

    pub(super) fn values(mut self, before: impl Into<Option<Value>>, after: impl Into<Option<Value>>) -> Self {
        self.before = before.into();
        self.after = after.into();
        self
    }
}
