//! Canonical spelling of the ids of accounts and customers, which are part of row keys and compared as strings.

use uuid::Uuid;

/// The shortest spelling of a UUID: without hyphens.
const SHORTEST_UUID: usize = uuid::fmt::Simple::LENGTH;
const HYPHENATED: usize = uuid::fmt::Hyphenated::LENGTH;

/// Trims an id, and formats a UUID in any spelling (capitals, without hyphens, braces, URN) in lower case with hyphens. The case of other ids is
/// kept, because it may be significant.
pub(crate) fn canonical_id(id: String) -> String {
    let trimmed = id.trim();
    let id = if trimmed.len() == id.len() { id } else { trimmed.to_owned() };
    let is_canonical = id.len() == HYPHENATED && !id.bytes().any(|byte| byte.is_ascii_uppercase());
    if is_canonical || id.len() < SHORTEST_UUID {
        return id;
    }
    Uuid::try_parse(&id).map_or(id, |uuid| uuid.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_in_any_spelling_are_equal_and_other_ids_keep_case() {
        let id = "0d2f7c55-8a41-4b7e-9b0c-6a3f9e1d2c11";
        for (written, expected) in [
            (id, id),
            ("0D2F7C55-8A41-4B7E-9B0C-6A3F9E1D2C11", id),
            (" 0d2f7c55-8a41-4b7e-9b0c-6a3f9e1d2c11\n", id),
            ("0d2f7c558a414b7e9b0c6a3f9e1d2c11", id),
            ("{0D2f7c55-8a41-4b7e-9b0c-6a3f9e1d2c11}", id),
            ("urn:uuid:0d2f7c55-8a41-4b7e-9b0c-6a3f9e1d2c11", id),
            (" Org-1 ", "Org-1"),
            ("ORG-1", "ORG-1"),
            ("Text of 36 characters, and not a UUID", "Text of 36 characters, and not a UUID"),
            ("0D2F7C558A414B7E9B0C6A3F9E1D2C1", "0D2F7C558A414B7E9B0C6A3F9E1D2C1"),
            ("", ""),
        ] {
            assert_eq!(canonical_id(written.to_owned()), expected, "{written}");
        }
    }
}
