//! The README matches the code.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[test]
fn coverage_table_lists_exactly_the_generated_operations() {
    let coverage = include_str!("../../../docs/coverage.md");
    let vendors = [
        ("acronis", usage_billing_acronis::OPERATIONS),
        ("genesys", usage_billing_genesys::OPERATIONS),
        ("suger", usage_billing_suger::OPERATIONS),
    ];
    for (vendor, operations) in vendors {
        let link = format!("(../openapi/{vendor}.yaml) |");
        let rows = coverage.lines().filter_map(|line| line.split_once(&link)).map(|(_, row)| row);
        let named: BTreeSet<_> = rows.flat_map(|row| row.split('`').skip(1).step_by(2)).collect();
        assert_eq!(named, operations.iter().map(|operation| operation.id).collect(), "{vendor}");
    }
}

#[test]
fn support_matrix_states_the_dates_of_the_documents() {
    let matrix = include_str!("../../../docs/support.md");
    for (vendor, document) in [
        ("acronis", include_str!("../../../openapi/acronis.yaml")),
        ("genesys", include_str!("../../../openapi/genesys.yaml")),
        ("suger", include_str!("../../../openapi/suger.yaml")),
    ] {
        let version = document.lines().find_map(|line| line.strip_prefix("  version: ")).expect("a version");
        let date = version.trim_matches(['"', '\'']);
        let stated = format!("as documented on {date} ([`openapi/{vendor}.yaml`]");
        assert!(matrix.contains(&stated), "{stated}");
    }
}

/// A caller's own HTTP client has to be of the re-exported version, so the documentation states it.
#[test]
fn documentation_states_the_version_of_the_http_client() {
    let manifest = include_str!("../../../Cargo.toml");
    let version = manifest.split_once("\nreqwest = { version = \"").expect("the dependency").1;
    let compatible: Vec<_> = version.split(['.', '"']).take(2).collect();
    let stated = format!("reqwest {}", compatible.join("."));
    for (file, text) in [
        ("docs/library.md", include_str!("../../../docs/library.md")),
        ("crates/usage-billing/README.md", include_str!("../../../crates/usage-billing/README.md")),
        ("crates/usage-billing-core/README.md", include_str!("../../../crates/usage-billing-core/README.md")),
        ("crates/usage-billing-core/src/lib.rs", include_str!("../../../crates/usage-billing-core/src/lib.rs")),
    ] {
        assert!(text.contains(&stated), "{stated} in {file}");
    }
}

/// The facade, the vendors' crates and core share one `reqwest::Client` type.
#[test]
fn reexported_http_client_is_the_one_that_clients_take() {
    let of_facade: usage_billing::reqwest::Client = usage_billing_tests::http();
    let of_vendor: usage_billing_suger::reqwest::Client = of_facade.clone();
    assert!(usage_billing::suger::Client::builder("acme", "hush").http_client(of_facade).build().is_ok());
    assert!(usage_billing_suger::Client::builder("hush").http_client(of_vendor).build().is_ok());
}

/// Returns the Markdown files of the repository, with their paths.
fn markdown_files() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let mut folders = vec![root.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if entry.file_type().unwrap().is_dir() {
                let is_written_by_hand =
                    name == ".github" || !name.starts_with('.') && name != "target" && name != "vendor";
                folders.extend(is_written_by_hand.then_some(path));
            } else if name.ends_with(".md") {
                files.push((path.clone(), std::fs::read_to_string(path).expect("UTF-8")));
            }
        }
    }
    files
}

/// Returns the anchor of a heading on GitHub.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase().replace(' ', "-");
    kept.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_')).collect()
}

/// Returns a page with those that mdBook includes in it.
fn with_includes(page: &Path) -> String {
    let text = std::fs::read_to_string(page).unwrap();
    let included = text.lines().filter_map(|line| line.strip_prefix("{{#include ")?.strip_suffix("}}"));
    included
        .map(|path| std::fs::read_to_string(page.parent().unwrap().join(path)).unwrap())
        .fold(text.clone(), |all, it| all + &it)
}

#[test]
fn relative_links_of_markdown_files_resolve() {
    let files = markdown_files();
    assert!(files.len() > 40, "{}", files.len());
    for (file, text) in &files {
        // Not in blocks of code.
        let prose: String = text.split("```").step_by(2).collect();
        for link in prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") || link.starts_with("mailto:") || link.contains("::") || link.contains(' ') {
                continue;
            }
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { file.clone() } else { file.parent().unwrap().join(path) };
            // Items of Rust are linked by rustdoc.
            if path.contains('.') || path.contains('/') {
                assert!(target.exists(), "{}: {link} does not exist", file.display());
            }
            if !heading.is_empty() && target.extension().is_some_and(|extension| extension == "md") {
                let target = with_includes(&target);
                let mut headings = target.lines().filter(|line| line.starts_with('#'));
                let found = headings.any(|line| anchor(line.trim_start_matches('#')) == heading);
                assert!(found, "{}: {link} has no such heading", file.display());
            }
        }
    }
}

/// `mdbook` builds only pages that the summary lists.
#[test]
fn summary_of_the_guide_lists_every_page() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join("docs");
    let summary = std::fs::read_to_string(docs.join("SUMMARY.md")).expect("the summary");
    let listed: BTreeSet<_> =
        summary.split("](").skip(1).filter_map(|rest| rest.split(')').next()).map(|page| docs.join(page)).collect();
    let is_page = |path: &PathBuf| {
        let page = path.strip_prefix(&docs);
        page.is_ok_and(|page| !page.starts_with("decisions") && page != Path::new("SUMMARY.md"))
    };
    assert_eq!(listed, markdown_files().into_iter().map(|(path, _)| path).filter(is_page).collect());
}
