//! Secrets in the keyring of the operating system: macOS' keychain, Windows' Credential Manager, or the Secret Service of a Linux desktop.

/// The service of all entries.
const SERVICE: &str = "usage-billing";

/// Reads the secret of an entry.
///
/// # Errors
/// The end of a sentence that begins with the setting.
#[cfg(feature = "keyring")]
pub(super) fn read(user: &str) -> Result<String, String> {
    use std::sync::mpsc;
    use std::time::Duration;

    use usage_billing::printable;

    /// Long enough to unlock the keyring.
    const TIMEOUT: Duration = Duration::from_secs(60);

    let (sender, receiver) = mpsc::channel();
    let name = user.to_owned();
    // On a thread of its own: the keyring may wait for the user without a limit.
    std::thread::spawn(move || {
        let secret = keyring::Entry::new(SERVICE, &name).and_then(|entry| entry.get_password());
        let _ = sender.send(secret);
    });
    // Without the name of the entry, which may be the secret.
    let entry = format!("(an entry of the service `{SERVICE}`)");
    match receiver.recv_timeout(TIMEOUT) {
        Ok(Ok(secret)) => Ok(secret),
        // Its display contains the bytes.
        Ok(Err(keyring::Error::BadEncoding(_))) => Err(format!("{entry} is not UTF-8")),
        Ok(Err(error)) => Err(format!("{entry} cannot be read: {}", printable(&error.to_string()))),
        Err(_) => Err(format!("{entry} was not read within {} s", TIMEOUT.as_secs())),
    }
}

#[cfg(not(feature = "keyring"))]
pub(super) fn read(_: &str) -> Result<String, String> {
    Err(format!(
        "needs a program that can read entries of the service `{SERVICE}`: install it with --features keyring, or use a file or a command"
    ))
}
