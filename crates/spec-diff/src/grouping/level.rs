//! The level of a change.

use crate::{
    classification::{Direction, Group, Level, MessagePart},
    compare::{Circumstance, ENUM_REMOVED, ENUM_VALUE_ADDED, Finding},
    options::Options,
};

/// The operations that a finding reaches.
pub(super) enum Users {
    /// At least one that is not of [`Users::Unstable`], or the finding is not about data that is sent.
    Stable,
    /// Only those without a promise of stability (`draft`, `alpha`).
    Unstable,
    /// None, although the finding is about data that is sent.
    None,
}

/// Decides the level of a finding. Without users it is at most `warning`. The first of these that applies counts:
///
/// 1. Changes that only reach operations without a promise of stability are of level `none`.
/// 2. The caller's level for the finding's id, then for its rule.
/// 3. What clients are like: closed enums and checked constraints make responses breaking.
/// 4. The circumstances, else the rule's level in this direction; at most `info` for headers that clients do not expose.
pub(super) fn level(finding: &Finding<'_>, id: &str, users: Users, options: &Options) -> Level {
    match users {
        Users::Unstable => Level::None,
        Users::Stable => used_level(finding, id, options),
        Users::None => used_level(finding, id, options).min(Level::Warning),
    }
}

/// Returns the level by steps 2 to 4.
fn used_level(finding: &Finding<'_>, id: &str, options: &Options) -> Level {
    if let Some(level) = options.levels.get(id).or_else(|| options.levels.get(finding.rule.name)) {
        return *level;
    }
    let of_rule = finding.rule.level(finding.direction);
    let level = match finding.circumstance {
        // A reader has to judge what a stricter request means for the client that responds to it.
        _ if finding.incoming && finding.rule.request > Level::None => Level::Warning,
        Circumstance::Usual => of_rule,
        Circumstance::SentAfterAll | Circumstance::Undeclared | Circumstance::Unused => of_rule.min(Level::Warning),
        Circumstance::Absent | Circumstance::SameValues => Level::None,
        Circumstance::MoreAllowed
        | Circumstance::Met
        | Circumstance::Narrowed
        | Circumstance::NotStatedBefore
        | Circumstance::StillBytes => Level::Info,
        Circumstance::Ambiguous
        | Circumstance::ComponentsOnly
        | Circumstance::Escapes
        | Circumstance::SameHeader
        | Circumstance::StillListed
        | Circumstance::UnreadableSunset => Level::Warning,
        Circumstance::LessAllowed | Circumstance::NewType | Circumstance::Rejected => Level::Breaking,
    };
    if finding.direction == Direction::Response {
        let opens_enum = [ENUM_VALUE_ADDED.name, ENUM_REMOVED.name].contains(&finding.rule.name);
        let relaxes = finding.rule.group == Group::Constraints && level == Level::Warning;
        if (opens_enum && !options.open_enums) || (relaxes && options.validates_limits) {
            return Level::Breaking;
        }
    }
    let is_header = finding.rule.group == Group::Headers || finding.location == Some(MessagePart::Header);
    if is_header && !options.exposes_headers { level.min(Level::Info) } else { level }
}
