//! Where the running service is asked on its own machine: a socket below the data folder that only
//! its user (and root) can open.

use super::reload::Reloader;
use crate::output::Failure;
use scanveil_govern::Actor;
use scanveil_pipeline::Config;
use serde_json::{Value, json};
use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

/// Its name, below the work folder.
const NAME: &str = "control.sock";
/// What is asked.
pub(crate) const RELOAD: &str = "reload\n";
/// How long whoever asks may take to ask, and to read the answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The folder of the socket.
fn folder(config: &Config) -> PathBuf {
    config.data_dir.join("work")
}

/// Does something with the socket's path. The system takes short ones only: the folder is named by
/// its descriptor.
pub(crate) fn at<T>(config: &Config, act: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let folder = File::open(folder(config))?;
    act(&PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(NAME))
}

/// Listens. The spool's lock says that no other service does, so what is there is a leftover.
pub(crate) fn listen(config: &Config) -> io::Result<UnixListener> {
    at(config, |path| {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        Ok(listener)
    })
}

/// Answers one who asks.
pub(crate) async fn answer(mut stream: UnixStream, reloader: &Reloader) {
    let who = match stream.peer_cred() {
        Ok(peer) => Actor::user(peer.uid()),
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
