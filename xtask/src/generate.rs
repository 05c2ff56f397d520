//! `cargo xtask generate`: documents in, crates' sources out.

use std::{fs, io::Write, path::Path, process::ExitCode, time::Instant};

use crate::{
    docs::operation_docs,
    document::Document,
    emit::{self, State},
    enums, generator,
    harden::harden,
    lint::{self, Level},
    mock, operations, release,
    vendors::{self, Vendor},
};

/// What to generate, and how.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The vendors to generate, by the name of their document. All, if none is given.
    vendors: Vec<String>,

    /// Write nothing: print what is stale as a diff, and exit with 1 if anything is.
    #[arg(long)]
    check: bool,
}

/// The sources of one crate.
pub(crate) struct Sources {
    pub(crate) client: String,
    pub(crate) mock: String,
}

/// Makes a document's sources: a pure function of its text.
pub(crate) fn sources(document: &Document) -> Result<Sources, String> {
    let failed = |error: String| format!("{}: {error}", document.name);
    let root = &document.root;
    let enums = enums::open_enums(root);
    let client = generator::client(root, &enums).map_err(failed)?;
    let client = harden(client, &operation_docs(root), &enums, operations::table(root)).map_err(failed)?;
    let mocks = generator::mock(root, &enums).map_err(failed)?;
    let mocks = mock::harden(mocks, root);
    Ok(Sources { client: emit::text(document, &client, &enums), mock: emit::text(document, &mocks, &[]) })
}

/// Runs the command in the repository at `root`. Problems are lines of `out`; they do not keep other vendors from being done.
pub(crate) fn run(root: &Path, arguments: &Arguments, out: &mut impl Write) -> std::io::Result<ExitCode> {
    let start = Instant::now();
    let vendors = match vendors::find(root).and_then(|known| vendors::select(known, &arguments.vendors)) {
        Ok(vendors) => vendors,
        Err(error) => {
            writeln!(out, "{error}")?;
            return Ok(ExitCode::from(2));
        }
    };
    let mut good = true;
    for vendor in &vendors {
        good &= one(root, vendor, arguments.check, out)?;
    }
    writeln!(out, "{} in {:.1} s", counted(vendors.len(), "vendor"), start.elapsed().as_secs_f32())?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One vendor; whether all is well.
fn one(root: &Path, vendor: &Vendor, check: bool, out: &mut impl Write) -> std::io::Result<bool> {
    let name = vendor.document();
    let text = fs::read_to_string(root.join(&name))?;
    let document = match Document::parse(&name, &text) {
        Ok(document) => document,
        Err(error) => {
            writeln!(out, "{error}")?;
            return Ok(false);
        }
    };
    let findings = lint::lint(&document);
    for finding in &findings {
        writeln!(out, "{name}: {finding}")?;
    }
    if findings.iter().any(|finding| finding.level == Level::Error) {
        return Ok(false);
    }
    let folder = vendor.folder();
    let manifest = format!("{folder}/Cargo.toml");
    let Ok(manifest_text) = fs::read_to_string(root.join(&manifest)) else {
        writeln!(out, "{manifest}: missing; make the crate: copy a neighbour's Cargo.toml and src/lib.rs and rename them")?;
        return Ok(false);
    };
    let sources = match sources(&document) {
        Ok(sources) => sources,
        Err(error) => {
            writeln!(out, "{error}")?;
            return Ok(false);
        }
    };
    let mut good = true;
    if let Some(problem) = release::mismatch(&manifest_text, document.version()) {
        writeln!(out, "{manifest}: {problem}")?;
        good = false;
    }
    for (file, text) in [("generated.rs", sources.client), ("generated_mock.rs", sources.mock)] {
        good &= deliver(root, &format!("{folder}/src/{file}"), &text, check, out)?;
    }
    Ok(good)
}

/// Writes a file or, on check, shows what would be written; whether all is well.
fn deliver(root: &Path, name: &str, text: &str, check: bool, out: &mut impl Write) -> std::io::Result<bool> {
    let path = root.join(name);
    let lines = counted(text.lines().count(), "line");
    match emit::compare(&path, name, text)? {
        State::Fresh => writeln!(out, "fresh   {name} ({lines})")?,
        State::Stale(diff) if check => {
            writeln!(out, "{diff}stale   {name}; run `cargo xtask generate`")?;
            return Ok(false);
        }
        State::Stale(_) => {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&path, text)?;
            writeln!(out, "updated {name} ({lines})")?;
        }
    }
    Ok(true)
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
