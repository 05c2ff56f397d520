//! The operations of a specification, to choose from.

use std::{io::Write, process::ExitCode};

use super::unsupported;
use crate::{
    import::{self, Choice, Published},
    output::Failure,
    text::printable,
};

/// Prints tags and operations with their sizes: all, or those of the choice.
pub(super) fn list(published: &Published, choice: &Choice, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let all = import::operations(&published.root);
    let operations = if choice.is_empty() { all } else { choice.of(&published.root)? };
    writeln!(out, "{}: {}, {} operations\n", printable(&published.file), published.edition, operations.len())?;
    writeln!(out, "{:>10}  tag", "operations")?;
    for (tag, count) in import::tags(&operations) {
        writeln!(out, "{count:>10}  {}", if tag.is_empty() { "(none)".to_owned() } else { printable(tag) })?;
    }
    writeln!(out, "\n{:>7}  operation", "schemas")?;
    for operation in &operations {
        let named = format!("{} {}", operation.method.to_uppercase(), operation.path);
        let converted = import::convert(published, std::slice::from_ref(operation), "2000-01-01").and_then(|draft| {
            unsupported::checked("list", &draft, published)
                .map(|_| draft.schemas.len())
                .map_err(|failure| failure.reason)
        });
        let (size, why) = match converted {
            Ok(schemas) => (schemas.to_string(), String::new()),
            Err(reason) => {
                let reason = reason.strip_prefix(&format!("{named}: ")).unwrap_or(&reason);
                ("cannot".to_owned(), format!(": {reason}"))
            }
        };
        let id = if operation.id().is_empty() { String::new() } else { format!("{}  ", operation.id()) };
        writeln!(out, "{size:>7}  {}", printable(&format!("{id}{named}{why}")))?;
    }
    Ok(ExitCode::SUCCESS)
}
