//! The settings of a sandbox as lines for a shell.

use crate::demo_credentials;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shell {
    Posix,
    PowerShell,
}

/// Returns the settings of a sandbox at `url`, under the names that the crates of this workspace read.
pub(crate) fn settings(url: &str, shell: Shell) -> String {
    [
        ("GENESYS_REGION", url),
        ("GENESYS_CLIENT_ID", demo_credentials::GENESYS_CLIENT_ID),
        ("GENESYS_CLIENT_SECRET", demo_credentials::GENESYS_CLIENT_SECRET),
        ("SUGER_BASE_URL", url),
        ("SUGER_ORG_ID", demo_credentials::SUGER_ORG_ID),
        ("SUGER_API_KEY", demo_credentials::SUGER_API_KEY),
        ("ACRONIS_DATA_CENTER", url),
        ("ACRONIS_CLIENT_ID", demo_credentials::ACRONIS_CLIENT_ID),
        ("ACRONIS_CLIENT_SECRET", demo_credentials::ACRONIS_CLIENT_SECRET),
    ]
    .iter()
    .map(|(name, value)| match shell {
        Shell::Posix => format!("export {name}={value}\n"),
        Shell::PowerShell => format!("$env:{name} = '{value}'\n"),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_written_for_the_shell() {
        let url = "http://127.0.0.1:8080";
        let posix = settings(url, Shell::Posix);
        assert!(posix.starts_with("export GENESYS_REGION=http://127.0.0.1:8080\n"), "{posix}");
        let power_shell = settings(url, Shell::PowerShell);
        assert!(power_shell.ends_with("$env:ACRONIS_CLIENT_SECRET = 'demo-acronis-secret'\n"), "{power_shell}");
        // No value needs quotes.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_=-.:/ \n".contains(&byte);
        assert!(posix.bytes().all(is_plain) && power_shell.lines().all(|line| line.matches('\'').count() == 2));
    }
}
