//! The options of the command line.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use usage_billing_core::printable_message;

use super::dataset::DatasetOptions;
use crate::admin::expected_usage::read_period;
use crate::middleware::fault_injection::Fault;
use crate::middleware::same_origin::HostName;
use crate::server::{Sandbox, SandboxBuilder};
use crate::vendors::Vendor;

/// Options of `usage-billing-sandbox`, and of other commands that run a sandbox: flatten them.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Port; 0 chooses a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// Address to listen on. Every caller that reaches an address other than loopback can use the sandbox: the demo credentials are public.
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    listen: IpAddr,

    /// Host name that programs use for the sandbox. IP addresses, localhost and names without a dot are always accepted; requests for other
    /// names are rejected, so that no web page can use the sandbox. May be repeated.
    #[arg(long, value_name = "NAME", value_parser = host_name)]
    allow_host: Vec<String>,

    /// Write the settings to this file when the sandbox is ready, instead of printing them, and remove it at the end. For PowerShell if it
    /// ends with .ps1, else for sh. In a script: `usage-billing sandbox --env-file sandbox.env &`, wait for the file, then `.
    /// ./sandbox.env`.
    #[arg(long, value_name = "PATH")]
    pub(super) env_file: Option<PathBuf>,

    #[command(flatten)]
    dataset: DatasetOptions,

    /// Number of polls for which a report or query is in progress.
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    polls: u32,

    /// Lifetime of tokens [default: that of the vendor].
    #[arg(long, value_name = "SECONDS")]
    token_lifetime: Option<u64>,

    /// Reject parameters, fields and headers that are not in the vendors' documents.
    #[arg(long)]
    strict: bool,

    /// Limit of requests per minute and caller, or `none`: `genesys=none` [default: genesys=300]. May be repeated.
    #[arg(long, value_name = "VENDOR=NUMBER", value_parser = rate)]
    requests_per_minute: Vec<(Vendor, Option<u32>)>,

    /// Fault to inject: `503; operation=create_report; times=2`. May be repeated.
    #[arg(long, value_name = "FAULT", value_parser = fault)]
    fault: Vec<Fault>,

    /// Seed for faults with a `percent`.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    fault_seed: u64,

    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// Commands that do not serve.
#[derive(Subcommand, Clone, Debug)]
pub(super) enum Command {
    /// Print the true usage of a period as JSON: the result expected from a program that reads this sandbox. A running sandbox returns it
    /// at /_sandbox/expected.
    Expected {
        /// Month (2026-10), or two days of which the second is excluded (2026-10-01/2026-10-15); UTC [default: last month].
        #[arg(long, value_parser = read_period)]
        period: Option<Range<DateTime<Utc>>>,
    },
}

impl Options {
    pub(super) fn address(&self) -> SocketAddr {
        SocketAddr::new(self.listen, self.port)
    }

    pub(super) fn builder(self) -> SandboxBuilder {
        let mut builder = self
            .dataset
            .apply(Sandbox::builder())
            .listen(self.address())
            .polls_before_ready(self.polls)
            .strict(self.strict)
            .fault_seed(self.fault_seed);
        if let Some(seconds) = self.token_lifetime {
            builder = builder.token_lifetime(Duration::from_secs(seconds));
        }
        let rated = |builder: SandboxBuilder, (vendor, requests)| builder.requests_per_minute(vendor, requests);
        let builder = self.requests_per_minute.into_iter().fold(builder, rated);
        let builder = self.allow_host.into_iter().fold(builder, SandboxBuilder::allow_host);
        self.fault.into_iter().fold(builder, SandboxBuilder::fault)
    }
}

fn rate(text: &str) -> Result<(Vendor, Option<u32>), String> {
    let (vendor, requests) = text.split_once('=').ok_or("a vendor, `=` and a number are needed: suger=600")?;
    let vendor = Vendor::from_name(vendor).ok_or("the vendors are genesys, suger and acronis")?;
    let requests = match requests {
        "none" => None,
        number => Some(number.parse().map_err(|_| "after `=`, a whole number or `none` is expected")?),
    };
    Ok((vendor, requests))
}

fn host_name(text: &str) -> Result<String, String> {
    text.parse::<HostName>().map(|_| text.to_owned())
}

fn fault(text: &str) -> Result<Fault, String> {
    let fault = text.parse().and_then(|fault: Fault| fault.validate().map(|()| fault));
    // A value may be JSON, in which any character can be escaped.
    fault.map_err(|error| printable_message(&error.to_string()).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_is_a_vendor_and_a_number_or_none() {
        assert_eq!(rate("suger=7"), Ok((Vendor::Suger, Some(7))));
        assert_eq!(rate("genesys=none"), Ok((Vendor::Genesys, None)));
        for bad in ["", "suger", "suger=", "suger=-1", "sugar=1", "suger=4294967296"] {
            assert!(rate(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn invalid_fault_is_rejected() {
        assert!(fault("503; times=2").is_ok());
        for bad in ["", "200", "503; operation=listNothing"] {
            assert!(fault(bad).is_err(), "{bad}");
        }
    }
}
