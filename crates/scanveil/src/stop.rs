//! Being asked to stop: the first SIGINT or SIGTERM is heard and obeyed when it suits, the second
//! ends the process.

use crate::exit::SIGNAL;
use crate::output::Failure;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Whether the process was asked to stop.
#[derive(Default)]
pub(crate) struct Stop {
    asked: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

impl Stop {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the system does not let signals be heard.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let stop = Self::default();
        stop.register().map_err(|error| {
            Failure::new("SV-CLI-049", format!("signals: {error}"), "check the system's limits")
        })?;
        Ok(stop)
    }

    fn register(&self) -> io::Result<()> {
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let code = i32::from(SIGNAL) + signal;
            // In this order: the first signal does not find itself asked already.
            flag::register_conditional_shutdown(signal, code, Arc::clone(&self.asked))?;
            flag::register_usize(signal, Arc::clone(&self.signal), signal as usize)?;
            flag::register(signal, Arc::clone(&self.asked))?;
        }
        Ok(())
    }

    /// Whether to stop.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// How the process ends after it was asked.
    pub(crate) fn exit_code(&self) -> Option<u8> {
        let signal = self.is_asked().then(|| self.signal.load(Ordering::Acquire))?;
        u8::try_from(signal).ok().map(|signal| SIGNAL | signal)
    }
}
