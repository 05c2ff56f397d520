//! Consent to changes at a vendor or in an outbox.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use clap::Args;

use crate::exit::Failure;

/// A longer input is not a "y".
const MAX_INPUT_BYTES: u64 = 64;

/// The options of verbs that change something at a vendor or in an outbox.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct WriteArguments {
    /// Do not ask. Required if there is no terminal.
    #[arg(long)]
    yes: bool,

    /// Print the requests, or the events of an outbox that would change, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

impl WriteArguments {
    /// Asks on a terminal whether to do something, such as "send 3 events to Suger".
    ///
    /// # Errors
    /// If the user declines, or there is no terminal and no `--yes`.
    pub(crate) fn require(self, what: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Err(Failure::Usage(format!(
                "nothing was done: use --yes to {what}, or --dry-run to see what that is"
            )));
        }
        let _ = write!(io::stderr(), "{what}? [y/N] ");
        match is_yes(&mut io::stdin().lock()) {
            true => Ok(()),
            false => Err(Failure::Local("nothing was done".to_owned())),
        }
    }
}

fn is_yes(input: &mut impl BufRead) -> bool {
    let mut line = String::new();
    let read = input.take(MAX_INPUT_BYTES).read_line(&mut line);
    read.is_ok() && ["y", "yes"].contains(&line.trim().to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_consent() {
        for (text, expected) in
            [("y\n", true), ("YES\r\n", true), ("", false), ("\n", false), ("no\n", false), ("yesterday\n", false)]
        {
            assert_eq!(is_yes(&mut text.as_bytes()), expected, "{text:?}");
        }
        assert!(!is_yes(&mut io::BufReader::new(io::repeat(b'y'))));
    }
}
