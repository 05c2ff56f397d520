//! Secrets in the keyring of the operating system: macOS' keychain, Windows' Credential Manager, or the Secret Service of a Linux desktop.

/// The service of all entries.
const SERVICE: &str = "usage-billing";

/// Reads the secret of an entry.
///
/// # Errors
/// The end of a sentence that begins with the setting.
#[cfg(feature = "keyring")]
pub(super) use available::read;

#[cfg(feature = "keyring")]
mod available {
    use std::sync::mpsc;
    use std::time::Duration;

    use keyring::{Entry, Error, Result};
    use usage_billing::printable;

    use super::SERVICE;

    /// Long enough to unlock the keyring.
    const TIMEOUT: Duration = Duration::from_secs(60);

    pub(in crate::accounts) fn read(user: &str) -> std::result::Result<String, String> {
        let user = user.to_owned();
        read_entry(move || Entry::new(SERVICE, &user), TIMEOUT)
    }

    fn read_entry(
        entry: impl FnOnce() -> Result<Entry> + Send + 'static,
        timeout: Duration,
    ) -> std::result::Result<String, String> {
        let (sender, receiver) = mpsc::channel();
        // On a thread of its own: the keyring may wait for the user without a limit.
        std::thread::spawn(move || {
            let secret = entry().and_then(|entry| entry.get_password());
            let _ = sender.send(secret);
        });
        // Without the name of the entry, which may be the secret.
        let entry = format!("(an entry of the service `{SERVICE}`)");
        match receiver.recv_timeout(timeout) {
            Ok(Ok(secret)) => Ok(secret),
            // Its display contains the bytes.
            Ok(Err(Error::BadEncoding(_))) => Err(format!("{entry} is not UTF-8")),
            Ok(Err(error)) => Err(format!("{entry} cannot be read: {}", printable(&error.to_string()))),
            Err(_) => Err(format!("{entry} was not read within {} s", timeout.as_secs())),
        }
    }

    #[cfg(test)]
    mod tests {
        use keyring_core::api::CredentialStoreApi as _;
        use keyring_core::mock::Store;

        use super::*;

        #[test]
        fn entry_is_read_or_its_problem_is_stated_without_its_name() {
            type Case = (fn(&keyring_core::Entry) -> Result<()>, std::result::Result<&'static str, &'static str>);
            let cases: [Case; 4] = [
                (|entry| entry.set_password("hush"), Ok("hush")),
                (|_| Ok(()), Err("cannot be read: No matching credential found")),
                (|entry| entry.set_secret(b"h\xffsh"), Err("is not UTF-8")),
                (
                    |entry| {
                        let credential: &keyring_core::mock::Cred = entry.as_any().downcast_ref().unwrap();
                        credential.set_error(Error::NoStorageAccess("locked\n".into()));
                        Ok(())
                    },
                    Err("cannot be read: Couldn't access platform storage: locked\\n"),
                ),
            ];
            for (prepare, expected) in cases {
                let inner = Store::new().unwrap().build(SERVICE, "the-name", None).unwrap();
                prepare(&inner).unwrap();
                let read = read_entry(move || Ok(Entry { inner }), TIMEOUT);
                let expected = expected
                    .map(str::to_owned)
                    .map_err(|problem| format!("(an entry of the service `usage-billing`) {problem}"));
                assert_eq!(read, expected);
            }
        }

        #[test]
        fn keyring_that_waits_for_the_user_ends_with_the_time_limit() {
            let (sender, never) = mpsc::channel::<()>();
            let waiting = move || {
                let _ = never.recv();
                Err(Error::NoEntry)
            };
            let problem = read_entry(waiting, Duration::ZERO).unwrap_err();
            assert_eq!(problem, "(an entry of the service `usage-billing`) was not read within 0 s");
            drop(sender);
        }
    }
}

#[cfg(not(feature = "keyring"))]
pub(super) fn read(_: &str) -> Result<String, String> {
    Err(format!(
        "needs a program that can read entries of the service `{SERVICE}`: install it with --features keyring, or use a file or a command"
    ))
}
