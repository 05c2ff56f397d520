//! The options that select accounts.

use std::path::PathBuf;
use std::time::Instant;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use clap::Args;
use usage_billing::printable;
use usage_billing_sandbox::{Sandbox, SandboxBuilder};

use super::account::Account;
use super::clients::{self, AccountClient};
use super::config_file::ConfigFile;
use super::resolve::{Choice, resolve};
use super::vendor::Vendor;
use crate::exit::Failure;
use crate::terminal;

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct SelectionArguments {
    /// Configuration file [default: USAGE_BILLING_CONFIG, or usage-billing/config.toml in the configuration folder of the platform].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Profile of the configuration file. Its settings replace those of the environment.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,

    /// Account of the profile, if it has several. Can be repeated.
    #[arg(long, value_name = "NAME")]
    account: Vec<String>,
}

/// The accounts of a verb, or a sandbox in their place.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct AccountArguments {
    #[command(flatten)]
    selection: SelectionArguments,

    /// Use a sandbox that runs for this call, in place of accounts.
    #[arg(long, conflicts_with_all = ["config", "profile", "account"])]
    pub(crate) sandbox: bool,

    #[command(flatten)]
    day: DayArguments,
}

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct DayArguments {
    /// Take noon of this day (UTC) as the current time, also in the sandbox of --sandbox, for the same output on any day [default: now].
    #[arg(long, value_name = "DAY", value_parser = day)]
    today: Option<NaiveDate>,
}

fn day(text: &str) -> Result<NaiveDate, String> {
    text.parse().map_err(|_| "expected a day of the calendar such as 2026-11-21".to_owned())
}

impl DayArguments {
    /// Returns the current time. The program reads the clock here only.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.today.map_or_else(Utc::now, |day| day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(12))
    }
}

/// Clients, and the sandbox that they use, which stops when it is dropped.
pub(crate) struct Clients {
    pub(crate) clients: Vec<AccountClient>,
    pub(crate) sandbox: Option<Sandbox>,
}

impl SelectionArguments {
    /// Returns the accounts of the wanted vendors; of all if none is named. They are complete, but secrets are not read yet.
    pub(crate) fn accounts(&self, wanted: &[Vendor]) -> Result<Vec<Account>, Failure> {
        let accounts = self.configured(wanted)?;
        accounts.iter().try_for_each(Account::check_complete)?;
        Ok(accounts)
    }

    /// Returns the clients of the wanted vendors' accounts; of all if none is named.
    pub(crate) fn clients(&self, wanted: &[Vendor]) -> Result<Vec<AccountClient>, Failure> {
        clients::of_accounts(&self.accounts(wanted)?)
    }

    /// Returns the accounts of the wanted vendors as far as they are configured.
    pub(crate) fn configured(&self, wanted: &[Vendor]) -> Result<Vec<Account>, Failure> {
        let file = self.config_file()?;
        let environment_profile = variable("USAGE_BILLING_PROFILE")?;
        let choice = Choice {
            profile: self.profile.as_deref(),
            environment_profile: environment_profile.as_deref(),
            accounts: &self.account,
        };
        resolve(&choice, file.as_ref(), wanted, &variable)
    }

    fn config_file(&self) -> Result<Option<ConfigFile>, Failure> {
        // Not read by clap: --sandbox is in conflict with the option only.
        let of_environment = variable("USAGE_BILLING_CONFIG")?.map(PathBuf::from);
        match self.config.clone().or(of_environment) {
            Some(path) => ConfigFile::read(&path)?.map(Some).ok_or_else(|| {
                Failure::Usage(format!("the configuration {} does not exist", printable(&path.to_string_lossy())))
            }),
            None => ConfigFile::default_path().map_or(Ok(None), |path| ConfigFile::read(&path)),
        }
    }
}

impl AccountArguments {
    /// Returns the current time.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.day.now()
    }

    /// Rejects `--today` for verbs whose requests to a vendor do not depend on the day.
    pub(crate) fn reject_unused_day(&self) -> Result<(), Failure> {
        match (self.day.today, self.sandbox) {
            (Some(_), false) => {
                Err(Failure::Usage("--today changes only the sandbox here: omit it, or add --sandbox".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Returns clients of the wanted vendors; of all that are configured if none is named.
    pub(crate) async fn clients(&self, wanted: &[Vendor]) -> Result<Clients, Failure> {
        let sandbox = match self.sandbox {
            true => Some(start_sandbox(self.day.today).await?),
            false => None,
        };
        let clients = match &sandbox {
            Some(sandbox) => {
                clients::of_sandbox(wanted, sandbox.url()).map_err(|error| Failure::Usage(error.to_string()))?
            }
            None => self.selection.clients(wanted)?,
        };
        if clients.is_empty() {
            return Err(none_configured(wanted));
        }
        let with_now = |one: AccountClient| match self.day.today {
            Some(_) => AccountClient { client: one.client.with_now(self.now()), ..one },
            None => one,
        };
        Ok(Clients { clients: clients.into_iter().map(with_now).collect(), sandbox })
    }

    /// Returns the settings of the only account of a vendor, as far as it is configured. A sandbox has none.
    pub(crate) fn account(&self, vendor: Vendor) -> Result<Option<Account>, Failure> {
        if self.sandbox {
            return Ok(None);
        }
        let mut accounts = self.selection.configured(&[vendor])?;
        require_one(vendor, accounts.iter().map(|one| &*one.name))?;
        Ok(accounts.pop())
    }

    /// Returns the current time, and how it continues: also that of `--today` does.
    pub(crate) fn clock(&self) -> impl Fn() -> DateTime<Utc> + Send + Sync + 'static {
        let (today, start, begun) = (self.day.today, self.now(), Instant::now());
        move || match today {
            Some(_) => start + TimeDelta::from_std(begun.elapsed()).unwrap_or_default(),
            None => Utc::now(),
        }
    }

    /// Returns the only client of a vendor, and what it needs.
    pub(crate) async fn client(&self, vendor: Vendor) -> Result<(AccountClient, Clients), Failure> {
        let mut all = self.clients(&[vendor]).await?;
        require_one(vendor, all.clients.iter().map(|one| &*one.name))?;
        match all.clients.pop() {
            Some(client) => Ok((client, all)),
            None => Err(none_configured(&[vendor])),
        }
    }
}

/// Rejects several accounts of a vendor.
fn require_one<'a>(vendor: Vendor, names: impl Iterator<Item = &'a str>) -> Result<(), Failure> {
    let names: Vec<_> = names.map(|name| printable(name).to_string()).collect();
    if names.len() < 2 {
        return Ok(());
    }
    let (number, vendor, names) = (names.len(), vendor.name(), names.join(", "));
    Err(Failure::Usage(format!("{number} accounts of {vendor}: choose one of {names} with --account")))
}

/// Returns the value of an environment variable; `None` if it is missing or empty.
fn variable(name: &str) -> Result<Option<String>, Failure> {
    let text = std::env::var_os(name).unwrap_or_default().into_string();
    let text = text.map_err(|_| Failure::Usage(format!("{name} in the environment is not UTF-8")))?;
    Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
}

/// Starts a sandbox and prints its address.
async fn start_sandbox(today: Option<NaiveDate>) -> Result<Sandbox, Failure> {
    let failed = |error| Failure::Local(format!("the sandbox cannot listen on 127.0.0.1: {error}"));
    let builder = today.into_iter().fold(Sandbox::builder().polls_before_ready(1), SandboxBuilder::today);
    let sandbox = builder.start().await.map_err(failed)?;
    terminal::print_progress(&format!("sandbox: {}", sandbox.url()));
    Ok(sandbox)
}

fn none_configured(wanted: &[Vendor]) -> Failure {
    let vendors: Vec<_> = wanted.iter().map(|vendor| vendor.name()).collect();
    let what = if vendors.is_empty() { "vendor".to_owned() } else { format!("account of {}", vendors.join(", ")) };
    Failure::Usage(format!(
        "no {what} is configured: use --sandbox, a configuration file, or the variables listed by `usage-billing vendors --help`"
    ))
}
