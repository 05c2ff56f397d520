//! The losses of a draft, and the steps that are left.

use crate::{
    import::{Conversion, Kind, Loss, display_pointer},
    text::{
        markdown::{code_span, plain, safe_characters},
        one_line,
    },
};

/// Returns the losses by kind, with at most that number of locations each.
pub(super) fn text(draft: &Conversion, locations: usize) -> String {
    let mut out = format!("{} operations, {} schemas", draft.operations.len(), draft.schemas.len());
    out.push_str(&format!("; {} things lost or changed\n", draft.losses.len()));
    for (kind, losses) in by_kind(&draft.losses) {
        out.push_str(&format!("\n{} ({})\n", kind.title(), losses.len()));
        for loss in losses.iter().take(locations) {
            out.push_str(&format!(
                "  {}\n    at {}\n",
                loss.text,
                one_line(&safe_characters(&display_pointer(&loss.at)))
            ));
        }
        if losses.len() > locations {
            out.push_str(&format!("  … and {} more\n", losses.len() - locations));
        }
    }
    out
}

/// Returns the losses as a file in Markdown, with all locations, and the parts of the vendor's files that could not be read.
pub(super) fn markdown(name: &str, draft: &Conversion, source: &str, skipped: &[String]) -> String {
    let mut out = format!(
        "# Losses of openapi/{name}.yaml\n\n\
         Written by `cargo xtask add-vendor`, as it found {source}. Pointers are into the vendor's file.\n"
    );
    for (kind, losses) in by_kind(&draft.losses) {
        out.push_str(&format!(
            "\n## {}{} ({})\n\n",
            kind.title()[..1].to_uppercase(),
            &kind.title()[1..],
            losses.len()
        ));
        for loss in losses {
            out.push_str(&format!("- {}: {}\n", plain(&loss.text), code_span(&display_pointer(&loss.at))));
        }
    }
    if !skipped.is_empty() {
        out.push_str(&format!("\n## Not read ({})\n\n", skipped.len()));
        skipped.iter().for_each(|line| out.push_str(&format!("- {}\n", plain(&one_line(&safe_characters(line))))));
    }
    if draft.losses.is_empty() && skipped.is_empty() {
        out.push_str("\nNothing.\n");
    }
    out
}

fn by_kind(losses: &[Loss]) -> Vec<(Kind, Vec<&Loss>)> {
    let mut groups = Vec::<(Kind, Vec<&Loss>)>::new();
    for loss in losses {
        match groups.last_mut().filter(|(kind, _)| *kind == loss.kind) {
            Some((_, group)) => group.push(loss),
            None => groups.push((loss.kind, vec![loss])),
        }
    }
    groups
}

/// Returns the advice for a crate that does not pass.
pub(super) fn failed(name: &str, kept: bool) -> String {
    if kept {
        format!(
            "{name} does not pass; what was written stays, to be looked at. Correct openapi/{name}.yaml and run `cargo xtask generate {name}`, \
             or choose other operations and run this again with --replace"
        )
    } else {
        format!("{name} does not pass; nothing was changed. --keep keeps what was written, to be looked at")
    }
}

/// Returns the steps after the command.
pub(super) fn next(name: &str, seconds: f32) -> String {
    format!(
        "{name} compiles, and every operation goes through its mock and back ({seconds:.0} s). What to do next:\n\
         - openapi/{name}.yaml: compare it with the vendor's documentation; set formats, extensions (x-idempotent, x-pagination, …) and descriptions; \
         `cargo xtask lint {name}` lists what is missing\n\
         - openapi/upstream/{name}.md: what was lost; `cargo xtask upstream {name} --from FILE` compares again when the vendor moves\n\
         - crates/usage-billing-{name}/src/client.rs: the header of request ids and the rate limit, if the vendor documents them\n\
         - README.md: a row in \"What is covered\"\n"
    )
}
