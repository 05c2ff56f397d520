//! Findings, as the walks note them.

use openapi_document::pointer::Pointer;
use serde_json::Value;

use super::ScopeId;
use crate::{
    classification::{Direction, MessagePart},
    rule::Rule,
};

/// A difference, before findings are grouped.
#[derive(Debug, Clone)]
pub(crate) struct Finding<'a> {
    pub(crate) rule: &'static Rule,
    pub(crate) circumstance: Circumstance,
    /// The vendor sends the message, and the client receives it: in callbacks and webhooks.
    pub(crate) incoming: bool,
    pub(crate) direction: Direction,
    pub(crate) location: Option<MessagePart>,
    /// The keyword for rules that serve several.
    pub(crate) what: &'static str,
    pub(crate) scope: ScopeId,
    pub(crate) base: Option<Pointer<'a>>,
    pub(crate) revision: Option<Pointer<'a>>,
    /// The member's name, if it is not what the pointer states.
    pub(crate) name: Option<String>,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
}

/// A fact that decides the level of a finding besides its rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Circumstance {
    #[default]
    Usual,
    /// The value is not sent in this direction, such as a read-only property in a request.
    Absent,
    /// All values that are allowed on one side are allowed on the other: no value is added or removed.
    SameValues,
    /// A value that fits one alternative of `oneOf` now fits two, and is rejected.
    Ambiguous,
    /// Values of a type that no alternative had before.
    NewType,
    /// Responses hold some of the values that they held before, statuses some of a documented range.
    Narrowed,
    /// One more value is allowed than before, in the direction that the client reads or writes.
    MoreAllowed,
    /// One value less is allowed than before.
    LessAllowed,
    /// Requests that still send the removed property are rejected, or what goes by another value is not recognized.
    Rejected,
    /// The new condition holds for all values already, or the new part brings optional properties, which are reported themselves.
    Met,
    /// Strings that hold bytes before and after.
    StillBytes,
    /// A name is required that no property describes: a mistake of the document, or something that typed clients cannot send.
    Undeclared,
    /// The base stated that it is not sent in this direction, or the revision states it: callers may rely on it.
    SentAfterAll,
    /// No operation uses it.
    Unused,
    /// The document has components only, and other documents may refer to them.
    ComponentsOnly,
    /// The sunset of the operation cannot be parsed: it is unknown whether it has passed.
    UnreadableSunset,
    /// The same header carries the token, whichever way clients get it.
    SameHeader,
    /// Callers cannot have used the value, because the base does not state it.
    NotStatedBefore,
    /// The same characters are sent, some of them escaped on one side only.
    Escapes,
    /// The old default server is still listed for those who name it, or there was none.
    StillListed,
}

impl<'a> Finding<'a> {
    pub(super) fn new(rule: &'static Rule) -> Self {
        Self {
            rule,
            circumstance: Circumstance::Usual,
            incoming: false,
            direction: Direction::None,
            location: None,
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

    pub(super) fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    pub(super) fn when(mut self, applies: bool, circumstance: Circumstance) -> Self {
        if applies {
            self.circumstance = circumstance;
        }
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
