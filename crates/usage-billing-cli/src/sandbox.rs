//! `sandbox`.

use std::io::ErrorKind;
use std::process::ExitCode;

use usage_billing::Period;
use usage_billing::acronis::types::ReportLevel;
use usage_billing_sandbox::{self as demo, Bill, Sandbox, SandboxBuilder, Size};

use crate::arguments::{ExpectedArguments, SandboxArguments, SandboxCommand, WorldArguments};
use crate::exit::Failure;
use crate::output;

pub(crate) async fn run(arguments: SandboxArguments) -> Result<ExitCode, Failure> {
    let builder = in_world(Sandbox::builder(), &arguments.world);
    if let Some(SandboxCommand::Expected(wanted)) = arguments.command {
        return expected(start(builder).await?, &wanted);
    }
    let sandbox = start(builder.port(arguments.port)).await.map_err(|failure| match arguments.port {
        port if port != 0 && matches!(failure, Failure::Local(_)) => {
            Failure::Local(format!("{failure} (port {port}); try another --port"))
        }
        _ => failure,
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
    builder.start().await.map_err(|error| match error.kind() {
        ErrorKind::InvalidInput => Failure::Usage(error.to_string()),
        _ => Failure::Local(format!("the sandbox cannot listen on 127.0.0.1: {error}")),
    })
}

fn in_world(builder: SandboxBuilder, world: &WorldArguments) -> SandboxBuilder {
    type Set = fn(Size, u32) -> Size;
    let sizes: [(Option<u32>, Set); 5] = [
        (world.tenants, Size::tenants),
        (world.organizations, Size::organizations),
        (world.entitlements, Size::entitlements),
        (world.record_groups, Size::record_groups),
        (world.months, Size::months),
    ];
    let size = sizes.into_iter().fold(Size::default(), |size, (number, set)| match number {
        Some(number) => set(size, number),
        None => size,
    });
    let builder = builder.seed(world.seed.unwrap_or_default()).size(size);
    match world.today {
        Some(today) => builder.today(today),
        None => builder,
    }
}

fn expected(sandbox: Sandbox, wanted: &ExpectedArguments) -> Result<ExitCode, Failure> {
    let period = wanted.period.unwrap_or_else(|| Period::last_month(sandbox.now()));
    let bills = [Bill::Acronis(ReportLevel::DirectPartners), Bill::Genesys, Bill::Suger];
    let rows: Vec<_> =
        bills.iter().flat_map(|bill| sandbox.expected_usage(bill, period.start()..period.end())).collect();
    let json = serde_json::to_string_pretty(&rows).map_err(|error| Failure::Local(error.to_string()))?;
    output::write(&format!("{json}\n"))
        .map_err(|error| Failure::Local(format!("the expected usage cannot be written: {error}")))?;
    Ok(ExitCode::SUCCESS)
}
