//! The program: see `spec-diff --help`.

use std::{
    io::{stderr, stdout},
    process::ExitCode,
};

use clap::Parser as _;
use spec_diff::cli::{Arguments, Env, run};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    run(&arguments, &Env::from_process(), &mut stdout().lock(), &mut stderr().lock()).unwrap_or_else(|error| {
        _ = std::io::Write::write_fmt(&mut stderr(), format_args!("error: {error}\n"));
        ExitCode::from(2)
    })
}
