//! `api`: any operation of a vendor's API.

mod call;
mod parameters;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use usage_billing::printable;
use usage_billing_core::Operation;

use self::parameters::Parameter;
use super::output::{self, FormatArguments};
use crate::accounts::{AccountArguments, Vendor};
use crate::consent::WriteArguments;
use crate::exit::Failure;
use crate::formats::table::Content::{Text, Word};
use crate::formats::table::Display::{Always, IfDiffers};
use crate::suggestion::did_you_mean;

pub(crate) const HELP: &str = "Responses are printed unchanged: --format is for the list of operations.

Examples:
  usage-billing api genesys          # the operations
  usage-billing api genesys getOrganizationsMe --sandbox
  usage-billing api suger listEntitlements --param limit=10
  usage-billing api suger retryUsageRecordGroup --yes --param usageRecordGroupId=…";

#[derive(Args)]
pub(crate) struct ApiArguments {
    #[arg(value_enum)]
    vendor: Vendor,

    /// Name of the operation; without it, all are listed.
    operation: Option<String>,

    /// A parameter of the path or the query. Can be repeated.
    #[arg(long = "param", value_name = "NAME=VALUE")]
    parameters: Vec<Parameter>,

    /// File with the JSON of the body; - for stdin.
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,

    #[command(flatten)]
    format: FormatArguments,

    #[command(flatten)]
    write: WriteArguments,

    #[command(flatten)]
    accounts: AccountArguments,
}

pub(crate) async fn run(arguments: ApiArguments) -> Result<ExitCode, Failure> {
    let operations = arguments.vendor.operations();
    match &arguments.operation {
        Some(name) => call::run(&arguments, find(operations, name)?).await,
        None => list(operations, arguments.format),
    }
}

/// Returns the operation with a name, as the vendor or the library spells it.
fn find<'a>(operations: &'a [Operation], name: &str) -> Result<&'a Operation, Failure> {
    let found = operations.iter().find(|operation| operation.name == name || operation.id == name);
    found.ok_or_else(|| {
        let expected = did_you_mean(name, operations.iter().map(|operation| &*operation.name));
        Failure::Usage(format!("unknown operation `{}`: {expected}", printable(name)))
    })
}

fn list(operations: &[Operation], format: FormatArguments) -> Result<ExitCode, Failure> {
    #[derive(Serialize)]
    struct Line<'a> {
        operation: &'a str,
        method: &'a str,
        path: &'a str,
        permissions: &'a [&'a str],
    }
    let lines: Vec<_> = operations
        .iter()
        .map(|one| Line { operation: &one.name, method: one.method, path: &one.path, permissions: one.permissions })
        .collect();
    format.print(&lines, || {
        let row = |line: &Line<'_>| {
            [line.operation, line.method, line.path, &line.permissions.join(" or ")].map(str::to_owned)
        };
        let columns = [
            ("OPERATION", Word, Always),
            ("METHOD", Word, Always),
            ("PATH", Text, Always),
            ("PERMISSION", Text, IfDiffers),
        ];
        output::table(columns, lines.iter().map(row))
    })?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operation_in_either_spelling_is_found_others_get_suggestions() {
        let operations = Vendor::Suger.operations();
        for name in ["listEntitlements", "list_entitlements"] {
            assert_eq!(find(operations, name).unwrap().path, "/org/{orgId}/entitlement", "{name}");
        }
        let line = find(operations, "listEntitlement").unwrap_err().to_string();
        assert_eq!(line, "unknown operation `listEntitlement`: did you mean `listEntitlements`?");
    }
}
