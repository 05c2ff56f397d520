//! Categories of errors.

/// The category of an [`Error`](crate::Error): programs decide by it what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration of the client is invalid: a URL, an environment variable, the format of a credential.
    Config,
    /// The request is invalid. It was not sent.
    Request,
    /// There is no token, or the vendor rejected the credential (401).
    Auth,
    /// The credential is valid but lacks a permission (403).
    Permission,
    /// There was no response, or only a part of one.
    Connection,
    /// The vendor returned an error status.
    Api,
    /// The response does not match the OpenAPI document.
    Decode,
    /// A memory limit was exceeded: by a response, a row of a file or list, the sum of usage, or the queue of a sender. The message names the
    /// limit; [`setting`](crate::Error::setting) or the hint states how to raise it or what to do instead.
    Limit,
    /// The vendor has no result yet, or it is not known yet whether a request took effect: repeat the same request, after
    /// [`retry_after`](crate::Error::retry_after) if that is set.
    NotReady,
    /// Waiting for a result took longer than allowed. The result may still become available.
    WaitTimeout,
    /// The vendor reports that the job failed.
    Failed,
    /// A file on this machine cannot be written.
    File,
}
