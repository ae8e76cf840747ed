//! Whom a client believes to be the server it asked for.
//!
//! On the internet that is settled by names and authorities. A server on a LAN has neither: its certificate
//! is signed by itself, and it is reached by an address that changes. What identifies it is the certificate
//! itself, so one that was given by hand is believed whatever it calls itself, and the handshake still proves
//! that the server holds its key.

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::sync::Arc;
use thiserror::Error;
use tokio_rustls::TlsConnector;

/// Which servers are trusted over TLS. The default is [`Trust::system`].
#[derive(Clone, Debug)]
pub struct Trust {
    uses_system: bool,
    given: Vec<CertificateDer<'static>>,
}

/// Why nobody can be trusted.
#[derive(Debug, Error)]
pub enum TrustError {
    /// A certificate that was given cannot be read.
    #[error("the certificate to trust: {0}")]
    Pem(#[from] pem::Error),
    /// There is no certificate in what was given.
    #[error("the certificate to trust: there is none")]
    Empty,
    /// TLS cannot be set up with it.
    #[error("TLS: {0}")]
    Tls(#[from] Error),
}

impl Default for Trust {
    fn default() -> Trust {
        Trust::system()
    }
}

impl Trust {
    /// Trusts whom this machine trusts.
    #[must_use]
    pub fn system() -> Trust {
        Trust { uses_system: true, given: Vec::new() }
    }

    /// Trusts nobody but those who are added.
    #[must_use]
    pub fn nobody() -> Trust {
        Trust { uses_system: false, given: Vec::new() }
    }

    /// Trusts also a server that shows this certificate (DER), whatever name it is reached by, and one whose
    /// certificate was signed by it and has the right name.
    #[must_use]
    pub fn and_certificate(mut self, der: impl Into<Vec<u8>>) -> Trust {
        self.given.push(CertificateDer::from(der.into()));
        self
    }

    /// The same for all certificates of a PEM file's content.
    ///
    /// # Errors
    /// [`TrustError`] when it is no PEM, or has no certificate in it.
    pub fn and_pem(mut self, pem: &[u8]) -> Result<Trust, TrustError> {
        let before = self.given.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            self.given.push(certificate?);
        }
        if self.given.len() == before { Err(TrustError::Empty) } else { Ok(self) }
    }

    /// What speaks TLS with those who are trusted.
    pub(super) fn connector(&self) -> Result<TlsConnector, TrustError> {
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore::empty();
        // Certificates that cannot be read are of no use, and harm nobody.
        if self.uses_system {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        roots.add_parsable_certificates(self.given.iter().cloned());
        let chains = if roots.is_empty() {
            None
        } else {
            let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
            Some(builder.build().map_err(|error| Error::General(error.to_string()))?)
        };
        let verifier = Verifier { given: self.given.clone(), chains, provider: Arc::clone(&provider) };
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

/// Looks for a given certificate, and otherwise at the chain as everybody does.
#[derive(Debug)]
struct Verifier {
    given: Vec<CertificateDer<'static>>,
    /// `None` if there is no root to begin a chain.
    chains: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.given.contains(shown) {
            return Ok(ServerCertVerified::assertion());
        }
        let chains = self.chains.as_ref().ok_or(CertificateError::UnknownIssuer)?;
        chains.verify_server_cert(shown, intermediates, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_refused() {
        assert!(matches!(Trust::nobody().and_pem(b""), Err(TrustError::Empty)));
        let broken = b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n";
        assert!(matches!(Trust::nobody().and_pem(broken), Err(TrustError::Pem(_))));
        assert!(Trust::nobody().connector().is_ok(), "it trusts nobody, and says so when asked to");
    }
}
