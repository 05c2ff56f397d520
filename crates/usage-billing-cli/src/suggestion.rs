//! Similar names, for messages about unknown ones.

/// Smallest similarity of a suggestion, from 0 to 1.
const SIMILAR: f64 = 0.85;

/// Returns the name that is most similar to `unknown`, if one is similar enough to be meant. Case and punctuation are not compared.
pub(crate) fn similar<'a>(unknown: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = letters(unknown);
    names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&wanted, &letters(name)), name))
        .filter(|(score, _)| *score >= SIMILAR && !wanted.is_empty())
        .fold(None, best)
        .map(|(_, name)| name)
}

/// Returns a name without case and punctuation.
fn letters(name: &str) -> String {
    name.to_lowercase().chars().filter(|sign| sign.is_alphanumeric()).collect()
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
    fn name_without_its_punctuation_is_similar_and_another_is_not() {
        let known = ["Birch, Inc.", "Alder Dental", "株式会社さくら"];
        for (name, expected) in [
            ("Birch Inc", Some("Birch, Inc.")),
            ("Alder Dentla", Some("Alder Dental")),
            ("株式会社 さくら", Some("株式会社さくら")),
            ("Contoso", None),
            ("", None),
        ] {
            assert_eq!(similar(name, known), expected, "{name}");
        }
    }

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
