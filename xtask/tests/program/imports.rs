//! The arrows between the modules of `xtask/src`, as CONTRIBUTING.md describes them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

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

/// Returns the modules of the crate that a file names. `depth` is the number of modules around its items, by which `super` is resolved.
fn imports(code: &str, depth: usize) -> Vec<String> {
    let mut paths = Vec::new();
    collect_paths(code.parse().unwrap(), &[], &mut paths);
    let module = |path: Vec<String>| {
        let supers = path.iter().take_while(|part| ["self", "super"].contains(&part.as_str()));
        let (length, steps) = (supers.clone().count(), supers.filter(|part| *part == "super").count());
        let is_of_root = path[0] == "crate" || (steps > 0 && steps >= depth);
        path.into_iter().nth(length.max(1)).filter(|_| is_of_root)
    };
    paths.into_iter().filter_map(module).collect()
}

/// Adds all paths of tokens, those in macros and in groups of `use` too. The beginning is that of a group.
fn collect_paths(tokens: TokenStream, beginning: &[String], paths: &mut Vec<Vec<String>>) {
    let (mut path, mut continues, mut is_half_colon) = (beginning.to_vec(), !beginning.is_empty(), false);
    for token in tokens {
        let was_half_colon = std::mem::take(&mut is_half_colon);
        match token {
            TokenTree::Ident(name) => {
                if !std::mem::take(&mut continues) {
                    paths.extend((!path.is_empty()).then(|| std::mem::take(&mut path)));
                }
                path.push(name.to_string());
            }
            TokenTree::Punct(sign) if sign.as_char() == ':' => {
                continues = was_half_colon;
                is_half_colon = !was_half_colon && sign.spacing() == Spacing::Joint;
            }
            TokenTree::Group(group) => {
                let is_of_use = continues && group.delimiter() == Delimiter::Brace;
                let around = if is_of_use { std::mem::take(&mut path) } else { Vec::new() };
                collect_paths(group.stream(), &around, paths);
                continues = false;
            }
            TokenTree::Punct(sign) => {
                paths.extend((!path.is_empty()).then(|| std::mem::take(&mut path)));
                continues = sign.as_char() == ',' && !beginning.is_empty();
                path = if continues { beginning.to_vec() } else { Vec::new() };
            }
            TokenTree::Literal(_) => continues = false,
        }
    }
    paths.extend((!path.is_empty()).then_some(path));
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
            let inside = file.strip_prefix(&source).unwrap();
            let depth = inside.iter().count() - usize::from(file.ends_with("mod.rs"));
            let others = |name: &String| name != module && !allowed.contains(&name.as_str());
            let is_module = |name: &String| names.contains(&name.as_str()) || name == "commands";
            let wrong = imports(code, depth).into_iter().filter(|name| is_module(name) && others(name));
            let wrong = wrong.collect::<Vec<_>>();
            let is_test = inside.iter().any(|part| part == "tests" || part == "tests.rs");
            assert!(wrong.is_empty() || is_test, "{} imports {wrong:?}", file.display());
        }
    }
}

#[test]
fn import_is_found_in_each_form_of_a_path() {
    for (code, depth, expected) in [
        ("use crate::codegen::formats;", 2, &["codegen"][..]),
        ("use crate::{codegen, text::{Lines, Table}};", 2, &["codegen", "text", "text"]),
        ("use std::fmt; use super::super::codegen::formats;", 2, &["codegen"]),
        ("use super::{record, super::{import, text::Lines}};", 2, &["import", "text"]),
        ("use super::codegen;", 1, &["codegen"]),
        ("use self::super::codegen;", 1, &["codegen"]),
        ("use super::codegen;", 2, &[]),
        ("fn f() { print!(\"{}\", crate::text::line::<u8>(super::super::lint::of(1))) }", 2, &["text", "lint"]),
        ("// crate::lint\n/// [`crate::lint`]\nfn f(of: self::Lint) -> ::std::fmt::Result { super::lint() }", 2, &[]),
    ] {
        assert_eq!(imports(code, depth), expected, "{code}");
    }
}
