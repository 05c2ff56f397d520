//! Credentials of an OAuth client.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;

use secrecy::{ExposeSecret, SecretString};

use crate::secret_format::SecretUse;
use crate::token_provider::{KeySource, TokenProvider};
use crate::{AccessToken, Error, ErrorKind, Result, TokenRequest, secret_format};

/// The id of an OAuth client, with its secret or with a provider of its tokens.
///
/// ```
/// use usage_billing_core::{Credentials, SecretString};
///
/// let secret = SecretString::from("from your secret store");
/// let credentials = Credentials::new("6be1f0c9-2d47-4c83-b5a9-7e3f10d8c264", secret);
/// assert!(!format!("{credentials:?}").contains("secret store"));
/// ```
#[derive(Clone)]
pub struct Credentials {
    pub(crate) client_id: String,
    pub(crate) grant: KeySource,
    /// Of the token request, besides the grant.
    pub(crate) parameters: Vec<(String, String)>,
}

impl Credentials {
    /// Creates credentials from the id and secret of an OAuth client of the vendor's console. They are exchanged for tokens.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<SecretString>) -> Self {
        Self { client_id: client_id.into(), grant: KeySource::Fixed(client_secret.into()), parameters: Vec::new() }
    }

    /// Sends a parameter with each token request, such as `scope` (RFC 6749, 3.3) or `audience`. A token provider does not get it.
    #[must_use]
    pub fn token_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Creates credentials whose tokens come from `provide` instead of the vendor's token endpoint, such as from a vault. `client_id` is the
    /// OAuth client that the tokens are issued to.
    ///
    /// `provide` is called before the first request, when the token is [about to expire](AccessToken::expires_in), and once if the vendor
    /// rejects the token (401). Calls that need a token at the same time share one call of `provide`.
    ///
    /// An error of `provide` fails all calls that wait for it, with the kind [`Auth`](ErrorKind::Auth); it is not retried. Its text is
    /// escaped, but must not contain secrets that the client does not know.
    ///
    /// ```
    /// use std::time::Duration;
    /// use usage_billing_core::{AccessToken, Credentials, TokenRequest};
    ///
    /// # #[derive(Clone)] struct Vault;
    /// # impl Vault { async fn read(&self, _: &str, _: bool) -> std::io::Result<String> { Ok(String::new()) } }
    /// fn credentials(vault: Vault) -> Credentials {
    ///     Credentials::token_provider("6be1f0c9-2d47-4c83-b5a9-7e3f10d8c264", move |request: TokenRequest| {
    ///         let vault = vault.clone();
    ///         async move {
    ///             // After a rejection, the vault must not return its cached token.
    ///             let token = vault.read("billing/token", request.is_after_rejection()).await?;
    ///             Ok::<_, std::io::Error>(AccessToken::new(token).expires_in(Duration::from_secs(3600)))
    ///         }
    ///     })
    /// }
    /// ```
    pub fn token_provider<F, E>(
        client_id: impl Into<String>,
        provide: impl Fn(TokenRequest) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<AccessToken, E>> + Send + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        Self {
            client_id: client_id.into(),
            grant: KeySource::Provider(TokenProvider::new(provide)),
            parameters: Vec::new(),
        }
    }

    /// Returns the id, which is not a secret.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = redacted_client_id(&self.client_id);
        f.debug_struct("Credentials").field("client_id", &id).finish_non_exhaustive()
    }
}

/// Returns a client's id for `Debug`. If id and secret were swapped by mistake, the id is the secret.
pub(crate) fn redacted_client_id(id: &str) -> &str {
    if is_uuid(id) { id } else { "*** (not a UUID)" }
}

/// Checks the id and secret of an OAuth client.
///
/// # Errors
/// [`ErrorKind::Config`] with the problem, without the secret.
pub(crate) fn check_client(client_id: &str, client_secret: &SecretString) -> Result<()> {
    let invalid = |message: String| Err(Error::new(ErrorKind::Config, message));
    if let Some(problem) = secret_format::problem(SecretUse::Password, client_id) {
        return invalid(format!("the client id {problem}"));
    }
    if let Some(problem) = secret_format::problem(SecretUse::Password, client_secret.expose_secret()) {
        return invalid(format!("the client secret {problem}"));
    }
    Ok(())
}

/// Returns whether an id is a UUID, as ids of OAuth clients usually are and secrets are not.
pub(crate) fn is_uuid(id: &str) -> bool {
    id.len() == 36
        && id.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
