//! `meter retry`.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use usage_billing::suger::types::UsageRecordGroupStatus as Status;
use usage_billing_core::ClientInfo as _;

use super::groups::{self, GroupArguments};
use super::outbox::{self, InsteadArguments, OutboxArguments, StateArguments};
use crate::accounts::AccountArguments;
use crate::commands::output::FormatArguments;
use crate::commands::request_line::{self, RequestLine};
use crate::consent::WriteArguments;
use crate::exit::{Failure, PARTIAL};
use crate::terminal;

#[derive(Args)]
pub(crate) struct RetryArguments {
    #[command(flatten)]
    states: StateArguments,

    #[command(flatten)]
    groups: GroupArguments,

    #[command(flatten)]
    outbox: InsteadArguments,

    #[command(flatten)]
    format: FormatArguments,

    #[command(flatten)]
    write: WriteArguments,

    #[command(flatten)]
    accounts: AccountArguments,
}

pub(super) async fn run(arguments: RetryArguments) -> Result<ExitCode, Failure> {
    // Groups have no key of events.
    let outbox = arguments.outbox.wanted();
    if let Some(outbox) = outbox.or((!arguments.states.keys.is_empty()).then_some(OutboxArguments { outbox: None })) {
        let RetryArguments { states, groups, format, write, accounts, .. } = arguments;
        return outbox::requeue(&outbox, states, groups.period, groups.entitlement, (format, write), &accounts).await;
    }
    let (client, _clients) = groups::client(&arguments.accounts).await?;
    let failed = groups::list(&client, &arguments.groups, Some(Status::ReportFailed), arguments.accounts.now()).await?;
    if arguments.write.dry_run {
        let lines = failed.iter().filter_map(|group| {
            let parameters = [("orgId", client.org_id()), ("groupId", group.id.as_ref()?)];
            let path = request_line::path("/org/{orgId}/usageRecordGroup/{groupId}/retry", parameters);
            Some(RequestLine::new("POST", client.api().baseurl(), &path).text())
        });
        terminal::print(&lines.collect::<Result<String, _>>()?).map_err(Failure::of_output)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !failed.is_empty() {
        arguments.write.require(&format!("requeue {} at Suger", terminal::count(failed.len(), "failed group")))?;
    }
    let changes = client.retry_groups(failed).await;
    let failures: Vec<_> =
        changes.failed.iter().map(|(group, error)| json!({"group": group, "error": error.to_string()})).collect();
    let value = json!({"requeued": changes.changed, "failed": failures});
    arguments.format.print(&value, || {
        let requeued = changes.changed.iter().map(|group| (group, String::new()));
        groups::table(changes.failed.iter().map(|(group, error)| (group, error.to_string())).chain(requeued))
    })?;
    let requeued = terminal::count(changes.changed.len(), "group");
    terminal::print_progress(&format!(
        "suger: {requeued} requeued for the next hourly run, {} not",
        changes.failed.len()
    ));
    match (changes.changed.is_empty(), changes.failed.is_empty()) {
        (_, true) => Ok(ExitCode::SUCCESS),
        (false, false) => Ok(ExitCode::from(PARTIAL)),
        (true, false) => {
            let errors: Vec<_> = changes.failed.into_iter().map(|(_, error)| error).collect();
            errors.iter().take(1).for_each(|error| terminal::eprint_line(&format!("suger: {error}")));
            Ok(Failure::Vendors(errors).code())
        }
    }
}
