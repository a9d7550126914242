//! TLS: who gets in with which certificate.

use super::kit::{Door, Memory, Mood, limits, routes};
use crate::current::Current;
use crate::dimse::{
    ClientAuth, DimseConfig, DimseError, DimseServer, Sender, SenderOptions, Status, TlsClient,
    TlsListener, TlsServer,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use scanveil_model::AeTitle;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A certificate authority with one certificate for both roles, as PEM files.
pub(super) struct Authority {
    pub(super) ca: PathBuf,
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

pub(super) fn authority(folder: &Path, name: &str) -> Authority {
    let ca_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = params.self_signed(&ca_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".into()])
        .unwrap()
        .signed_by(&key, &Issuer::new(params, ca_key))
        .unwrap();
    let write = |what: &str, text: String| {
        let path = folder.join(format!("{name}-{what}.pem"));
        std::fs::write(&path, text).unwrap();
        path
    };
    Authority {
        ca: write("ca", ca.pem()),
        certificate: write("certificate", certificate.pem()),
        key: write("key", key.serialize_pem()),
    }
}

fn echo(options: &SenderOptions) -> Result<Status, DimseError> {
    let mut sender = Sender::associate(options, &[])?;
    let status = sender.echo()?;
    sender.release()?;
    Ok(status)
}

/// What is tried, what the server asks, whom the client trusts, what it shows, whether it gets in.
type Row<'a> = (&'a str, ClientAuth, &'a Path, Option<(PathBuf, PathBuf)>, bool);

#[test]
fn certificates_decide_who_gets_in() {
    let folder = tempfile::tempdir().unwrap();
    let ours = authority(folder.path(), "ours");
    let other = authority(folder.path(), "other");
    let own = |a: &Authority| Some((a.certificate.clone(), a.key.clone()));
    let table: Vec<Row> = vec![
        ("not asked", ClientAuth::None, &ours.ca, None, true),
        ("server not trusted", ClientAuth::None, &other.ca, None, false),
        ("optional, none", ClientAuth::Optional(ours.ca.clone()), &ours.ca, None, true),
        ("optional, good", ClientAuth::Optional(ours.ca.clone()), &ours.ca, own(&ours), true),
        ("optional, bad", ClientAuth::Optional(ours.ca.clone()), &ours.ca, own(&other), false),
        ("required, good", ClientAuth::Required(ours.ca.clone()), &ours.ca, own(&ours), true),
        ("required, none", ClientAuth::Required(ours.ca.clone()), &ours.ca, None, false),
        ("required, bad", ClientAuth::Required(ours.ca.clone()), &ours.ca, own(&other), false),
    ];
    for (name, auth, trusted, client, gets_in) in table {
        let tls = TlsServer::from_pem_files(&ours.certificate, &ours.key, &auth).unwrap();
        let config = DimseConfig {
            plain: None,
            tls: Some(TlsListener { address: "127.0.0.1:0".parse().unwrap(), tls }),
            routes: Current::fixed(routes()),
            limits: limits(),
        };
        let server = DimseServer::start(config, Arc::new(Door(Memory::new(Mood::Takes)))).unwrap();
        let client = client.as_ref().map(|(c, k)| (c.as_path(), k.as_path()));
        let mut options = SenderOptions {
            peer: server.tls_address().unwrap().to_string(),
            calling: AeTitle::parse("PACS").unwrap(),
            called: AeTitle::parse("WYSTAN").unwrap(),
            tls: Some(TlsClient::from_pem_files(trusted, "localhost", client).unwrap()),
            limits: limits(),
        };
        assert_eq!(matches!(echo(&options), Ok(Status::SUCCESS)), gets_in, "{name}");
        options.tls = None;
        assert!(echo(&options).is_err(), "{name}: without TLS");
        assert_eq!(server.stop(Duration::from_secs(20)), 0, "{name}");
    }
}

#[test]
fn unusable_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let ours = authority(folder.path(), "ours");
    let other = authority(folder.path(), "other");
    let absent = folder.path().join("absent.pem");
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let open = |certificate: &Path, key: &Path, auth: ClientAuth| {
        TlsServer::from_pem_files(certificate, key, &auth).err().unwrap()
    };
    for bad in [&absent, &empty] {
        let required = ClientAuth::Required(bad.clone());
        for error in [
            open(bad, &ours.key, ClientAuth::None),
            open(&ours.certificate, bad, ClientAuth::None),
            open(&ours.certificate, &ours.key, required),
        ] {
            assert!(matches!(error, DimseError::Pem { ref path, .. } if path == bad));
        }
    }
    let mixed = open(&ours.certificate, &other.key, ClientAuth::None);
    assert!(matches!(mixed, DimseError::TlsSetup(_)));
}
