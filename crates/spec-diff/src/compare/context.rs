//! The context of a walk over schemas.

use super::ScopeId;
use crate::classification::{Direction, MessagePart};

/// The position of a walk, and what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Context {
    pub(super) scope: ScopeId,
    pub(super) direction: Direction,
    pub(super) location: MessagePart,
    /// Values travel as text, which a string takes all of: parameters, forms, XML.
    pub(super) text: bool,
    /// Inside of something that does not go this way, as read-only properties in requests: nothing there matters.
    pub(super) absent: bool,
    /// The same values fit on both sides: only keywords about their use may differ.
    pub(super) settled: bool,
    pub(super) raw: Raw,
    pub(super) depth: u8,
}

/// The part of a value that may be sent as bytes, outside of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Raw {
    No,
    /// Its members may.
    Parts,
    /// A part of a form, or its items.
    Part,
    /// The whole body, or an item of a part.
    Whole,
}

impl Context {
    /// Returns where a walk over something begins.
    pub(super) fn of(scope: ScopeId, direction: Direction, location: MessagePart) -> Self {
        Self { scope, direction, location, text: false, absent: false, settled: false, raw: Raw::No, depth: 0 }
    }

    pub(super) fn inside(self) -> Self {
        let raw = match self.raw {
            Raw::Parts => Raw::Part,
            Raw::Part => Raw::Whole,
            Raw::Whole | Raw::No => Raw::No,
        };
        Self { location: self.location.inside(), raw, ..self.deeper() }
    }

    /// Returns the context one step further on the same part of the message.
    pub(super) fn deeper(self) -> Self {
        Self { depth: self.depth.saturating_add(1), ..self }
    }
}
