//! The program: see `spec-diff --help`.

use std::{
    io::{Write as _, stderr, stdout},
    process::ExitCode,
};

use openapi_document::text::printable;
use spec_diff::cli::{Arguments, Env, run};

fn main() -> ExitCode {
    let arguments = match Arguments::from_process() {
        Ok(arguments) => arguments,
        Err(error) => {
            _ = writeln!(stderr(), "error: {}", printable(&error));
            return ExitCode::from(2);
        }
    };
    run(&arguments, &Env::from_process(), &mut stdout().lock(), &mut stderr().lock()).unwrap_or_else(|error| {
        _ = writeln!(stderr(), "error: {error}");
        ExitCode::from(2)
    })
}
