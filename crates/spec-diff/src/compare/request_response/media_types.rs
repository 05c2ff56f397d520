//! Media types: which of the one side are which of the other.

use openapi_document::Node;

/// A media type with the name under which the document has it.
type Named<'a> = (&'a str, Node<'a>);

/// The relation of the new name to the old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Same,
    /// Only parameters such as charset differ.
    Parameters,
    /// The new one stands for more types.
    Wider,
    /// The new one is a special form of the old.
    Narrower,
}

/// Media types of both sides, paired.
#[derive(Debug, Default)]
pub(super) struct Matching<'a> {
    pub(super) pairs: Vec<(Named<'a>, Named<'a>, Relation)>,
    pub(super) removed: Vec<Named<'a>>,
    pub(super) added: Vec<Named<'a>>,
}

impl<'a> Matching<'a> {
    pub(super) fn of(olds: Vec<Named<'a>>, news: Vec<Named<'a>>) -> Self {
        let mut matching = Self { removed: olds, added: news, ..Self::default() };
        for wanted in [Relation::Same, Relation::Parameters, Relation::Wider, Relation::Narrower] {
            for old in std::mem::take(&mut matching.removed) {
                match matching.added.iter().position(|new| relation(old.0, new.0) == Some(wanted)) {
                    Some(index) => matching.pairs.push((old, matching.added.remove(index), wanted)),
                    None => matching.removed.push(old),
                }
            }
        }
        matching
    }
}

fn relation(old: &str, new: &str) -> Option<Relation> {
    let (old_type, new_type) = (essence(old), essence(new));
    if old_type == new_type {
        let same = old.replace(' ', "").eq_ignore_ascii_case(&new.replace(' ', ""));
        return Some(if same { Relation::Same } else { Relation::Parameters });
    }
    let (wider, narrower) = (contains(&new_type, &old_type), contains(&old_type, &new_type));
    if (wider || narrower) && (old.contains(';') || new.contains(';')) {
        // Names with parameters do not state which is the wider one.
        return Some(Relation::Parameters);
    }
    if wider { Some(Relation::Wider) } else { narrower.then_some(Relation::Narrower) }
}

/// Returns a media type without parameters, in lower case: `application/json` of `Application/JSON; charset=utf-8`.
pub(super) fn essence(name: &str) -> String {
    name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Returns whether the first type stands for the second too: a range, or the format (`application/json`) of a registered
/// kind of it (`application/problem+json`). Vendors' own kinds (`vnd.`) are another type: callers have to ask for them by
/// name.
fn contains(wide: &str, narrow: &str) -> bool {
    if wide == "*/*" {
        return true;
    }
    let (Some((wide_top, wide_sub)), Some((top, sub))) = (wide.split_once('/'), narrow.split_once('/')) else {
        return false;
    };
    let own = ["vnd.", "prs.", "x.", "x-"].iter().any(|tree| sub.starts_with(tree));
    wide_top == top && (wide_sub == "*" || (!own && sub.rsplit_once('+').is_some_and(|(_, format)| format == wide_sub)))
}

/// Returns whether the type of a value can be seen on the wire, as in JSON. In XML, forms and plain text all is text.
pub(super) fn is_typed(name: &str) -> bool {
    let name = essence(name);
    let format = name.rsplit(['/', '+']).next().unwrap_or_default();
    !matches!(format, "xml" | "x-www-form-urlencoded" | "form-data" | "plain" | "csv")
}

/// Returns whether bodies are bytes: neither text nor made of values.
pub(super) fn is_binary(name: &str) -> bool {
    let name = essence(name);
    let formats = ["json", "xml", "yaml", "form", "text/", "multipart/", "*/*", "csv"];
    !name.is_empty() && !formats.iter().any(|format| name.contains(format))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_of_names() {
        for (old, new, expected) in [
            ("application/json", "application/JSON", Some(Relation::Same)),
            ("application/json", "application/json; charset=utf-8", Some(Relation::Parameters)),
            ("application/json", "application/problem+json", Some(Relation::Narrower)),
            ("application/json", "application/vnd.acme+json", None),
            ("application/pdf", "application/*", Some(Relation::Wider)),
            ("*/*", "text/csv", Some(Relation::Narrower)),
            ("application/json", "text/json", None),
        ] {
            assert_eq!(relation(old, new), expected, "{old} -> {new}");
        }
    }
}
