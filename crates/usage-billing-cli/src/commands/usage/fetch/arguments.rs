//! The arguments of `usage fetch`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use usage_billing::uuid::Uuid;

use super::acronis_arguments::AcronisArguments;
use super::client_selection::ClientSelection;
use super::period_argument::PeriodArgument;
use crate::accounts::{AccountArguments, Vendor};
use crate::formats::Format;

pub(crate) const HELP: &str = "Environment (without --sandbox; a vendor is used if its variables are set):
  GENESYS_REGION       name (eu-central-1), domain (mypurecloud.de) or URL
  GENESYS_CLIENT_ID, GENESYS_CLIENT_SECRET
  SUGER_ORG_ID, SUGER_API_KEY
  SUGER_BASE_URL       if it is not https://api.suger.cloud
  ACRONIS_DATA_CENTER  host (eu2-cloud.acronis.com) or URL
  ACRONIS_CLIENT_ID, ACRONIS_CLIENT_SECRET

  GENESYS_CLIENT_SECRET_FILE, SUGER_API_KEY_FILE and ACRONIS_CLIENT_SECRET_FILE each name a file that holds the \
secret, in place of the variable with the secret; only the file's owner may have access to it (chmod 600), and the group of root's.
  USAGE_BILLING_ALLOW_HTTP=1 permits http:// URLs of other machines, to which credentials are sent unencrypted.
  HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY and SSL_CERT_FILE, SSL_CERT_DIR are used as other programs use them.

Examples:
  usage-billing usage fetch --sandbox
  usage-billing usage fetch acronis --period 2026-10 --output october.csv
  usage-billing usage fetch --period 2025-11..2026-10 --output year.parquet
  # A data set; repeat it to continue or update:
  usage-billing usage fetch --period 2025-11..2026-10 --output usage-data/
  usage-billing usage fetch genesys --clients none --output bill.xlsx
  # Resume a report:
  usage-billing usage fetch acronis --report 41b9e2d0-7c36-4f58-9a0b-5d8e1f6c2a73";

#[derive(Args)]
pub(crate) struct FetchArguments {
    #[command(flatten)]
    pub(crate) accounts: AccountArguments,

    /// Vendors to fetch from [default: all that have settings].
    #[arg(value_name = "VENDOR", value_enum, value_delimiter = ',')]
    pub(crate) vendors: Vec<Vendor>,

    /// A month (2026-10), last-month, a quarter (2026-Q3), a year (2026), months (2025-11..2026-10, both included), or a start and an excluded
    /// end (2026-10-01/2026-10-15), in UTC. Longer periods are fetched month by month [default: last month].
    #[arg(long)]
    pub(crate) period: Option<PeriodArgument>,

    /// First day (2026-08-01) or instant (2026-08-01T00:00:00Z) of the period, in place of --period.
    #[arg(long, value_name = "DAY", conflicts_with = "period")]
    pub(crate) since: Option<String>,

    /// First day or instant after the period [default: the first day of this month].
    #[arg(long, value_name = "DAY", requires = "since")]
    pub(crate) until: Option<String>,

    /// Also fetch a period that has not ended; its quantities may still change.
    #[arg(long)]
    pub(crate) allow_open: bool,

    /// Resume the Acronis report with this id, as printed by `usage fetch`.
    #[arg(long, value_name = "ID", value_parser = report_id, conflicts_with_all = ["period", "since", "sandbox"])]
    pub(crate) report: Option<Uuid>,

    /// Delete the Acronis reports that this call creates, once their rows have been read. Existing reports are never deleted.
    #[arg(long, conflicts_with = "report")]
    pub(crate) delete_report: bool,

    #[command(flatten)]
    pub(crate) acronis: AcronisArguments,

    /// Client organizations of a Genesys Cloud partner whose bills are fetched: all, none, or their ids, separated by commas.
    #[arg(long, value_name = "all|none|ID,…", default_value = "all")]
    pub(crate) clients: ClientSelection,

    /// Also print Genesys Cloud's own charges of contracts (preview; needs billing:subscription:view) and where ours differ from them. A
    /// client organization's charge takes the place of its bill's row where the two differ.
    #[arg(long, conflicts_with = "report")]
    pub(crate) genesys_contracts: bool,

    /// Output format of the rows [default: that of the file's extension; else a table on a terminal, and jsonl in a pipe].
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,

    /// File to write, in place of stdout (-); its extension states the format. It appears, or replaces the existing one, once it is complete. A
    /// folder (an existing one, or a name that ends with /) is a data set: one Parquet file for each account and month. A repeated fetch adds
    /// months, replaces those that were not final, and keeps final ones.
    #[arg(long, short, value_name = "FILE|DIR/")]
    pub(crate) output: Option<PathBuf>,

    /// Write CSV for spreadsheets: with a byte order mark, and an apostrophe before cells that would be formulas.
    #[arg(long)]
    pub(crate) excel: bool,

    /// Fetch months again that are final in the data set, or were fetched with other options.
    #[arg(long, requires = "output")]
    pub(crate) force: bool,

    /// Write nothing unless everything was fetched: a partial result is a failure. To a data set, only complete months are written.
    #[arg(long)]
    pub(crate) require_all: bool,

    /// Time limit of all calls to a vendor for one month: 90s, 10m, 1h30m, or a number of seconds.
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "10m")]
    pub(crate) timeout: Duration,

    /// Memory limit for the usage of one vendor in one month, in MiB; the default is enough for about 30,000 rows.
    #[arg(long, value_name = "MIB", value_parser = RangedU64ValueParser::<usize>::new().range(1..=1 << 20), default_value = "64")]
    pub(crate) max_usage_mib: usize,
}

/// Reads the id of an Acronis report.
pub(crate) fn report_id(text: &str) -> Result<Uuid, String> {
    text.parse().map_err(|_| "expected a UUID such as 41b9e2d0-7c36-4f58-9a0b-5d8e1f6c2a73".to_owned())
}

fn time(text: &str) -> Result<Duration, String> {
    let expected = "expected a time such as 90s, 10m or 1h30m, or a whole number of seconds";
    let seconds = text.parse().map(Duration::from_secs);
    seconds.or_else(|_| humantime::parse_duration(text)).map_err(|_| expected.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_id_states_the_expected_form() {
        assert!(report_id("not-a-uuid").unwrap_err().starts_with("expected a UUID such as 41b9e2d0-"));
    }

    #[test]
    fn time_is_read_with_units_and_as_seconds() {
        for (text, seconds) in [
            ("0", 0),
            ("90", 90),
            ("90s", 90),
            ("10m", 600),
            ("2h", 7_200),
            ("1h30m", 5_400),
            ("1h 30m", 5_400),
            ("1d", 86_400),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(time(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", " ", "-1", "soon", "1.5", "10x", "s", "99999999999999999999", "99999999999999999999h", "5 m s"]
        {
            let error = time(text).unwrap_err();
            assert!(error.starts_with("expected a time such as 90s"), "{text}: {error}");
        }
    }
}
