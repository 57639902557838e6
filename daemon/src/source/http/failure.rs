//! A request that brought no answer, as a sentence that says what to do about it.

use std::{error::Error, io};

use burnward_core::ledger::{Reason, Unknown};
use rustls::{AlertDescription, CertificateError, Error as TlsError, pki_types::UnixTime};

use super::unknown;

/// A request that brought no answer, or an answer that ended early.
pub(in crate::source) fn failed(error: &reqwest::Error) -> Unknown {
    let host = error.url().and_then(|url| url.host_str()).unwrap_or("the server").to_owned();
    if let Some((reason, why)) = causes(error).find_map(|cause| tls_error(cause)).map(|tls| tls_sentence(tls, &host)) {
        return unknown(reason, why);
    }
    let cause = deepest(error);
    if error.is_connect() {
        unknown(Reason::Unreachable, format!("no connection: {}", connection_sentence(error, &host, &cause)))
    } else if error.is_timeout() {
        unknown(Reason::Timeout, "no whole answer in time")
    } else if error.is_decode() && !ended_early(error) {
        unknown(Reason::BadJson, format!("the compressed answer cannot be read: {cause}"))
    } else {
        unknown(Reason::Cut, format!("the answer broke off: {cause}"))
    }
}

/// The error and its causes, outermost first.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(Some(error as &(dyn Error + 'static)), |error| inner(*error))
}

/// The cause of an error. An `io::Error` that wraps another gives the cause of that one instead of it.
fn inner<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

/// What really happened; the layers above it repeat the URL.
fn deepest(error: &reqwest::Error) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

fn ended_early(error: &reqwest::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let broken = |error: &io::Error| matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe);
    causes(error).any(|cause| cause.is::<hyper::Error>() || cause.downcast_ref().is_some_and(broken))
}

fn tls_error<'e>(cause: &'e (dyn Error + 'static)) -> Option<&'e TlsError> {
    cause.downcast_ref()
}

/// Why there is no connection: the name, the way, or whoever refuses it.
fn connection_sentence(error: &reqwest::Error, host: &str, cause: &str) -> String {
    if causes(error).any(|cause| cause.to_string() == "dns error") {
        return format!("the name {host} has no address ({cause})");
    }
    let kind = causes(error).find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    match kind {
        Some(kind) => way_sentence(kind, host, cause),
        None => cause.to_owned(),
    }
}

fn way_sentence(kind: io::ErrorKind, host: &str, cause: &str) -> String {
    use io::ErrorKind::{AddrNotAvailable, HostUnreachable, NetworkUnreachable};
    match kind {
        AddrNotAvailable | NetworkUnreachable | HostUnreachable => {
            format!("no way leads from here to {host} ({cause}); does it have an IPv6 address alone, and this machine none?")
        }
        _ => cause.to_owned(),
    }
}

/// What TLS objects to. It is never skipped: whoever can stand between could tell us that all is well.
fn tls_sentence(error: &TlsError, host: &str) -> (Reason, String) {
    use AlertDescription as Alert;
    match error {
        TlsError::InvalidCertificate(error) => (Reason::Unreachable, certificate_sentence(error, host)),
        TlsError::AlertReceived(Alert::CertificateRequired) => {
            (Reason::Denied, format!("{host} wants a client certificate: name one as tls.certificate-file, its key as tls.key-file"))
        }
        TlsError::AlertReceived(
            alert @ (Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::DecryptError),
        ) => (Reason::Denied, format!("{host} refuses our client certificate ({alert:?})")),
        TlsError::InvalidMessage(_) => (Reason::Unreachable, format!("{host} does not answer with TLS: does its URL begin with http://?")),
        other => (Reason::Unreachable, format!("no secure connection to {host}: {other}")),
    }
}

fn certificate_sentence(error: &CertificateError, host: &str) -> String {
    let whose = format!("the certificate of {host}");
    match error {
        CertificateError::ExpiredContext { not_after, .. } => format!("{whose} expired at {}: renew it there", date(*not_after)),
        CertificateError::Expired => format!("{whose} is expired: renew it there"),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("{whose} is valid only from {} on: is one of the clocks wrong?", date(*not_before))
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            format!("{whose} is for {} and not for {host}: ask by a name that it holds", presented.join(", "))
        }
        CertificateError::NotValidForName => format!("{whose} is not for {host}: ask by a name that it holds"),
        CertificateError::UnknownIssuer => {
            format!("no authority trusted here signed {whose}, or it signed itself: name the file of its authority as tls.ca-file")
        }
        CertificateError::Revoked => format!("{whose} is revoked"),
        other => format!("{whose} is refused: {other}"),
    }
}

fn date(at: UnixTime) -> String {
    let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| "a time beyond all calendars".to_owned(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_a_way_says_that_an_address_of_the_other_kind_may_be_why() {
        for number in [99, 101, 113] {
            let error = io::Error::from_raw_os_error(number);
            let told = way_sentence(error.kind(), "prom.example", &error.to_string());
            assert!(told.starts_with("no way leads from here to prom.example (") && told.contains("IPv6"), "{number}: {told}");
        }
    }
}
