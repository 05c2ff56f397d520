//! `cargo xtask upstream`: a curated document compared with the vendor's published specification.

mod access;
mod compare;
mod report;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use openapi_document::{Budget, Document};

use report::Report;

use crate::{
    import::{self, Published},
    output::{Failure, Output},
    upstream::{self, Difference, Record},
    workspace::vendors,
};

/// The document and the file that are compared.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Vendor, by the name of its document.
    vendor: String,

    /// The vendor's specification: OpenAPI 3.0 or 3.1 or Swagger 2.0, JSON or YAML. Given more than once, the files are one
    /// specification.
    #[arg(long, value_name = "FILE", required = true)]
    from: Vec<PathBuf>,

    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Record the file and its operations in openapi/upstream/ as checked. Accepted differences are kept.
    #[arg(long)]
    record: bool,
}

/// A form of the report.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    Text,
    /// For an issue that a scheduled job opens.
    Markdown,
    Json,
}

/// Runs the command in the repository at `root`. Exit code 0 without unexplained differences, 1 with some, 2 if nothing can be compared.
pub(crate) fn run(root: &Path, arguments: &Arguments, output: &mut Output<'_>) -> Result<ExitCode, Failure> {
    output.as_json = matches!(arguments.format, Format::Json);
    let report = compared(root, arguments)?;
    let text = match arguments.format {
        Format::Text => {
            for line in &report.skipped {
                output.note(line)?;
            }
            report::text(&report)
        }
        Format::Markdown => report::markdown(&report),
        Format::Json => report::json(&report),
    };
    write!(output.out, "{text}")?;
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn compared(root: &Path, arguments: &Arguments) -> Result<Report, String> {
    let selected = vendors::select(vendors::find(root)?, std::slice::from_ref(&arguments.vendor))?;
    let vendor = selected.first().ok_or("no vendor")?;
    let name = vendor.document();
    let text =
        Budget::from_env().read_text(&root.join(&name)).map_err(|error| format!("{name}: cannot be read: {error}"))?;
    let ours = Document::parse(&name, &text)?;
    let theirs = import::read_all(&arguments.from)?;
    let file = format!("openapi/upstream/{}.toml", vendor.name);
    let written = match fs::read_to_string(root.join(&file)) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(format!("{file}: cannot be read: {error}")),
    };
    let recorded = Record::read(&file, &written)?;
    let report = check(&vendor.name, &ours, &theirs, recorded)?;
    if arguments.record {
        let today = chrono::Utc::now().format("%Y-%m-%d").to_string();
        let known = upstream::uncurated(&ours.root, &theirs);
        let text = upstream::renewed(&vendor.name, &written, &theirs, &today, &known);
        let path = root.join(&file);
        let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
        folder.and_then(|()| fs::write(&path, text)).map_err(|error| format!("{file}: cannot be written: {error}"))?;
    }
    Ok(report)
}

/// Returns the report of one document and one specification.
fn check(vendor: &str, ours: &Document, theirs: &Published, recorded: Record) -> Result<Report, String> {
    let mut differences = compare::differences(&ours.root, theirs)?;
    differences.sort();
    differences.dedup();
    let (mut unexplained, mut accepted) = (Vec::new(), Vec::new());
    let mut used = vec![false; recorded.accepted.len()];
    for difference in differences {
        match recorded.accepted.iter().position(|entry| entry.fits(&difference)) {
            Some(index) => {
                used[index] = true;
                accepted.push((difference, recorded.accepted[index].reason.clone()));
            }
            None => unexplained.push(difference),
        }
    }
    for (entry, _) in recorded.accepted.iter().zip(&used).filter(|(_, used)| !**used) {
        let text = format!("accepted ({}), but there is no such difference any more: remove the entry", entry.reason);
        unexplained.push(Difference { at: entry.at.clone(), kind: "stale".to_owned(), text });
    }
    let mut added = upstream::uncurated(&ours.root, theirs);
    added.values_mut().for_each(|operations| operations.retain(|operation| !recorded.known.contains(operation)));
    added.retain(|_, operations| !operations.is_empty() && !recorded.file.is_empty());
    Ok(Report {
        vendor: vendor.to_owned(),
        file: theirs.file.clone(),
        edition: theirs.edition.to_string(),
        sha256: theirs.sha256.clone(),
        recorded,
        unexplained,
        accepted,
        added,
        skipped: theirs.skipped.clone(),
    })
}

#[cfg(test)]
mod tests;
