//! A rule: what it finds, how much it matters, and which finding is its opposite.

use std::borrow::Cow;

use crate::classification::{Bump, Direction, Group, Level, MessagePart};

/// The finding that the same edit the other way round would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inverse {
    /// The rule of this name; its own for changes that have no direction in time.
    Rule(&'static str),
    /// There is none, and why.
    None(&'static str),
}

/// One rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The rule's name, without direction and location.
    pub name: &'static str,
    /// The subject, to filter by.
    pub group: Group,
    /// Level in what callers send; for rules that are not about data, the level.
    pub request: Level,
    /// Level in what callers receive; the same as `request` for rules that are not about data.
    pub response: Level,
    /// The probable bump of a crate with plain structs and positional arguments.
    pub source: Bump,
    /// The rule of the opposite edit.
    pub inverse: Inverse,
    /// The meaning of the change, in one line; for data, in what callers send.
    pub help: &'static str,
    /// The meaning in what callers receive, if that takes other words.
    response_help: Option<&'static str>,
    /// The form of ids, where one rule serves several keywords: `{what}-decreased`.
    pattern: Option<&'static str>,
    /// The id for bodies and properties in requests, where it does not follow the pattern.
    request_id: Option<&'static str>,
    /// The same in responses.
    response_id: Option<&'static str>,
    /// Whether the rule is about data, so that ids name direction and location.
    pub(crate) about_data: bool,
}

impl Rule {
    /// Returns a rule about operations, security, servers: not about data.
    pub(crate) const fn api(
        name: &'static str,
        group: Group,
        level: Level,
        source: Bump,
        inverse: &'static str,
        help: &'static str,
    ) -> Self {
        Self {
            name,
            group,
            request: level,
            response: level,
            source,
            inverse: Inverse::Rule(inverse),
            help,
            response_help: None,
            pattern: None,
            request_id: None,
            response_id: None,
            about_data: false,
        }
    }

    /// Returns a rule about data, with a level per direction.
    pub(crate) const fn data(
        name: &'static str,
        group: Group,
        levels: (Level, Level),
        source: Bump,
        inverse: &'static str,
        help: &'static str,
    ) -> Self {
        let mut rule = Self::api(name, group, levels.0, source, inverse, help);
        rule.response = levels.1;
        rule.about_data = true;
        rule
    }

    /// Returns whether the rule is about what is in a request or a response, schemas aside.
    pub(crate) const fn is_about_messages(&self) -> bool {
        matches!(
            self.group,
            Group::Parameters | Group::RequestBody | Group::Responses | Group::MediaTypes | Group::Headers
        )
    }

    /// Returns whether the rule is about which values fit, and not about their use.
    pub(crate) fn is_about_values(&self) -> bool {
        let is_of_use =
            ["discriminator", "format-changed", "x-extensible"].iter().any(|start| self.name.starts_with(start));
        let groups = [
            Group::Properties,
            Group::TypeFormat,
            Group::Nullable,
            Group::Enums,
            Group::Composition,
            Group::Constraints,
        ];
        groups.contains(&self.group) && !is_of_use
    }

    pub(crate) const fn ids(mut self, request: &'static str, response: &'static str) -> Self {
        self.request_id = Some(request);
        self.response_id = Some(response);
        self
    }

    pub(crate) const fn written(mut self, pattern: &'static str) -> Self {
        self.pattern = Some(pattern);
        self
    }

    pub(crate) const fn in_responses(mut self, help: &'static str) -> Self {
        self.response_help = Some(help);
        self
    }

    /// Returns what the change means in this direction.
    #[must_use]
    pub fn help_for(&self, direction: Direction) -> Cow<'static, str> {
        match (self.response_help, direction) {
            (Some(help), Direction::Response) => help.into(),
            (Some(help), Direction::Both) => format!("{}; in responses: {help}", self.help).into(),
            _ => self.help.into(),
        }
    }

    pub(crate) const fn no_inverse(mut self, reason: &'static str) -> Self {
        self.inverse = Inverse::None(reason);
        self
    }

    /// Returns the level that the rule gives to a change in this direction, before [`Options`](crate::Options).
    #[must_use]
    pub const fn level(&self, direction: Direction) -> Level {
        match direction {
            Direction::Response => self.response,
            _ => self.request,
        }
    }

    /// Returns whether findings of the rule may have this id.
    pub(crate) fn has_id(&self, id: &str) -> bool {
        let is_written = |id: &str| match self.pattern.unwrap_or(self.name).split_once("{what}") {
            Some((start, end)) => {
                id.strip_prefix(start).and_then(|rest| rest.strip_suffix(end)).is_some_and(|what| !what.is_empty())
            }
            None => id == self.pattern.unwrap_or(self.name),
        };
        if !self.about_data {
            return is_written(id);
        }
        let at_location = |location: MessagePart| {
            ["request", "response"].iter().filter_map(move |word| {
                id.strip_prefix(word)?.strip_prefix('-')?.strip_prefix(location.word())?.strip_prefix('-')
            })
        };
        [self.request_id, self.response_id].contains(&Some(id))
            || MessagePart::ALL.into_iter().flat_map(at_location).any(is_written)
    }

    /// Returns the finding's id: `response-property-became-nullable`. `what` is the keyword for rules that serve several.
    #[must_use]
    pub fn id(&self, direction: Direction, location: Option<MessagePart>, what: &str) -> String {
        let name = self.pattern.unwrap_or(self.name).replace("{what}", what);
        let (Some(location), true) = (location, self.about_data) else { return name };
        let (own, word) = match direction {
            Direction::Response => (self.response_id, "response"),
            _ => (self.request_id, "request"),
        };
        match own.filter(|_| matches!(location, MessagePart::Body | MessagePart::Property)) {
            Some(own) => own.to_owned(),
            None => format!("{word}-{}-{name}", location.word()),
        }
    }
}

/// Declares the rules of a file as constants, and the list `RULES` of them.
macro_rules! rules {
    ($($name:ident = $rule:expr;)*) => {
        $(pub(crate) const $name: $crate::rule::Rule = {
            #[allow(unused_imports, reason = "no rule names all of them")]
            use $crate::{
                classification::{Bump::{Major, Minor, Patch}, Group::*, Level::{self, Breaking, Info, Warning}},
                rule::Rule,
            };
            $rule
        };)*
        pub(crate) const RULES: &[$crate::rule::Rule] = &[$($name),*];
    };
}
pub(crate) use rules;
