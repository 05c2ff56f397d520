//! `cargo xtask generate`: documents in, crates' sources out.

mod write;

use std::{fs, path::Path, process::ExitCode, time::Instant};

use openapi_document::{Budget, Document, Positions};

use crate::{
    codegen,
    lint::{self, Level},
    output::{Failure, Output, pluralize},
    workspace::{
        manifest, sandbox_copies, stale_outputs,
        vendors::{self, Vendor},
    },
};

/// The vendors to generate, and the mode.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Vendors to generate, by the name of their document [default: all]
    vendors: Vec<String>,

    /// Write nothing: print a diff of each outdated file, and exit with 1 if there is one.
    #[arg(long)]
    check: bool,
}

/// Runs the command in the repository at `root`. Problems are lines on the standard error; they do not keep other vendors from being done.
pub(crate) fn run(root: &Path, arguments: &Arguments, output: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let start = Instant::now();
    let vendors = vendors::select(vendors::find(root)?, &arguments.vendors)?;
    let mut good = true;
    for vendor in &vendors {
        good &= generate_vendor(root, vendor, arguments.check, output)?;
    }
    good &= write::write(root, "openapi/RULES.md", &lint::rules_markdown(), arguments.check, output.out)?;
    good &= stale_outputs::report(root, output.err)?;
    writeln!(output.out, "{} in {:.1} s", pluralize(vendors.len(), "vendor"), start.elapsed().as_secs_f32())?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Generates one vendor. Returns false if anything is wrong with it.
fn generate_vendor(
    root: &Path,
    vendor: &Vendor,
    check: bool,
    Output { out, err, .. }: &mut Output<'_>,
) -> std::io::Result<bool> {
    let name = vendor.document();
    let text = match Budget::from_env().read_text(&root.join(&name)) {
        Ok(text) => text,
        Err(error) => {
            writeln!(err, "{name}: cannot be read: {error}")?;
            return Ok(false);
        }
    };
    let document = match Document::parse(&name, &text) {
        Ok(document) => document,
        Err(error) => {
            writeln!(err, "{error}")?;
            return Ok(false);
        }
    };
    let findings = lint::lint(&document);
    let positions = Positions::of(&text);
    for finding in &findings {
        writeln!(err, "{}", finding.line(&name, positions.at(&finding.pointer)))?;
    }
    if findings.iter().any(|finding| finding.rule.level == Level::Error) {
        return Ok(false);
    }
    let folder = vendor.folder();
    let manifest = format!("{folder}/Cargo.toml");
    let Ok(manifest_text) = fs::read_to_string(root.join(&manifest)) else {
        writeln!(
            err,
            "{manifest}: missing; make the crate: copy a neighbour's Cargo.toml and src/lib.rs and rename them"
        )?;
        return Ok(false);
    };
    let version = document.version().to_owned();
    let generated = match codegen::render(document) {
        Ok(generated) => generated,
        Err(error) => {
            writeln!(err, "{error}")?;
            return Ok(false);
        }
    };
    let mut good = true;
    if let Some(problem) = manifest::mismatch(&manifest_text, &version) {
        writeln!(err, "{manifest}: {problem}")?;
        good = false;
    }
    for (file, text) in [("generated.rs", generated.client), ("generated_mock.rs", generated.mock)] {
        good &= write::write(root, &format!("{folder}/src/{file}"), &text, check, out)?;
    }
    for omitted in &generated.omitted {
        writeln!(out, "{name}:{}: {}", positions.at(&omitted.at), omitted.reason)?;
    }
    good &= sandbox_copies::refresh(root, vendor, &text, check, out)?;
    Ok(good)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::test_support::{MINI, captured, repository};

    /// Returns exit code and output, without the time and the list of rules.
    fn ran(root: &TempDir, vendors: &[&str], check: bool) -> (ExitCode, String) {
        let vendors = vendors.iter().map(|&name| name.to_owned()).collect();
        let (code, out, err) = captured(|output| run(root.path(), &Arguments { vendors, check }, output));
        let is_shown = |line: &&str| ![" vendor in ", "openapi/RULES.md"].iter().any(|part| line.contains(part));
        (code, (err + &out).lines().filter(is_shown).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn generated_files_are_written_once() {
        let root = repository(MINI);
        let (code, out) = ran(&root, &[], false);
        assert_eq!(code, ExitCode::SUCCESS);
        assert!(out.starts_with("updated crates/usage-billing-mini/src/generated.rs ("), "{out}");
        let (_, out) = ran(&root, &[], false);
        assert!(out.starts_with("fresh   crates/usage-billing-mini/src/generated.rs ("), "{out}");
    }

    #[test]
    fn check_reports_stale_files_and_writes_nothing() {
        let root = repository(MINI);
        ran(&root, &[], false);
        let path = root.path().join("crates/usage-billing-mini/src/generated.rs");
        let edited = fs::read_to_string(&path).expect("it is there").replace("pub struct Client", "pub struct Kunde");
        fs::write(&path, &edited).expect("it can be written");
        let (code, out) = ran(&root, &["mini"], true);
        assert_eq!(code, ExitCode::FAILURE);
        assert!(out.contains("\n-pub struct Kunde {\n+pub struct Client {\n"), "{out}");
        assert!(
            out.contains("stale   crates/usage-billing-mini/src/generated.rs; run `cargo xtask generate`"),
            "{out}"
        );
        assert_eq!(fs::read_to_string(&path).expect("it is there"), edited);
        fs::remove_file(&path).expect("it is there");
        assert_eq!(ran(&root, &[], true).0, ExitCode::FAILURE);
        assert!(!path.exists());
    }

    #[test]
    fn document_that_violates_a_rule_is_not_generated() {
        let root = repository(&MINI.replace("format: decimal, description: Sum", "description: Sum"));
        let (code, out) = ran(&root, &[], false);
        assert_eq!(code, ExitCode::FAILURE);
        assert_eq!(
            out,
            "openapi/mini.yaml:118:9: error[number] at /components/schemas/Order/properties/total: a number without `format: \
             decimal` would become a float; write `format: decimal`, or `type: integer`"
        );
    }

    #[test]
    fn missing_crate_error_states_the_fix() {
        let root = repository(MINI);
        fs::remove_dir_all(root.path().join("crates")).expect("it is there");
        let (code, out) = ran(&root, &[], false);
        assert_eq!(code, ExitCode::FAILURE);
        assert!(out.starts_with("crates/usage-billing-mini/Cargo.toml: missing; make the crate: "), "{out}");
        assert_eq!(out.lines().count(), 1, "{out}");
    }

    #[test]
    fn unknown_vendor_is_a_usage_error() {
        let (code, out) = ran(&repository(MINI), &["maxi"], false);
        assert_eq!(code, ExitCode::from(2));
        assert_eq!(out, "error: no vendor \"maxi\": openapi/ has mini");
    }
}
