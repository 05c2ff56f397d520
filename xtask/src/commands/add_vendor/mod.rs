//! `cargo xtask add-vendor`: a published specification in, a crate out.

mod list;
mod loss_report;
mod names;
pub(crate) mod remove;
mod templates;
mod transaction;
mod unsupported;
mod workspace_edits;
mod yaml_writer;

use std::{
    ffi::OsString,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Instant,
};

use workspace_edits::Change;

use crate::{
    codegen::{GeneratedFiles, PrintedDocument},
    import::{self, Choice, Conversion, Loss, Published},
    output::{Failure, Output},
    packed::PackedText,
};

/// Which operations of which specification become a crate of which name.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Name of the vendor's document, crate and feature: lower case letters, digits and hyphens.
    #[arg(required_unless_present = "list")]
    name: Option<String>,

    /// The vendor's specification: OpenAPI 3.0 or 3.1 or Swagger 2.0, JSON or YAML.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,

    /// Operations with this tag.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,

    /// An operation by its operationId, or as "GET /path".
    #[arg(long = "operation", value_name = "ID")]
    operations: Vec<String>,

    /// Operations whose path matches: `*` is a part of a segment, `**` any segments.
    #[arg(long = "path", value_name = "GLOB")]
    paths: Vec<String>,

    /// Write nothing: print the document, and on standard error what could not be converted.
    #[arg(long)]
    dry_run: bool,

    /// Write nothing: print the specification's tags and operations with their sizes.
    #[arg(long)]
    list: bool,

    /// Replace the generated document of an earlier run. Overwrites changes to the files that it wrote.
    #[arg(long)]
    replace: bool,

    /// Keep what was written if the crate does not pass its checks, to look at it.
    #[arg(long)]
    keep: bool,
}

/// Everything that is to be written, before anything is.
struct Plan<'a> {
    name: &'a str,
    published: &'a Published,
    draft: &'a Conversion,
    /// `openapi/<name>.yaml`.
    document: &'a str,
    sources: &'a GeneratedFiles,
    today: &'a str,
}

/// Runs the command in the repository at `root`. Exit code 1 if the crate does not pass its checks, 2 if none can be made.
pub(crate) fn run(root: &Path, arguments: &Arguments, output: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let start = Instant::now();
    let mut published = import::read(&arguments.from)?;
    for line in &published.skipped {
        output.note(line)?;
    }
    let choice = Choice {
        tags: arguments.tags.clone(),
        operations: arguments.operations.clone(),
        paths: arguments.paths.clone(),
    };
    if arguments.list {
        return list::list(&published, &choice, output.out);
    }
    let name = arguments.name.as_deref().unwrap_or_default();
    let today = chrono::Utc::now().format("%Y-%m-%d").to_string();
    let (draft, document, code) = drafted(&mut published, &choice, name, &today)?;
    if arguments.dry_run {
        io::copy(&mut document.reader(), output.out)?;
        write!(output.err, "{}", loss_report::text(&draft, usize::MAX))?;
        return Ok(ExitCode::SUCCESS);
    }
    published.unpack();
    let (document, sources) = (io::read_to_string(document.reader())?, code.files());
    let plan =
        Plan { name, published: &published, draft: &draft, document: &document, sources: &sources, today: &today };
    // The workspace names the crate last: it is whole without.
    let edits = workspace_edits::edits(root, name, arguments.replace)?;
    let changes = [templates::new(&plan)?, edits].concat();
    let done = transaction::all(root, &changes)?;
    let Output { out, err, .. } = output;
    let good = compiles(root, name, (&draft, &changes), out);
    if !matches!(good, Ok(true)) {
        if !arguments.keep {
            done.undo();
        }
        // The output cannot be written, or the crate does not compile.
        good?;
        writeln!(err, "{}", loss_report::failed(name, arguments.keep))?;
        return Ok(ExitCode::FAILURE);
    }
    write!(out, "\n{}", loss_report::next(name, start.elapsed().as_secs_f32()))?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the draft, the text of its document, packed, and the crate's generated code. An operation that cannot be generated is left
/// out. The specification is packed afterwards: the generator needs the memory.
fn drafted(
    published: &mut Published,
    choice: &Choice,
    name: &str,
    today: &str,
) -> Result<(Conversion, PackedText, PrintedDocument), String> {
    names::check(name)?;
    if choice.is_empty() {
        return Err("no operations selected; choose with --tag, --operation or --path (--list shows them)".to_owned());
    }
    let mut left_out = Vec::<Loss>::new();
    loop {
        let mut chosen = choice.of(&published.root)?;
        chosen.retain(|operation| left_out.iter().all(|loss| loss.at != operation.pointer));
        let count = chosen.len();
        let mut draft = import::convert(published, &chosen, today)?;
        draft.losses.splice(0..0, left_out.iter().cloned());
        published.pack();
        match unsupported::generated(name, &mut draft, published) {
            Ok((text, code)) => {
                let losses = code.omitted().iter().map(|omitted| unsupported::omission(&draft, omitted));
                let losses = losses.collect::<Vec<_>>();
                draft.losses.extend(losses);
                return Ok((draft, text, code));
            }
            Err(failure) => {
                let causes = unsupported::causes(&draft, &failure);
                published.unpack();
                let known = left_out.len();
                let losses = causes.into_iter().map(|at| unsupported::loss(&published.root, at, &failure.reason));
                left_out.extend(losses);
                if left_out.len() == known || left_out.len() - known == count {
                    return Err(failure.reason);
                }
            }
        }
    }
}

/// Writes what was written and lost, and returns whether the crate compiles and passes.
fn compiles(
    root: &Path,
    name: &str,
    (draft, changes): (&Conversion, &[Change]),
    out: &mut dyn Write,
) -> std::io::Result<bool> {
    for (file, text) in changes {
        writeln!(out, "wrote {file} ({} lines)", text.lines().count())?;
    }
    write!(out, "\n{}\n", loss_report::text(draft, 3))?;
    let package = names::package(name);
    Ok(cargo(root, &["check", "--package", &package, "--features", "mock"], out)?
        && cargo(root, &["check", "--package", "usage-billing", "--features", name], out)?
        && cargo(root, &["test", "--package", &package], out)?)
}

fn cargo(root: &Path, arguments: &[&str], out: &mut dyn Write) -> std::io::Result<bool> {
    writeln!(out, "$ cargo {}", arguments.join(" "))?;
    out.flush()?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    without_package_variables(&mut command, std::env::vars_os().map(|(name, _)| name));
    let status = command.current_dir(root).args(arguments).arg("--quiet").status()?;
    Ok(status.success())
}

/// Removes what `cargo run` sets for xtask's own package: build scripts that watch these variables (ring's) would run again, and
/// everything that depends on them would be compiled again, now and in the next build without them.
fn without_package_variables(command: &mut Command, names: impl Iterator<Item = OsString>) {
    for name in names {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_MANIFEST_") || text.starts_with("CARGO_PKG_") {
            command.env_remove(&name);
        }
    }
}

#[cfg(test)]
mod cases;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod untrusted_text;
