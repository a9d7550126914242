//! Where the running service is asked on its own machine: a socket without a file, so that a data
//! folder holds nothing but files, also after a crash. Each side looks who the other one is.

use super::reload::Reloader;
use crate::output::Failure;
use rustix::net::sockopt::socket_peercred;
use rustix::process::geteuid;
use scanveil_govern::Actor;
use scanveil_pipeline::Config;
use serde_json::{Value, json};
use std::fs::{self, Metadata};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{self, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

/// Who may do everything.
const ROOT: u32 = 0;
/// What is asked.
pub(crate) const RELOAD: &str = "reload\n";
/// How long whoever asks may take to ask, and to read the answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The work folder, by which the socket is named: another service has another one.
fn folder(config: &Config) -> io::Result<Metadata> {
    fs::metadata(config.data_dir.join("work"))
}

/// The socket's name, which is in no file system.
fn address(folder: &Metadata) -> io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(format!("scanveil-{:x}-{:x}", folder.dev(), folder.ino()))
}

/// Listens. The spool's lock says that no other service does.
pub(crate) fn listen(config: &Config) -> io::Result<UnixListener> {
    let listener = net::UnixListener::bind_addr(&address(&folder(config)?)?)?;
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}

/// Connects to the service. Anybody can take a name: it must be the owner of the data who answers.
pub(crate) fn connect(config: &Config) -> io::Result<net::UnixStream> {
    let folder = folder(config)?;
    let stream = net::UnixStream::connect_addr(&address(&folder)?)?;
    let uid = socket_peercred(&stream)?.uid.as_raw();
    if uid != folder.uid() && uid != ROOT {
        return Err(io::Error::other("somebody else answers in its name"));
    }
    Ok(stream)
}

/// Answers one who asks.
pub(crate) async fn answer(mut stream: UnixStream, reloader: &Reloader) {
    let who = match stream.peer_cred() {
        Ok(peer) if [ROOT, geteuid().as_raw()].contains(&peer.uid()) => Actor::user(peer.uid()),
        Ok(peer) => return tracing::warn!(uid = peer.uid(), "who asks the service may not"),
        Err(error) => return tracing::warn!(%error, "nobody knows who asks the service"),
    };
    let mut asked = [0; RELOAD.len()];
    let read = timeout(PATIENCE, stream.read_exact(&mut asked)).await;
    if !matches!(read, Ok(Ok(_))) || asked != *RELOAD.as_bytes() {
        return;
    }
    let told = match reloader.reload(&who) {
        Ok(reloaded) => json!({ "reloaded": reloaded }),
        Err(Failure(report)) => json!({ "refused": report }),
    };
    let told = told.to_string();
    // Whoever has gone does not want to know.
    let _ = timeout(PATIENCE, stream.write_all(told.as_bytes())).await;
}

/// Whether an answer says that everything of the file is in force.
pub(crate) fn is_whole(reloaded: &Value) -> bool {
    let empty = |name: &str| reloaded[name].as_array().is_none_or(Vec::is_empty);
    empty("needs_restart") && empty("problems") && empty("waiting")
}
