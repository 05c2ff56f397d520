//! The outcome of all calls of a fetch.

use std::collections::BTreeMap;
use std::process::ExitCode;

use usage_billing::{Error, Result};

use super::checks::{Customers, duplicate_keys};
use super::target::FetchTarget;
use super::vendor_usage::Fetched;
use crate::exit::{CHECK_FAILED, Failure, PARTIAL};
use crate::terminal;

/// The counts of fetched and failed calls, and the results of the checks. Its size does not depend on the number of rows.
#[derive(Default)]
pub(crate) struct Summary {
    calls: usize,
    errors: Vec<Error>,
    /// Accounts with the months of which something is missing.
    incomplete: Vec<String>,
    /// Why months that were fetched are not written.
    unwritten: Vec<Failure>,
    has_duplicates: bool,
    /// Customers of each account's month before, by label.
    customers: BTreeMap<String, Customers>,
}

impl Summary {
    /// Adds the outcome of one call and prints what is conspicuous. `before` are the customers of the month before, if another source than the
    /// last call has them.
    pub(crate) fn add(
        &mut self,
        label: &str,
        target: FetchTarget,
        outcome: &Result<Fetched>,
        before: Option<Customers>,
    ) {
        self.calls += 1;
        let before = before.or(self.customers.remove(label));
        let (rows, is_complete) = match outcome {
            Ok(fetched) => (&fetched.rows, fetched.errors.is_empty()),
            Err(error) => {
                self.errors.push(error.clone());
                self.incomplete.push(format!("{label} {target}"));
                return;
            }
        };
        let warn = |line: &str| terminal::eprint_line(&format!("warning: {label} {target}: {line}"));
        if !is_complete {
            self.incomplete.push(format!("{label} {target}"));
        }
        if rows.is_empty() {
            warn("the vendor has no rows");
        }
        let duplicates = duplicate_keys(rows);
        if let Some(key) = duplicates.first() {
            self.has_duplicates = true;
            let count = terminal::count(duplicates.len(), "row_key");
            terminal::eprint_line(&format!("check failed: {label} {target}: {count} of several rows, such as {key}"));
        }
        // Of an incomplete month, customers may be missing for another reason.
        if is_complete {
            let customers: Customers = rows.iter().collect();
            before.and_then(|before| before.missing_in(&customers)).iter().for_each(|line| warn(line));
            self.customers.insert(label.to_owned(), customers);
        }
    }

    /// Adds a month that was fetched, but cannot be written.
    pub(crate) fn add_unwritten(&mut self, label: &str, target: FetchTarget, failure: Failure) {
        let month = format!("{label} {target}");
        if !self.incomplete.contains(&month) {
            self.incomplete.push(month);
        }
        self.unwritten.push(failure);
    }

    /// Rejects the result if nothing was fetched or written, or if something is missing and everything is required.
    pub(crate) fn require(&mut self, all: bool, kept: &str) -> Result<(), Failure> {
        if self.calls > 0 && self.errors.len() == self.calls {
            return Err(Failure::Vendors(std::mem::take(&mut self.errors)));
        }
        let is_nothing_written = self.errors.len() + self.unwritten.len() >= self.calls;
        let last = self.unwritten.pop();
        self.unwritten.iter().for_each(|failure| terminal::eprint_line(&format!("error: {failure}")));
        match last {
            Some(failure) if is_nothing_written => return Err(failure),
            Some(failure) => terminal::eprint_line(&format!("error: {failure}")),
            None => {}
        }
        if all && !self.incomplete.is_empty() {
            let line = format!("{kept}, as --require-all is set and these failed: {}", self.failed());
            return Err(Failure::Incomplete(line));
        }
        Ok(())
    }

    /// Prints a line if the rows are incomplete, and returns the exit code.
    pub(crate) fn finish(self) -> ExitCode {
        if !self.incomplete.is_empty() {
            terminal::eprint_line(&format!("partial: the rows are not complete; these failed: {}", self.failed()));
        }
        match (self.has_duplicates, self.incomplete.is_empty()) {
            (true, _) => ExitCode::from(CHECK_FAILED),
            (false, false) => ExitCode::from(PARTIAL),
            (false, true) => ExitCode::SUCCESS,
        }
    }

    fn failed(&self) -> String {
        self.incomplete.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use usage_billing::ErrorKind;

    use super::*;
    use crate::formats::tests::row;

    fn target() -> FetchTarget {
        FetchTarget::Period("2026-10".parse().unwrap())
    }

    fn summarize(outcomes: Vec<Result<Fetched>>) -> Summary {
        let mut summary = Summary::default();
        for outcome in outcomes {
            summary.add("acronis", target(), &outcome, None);
        }
        summary
    }

    fn failed() -> Error {
        Error::new(ErrorKind::Api, "unavailable")
    }

    fn fetched(errors: Vec<Error>) -> Result<Fetched> {
        Ok(Fetched { rows: vec![row("1")], errors })
    }

    #[test]
    fn exit_code_distinguishes_partial_from_failed_fetches() {
        assert_eq!(summarize(vec![fetched(vec![])]).finish(), ExitCode::SUCCESS);
        assert_eq!(summarize(vec![fetched(vec![failed()])]).finish(), ExitCode::from(4));
        assert_eq!(summarize(vec![fetched(vec![]), Err(failed())]).finish(), ExitCode::from(4));
        let twice = Fetched { rows: vec![row("1"), row("2")], errors: vec![failed()] };
        assert_eq!(summarize(vec![Ok(twice)]).finish(), ExitCode::from(6));
    }

    #[test]
    fn month_that_is_not_written_is_partial_unless_it_is_all() {
        let unwritten = || Failure::Local("the disk is full".to_owned());
        let mut summary = summarize(vec![fetched(vec![])]);
        summary.add_unwritten("acronis", target(), unwritten());
        assert_eq!(summary.require(false, "").unwrap_err().to_string(), "the disk is full");
        let mut summary = summarize(vec![fetched(vec![]), fetched(vec![])]);
        summary.add_unwritten("acronis", target(), unwritten());
        summary.require(false, "").unwrap();
        assert_eq!(summary.finish(), ExitCode::from(4));
    }

    #[test]
    fn nothing_or_less_than_required_is_a_failure() {
        assert!(matches!(summarize(vec![Err(failed())]).require(false, ""), Err(Failure::Vendors(_))));
        assert!(summarize(vec![fetched(vec![failed()])]).require(false, "").is_ok());
        let failure = summarize(vec![fetched(vec![failed()])]).require(true, "nothing was written").unwrap_err();
        assert_eq!(failure.code(), ExitCode::from(1));
        assert!(failure.to_string().ends_with("these failed: acronis 2026-10"), "{failure}");
        assert!(summarize(vec![fetched(vec![])]).require(true, "nothing was written").is_ok());
    }
}
