//! TLS 1.3 for a listener, with one named provider of cryptography.

use crate::ServerError;
use axum_server::tls_rustls::RustlsConfig;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::TLS13;
use std::path::Path;
use std::sync::Arc;

/// Reads certificate and key.
///
/// The version is named although only 1.3 is wanted anywhere: another crate in the program may turn
/// older ones on.
pub(crate) fn load(certificate: &Path, key: &Path) -> Result<RustlsConfig, ServerError> {
    let pem = |path: &Path, what| {
        let path = path.to_owned();
        move |source| ServerError::Pem { path, what, source }
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(pem(certificate, "certificate"))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(pem(key, "private key"))?;
    let unusable = |source| ServerError::Certificate { path: certificate.to_owned(), source };
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(RustlsConfig::from_config(Arc::new(config)))
}
