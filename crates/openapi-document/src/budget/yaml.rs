//! Parses YAML within the limits.

use std::cell::RefCell;

use serde::de::DeserializeSeed as _;
use serde_json::Value;

use super::{Budget, Unread, VALUE};

/// The approximate size of an event that the parser keeps for an alias.
const RECORDED: usize = 512;
/// Deeper nesting would end the stack of a recursive walk. serde_json has the same limit.
const DEPTH: usize = 128;

impl Budget {
    /// Parses YAML. Words that YAML 1.1 took for booleans are strings. An empty document is null.
    ///
    /// # Errors
    /// The text is not YAML, is nested too deeply, or takes more memory than what is left of the limit.
    pub fn yaml(&self, text: &str, duplicates: serde_saphyr::DuplicateKeyPolicy) -> Result<Value, YamlError> {
        self.yaml_without(text, duplicates, |_| false)
    }

    /// Parses YAML, except for the values that are not to be read.
    ///
    /// # Errors
    /// Those of [`yaml`](Self::yaml).
    pub fn yaml_without(
        &self,
        text: &str,
        duplicates: serde_saphyr::DuplicateKeyPolicy,
        unread: Unread,
    ) -> Result<Value, YamlError> {
        let options = serde_saphyr::options! {
            strict_booleans: true,
            with_snippet: false,
            duplicate_keys: duplicates,
            // Aliases are counted by what they expand to, below and here; the parser's limits on their number are for other files.
            // Anchors that it keeps are limited in proportion.
            budget: serde_saphyr::budget! {
                max_depth: DEPTH,
                max_events: usize::MAX,
                max_nodes: usize::MAX,
                max_aliases: usize::MAX,
                max_anchors: usize::MAX,
                max_merge_keys: usize::MAX,
                max_total_scalar_bytes: usize::MAX,
                max_recorded_anchor_events: self.memory.get() / RECORDED,
                max_recorded_anchor_bytes: self.memory.get() / 4,
                enforce_alias_anchor_ratio: false,
            },
            alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: self.memory.get() / VALUE },
        };
        let read = serde_saphyr::with_deserializer_from_str_with_options(text, options, |deserializer| {
            self.seed(unread, &RefCell::default()).deserialize(deserializer)
        });
        read.map_err(|error| {
            let too_much = is_limit(&error).then(|| self.too_much());
            let message = error.render_with_formatter(&serde_saphyr::UserMessageFormatter);
            // The position is in the form that editors follow.
            let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
            let message = too_much.unwrap_or(message);
            YamlError { position: error.location().map(|at| (at.line(), at.column())), message }
        })
    }
}

/// Returns whether the parser's own limits on aliases and anchors ended the parse. Deep nesting is an error of its own.
fn is_limit(error: &serde_saphyr::Error) -> bool {
    use serde_saphyr::Error;
    match error {
        Error::AliasError { error, .. } | Error::WithSnippet { error, .. } => is_limit(error),
        Error::Budget { breach, .. } => !matches!(breach, serde_saphyr::budget::BudgetBreach::Depth { .. }),
        Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. } => true,
        _ => false,
    }
}

/// Why YAML cannot be read.
#[derive(Debug)]
pub struct YamlError {
    /// Line and column, from one.
    pub position: Option<(u64, u64)>,
    /// In one line, without the position.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use serde_json::json;
    use serde_saphyr::DuplicateKeyPolicy::{Error, LastWins};

    use super::*;

    fn yaml(text: &str) -> Result<Value, String> {
        Budget::of_mib(1).yaml(text, Error).map_err(|error| error.message)
    }

    #[test]
    fn yaml_values_become_json_values() {
        assert_eq!(
            yaml("a: [1, -2, 0.5, 'x', null, true, n]\nb: {}\n200: &c {d: e}\nf: *c\n").unwrap(),
            json!({
                "a": [1, -2, 0.5, "x", null, true, "n"], "b": {}, "200": {"d": "e"}, "f": {"d": "e"},
            })
        );
        assert_eq!(yaml("").unwrap(), Value::Null);
        assert!(yaml("a: 1\na: 2").is_err());
        assert_eq!(Budget::of_mib(1).yaml("a: 1\na: 2", LastWins).unwrap(), json!({"a": 2}));
    }

    #[test]
    fn what_is_unread_may_have_anchors_that_are_used() {
        let text = "a: {b: &c {d: 1}, e: 2}\nf: *c\n";
        let read = Budget::of_mib(1).yaml_without(text, Error, |keys| keys == ["a", "b"]).unwrap();
        assert_eq!(read, json!({"a": {"b": null, "e": 2}, "f": {"d": 1}}));
        let broken = Budget::of_mib(1).yaml_without("a: [b\nc: d\n", Error, |keys| keys == ["a"]);
        assert!(broken.is_err());
    }

    #[test]
    fn aliases_count_by_their_expansion() {
        let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), "*a,".repeat(100));
        let mut laughs = "a0: &a0 [x, x]\n".to_owned();
        for level in 1..40 {
            let before = level - 1;
            _ = writeln!(laughs, "a{level}: &a{level} [*a{before}, *a{before}]");
        }
        for text in [long, laughs] {
            let budget = Budget::of_mib(1);
            let error = budget.yaml(&text, Error).map(|_| ()).unwrap_err().message;
            assert!(error.contains("more than the limit of 8 MiB"), "{error}");
        }
    }
}
