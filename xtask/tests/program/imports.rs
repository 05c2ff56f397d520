//! The arrows between the modules of `xtask/src`, as CONTRIBUTING.md describes them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Each module, and the modules that it may import. `commands` may import all; tests may import anything.
const IMPORTS: [(&str, &[&str]); 9] = [
    ("text", &[]),
    ("output", &["text"]),
    ("packed", &[]),
    ("example_mismatches", &[]),
    ("workspace", &[]),
    ("codegen", &["packed", "text"]),
    ("lint", &["codegen", "example_mismatches", "text"]),
    ("import", &["codegen", "example_mismatches", "output", "packed", "text"]),
    ("upstream", &["codegen", "import", "text"]),
];

/// Returns whether a source, formatted by rustfmt, has a path `crate::module`.
fn imports(code: &str, module: &str) -> bool {
    let mut groups = code.split("use crate::{").skip(1).map(|group| group.split(';').next().unwrap_or_default());
    let begins = |text: &str, before: &str| {
        let pattern = format!("{before}{module}");
        text.split(&pattern).skip(1).any(|rest| rest.starts_with([':', ',', '}', ';']))
    };
    let in_group = |group: &str| ["{", ", ", "\n    "].iter().any(|before| begins(&format!("{{{group}"), before));
    begins(code, "crate::") || groups.any(in_group)
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    fs::read_dir(path).unwrap().flat_map(|entry| files(&entry.unwrap().path())).collect()
}

#[test]
fn modules_import_only_those_below_them() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let names = IMPORTS.map(|(name, _)| name);
    for (module, allowed) in IMPORTS {
        let path = [source.join(module), source.join(format!("{module}.rs"))].into_iter().find(|path| path.exists());
        for file in files(&path.unwrap()).iter().filter(|file| file.extension().is_some_and(|end| end == "rs")) {
            let text = fs::read_to_string(file).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let code = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
            let others = names.iter().chain(&["commands"]).filter(|name| **name != module && !allowed.contains(name));
            let wrong = others.filter(|name| imports(&code, name)).collect::<Vec<_>>();
            assert!(wrong.is_empty() || file.ends_with("tests.rs"), "{} imports {wrong:?}", file.display());
        }
    }
}
