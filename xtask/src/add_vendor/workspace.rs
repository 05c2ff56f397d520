//! What the workspace has to know of a new vendor: a dependency, a feature and a module of the facade.

use std::{fs, path::Path};

use super::files::{module, package};

/// A file's path from the repository's root, and its text.
pub(super) type Change = (String, String);

/// Says what is wrong with a name, if anything.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    let shape = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    let good = name.starts_with(|letter: char| letter.is_ascii_lowercase())
        && name.chars().all(shape)
        && !name.ends_with('-')
        && !name.contains("--")
        && syn::parse_str::<syn::Ident>(&module(name)).is_ok();
    if good {
        Ok(())
    } else {
        Err(format!("{name:?} makes no crate: lower case letters, digits and hyphens, such as `acme`"))
    }
}

/// The changed files. The error says that the name is taken, or what is not as expected.
pub(super) fn edits(root: &Path, name: &str) -> Result<Vec<Change>, String> {
    let read =
        |file: &str| fs::read_to_string(root.join(file)).map_err(|error| format!("{file}: cannot be read: {error}"));
    let (package, module) = (package(name), module(name));
    for taken in [
        format!("openapi/{name}.yaml"),
        format!("crates/{package}"),
        format!("crates/usage-billing/src/{module}.rs"),
        format!("crates/usage-billing/src/{module}"),
    ] {
        if root.join(&taken).exists() {
            return Err(format!("the name {name:?} is taken: there is {taken}"));
        }
    }
    let workspace = "Cargo.toml";
    let manifest = "crates/usage-billing/Cargo.toml";
    let library = "crates/usage-billing/src/lib.rs";
    let facade = read(manifest)?;
    let features =
        facade.parse::<toml::Table>().ok().and_then(|table| Some(table.get("features")?.get(name).is_some()));
    if features == Some(true) {
        return Err(format!("the name {name:?} is taken: {manifest} has a feature of this name"));
    }
    let dependency =
        format!("{package} = {{ path = \"crates/{package}\", version = \"0.1.0\", default-features = false }}");
    let facade = inserted(&facade, manifest, "[features]", "=", &format!("{name} = [\"dep:{package}\"]"))?;
    let optional = format!("{package} = {{ workspace = true, optional = true }}");
    let facade = inserted(&facade, manifest, "[dependencies]", "usage-billing-", &optional)?;
    let item = format!(
        "#[cfg(feature = \"{name}\")]\n#[cfg_attr(docsrs, doc(cfg(feature = \"{name}\")))]\npub mod {module};\n"
    );
    Ok(vec![
        (
            workspace.to_owned(),
            inserted(&read(workspace)?, workspace, "[workspace.dependencies]", "usage-billing", &dependency)?,
        ),
        (manifest.to_owned(), facade),
        (library.to_owned(), with_module(&read(library)?, library, &module, &item)?),
    ])
}

/// Puts a line into a section of a manifest: before the first line that holds `like` and comes after it by name; else behind the
/// last that holds it.
fn inserted(text: &str, file: &str, section: &str, like: &str, line: &str) -> Result<String, String> {
    let lines = text.lines().collect::<Vec<_>>();
    let missing = || format!("{file}: no place in {section} for `{line}`; write it there and run again");
    let start = lines.iter().position(|line| line.trim() == section).ok_or_else(missing)? + 1;
    let end = lines[start..].iter().position(|line| line.starts_with('[')).map_or(lines.len(), |length| start + length);
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

/// Puts a module among those of the facade that have a feature, by name: rustfmt would have it there.
fn with_module(text: &str, file: &str, module: &str, item: &str) -> Result<String, String> {
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
        for bad in ["", "Acme", "-a", "a-", "a--b", "a.b", "../a", "type", "2a"] {
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
        assert!(inserted(text, "f", "[gone]", "=", "a = []").is_err());
    }
}
