//! Stage 3: progenitor, called so that its panics and errors become one line.

mod panic;
mod run;
mod settings;
mod type_builders;

pub(super) use run::{client, mock};
pub(super) use type_builders::TypeBuilders;
