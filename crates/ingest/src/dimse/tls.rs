//! TLS 1.3 and nothing older (RFC 8446; PS3.15 B.12), on one explicit cryptographic provider.

use super::error::DimseError;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Whether a client must show a certificate, and whose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientAuth {
    /// No certificate is asked for.
    None,
    /// A certificate is checked when the client has one; PEM file of certificate authorities.
    Optional(PathBuf),
    /// Nobody gets in without one; PEM file of certificate authorities.
    Required(PathBuf),
}

/// TLS as the receiver offers it.
#[derive(Clone)]
pub struct TlsServer(pub(super) Arc<ServerConfig>);

/// TLS as the sender asks for it.
#[derive(Clone)]
pub struct TlsClient {
    pub(super) config: Arc<ClientConfig>,
    pub(super) name: ServerName<'static>,
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn certificates(
    path: &Path,
    what: &'static str,
) -> Result<Vec<CertificateDer<'static>>, DimseError> {
    let failed = || DimseError::Pem { what, path: path.to_owned() };
    let found: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(path).map_err(|_| failed())?.collect();
    let found = found.map_err(|_| failed())?;
    if found.is_empty() { Err(failed()) } else { Ok(found) }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, DimseError> {
    PrivateKeyDer::from_pem_file(path)
        .map_err(|_| DimseError::Pem { what: "a private key", path: path.to_owned() })
}

fn authorities(path: &Path) -> Result<RootCertStore, DimseError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(path, "certificate authorities")? {
        store.add(certificate).map_err(DimseError::TlsSetup)?;
    }
    Ok(store)
}

fn verifier(auth: &ClientAuth) -> Result<Arc<dyn ClientCertVerifier>, DimseError> {
    let build = |path: &Path, is_required: bool| {
        let roots = Arc::new(authorities(path)?);
        let builder = WebPkiClientVerifier::builder_with_provider(roots, provider());
        let builder = if is_required { builder } else { builder.allow_unauthenticated() };
        builder
            .build()
            .map_err(|_| DimseError::Pem { what: "certificate authorities", path: path.to_owned() })
    };
    match auth {
        ClientAuth::None => Ok(WebPkiClientVerifier::no_client_auth()),
        ClientAuth::Optional(path) => build(path, false),
        ClientAuth::Required(path) => build(path, true),
    }
}

impl TlsServer {
    /// Reads certificate chain and key from PEM files.
    ///
    /// # Errors
    /// [`DimseError::Pem`] for a file that cannot be used, [`DimseError::TlsSetup`] when
    /// certificate and key do not belong together.
    pub fn from_pem_files(
        certificate: &Path,
        key: &Path,
        client_auth: &ClientAuth,
    ) -> Result<Self, DimseError> {
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .map_err(DimseError::TlsSetup)?
            .with_client_cert_verifier(verifier(client_auth)?)
            .with_single_cert(certificates(certificate, "a certificate")?, private_key(key)?)
            .map_err(DimseError::TlsSetup)?;
        Ok(Self(Arc::new(config)))
    }
}

impl TlsClient {
    /// Trusts the certificate authorities of a PEM file, expects the peer's certificate to carry
    /// `name`, and shows its own certificate and key where given.
    ///
    /// # Errors
    /// [`DimseError::Pem`], [`DimseError::TlsName`] or [`DimseError::TlsSetup`].
    pub fn from_pem_files(
        trusted: &Path,
        name: &str,
        own: Option<(&Path, &Path)>,
    ) -> Result<Self, DimseError> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .map_err(DimseError::TlsSetup)?
            .with_root_certificates(authorities(trusted)?);
        let config = match own {
            Some((certificate, key)) => builder
                .with_client_auth_cert(
                    certificates(certificate, "a certificate")?,
                    private_key(key)?,
                )
                .map_err(DimseError::TlsSetup)?,
            None => builder.with_no_client_auth(),
        };
        let name = ServerName::try_from(name.to_owned()).map_err(|_| DimseError::TlsName)?;
        Ok(Self { config: Arc::new(config), name })
    }
}
