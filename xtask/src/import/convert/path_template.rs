//! Templates of paths: the parameters in them, and which of them a URL cannot have.

/// Returns the names of the parameters in a path. The error states why a client cannot fill it in.
pub(super) fn template_names(path: &str) -> Result<Vec<&str>, String> {
    let names = path.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name);
    let names = names.collect::<Vec<_>>();
    if names.contains(&"") || path.contains(['?', '#']) {
        return Err("its path holds more than a path: a query, a fragment or a parameter without a name".to_owned());
    }
    match unsendable_path(path) {
        Some(why) => Err(why),
        None => Ok(names),
    }
}

/// Returns why a URL cannot have a path: parsers remove parts of it, or read them otherwise.
fn unsendable_path(path: &str) -> Option<String> {
    let is_dots = |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    let literal = path.split('{').map(|part| part.split_once('}').map_or(part, |(_, literal)| literal));
    let is_balanced = path.matches('{').count() == path.matches('}').count()
        && path.split('}').all(|part| part.matches('{').count() <= 1);
    if path.contains("//") {
        Some("its path has an empty segment, which not all parts of HTTP keep".to_owned())
    } else if path.split('/').any(is_dots) {
        Some("its path has a segment `.` or `..`, which URLs do not keep".to_owned())
    } else if !is_balanced {
        Some("its path has a brace without its counterpart".to_owned())
    } else if literal.into_iter().any(|literal| literal.contains(|letter: char| letter == '\\' || letter.is_control()))
    {
        Some("its path has a backslash or a control character, which URLs do not keep".to_owned())
    } else {
        None
    }
}
