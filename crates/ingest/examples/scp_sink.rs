//! Runs the DICOM receiver alone, to measure it: `scp_sink PORT discard` forgets what it receives,
//! `scp_sink PORT spool DIR` makes it durable in a sealed spool in DIR. Every caller from this
//! machine is let in that calls `SCANVEIL`. It ends when its standard input does.

use scanveil_ingest::{
    CallingRule, Current, DimseConfig, DimseLimits, DimseServer, HospitalRoute, IntakeError,
    IntakeSink, Network, PlainListener, Receipt, ReceivingSink,
};
use scanveil_model::{AeTitle, Digest, HospitalId, IntakeMeta};
use scanveil_seal::Entropy;
use scanveil_vault::{Keyring, Receiving, Spool, SpoolConfig, SpoolError};
use std::error::Error;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Counts bytes and keeps nothing.
struct Discard;

struct Discarding(u64);

impl IntakeSink for Discard {
    fn admits(&self) -> Result<(), IntakeError> {
        Ok(())
    }

    fn receive(&self, _: &HospitalId) -> Result<Box<dyn ReceivingSink>, IntakeError> {
        Ok(Box::new(Discarding(0)))
    }
}

impl Write for Discarding {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ReceivingSink for Discarding {
    fn commit(self: Box<Self>, _: IntakeMeta) -> Result<Receipt, IntakeError> {
        Ok(Receipt { digest: Digest([0; 32]), length: self.0 })
    }
}

/// The vault's spool.
struct Durable(Arc<Spool>);

struct Spooling(Receiving);

fn refused(error: SpoolError) -> IntakeError {
    match error {
        SpoolError::Full(_) => IntakeError::Full,
        SpoolError::Key(_) => IntakeError::Refused("the hospital's keys are not available"),
        other => IntakeError::Io(other.into()),
    }
}

impl IntakeSink for Durable {
    fn admits(&self) -> Result<(), IntakeError> {
        Ok(())
    }

    fn receive(&self, hospital: &HospitalId) -> Result<Box<dyn ReceivingSink>, IntakeError> {
        Ok(Box::new(Spooling(self.0.receive(hospital).map_err(refused)?)))
    }
}

impl Write for Spooling {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl ReceivingSink for Spooling {
    fn commit(self: Box<Self>, meta: IntakeMeta) -> Result<Receipt, IntakeError> {
        let spooled = self.0.commit(meta).map_err(refused)?;
        Ok(Receipt { digest: spooled.digest(), length: spooled.length() })
    }
}

/// The operating system's randomness.
struct OsEntropy;

impl Entropy for OsEntropy {
    #[allow(clippy::expect_used, reason = "a machine without randomness must not seal")]
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("the operating system gives random bytes");
    }
}

fn durable(folder: &Path) -> Result<Durable, Box<dyn Error>> {
    let keys = Arc::new(Keyring::open(folder.join("keys"), Arc::new(OsEntropy))?);
    let config = SpoolConfig::new(folder.join("spool"));
    let (spool, _) = Spool::open(config, keys, Arc::new(OsEntropy))?;
    Ok(Durable(spool))
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (port, intake): (&str, Arc<dyn IntakeSink>) = match arguments.as_slice() {
        [port, "discard"] => (port, Arc::new(Discard)),
        [port, "spool", folder] => (port, Arc::new(durable(Path::new(folder))?)),
        _ => return Err("usage: scp_sink PORT discard | scp_sink PORT spool DIR".into()),
    };
    let here = Network::loopback().map(|network| CallingRule { ae: None, network });
    let route = HospitalRoute {
        hospital: HospitalId::parse("st-wystan")?,
        called_ae: AeTitle::parse("SCANVEIL")?,
        calling: here.to_vec(),
    };
    let config = DimseConfig {
        plain: Some(PlainListener { address: ([127, 0, 0, 1], port.parse()?).into() }),
        tls: None,
        routes: Current::fixed(vec![route]),
        limits: DimseLimits::default(),
    };
    let server = DimseServer::start(config, intake)?;
    writeln!(io::stderr(), "receiving")?;
    io::stdin().read_to_end(&mut Vec::new())?;
    server.stop(Duration::from_secs(10));
    Ok(())
}
