//! The rules: what can be found, how much it matters, and which finding is its opposite.
//!
//! Each rule is a constant beside its check, in `compare/`. Ids are oasdiff's where it has one, because users know them; levels are a
//! consumer's, not a provider's.

#[cfg(test)]
mod tests;

pub use crate::{
    classification::{Group, MessagePart},
    rule::{Inverse, Rule},
};

/// All rules, by file.
pub static RULES: &[&[Rule]] = crate::compare::ALL_RULES;

/// Returns whether this is the name of a rule, or an id that findings may have.
#[must_use]
pub fn is_known(name: &str) -> bool {
    RULES.iter().copied().flatten().any(|rule| rule.name == name || rule.has_id(name))
}

/// Returns the rule of this name.
#[must_use]
pub fn rule(name: &str) -> Option<&'static Rule> {
    RULES.iter().copied().flatten().find(|rule| rule.name == name)
}
