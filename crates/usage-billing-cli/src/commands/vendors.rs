//! `vendors`: what is configured, and where.

use std::process::ExitCode;

use clap::{Args, ValueEnum as _};
use serde::Serialize;

use super::output::{self, FormatArguments};
use crate::accounts::{Account, SelectionArguments, Setting, Value, Vendor};
use crate::exit::Failure;
use crate::formats::table::Content::{Text, Word};
use crate::formats::table::Display::{Always, IfDiffers, IfSpace};
use crate::terminal;

pub(crate) const HELP: &str =
    "Configuration file (usage-billing/config.toml in the configuration folder, or --config, or USAGE_BILLING_CONFIG):
  profile = \"default\"             # without --profile and USAGE_BILLING_PROFILE

  [profiles.default.acronis]      # an account, named after its vendor
  data_center = \"eu2-cloud.acronis.com\"
  client_id = \"…\"
  # Beside this file; only its owner may read it:
  client_secret_file = \"acronis.secret\"

  [profiles.default.genesys-emea] # another name needs the vendor
  vendor = \"genesys\"
  region = \"eu-central-1\"
  client_id = \"…\"
  # Run without a shell:
  client_secret_command = [\"op\", \"read\", \"op://billing/genesys/secret\"]

  [profiles.default.suger]
  org_id = \"…\"
  api_key_file = \"/run/secrets/suger\"
  outbox = \"usage.sqlite\"         # of `meter`; beside this file

Environment (before the file, unless --profile or --account is given):
  GENESYS_REGION, GENESYS_CLIENT_ID, GENESYS_CLIENT_SECRET
  GENESYSCLOUD_REGION, GENESYSCLOUD_OAUTHCLIENT_ID, GENESYSCLOUD_OAUTHCLIENT_SECRET (of Genesys' own tools)
  ACRONIS_DATA_CENTER, ACRONIS_CLIENT_ID, ACRONIS_CLIENT_SECRET
  SUGER_ORG_ID, SUGER_API_KEY, SUGER_BASE_URL, SUGER_OUTBOX, SUGER_OUTBOX_PASSWORD
  A variable with a secret may be replaced by one with the suffix _FILE that names a file.";

#[derive(Args)]
pub(crate) struct VendorsArguments {
    /// Vendors [default: all].
    #[arg(value_name = "VENDOR", value_enum)]
    vendors: Vec<Vendor>,

    #[command(flatten)]
    format: FormatArguments,

    #[command(flatten)]
    selection: SelectionArguments,
}

/// One setting of an account. Of a secret, only where it is.
#[derive(Serialize)]
struct Line {
    account: String,
    vendor: &'static str,
    setting: &'static str,
    value: Option<String>,
    source: Option<String>,
}

pub(crate) fn run(arguments: &VendorsArguments) -> Result<ExitCode, Failure> {
    let accounts = arguments.selection.configured(&arguments.vendors)?;
    let secrets = secrets_in_environment();
    let lines: Vec<_> = accounts.iter().flat_map(|account| lines(account, &secrets)).collect();
    arguments.format.print(&lines, || {
        let row = |line: &Line| {
            let value = line.value.clone().unwrap_or_else(|| "not set".to_owned());
            let source = line.source.clone().unwrap_or_default();
            [line.account.clone(), line.vendor.to_owned(), line.setting.to_owned(), value, source]
        };
        let columns = [
            ("ACCOUNT", Text, Always),
            ("VENDOR", Word, IfSpace),
            ("SETTING", Word, Always),
            ("VALUE", Text, Always),
            ("SOURCE", Text, IfDiffers),
        ];
        output::table(columns, lines.iter().map(row))
    })?;
    if accounts.is_empty() {
        terminal::print_progress("no account is configured: `usage-billing vendors --help` shows how");
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the secrets of all vendors in the environment. Those of files and commands are not read here.
fn secrets_in_environment() -> Vec<String> {
    let fields = Vendor::value_variants().iter().flat_map(|vendor| vendor.fields());
    let variables = fields.filter(|field| field.is_secret).flat_map(|field| field.variables);
    let values = variables.flat_map(|variable| [(*variable).to_owned(), format!("{variable}_FILE")]);
    values.filter_map(|variable| std::env::var(variable).ok()).map(|text| text.trim().to_owned()).collect()
}

/// Returns the value of a setting that is not a secret, unless it contains one by mistake.
fn display_value(text: &str, secrets: &[String]) -> String {
    match text {
        _ if secrets.iter().any(|secret| secret == text) => "(the same as a secret)".to_owned(),
        // As in the errors of URLs.
        _ if text.contains(['@', '?', '#']) => "…".to_owned(),
        _ => text.to_owned(),
    }
}

fn lines(account: &Account, secrets: &[String]) -> Vec<Line> {
    let fields = account.vendor.fields().iter();
    let fields = fields.filter(|field| field.is_required || account.settings.contains_key(field.key));
    let line = |(key, setting): (&'static str, Option<&Setting>)| Line {
        account: account.name.clone(),
        vendor: account.vendor.name(),
        setting: key,
        value: setting.map(|setting| match &setting.value {
            Value::Text(text) => display_value(text, secrets),
            Value::SecretInEnvironment(_) => "(secret)".to_owned(),
            // The path may be the secret.
            Value::SecretInFile(path) if !path.exists() => "(secret in a file that does not exist)".to_owned(),
            Value::SecretInFile(path) => format!("(secret in the file {})", path.display()),
            // Its arguments may contain a token.
            // The name of the entry may be the secret.
            Value::SecretInKeyring(_) => "(secret in the keyring)".to_owned(),
            Value::SecretOfCommand(command) => {
                format!("(secret of the command {})", command.first().map_or("", String::as_str))
            }
        }),
        source: setting.map(|setting| setting.source.to_string()),
    };
    fields.map(|field| line((field.key, account.settings.get(field.key)))).collect()
}
