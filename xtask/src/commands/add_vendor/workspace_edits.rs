//! What the workspace has to know of a new vendor: a dependency, a feature and a module of the facade.

use std::{fs, path::Path};

use super::templates::{module, package};

/// A file's path from the repository's root, and its text.
pub(super) type Change = (String, String);

/// crates.io takes no longer names.
const LONGEST: usize = 64;

/// Begins the documents that this command writes.
pub(super) const GENERATED_BY: &str = "# ConvertedOperation by `cargo xtask add-vendor`";

/// Says what is wrong with a name, if anything.
pub(super) fn check_name(name: &str) -> Result<(), String> {
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

/// The changed files. The error says that the name is taken, or what is not as expected. What an earlier run put there is to
/// `replace`, if its document is still a draft.
pub(super) fn edits(root: &Path, name: &str, replace: bool) -> Result<Vec<Change>, String> {
    let read =
        |file: &str| fs::read_to_string(root.join(file)).map_err(|error| format!("{file}: cannot be read: {error}"));
    let (package, module) = (package(name), module(name));
    let document = format!("openapi/{name}.yaml");
    let draft = read(&document).is_ok_and(|text| text.starts_with(GENERATED_BY));
    if replace && !draft {
        return Err(format!("--replace: no generated {document} of an earlier run"));
    }
    let (manifest, library) = ("crates/usage-billing/Cargo.toml", "crates/usage-billing/src/lib.rs");
    if !replace {
        free(root, name, manifest, &read(manifest)?).map_err(|taken| {
            let again = if draft { "; --replace overwrites the generated document of an earlier run" } else { "" };
            format!("the name {name:?} is in use: {taken}{again}")
        })?;
    }
    let Mentions { dependency, feature, optional, item, .. } = Mentions::of(name);
    let workspace =
        inserted(&read("Cargo.toml")?, "Cargo.toml", "[workspace.dependencies]", "usage-billing", &dependency)?;
    let facade = inserted(&read(manifest)?, manifest, "[features]", "=", &feature)?;
    let facade = inserted(&facade, manifest, "[dependencies]", "usage-billing-", &optional)?;
    let facade = with_mock(facade, &package);
    let modules = with_module(&read(library)?, library, &module, &item)?;
    let edits = [("Cargo.toml", workspace), (manifest, facade), (library, modules)];
    Ok(edits.map(|(file, text)| (file.to_owned(), text)).into())
}

/// The lines that mention a vendor's crate.
struct Mentions {
    dependency: String,
    feature: String,
    optional: String,
    /// Of the facade's feature `mock`.
    forwarded: String,
    /// The facade's module.
    item: String,
}

impl Mentions {
    fn of(name: &str) -> Self {
        let (package, module) = (package(name), module(name));
        Self {
            dependency: format!(
                "{package} = {{ path = \"crates/{package}\", version = \"0.1.0\", default-features = false }}"
            ),
            feature: format!("{name} = [\"dep:{package}\"]"),
            optional: format!("{package} = {{ workspace = true, optional = true }}"),
            forwarded: forwarded(&package),
            item: format!(
                "#[cfg(feature = \"{name}\")]\n#[cfg_attr(docsrs, doc(cfg(feature = \"{name}\")))]\npub mod {module};\n"
            ),
        }
    }
}

/// The files without the lines that mention a vendor's crate. The error says where it is mentioned otherwise.
pub(super) fn without(root: &Path, name: &str) -> Result<Vec<Change>, String> {
    let Mentions { dependency, feature, optional, forwarded, item } = Mentions::of(name);
    let lines = |line: &str| format!("{line}\n");
    let edits = [
        ("Cargo.toml", vec![lines(&dependency)]),
        ("crates/usage-billing/Cargo.toml", vec![lines(&feature), lines(&optional), forwarded]),
        ("crates/usage-billing/src/lib.rs", vec![item]),
    ];
    let edits = edits.into_iter().map(|(file, gone)| {
        let text = fs::read_to_string(root.join(file)).map_err(|error| format!("{file}: cannot be read: {error}"))?;
        let text = gone.iter().fold(text, |text, gone| text.replacen(gone, "", 1));
        let package = package(name);
        let is_word =
            |at: usize| !text[at + package.len()..].starts_with(|next: char| next.is_alphanumeric() || next == '-');
        match text.match_indices(&package).find(|(at, _)| is_word(*at)) {
            Some((at, _)) => {
                let line = text[..at].lines().count().max(1);
                Err(format!("{file}:{line} mentions {package} otherwise: remove that first"))
            }
            None => Ok((file.to_owned(), text)),
        }
    });
    edits.collect()
}

fn forwarded(package: &str) -> String {
    format!("    \"{package}?/mock\",\n")
}

/// Forwards the facade's feature `mock` to the new crate.
fn with_mock(facade: String, package: &str) -> String {
    let forwarded = forwarded(package);
    match facade.contains(&forwarded) {
        true => facade,
        false => facade.replacen("mock = [\n", &format!("mock = [\n{forwarded}"), 1),
    }
}

/// Says what has the name already, if anything.
fn free(root: &Path, name: &str, manifest: &str, facade: &str) -> Result<(), String> {
    let (package, module) = (package(name), module(name));
    let files = [
        format!("openapi/{name}.yaml"),
        format!("crates/{package}"),
        format!("crates/usage-billing/src/{module}.rs"),
        format!("crates/usage-billing/src/{module}"),
    ];
    if let Some(taken) = files.iter().find(|file| root.join(file).exists()) {
        return Err(format!("there is {taken}"));
    }
    let facade = facade.parse::<toml::Table>().unwrap_or_default();
    let has = |section: &str| {
        let names = facade.get(section).and_then(toml::Value::as_table);
        names.is_some_and(|names| names.keys().any(|known| self::module(known) == module))
    };
    if has("features") {
        return Err(format!("{manifest} has a feature of this name"));
    }
    // A module of the facade would stand before the crate.
    if has("dependencies") || ["std", "alloc"].contains(&name) {
        return Err("the facade uses a crate of this name".to_owned());
    }
    if name == "tests" {
        return Err(format!("{package} is the crate of the workspace's tests"));
    }
    Ok(())
}

/// Puts a line into a section of a manifest, if it is not there: before the first line that holds `like` and comes after it by
/// name; else behind the last that holds it.
fn inserted(text: &str, file: &str, section: &str, like: &str, line: &str) -> Result<String, String> {
    let lines = text.lines().collect::<Vec<_>>();
    let missing = || format!("{file}: no place in {section} for `{line}`; write it there and run again");
    let start = lines.iter().position(|line| line.trim() == section).ok_or_else(missing)? + 1;
    let end = lines[start..].iter().position(|line| line.starts_with('[')).map_or(lines.len(), |length| start + length);
    if lines[start..end].contains(&line) {
        return Ok(text.to_owned());
    }
    let key = |line: &str| line.split(['=', ' ']).next().unwrap_or_default().to_owned();
    let alike = |index: &usize| {
        let line = lines[*index];
        line.contains(like) && line.contains('=') && !line.starts_with(['#', ' ', ']', '"']) && key(line) != "default"
    };
    let alike = (start..end).filter(alike).collect::<Vec<_>>();
    let after = alike.iter().copied().find(|index| key(lines[*index]) > key(line));
    let at = match (after, alike.last()) {
        // The comment above a line belongs to it.
        (Some(index), _) => index - lines[..index].iter().rev().take_while(|line| line.starts_with('#')).count(),
        (None, Some(last)) => {
            last + 1 + lines[last + 1..end].iter().take_while(|line| line.starts_with([' ', ']'])).count()
        }
        (None, None) => return Err(missing()),
    };
    let mut lines = lines;
    lines.insert(at, line);
    let text = lines.join("\n") + "\n";
    text.parse::<toml::Table>().map_err(|_| missing())?;
    Ok(text)
}

/// Puts a module among those of the facade that have a feature, if it is not there, by name: rustfmt would have it there.
fn with_module(text: &str, file: &str, module: &str, item: &str) -> Result<String, String> {
    if text.contains(item) {
        return Ok(text.to_owned());
    }
    let lines = text.lines().collect::<Vec<_>>();
    let modules = (1..lines.len())
        .filter(|&index| lines[index].starts_with("pub mod ") && lines[index - 1].starts_with("#[cfg"))
        .collect::<Vec<_>>();
    let name = |index: usize| lines[index].trim_start_matches("pub mod ").trim_end_matches(';');
    let above = |index: usize| lines[..index].iter().rev().take_while(|line| line.starts_with("#[")).count();
    let at = match (modules.iter().find(|index| name(**index) > module), modules.last()) {
        (Some(index), _) => index - above(*index),
        (None, Some(last)) => last + 1,
        (None, None) => return Err(format!("{file}: no module with a feature to put the new one beside")),
    };
    let (before, after) = lines.split_at(at);
    let before = before.iter().map(|line| format!("{line}\n")).collect::<String>();
    Ok(format!("{before}{item}{}\n", after.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_crates() {
        for good in ["acme", "acme-2", "a1"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in ["", "Acme", "-a", "a-", "a--b", "a.b", "../a", "type", "2a", &"a".repeat(51)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_line_goes_where_its_name_belongs() {
        let text = "[features]\ndefault = [\"b\"]\nb = [\n    \"x\",\n]\n# About d.\nd = []\n\n[dependencies]\nz = 1\n";
        let put = |line| inserted(text, "f", "[features]", "=", line);
        assert_eq!(put("c = []").unwrap(), text.replace("# About d.", "c = []\n# About d."));
        assert_eq!(put("a = []").unwrap(), text.replace("b = [\n", "a = []\nb = [\n"));
        assert_eq!(put("e = []").unwrap(), text.replace("d = []\n", "d = []\ne = []\n"));
        assert_eq!(put("d = []").unwrap(), text);
        assert!(inserted(text, "f", "[gone]", "=", "a = []").is_err());
    }

    #[test]
    fn facades_feature_for_mocks_is_forwarded_once() {
        let manifest = || "[features]\nmock = [\n    \"usage-billing-zeta?/mock\",\n]\n".to_owned();
        let forwarded = with_mock(manifest(), "usage-billing-acme");
        assert_eq!(
            forwarded,
            "[features]\nmock = [\n    \"usage-billing-acme?/mock\",\n    \"usage-billing-zeta?/mock\",\n]\n"
        );
        assert_eq!(with_mock(forwarded.clone(), "usage-billing-acme"), forwarded);
        assert_eq!(with_mock(manifest(), "usage-billing-zeta"), manifest());
    }
}
