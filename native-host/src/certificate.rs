//! Why a server's certificate is not trusted, in words that help to fix it.

use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::uri::Authority;
use rolecall_core::text;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

/// Why the certificate of the server at `authority` is not trusted, with its subject and issuer; `None` if the request
/// failed for another reason.
pub(crate) fn reason(error: &ureq::Error, authority: &Authority) -> Option<String> {
    let rustls::Error::InvalidCertificate(fault) = rustls_error(error)? else { return None };
    let fault = match fault {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "this computer does not trust the authority that issued it".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet, or this computer's clock is behind".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("it is not valid for the name {}", authority.host())
        }
        CertificateError::Revoked => "its authority has revoked it".to_owned(),
        // For example the output of openssl's `req -x509`, even if it is trusted.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "it is a certificate authority's own certificate, which a server may not use".to_owned()
        }
        other => format!("{other:?}").chars().take(120).collect(),
    };
    Some(match presented(authority) {
        Some((subject, issuer)) if subject == issuer => format!("{fault} (it is self-signed: {issuer})"),
        Some((subject, issuer)) => format!("{fault} (issued by {issuer} to {subject})"),
        None => fault,
    })
}

fn rustls_error(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}

/// The subject and issuer of the server's certificate. It opens a second connection and sends nothing but the start of
/// a handshake. It does not work behind a proxy.
fn presented(authority: &Authority) -> Option<(String, String)> {
    let host = authority.host().trim_matches(['[', ']']);
    let address = (host, authority.port_u16().unwrap_or(443)).to_socket_addrs().ok()?.next()?;
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT).ok()?;
    stream.set_read_timeout(Some(TIMEOUT)).ok()?;
    stream.set_write_timeout(Some(TIMEOUT)).ok()?;
    let provider = Arc::new(ring::default_provider());
    let seen = Arc::new(Witness::default());
    let verifier: Arc<dyn ServerCertVerifier> = seen.clone();
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).ok()?;
    let mut connection = ClientConnection::new(Arc::new(config), name).ok()?;
    // It always fails: the verifier accepts no certificate.
    let _: io::Result<_> = connection.complete_io(&mut stream);
    let certificate = seen.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
    let certificate = Certificate::from_der(&certificate).ok()?.tbs_certificate;
    let name = |name: String| text::on_one_line(&name, 120);
    Some((name(certificate.subject.to_string()), name(certificate.issuer.to_string())))
}

/// Records the server's certificate, and accepts none.
#[derive(Debug, Default)]
struct Witness(Mutex<Option<Vec<u8>>>);

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(end_entity.to_vec());
        Err(CertificateError::UnknownIssuer.into())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(CertificateError::BadSignature.into())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(CertificateError::BadSignature.into())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// How long the second connection may take.
const TIMEOUT: Duration = Duration::from_secs(3);
