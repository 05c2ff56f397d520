//! Names of which each is given out once, also after they have become Rust names.

use std::collections::BTreeSet;

use crate::codegen::identifiers::{CLIENT_METHODS, type_name, value_name};

/// Names in use.
pub(super) struct Names {
    /// By the position among the items.
    used: BTreeSet<(usize, String)>,
    /// What Rust items are called by a name. An operation is a method and a type: `get_user2` and `get_user_2` are one type.
    items: &'static [fn(&str) -> String],
    separator: &'static str,
}

/// Methods that a client has from our own code, drafted or derived, and those of traits that a call by name would find first.
const WRITTEN: [&str; 7] = ["builder", "builder_from_env", "with_auth", "clone", "fmt", "into", "try_into"];

impl Names {
    pub(super) fn of_types() -> Self {
        Self { used: BTreeSet::new(), items: &[folded_type_name], separator: "" }
    }

    pub(super) fn of_operations() -> Self {
        Self {
            used: CLIENT_METHODS.into_iter().chain(WRITTEN).map(|method| (0, method.to_owned())).collect(),
            items: &[value_name, type_name],
            separator: "_",
        }
    }

    /// Gives out the wanted name, or one with a number behind it.
    pub(super) fn claim(&mut self, wanted: &str) -> String {
        let clean = clean(wanted);
        let numbered = (2..).map(|number| format!("{clean}{}{number}", self.separator));
        let mut candidates = [clean.clone()].into_iter().chain(numbered);
        let free = candidates.find(|name| self.items_of(name).iter().all(|item| !self.used.contains(item)));
        let name = free.unwrap_or(clean);
        self.used.extend(self.items_of(&name));
        name
    }

    fn items_of(&self, name: &str) -> Vec<(usize, String)> {
        self.items.iter().map(|item| item(name)).enumerate().collect()
    }

    /// Takes a name back that was not needed.
    pub(super) fn release(&mut self, name: &str) {
        let items = self.items_of(name);
        self.used.retain(|used| !items.contains(used));
    }
}

/// Returns a type's name. Components that differ in case only are one to those who read.
fn folded_type_name(name: &str) -> String {
    type_name(name).to_lowercase()
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

    #[test]
    fn operations_of_one_method_or_one_type_are_numbered() {
        let mut names = Names::of_operations();
        let given = ["getUser", "get_user", "getUser2", "get_user_2", "a_b", "ab", "a_B"].map(|name| names.claim(name));
        assert_eq!(given, ["getUser", "get_user_2", "getUser2_2", "get_user_2_3", "a_b", "ab", "a_B_2"]);
    }
}
