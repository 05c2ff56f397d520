//! `cargo xtask lint`: the documents, the rules that apply to them, and the exit code.

mod checked;
mod format;

use std::{fs, path::Path, process::ExitCode};

use checked::{Checked, Located};
use openapi_document::{Budget, Document, Positions};

use crate::{
    lint::{Level, Scope, lint_with_facade},
    output::{Failure, Output},
    workspace::vendors::{self, Vendor},
};

/// The documents to check, and the form of the report.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Vendors by the name of their document, or paths of OpenAPI documents (YAML or JSON) [default: all vendors]
    documents: Vec<String>,

    /// Fail on warnings too, and check files against our own rules as well.
    #[arg(long)]
    strict: bool,

    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: format::Format,

    /// List the rules and exit.
    #[arg(long)]
    rules: bool,
}

/// Runs the command in the repository at `root`. Returns 0, 1 if a finding fails, 2 if a document cannot be read.
pub(crate) fn run(root: &Path, arguments: &Arguments, output: &mut Output<'_>) -> Result<ExitCode, Failure> {
    output.as_json = arguments.format == format::Format::Json;
    if arguments.rules {
        format::rules(arguments.format, output.out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let sources = sources(root, vendors::find(root)?, &arguments.documents)?;
    let checked = sources.iter().map(|source| checked(root, source, arguments.strict)).collect::<Vec<_>>();
    format::write(arguments.format, &checked, output)?;
    let fails = |level| checked.iter().any(|document| document.count(level) > 0);
    Ok(if checked.iter().any(|document| document.outcome.is_err()) {
        ExitCode::from(2)
    } else if fails(Level::Error) || arguments.strict && fails(Level::Warning) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// A document to check.
#[derive(Debug, PartialEq, Eq)]
enum Source {
    /// One of our documents.
    Ours(Vendor),
    /// A file, as the caller named it.
    File(String),
}

/// Returns the sources: the name of a vendor is that vendor, also if a file has the same name; all else is a path.
fn sources(root: &Path, known: Vec<Vendor>, asked: &[String]) -> Result<Vec<Source>, String> {
    if asked.is_empty() {
        return Ok(known.into_iter().map(Source::Ours).collect());
    }
    let same =
        |vendor: &Vendor, path: &str| match (fs::canonicalize(root.join(vendor.document())), fs::canonicalize(path)) {
            (Ok(ours), Ok(path)) => ours == path,
            _ => false,
        };
    let source = |name: &String| match known.iter().find(|vendor| vendor.name == *name || same(vendor, name)) {
        Some(vendor) => Ok(Source::Ours(Vendor { name: vendor.name.clone() })),
        None if Path::new(name).exists() => Ok(Source::File(name.clone())),
        None => {
            let names = known.iter().map(|vendor| vendor.name.as_str()).collect::<Vec<_>>().join(", ");
            Err(format!("{name:?} is neither a vendor (openapi/ has {names}) nor a file"))
        }
    };
    asked.iter().map(source).collect()
}

fn checked(root: &Path, source: &Source, strict: bool) -> Checked {
    let (name, path) = match source {
        Source::Ours(vendor) => (vendor.document(), root.join(vendor.document())),
        Source::File(name) => (name.clone(), std::path::PathBuf::from(name)),
    };
    let curated = strict || matches!(source, Source::Ours(_));
    let text = Budget::from_env().read_text(&path).map_err(|error| format!("{name}: cannot be read: {error}"));
    let outcome = text.and_then(|text| {
        let document = Document::parse(&name, &text)?;
        // A vendor that the facade does not have yet has nothing to be called there.
        let facade = match source {
            Source::Ours(vendor) => facade_source(root, &vendor.name).ok(),
            Source::File(_) => None,
        };
        let mut findings = lint_with_facade(&document, facade.as_deref());
        findings.retain(|finding| curated || finding.rule.scope == Scope::Generator);
        let positions = Positions::of(&text);
        findings.sort_by_key(|finding| positions.at(&finding.pointer));
        Ok(Located { positions, findings })
    });
    Checked { name, curated, outcome }
}

/// Returns the facade's source for a vendor.
fn facade_source(root: &Path, vendor: &str) -> std::io::Result<String> {
    let mut source = String::new();
    let mut folders = vec![root.join("crates/usage-billing/src").join(vendor)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                source.push_str(&fs::read_to_string(path)?);
            }
        }
    }
    Ok(source)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::test_support::{MINI, captured, repository};

    fn ran(root: &TempDir, documents: &[&str], strict: bool) -> (ExitCode, String) {
        let path = root.path().display().to_string();
        let documents = documents.iter().map(|name| name.replace("ROOT", &path)).collect();
        let arguments = Arguments { documents, strict, format: format::Format::Text, rules: false };
        let (code, out, err) = captured(|output| run(root.path(), &arguments, output));
        (code, (err + &out).replace(&path, "ROOT"))
    }

    fn write(root: &TempDir, file: &str, content: impl AsRef<[u8]>) {
        fs::write(root.path().join(file), content).expect("it can be written");
    }

    #[test]
    fn document_without_violations_passes() {
        let (code, out) = ran(&repository(MINI), &[], true);
        assert_eq!((code, out.as_str()), (ExitCode::SUCCESS, "1 document: 0 errors, 0 warnings\n"));
    }

    #[test]
    fn warnings_fail_only_with_strict() {
        let root = repository(&MINI.replace("      summary: One order\n", ""));
        let (code, out) = ran(&root, &["mini"], false);
        assert_eq!(code, ExitCode::SUCCESS);
        assert_eq!(
            out,
            "openapi/mini.yaml:47:5: warning[summary] at /paths/~1orders~1{orderId}/get: no summary; state its purpose in one \
             line\n1 document: 0 errors, 1 warning\n"
        );
        assert_eq!(ran(&root, &["mini"], true).0, ExitCode::FAILURE);
    }

    #[test]
    fn errors_fail_and_come_in_the_order_of_the_text() {
        let broken = MINI.replace("format: decimal, ", "").replace("title: Mini", "titel: Mini");
        let (code, out) = ran(&repository(&broken), &[], false);
        assert_eq!(code, ExitCode::FAILURE);
        let rules = out.lines().map(|line| line.split(['[', ']']).nth(1).unwrap_or(line)).collect::<Vec<_>>();
        assert_eq!(rules, ["info-title", "unknown-field", "number", "1 document: 3 errors, 0 warnings"]);
    }

    #[test]
    fn file_is_checked_against_curation_rules_only_on_request() {
        let root = repository(MINI);
        write(&root, "published.yaml", MINI.replace("x-source: ", "x-origin: "));
        let (code, out) = ran(&root, &["ROOT/published.yaml"], false);
        assert_eq!(code, ExitCode::SUCCESS);
        assert_eq!(
            out,
            "ROOT/published.yaml: checked against the generator's rules; --strict adds our own\n1 document: 0 \
             errors, 0 warnings\n"
        );
        assert_eq!(ran(&root, &["ROOT/published.yaml"], true).0, ExitCode::FAILURE);
    }

    #[test]
    fn our_own_document_is_ours_by_its_path_too() {
        let root = repository(&MINI.replace("x-source: ", "x-origin: "));
        assert_eq!(ran(&root, &["ROOT/openapi/mini.yaml"], false).0, ExitCode::FAILURE);
    }

    #[test]
    fn unreadable_source_is_one_line_and_exit_code_2() {
        let root = repository(MINI);
        let (code, out) = ran(&root, &["maxi"], false);
        assert_eq!(code, ExitCode::from(2));
        assert_eq!(out, "error: \"maxi\" is neither a vendor (openapi/ has mini) nor a file\n");
        write(&root, "broken.json", "{\n  \"a\": }");
        let (code, out) = ran(&root, &["mini", "ROOT/broken.json"], false);
        assert_eq!(code, ExitCode::from(2));
        assert_eq!(out.lines().next(), Some("error: ROOT/broken.json:2:8: expected value"));
        write(&root, "bytes.yaml", [0xff, 0xfe, 0x00]);
        assert_eq!(ran(&root, &["ROOT/bytes.yaml"], false).0, ExitCode::from(2));
    }
}
