//! Rules about limits: lengths, bounds, counts, patterns. `{what}` is the limit's name: `max-length`, `min`, `unique-items`.

use Level::{Breaking, Info, Warning};

use super::{Group::Constraints, Rule, rules};
use crate::report::{Bump::Patch, Level};

rules! { CONSTRAINTS:
    MAX_DECREASED = Rule::data("upper-limit-decreased", Constraints, (Breaking, Level::None), Patch, "upper-limit-increased",
        "an upper limit is lower: values that were accepted are rejected")
        .in_responses("an upper limit is lower")
        .written("{what}-decreased");
    MAX_INCREASED = Rule::data("upper-limit-increased", Constraints, (Info, Warning), Patch, "upper-limit-decreased",
        "an upper limit is higher: more values are accepted")
        .in_responses("an upper limit is higher: responses may be larger than what stores them")
        .written("{what}-increased");
    MIN_INCREASED = Rule::data("lower-limit-increased", Constraints, (Breaking, Level::None), Patch, "lower-limit-decreased",
        "a lower limit is higher: values that were accepted are rejected")
        .in_responses("a lower limit is higher")
        .written("{what}-increased");
    MIN_DECREASED = Rule::data("lower-limit-decreased", Constraints, (Info, Warning), Patch, "lower-limit-increased",
        "a lower limit is lower: more values are accepted")
        .in_responses("a lower limit is lower: responses may be smaller than before")
        .written("{what}-decreased");
    LIMIT_SET = Rule::data("limit-set", Constraints, (Breaking, Level::None), Patch, "limit-unset",
        "a limit is stated where none was: values that were accepted may be rejected")
        .in_responses("a limit is stated where none was")
        .written("{what}-set");
    LIMIT_UNSET = Rule::data("limit-unset", Constraints, (Level::None, Warning), Patch, "limit-set",
        "a limit is no longer stated, but may still apply")
        .in_responses("a limit is no longer stated: responses may exceed it")
        .written("{what}-unset");
    MULTIPLE_RELAXED = Rule::data("multiple-of-relaxed", Constraints, (Info, Warning), Patch, "multiple-of-changed",
        "more numbers are accepted")
        .in_responses("more numbers may arrive");
    MULTIPLE_CHANGED = Rule::data("multiple-of-changed", Constraints, (Breaking, Warning), Patch, "multiple-of-relaxed",
        "numbers that were accepted are rejected")
        .in_responses("numbers are multiples of another one");
    UNIQUE_ADDED = Rule::data("unique-items-added", Constraints, (Breaking, Level::None), Patch,
        "unique-items-removed", "an array must not have duplicate items")
        .in_responses("an array has no duplicate items");
    UNIQUE_REMOVED = Rule::data("unique-items-removed", Constraints, (Info, Warning), Patch, "unique-items-added",
        "an array may have duplicate items");
    PATTERN_ADDED = Rule::data("pattern-added", Constraints, (Breaking, Level::None), Patch, "pattern-removed",
        "strings must match a pattern")
        .in_responses("strings match a pattern");
    PATTERN_CHANGED = Rule::data("pattern-changed", Constraints, (Warning, Info), Patch, "pattern-changed",
        "strings must match another pattern; a reader has to compare the two");
    PATTERN_GENERALIZED = Rule::data("pattern-generalized", Constraints, (Info, Info), Patch, "pattern-changed",
        "the new pattern matches any string");
    PATTERN_REMOVED = Rule::data("pattern-removed", Constraints, (Info, Info), Patch, "pattern-added",
        "strings need match no pattern")
        .in_responses("strings may match no pattern");
}
