//! How a command ends, as a number.

/// It failed: the error has a code and a next step.
pub(crate) const FAILED: u8 = 1;
/// It is done, and there is something to look at: held back, found, damaged, not ready.
pub(crate) const ATTENTION: u8 = 2;
/// The command line is wrong (`EX_USAGE` of sysexits.h).
pub(crate) const USAGE: u8 = 64;
/// Stopped by a signal: this and the signal's number.
pub(crate) const SIGNAL: u8 = 128;

/// The table for `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0    done
  1    failed: standard error says what, why and what to do next
  2    done, and something needs a look: held back, found, damaged, not ready, a check that failed
  64   the command line is wrong
  130  stopped by SIGINT (Ctrl-C); 143 by SIGTERM";
