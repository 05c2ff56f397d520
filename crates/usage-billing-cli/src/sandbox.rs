//! `sandbox`.

use std::process::ExitCode;

use usage_billing_sandbox::{self as demo, Sandbox, SandboxBuilder};

use crate::arguments::SandboxArguments;
use crate::exit::Failure;
use crate::output;

pub(crate) async fn run(arguments: SandboxArguments) -> Result<ExitCode, Failure> {
    let sandbox = start(Sandbox::builder().port(arguments.port)).await.map_err(|failure| match arguments.port {
        0 => failure,
        port => Failure::Local(format!("{failure} (port {port}); try another --port")),
    })?;
    let settings = [
        ("GENESYS_REGION", sandbox.url()),
        ("GENESYS_CLIENT_ID", demo::GENESYS_CLIENT_ID),
        ("GENESYS_CLIENT_SECRET", demo::GENESYS_CLIENT_SECRET),
        ("SUGER_BASE_URL", sandbox.url()),
        ("SUGER_ORG_ID", demo::SUGER_ORG_ID),
        ("SUGER_API_KEY", demo::SUGER_API_KEY),
        ("ACRONIS_DATA_CENTER", sandbox.url()),
        ("ACRONIS_CLIENT_ID", demo::ACRONIS_CLIENT_ID),
        ("ACRONIS_CLIENT_SECRET", demo::ACRONIS_CLIENT_SECRET),
    ];
    let lines: String = settings.iter().map(|(name, value)| format!("export {name}={value}\n")).collect();
    output::write(&lines).map_err(|error| Failure::Local(format!("the settings cannot be written: {error}")))?;
    output::tell(&format!(
        "the sandbox runs at {} until Ctrl-C; the lines above point a shell at it (demo credentials)",
        sandbox.url()
    ));
    tokio::signal::ctrl_c().await.map_err(|error| Failure::Local(format!("Ctrl-C cannot be waited for: {error}")))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn start(builder: SandboxBuilder) -> Result<Sandbox, Failure> {
    let failed = |error| Failure::Local(format!("the sandbox cannot listen on 127.0.0.1: {error}"));
    builder.start().await.map_err(failed)
}
