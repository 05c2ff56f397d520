//! `usage-billing`. Its code is in the library, where the fuzz targets reach it.

fn main() -> std::process::ExitCode {
    usage_billing_cli::run()
}
