//! Names of customers and SKUs: when they are the same.

/// Returns a name in the form in which names are compared: without differences in case and blanks.
pub(crate) fn normalized(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalized_names_ignore_case_and_blanks() {
        assert_eq!(normalized("  Birch,\u{a0} INC. "), normalized("birch, inc."));
        assert_ne!(normalized("Birch Inc"), normalized("Birch, Inc."));
    }
}
