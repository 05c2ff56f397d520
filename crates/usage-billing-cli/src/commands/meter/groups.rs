//! Usage record groups of a period, and what the verbs of `meter` share.

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use usage_billing::suger;
use usage_billing::suger::types::{MeteringUsageRecordGroup as Group, UsageRecordGroupStatus as Status};
use usage_billing::{Error, ErrorKind, Period};

use crate::accounts::{AccountArguments, Client, Clients, Vendor};
use crate::commands::output;
use crate::exit::Failure;
use crate::formats::table::Content::{Prose, Text, Word};
use crate::formats::table::Display::{Always, IfDiffers, IfSpace};

/// The options that select groups.
#[derive(Args)]
pub(super) struct GroupArguments {
    /// A month (2026-10), or a start and an excluded end (2026-10-01/2026-10-15), in UTC, of the usage [default: this month; of an outbox, all].
    #[arg(long)]
    pub(super) period: Option<Period>,

    /// Entitlement [default: all].
    #[arg(long, value_name = "ID")]
    pub(super) entitlement: Option<String>,
}

impl GroupArguments {
    /// Returns the period of the option, or this month.
    pub(super) fn period(&self, now: DateTime<Utc>) -> Period {
        self.period.unwrap_or_else(|| Period::month_of(now.date_naive()))
    }

    /// Returns whether groups are selected.
    pub(super) fn is_given(&self) -> bool {
        self.period.is_some() || self.entitlement.is_some()
    }
}

/// Returns the only client of Suger.
pub(super) async fn client(accounts: &AccountArguments) -> Result<(suger::Client, Clients), Failure> {
    let (account, clients) = accounts.client(Vendor::Suger).await?;
    match account.client {
        Client::Suger(client) => Ok((client, clients)),
        Client::Acronis(_) | Client::Genesys(_) => {
            Err(Error::new(ErrorKind::Config, "the account is not one of Suger").into())
        }
    }
}

/// Lists the groups of the options.
pub(super) async fn list(
    client: &suger::Client,
    arguments: &GroupArguments,
    status: Option<Status>,
    now: DateTime<Utc>,
) -> Result<Vec<Group>, Failure> {
    let period = arguments.period(now);
    period.require_started(now).map_err(|error| Failure::Usage(error.to_string()))?;
    let mut groups = client.usage_record_groups_of(period, arguments.entitlement.clone(), status.clone()).await?;
    // The vendor's filter is not relied upon.
    groups.retain(|group| status.is_none() || group.status == status);
    groups.sort_by(|one, other| {
        (&one.entitlement_id, used_at(one), &one.id).cmp(&(&other.entitlement_id, used_at(other), &other.id))
    });
    Ok(groups)
}

fn used_at(group: &Group) -> Option<DateTime<Utc>> {
    group.meta_info.as_ref().and_then(|info| info.timestamp).or(group.creation_time)
}

/// Returns one line for each group.
pub(super) fn table<'a>(groups: impl IntoIterator<Item = (&'a Group, String)>) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let row = |(group, reason): (&Group, String)| {
        let quantities: Vec<_> =
            group.records.iter().map(|(dimension, quantity)| format!("{dimension} {}", quantity.0)).collect();
        [
            text(&group.entitlement_id),
            used_at(group).map_or_else(String::new, |time| time.to_rfc3339_opts(SecondsFormat::Secs, true)),
            group.status.as_ref().map_or_else(String::new, |status| status.as_str().to_owned()),
            quantities.join(", "),
            reason,
            text(&group.id),
            text(&group.usage_record_report_id),
        ]
    };
    let columns = [
        ("ENTITLEMENT", Text, IfDiffers),
        ("TIMESTAMP", Word, Always),
        ("STATUS", Word, Always),
        ("QUANTITIES", Prose, Always),
        ("REASON", Prose, IfDiffers),
        ("ID", Word, IfSpace),
        ("REPORT", Word, IfSpace),
    ];
    output::table(columns, groups.into_iter().map(row))
}
