//! Describes failures of TLS.

use chrono::{DateTime, SecondsFormat};
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error as TlsError};

use crate::connection_failure::Reason;
use crate::foreign_text::printable;

const CLOCK: &str = "check this machine's clock; if it is right, the server's operator has to renew the certificate";
const ISSUER: &str = "check the host; if a proxy or a private CA issues certificates here, add its CA certificate to the system's trusted roots or name its file in SSL_CERT_FILE";
const OTHER_HOST: &str = "check the host in the URL (region, data centre)";
const CLIENT_CERTIFICATE: &str = "check the address; if it is right, the program needs a client certificate";
const NOT_TLS: &str = "check the port in the URL; https needs a port that serves TLS";
const VERSION: &str = "check the address; the server or a proxy before it is too old or configured differently";

/// Returns the reason of a failure of a TLS connection. All but internal errors of the server are permanent.
pub(crate) fn reason(error: &TlsError) -> Reason {
    let (message, hint) = match error {
        TlsError::InvalidCertificate(certificate) => certificate_failure(certificate),
        TlsError::NoCertificatesPresented => ("the server presents no certificate".to_owned(), OTHER_HOST),
        TlsError::InvalidMessage(_) => ("the server does not serve TLS on this port".to_owned(), NOT_TLS),
        TlsError::PeerIncompatible(reason) => {
            (format!("the server's TLS is not compatible ({})", spaced_words(&format!("{reason:?}"))), VERSION)
        }
        TlsError::AlertReceived(alert) => match alert_failure(*alert) {
            Some(alert) => alert,
            None => {
                return Reason::transient(format!("the server ended TLS ({})", spaced_words(&format!("{alert:?}"))));
            }
        },
        TlsError::NoApplicationProtocol => ("the server does not offer HTTP over TLS".to_owned(), NOT_TLS),
        other => return Reason::transient(format!("TLS failed: {other}")),
    };
    Reason::permanent(message, hint)
}

fn certificate_failure(error: &CertificateError) -> (String, &'static str) {
    match error {
        CertificateError::Expired => ("the server's certificate has expired".to_owned(), CLOCK),
        CertificateError::ExpiredContext { not_after, .. } => {
            (format!("the server's certificate expired at {}", display_time(not_after)), CLOCK)
        }
        CertificateError::NotValidYet => ("the server's certificate is not valid yet".to_owned(), CLOCK),
        CertificateError::NotValidYetContext { not_before, .. } => {
            (format!("the server's certificate is not valid before {}", display_time(not_before)), CLOCK)
        }
        CertificateError::UnknownIssuer => {
            ("the server's certificate is self-signed or its issuer is not trusted on this machine".to_owned(), ISSUER)
        }
        CertificateError::NotValidForName => ("the server's certificate is for another host".to_owned(), OTHER_HOST),
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names: Vec<_> = presented.iter().map(|name| inner_name(name)).collect();
            let names = if names.is_empty() { "names none".to_owned() } else { format!("names {}", names.join(", ")) };
            (format!("the server's certificate is for another host (it {})", printable(&names)), OTHER_HOST)
        }
        CertificateError::Revoked => ("the server's certificate has been revoked".to_owned(), OTHER_HOST),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            ("the server's certificate is not valid for servers".to_owned(), OTHER_HOST)
        }
        CertificateError::BadEncoding => ("the server's certificate cannot be read".to_owned(), OTHER_HOST),
        CertificateError::BadSignature => ("the signature of the server's certificate is wrong".to_owned(), ISSUER),
        // webpki's variant for a self-signed certificate that is a CA's.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            ("the server's certificate is self-signed".to_owned(), ISSUER)
        }
        other => {
            let text = match other {
                CertificateError::Other(other) => other.to_string(),
                other => format!("{other:?}"),
            };
            (format!("the server's certificate cannot be verified ({})", spaced_words(&text)), ISSUER)
        }
    }
}

/// Returns the message and hint of an alert; `None` if it may be transient.
fn alert_failure(alert: AlertDescription) -> Option<(String, &'static str)> {
    let (message, hint) = match alert {
        AlertDescription::CloseNotify
        | AlertDescription::UserCanceled
        | AlertDescription::InternalError
        | AlertDescription::BadRecordMac
        | AlertDescription::DecodeError => return None,
        AlertDescription::CertificateRequired => ("the server requires a client certificate", CLIENT_CERTIFICATE),
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied => ("the server rejected the client certificate", CLIENT_CERTIFICATE),
        AlertDescription::UnrecognisedName => ("the server does not know this host", OTHER_HOST),
        AlertDescription::ProtocolVersion => ("the server does not support TLS 1.2 or 1.3", VERSION),
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            ("the server supports none of the offered TLS settings", VERSION)
        }
        other => return Some((format!("the server rejected TLS ({})", spaced_words(&format!("{other:?}"))), VERSION)),
    };
    Some((message.to_owned(), hint))
}

fn display_time(time: &UnixTime) -> String {
    let instant = i64::try_from(time.as_secs()).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    instant.map_or_else(|| "an unknown time".to_owned(), |at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// Returns the name in `DnsName("example.com")`, as rustls formats it.
fn inner_name(name: &str) -> String {
    let inner = name.split_once("(\"").and_then(|(_, rest)| rest.strip_suffix("\")"));
    inner.unwrap_or(name).to_owned()
}

/// Returns "unsupported cert version" for `UnsupportedCertVersion`.
fn spaced_words(name: &str) -> String {
    // Fields are omitted.
    let name = name.split([' ', '(', '{']).next().unwrap_or_default();
    let mut words = String::new();
    let mut after_lower = false;
    for character in name.chars() {
        if character.is_uppercase() && after_lower {
            words.push(' ');
        }
        after_lower = !character.is_uppercase();
        words.extend(character.to_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use rustls::{InvalidMessage, OtherError, PeerIncompatible};

    #[test]
    fn tls_failures_are_described() {
        use CertificateError as Certificate;
        let time = UnixTime::since_unix_epoch(Duration::from_secs(1_790_812_800));
        let other = |text: &'static str| Certificate::Other(OtherError(Arc::new(std::io::Error::other(text))));
        let invalid = TlsError::InvalidCertificate;
        for (error, expected, is_permanent) in [
            (invalid(Certificate::Expired), "the server's certificate has expired", true),
            (invalid(Certificate::ExpiredContext { time, not_after: time }), "expired at 2026-10-01T00:00:00Z", true),
            (invalid(Certificate::NotValidYet), "is not valid yet", true),
            (
                invalid(Certificate::NotValidYetContext { time, not_before: time }),
                "not valid before 2026-10-01T00",
                true,
            ),
            (invalid(Certificate::UnknownIssuer), "self-signed or its issuer is not trusted", true),
            (invalid(Certificate::Revoked), "has been revoked", true),
            (invalid(Certificate::NotValidForName), "is for another host", true),
            (
                invalid(Certificate::NotValidForNameContext {
                    expected: "a.example".try_into().unwrap(),
                    presented: vec!["DnsName(\"b.example\n\")".to_owned(), "c".repeat(900)],
                }),
                r"is for another host (it names b.example\n, cccc",
                true,
            ),
            (invalid(Certificate::BadEncoding), "cannot be read", true),
            (invalid(Certificate::BadSignature), "signature", true),
            (invalid(Certificate::InvalidPurpose), "not valid for servers", true),
            (invalid(Certificate::UnhandledCriticalExtension), "(unhandled critical extension)", true),
            (invalid(other("CaUsedAsEndEntity")), "is self-signed", true),
            (invalid(other("UnsupportedCertVersion")), "(unsupported cert version)", true),
            (TlsError::InvalidMessage(InvalidMessage::InvalidContentType), "does not serve TLS on this port", true),
            (TlsError::NoCertificatesPresented, "presents no certificate", true),
            (
                TlsError::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
                "(no cipher suites in common)",
                true,
            ),
            (TlsError::AlertReceived(AlertDescription::CertificateRequired), "requires a client certificate", true),
            (TlsError::AlertReceived(AlertDescription::UnknownCA), "rejected the client certificate", true),
            (TlsError::AlertReceived(AlertDescription::ProtocolVersion), "does not support TLS 1.2 or 1.3", true),
            (TlsError::AlertReceived(AlertDescription::HandshakeFailure), "none of the offered", true),
            (TlsError::AlertReceived(AlertDescription::UnrecognisedName), "does not know this host", true),
            (TlsError::AlertReceived(AlertDescription::ExportRestriction), "(export restriction)", true),
            (TlsError::AlertReceived(AlertDescription::InternalError), "(internal error)", false),
            (TlsError::DecryptError, "TLS failed: ", false),
        ] {
            let reason = reason(&error);
            assert!(reason.message.contains(expected), "{}", reason.message);
            assert_eq!(
                (reason.is_permanent, reason.hint.is_some()),
                (is_permanent, is_permanent),
                "{}",
                reason.message
            );
            assert!(
                !reason.message.contains(['{', '\n']) && reason.message.chars().count() < 350,
                "{}",
                reason.message
            );
        }
    }
}
