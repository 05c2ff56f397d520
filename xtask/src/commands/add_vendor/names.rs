//! The names that follow from a vendor's.

/// crates.io takes no longer names.
const LONGEST: usize = 64;

/// Checks a vendor's name. The error states what is wrong with it.
pub(super) fn check(name: &str) -> Result<(), String> {
    let shape = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    let good = name.starts_with(|letter: char| letter.is_ascii_lowercase())
        && name.chars().all(shape)
        && !name.ends_with('-')
        && !name.contains("--")
        && package(name).len() <= LONGEST
        && syn::parse_str::<syn::Ident>(&module(name)).is_ok();
    if good {
        Ok(())
    } else {
        let longest = LONGEST - package("").len();
        Err(format!(
            "{name:?} makes no crate: lower case letters, digits and hyphens, at most {longest}, no word of Rust; such as `acme`"
        ))
    }
}

/// Returns the crate's name.
pub(super) fn package(name: &str) -> String {
    format!("usage-billing-{name}")
}

/// Returns the facade's module.
pub(super) fn module(name: &str) -> String {
    name.replace('-', "_")
}

/// Returns the crate as Rust names it.
pub(super) fn library(name: &str) -> String {
    package(name).replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_crates() {
        for good in ["acme", "acme-2", "a1"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["", "Acme", "-a", "a-", "a--b", "a.b", "../a", "type", "2a", &"a".repeat(51)] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
