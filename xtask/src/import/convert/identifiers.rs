//! Names of which each is given out once, also after they have become Rust names.

use std::collections::BTreeSet;

use crate::codegen::identifiers::{CLIENT_METHODS, type_name, value_name};

/// Names in use.
pub(super) struct Names {
    used: BTreeSet<String>,
    rust: fn(&str) -> String,
    separator: &'static str,
}

/// Methods that a client has from our own code, drafted or derived, and those of traits that a call by name would find first.
const WRITTEN: [&str; 7] = ["builder", "builder_from_env", "with_auth", "clone", "fmt", "into", "try_into"];

impl Names {
    pub(super) fn of_types() -> Self {
        Self { used: BTreeSet::new(), rust: type_name, separator: "" }
    }

    pub(super) fn of_operations() -> Self {
        Self {
            used: CLIENT_METHODS.into_iter().chain(WRITTEN).map(str::to_owned).collect(),
            rust: value_name,
            separator: "_",
        }
    }

    /// Gives out the wanted name, or one with a number behind it.
    pub(super) fn claim(&mut self, wanted: &str) -> String {
        let clean = clean(wanted);
        let numbered = (2..).map(|number| format!("{clean}{}{number}", self.separator));
        let mut candidates = [clean.clone()].into_iter().chain(numbered);
        // Names that differ in case only are one to those who read.
        let free = candidates.find(|name| self.used.insert((self.rust)(name).to_lowercase()));
        free.unwrap_or(clean)
    }

    /// Takes a name back that was not needed.
    pub(super) fn release(&mut self, name: &str) {
        self.used.remove(&(self.rust)(name).to_lowercase());
    }
}

/// Returns the name with only those characters that a component's may have.
fn clean(name: &str) -> String {
    let name = name.replace(|letter: char| !letter.is_ascii_alphanumeric() && !"._-".contains(letter), "_");
    let name = name.trim_matches(['_', '.', '-']);
    match name.chars().next() {
        None => "Unnamed".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("N{name}"),
        Some(_) => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_given_out_once_whatever_their_case() {
        let mut names = Names::of_types();
        let given = ["Usage", "usage", "dto.Usage«T»", "", "2fa"].map(|name| names.claim(name));
        assert_eq!(given, ["Usage", "usage2", "dto.Usage_T", "Unnamed", "N2fa"]);
    }

    #[test]
    fn methods_of_every_client_are_taken() {
        assert_eq!(Names::of_operations().claim("new"), "new_2");
    }
}
