//! Long values of a document's lines, cut.

/// The number of characters of a value that are shown.
const VALUE: usize = 80;

/// Cuts long values, unless both sides would look the same.
pub(super) fn short(sides: [Vec<String>; 2]) -> [Vec<String>; 2] {
    let cut = [&sides[0], &sides[1]].map(|lines| lines.iter().map(|line| cut_values(line)).collect::<Vec<_>>());
    if cut[0] == cut[1] && sides[0] != sides[1] { sides } else { cut }
}

/// Cuts the values of a line of YAML or JSON: what is in quotes, or up to the next comma or bracket; where no list or object begins, all of
/// the line.
fn cut_values(line: &str) -> String {
    let value = line.split_once(": ").map_or(line.trim_start(), |(_, value)| value);
    let is_plain = !value.starts_with(['{', '[', '"', '\'']);
    let (mut cut, mut quote, mut count) = (String::new(), None, 0);
    let mut before = ' ';
    for letter in line.chars() {
        let ends = match quote {
            Some(open) => letter == open && before != '\\',
            None => !is_plain && matches!(letter, ',' | '[' | ']' | '{' | '}') || before == ':' && letter == ' ',
        };
        match quote {
            None if matches!(letter, '"' | '\'') => (quote, count) = (Some(letter), 0),
            Some(_) if ends => (quote, count) = (None, 0),
            _ if ends || (count == 0 && letter == ' ') => count = 0,
            _ => count += 1,
        }
        match count {
            0..=VALUE => cut.push(letter),
            count if count == VALUE + 1 => cut.push('…'),
            _ => {}
        }
        before = letter;
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_cut_each_for_itself() {
        let long = "a".repeat(100);
        let cut = format!("{}…", "a".repeat(VALUE));
        for (line, expected) in [
            (format!("x: {long}"), format!("x: {cut}")),
            (format!("x: \"{long}\","), format!("x: \"{}…\",", "a".repeat(VALUE))),
            (format!("enum: [{long}, {long}, b]"), format!("enum: [{cut}, {cut}, b]")),
            (format!("- {long}"), format!("- {}…", "a".repeat(VALUE - 2))),
            (format!("x: {{a: {long}, b: c}}"), format!("x: {{a: {cut}, b: c}}")),
            ("description: a, b".to_owned(), "description: a, b".to_owned()),
        ] {
            assert_eq!(cut_values(&line), expected);
        }
        // Differences behind the cut are shown.
        let sides = [vec![format!("{long}b")], vec![format!("{long}c")]];
        assert_eq!(short(sides.clone()), sides);
    }
}
