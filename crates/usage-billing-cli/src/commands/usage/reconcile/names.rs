//! Names of customers and SKUs: when they are the same, and which are similar.

/// Smallest similarity of a suggestion, from 0 to 1.
const SIMILAR: f64 = 0.85;

/// Returns a name in the form in which names are compared: without differences in case and blanks.
pub(super) fn normalized(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Returns the most similar of some names, if any is similar enough. Punctuation and legal forms often differ.
pub(super) fn similar<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let letters =
        |name: &str| -> String { name.to_lowercase().chars().filter(|sign| sign.is_alphanumeric()).collect() };
    let wanted = letters(name);
    let rated = candidates.map(|candidate| (strsim::jaro_winkler(&wanted, &letters(candidate)), candidate));
    let best = rated.filter(|(similarity, _)| *similarity >= SIMILAR && !wanted.is_empty());
    best.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_names_are_suggested_and_others_are_not() {
        let known = ["Birch, Inc.", "Alder Dental", "株式会社さくら"];
        for (name, expected) in [
            ("Birch Inc", Some("Birch, Inc.")),
            ("Alder Dentla", Some("Alder Dental")),
            ("株式会社 さくら", Some("株式会社さくら")),
            ("Contoso", None),
            ("", None),
        ] {
            assert_eq!(similar(name, known.into_iter()), expected, "{name}");
        }
        assert_eq!(normalized("  Birch,\u{a0} INC. "), normalized("birch, inc."));
        assert_ne!(normalized("Birch Inc"), normalized("Birch, Inc."));
    }
}
