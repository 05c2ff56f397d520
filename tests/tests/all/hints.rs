//! Messages and hints name no functions: users of the program read them, too.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Returns the code of a crate without comments, attributes and tests.
fn code(folder: &str) -> Vec<(PathBuf, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
                let lines = code.lines().filter(|line| !line.trim_start().starts_with(['/', '#']));
                found.push((path, lines.collect::<Vec<_>>().join("\n")));
            }
        }
    }
    found
}

#[test]
fn messages_of_the_library_name_no_functions() {
    let all = [code("../crates/usage-billing/src"), code("../crates/usage-billing-core/src")].concat();
    let names: BTreeSet<&str> = all
        .iter()
        .flat_map(|(_, code)| code.split("pub fn ").skip(1).chain(code.split("pub async fn ").skip(1)))
        .filter_map(|rest| rest.split(['(', '<']).next())
        .filter(|name| name.contains('_'))
        .collect();
    assert!(names.contains("find_report") && names.len() > 50, "{names:?}");
    for (path, code) in &all {
        let code = code.replace("\\\"", "").replace("'\"'", "");
        let sentences = code.split('"').skip(1).step_by(2).filter(|text| text.contains(' '));
        for text in sentences {
            // Placeholders of values are skipped.
            let text: String = text.split('{').map(|part| part.rsplit('}').next().unwrap_or_default()).collect();
            let mut words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            let named = words.find(|word| names.contains(word));
            assert_eq!(named, None, "{}: {text}", path.display());
        }
    }
}
