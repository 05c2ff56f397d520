//! Logs on stderr: `-v`, `-q`, `--log-format` and `RUST_LOG`.

mod layer;

use clap::{ArgAction, Args, ValueEnum};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

pub(crate) use self::layer::CALL;
use self::layer::LogLayer;
use crate::exit::Failure;
use crate::progress::ProgressLayer;
use crate::terminal;

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct LogArguments {
    /// Log every request to stderr: method, path template, status, duration and attempts. -vv logs more, -vvv everything. RUST_LOG selects by target.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,

    /// Print no progress to stderr, only warnings and errors.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,

    /// Format of the log.
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// One human-readable line.
    Text,
    /// One JSON object a line.
    Json,
}

/// Sets the logger of the program. Without `-v` and `RUST_LOG`, only failures of the sender of an outbox are logged.
pub(crate) fn init(arguments: LogArguments) -> Result<(), Failure> {
    terminal::set_quiet(arguments.quiet);
    let filter = filter(arguments.verbose, std::env::var("RUST_LOG").ok().as_deref())?;
    let log = LogLayer::new(arguments.log_format == LogFormat::Json, terminal::eprint_log).with_filter(filter);
    let progress = (!arguments.quiet).then(|| ProgressLayer.with_filter(filter_fn(ProgressLayer::is_enabled)));
    // Fails only if there is a logger already.
    let _ = tracing_subscriber::registry().with(log).with(progress).try_init();
    Ok(())
}

/// Returns the filter of the log; a flag has precedence over the environment.
fn filter(verbose: u8, rust_log: Option<&str>) -> Result<EnvFilter, Failure> {
    let rust_log = rust_log.map(str::trim).filter(|text| !text.is_empty());
    let directives = match (verbose, rust_log) {
        // Failures of `meter run`, which goes on.
        (0, None) => "usage_billing::outbox=warn",
        (0, Some(directives)) => directives,
        (1, _) => "usage_billing=info",
        (2, _) => "usage_billing=debug",
        (_, _) => "usage_billing=trace,reqwest=debug,hyper_util=debug",
    };
    EnvFilter::try_new(directives)
        .map_err(|error| Failure::Usage(format!("RUST_LOG in the environment is not a valid filter: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filter_comes_from_the_flag_then_from_the_environment() {
        let shown = |verbose, rust_log| filter(verbose, rust_log).unwrap().to_string();
        assert_eq!(shown(0, None), "usage_billing::outbox=warn");
        assert_eq!(shown(0, Some(" ")), "usage_billing::outbox=warn");
        assert_eq!(shown(0, Some("info")), "info");
        assert_eq!(shown(1, Some("off")), "usage_billing=info");
        let line = filter(0, Some("a=b=c")).unwrap_err().to_string();
        assert!(line.starts_with("RUST_LOG in the environment is not a valid filter: "), "{line}");
    }
}
