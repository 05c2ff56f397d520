//! Similar names, for messages about unknown ones.

/// Returns the name that is most similar to `unknown`, if one is similar enough to be meant.
pub(crate) fn similar<'a>(unknown: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let score = |name: &str| strsim::jaro_winkler(&unknown.to_ascii_lowercase(), &name.to_ascii_lowercase());
    names
        .into_iter()
        .map(|name| (score(name), name))
        .filter(|(score, _)| *score > 0.8)
        .fold(None, best)
        .map(|(_, name)| name)
}

fn best<'a>(best: Option<(f64, &'a str)>, next: (f64, &'a str)) -> Option<(f64, &'a str)> {
    Some(best.filter(|best| best.0 >= next.0).unwrap_or(next))
}

/// Returns the end of a message about an unknown name: the name that may be meant, or all names.
pub(crate) fn did_you_mean<'a>(unknown: &str, names: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match similar(unknown, names.clone()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("expected one of {}", names.into_iter().collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_name_is_suggested_and_others_are_listed() {
        let names = ["client_id", "client_secret_file", "region"];
        for (unknown, expected) in [
            ("clientid", "did you mean `client_id`?"),
            ("Client_ID", "did you mean `client_id`?"),
            ("regions", "did you mean `region`?"),
            ("client_secret_fil", "did you mean `client_secret_file`?"),
            ("x", "expected one of client_id, client_secret_file, region"),
        ] {
            assert_eq!(did_you_mean(unknown, names), expected, "{unknown}");
        }
    }
}
