//! The edges that pure stages are handed: randomness and the clock.

use scanveil_seal::Entropy;
use std::time::{SystemTime, UNIX_EPOCH};

/// The operating system's randomness.
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        // Without randomness no key may be made: there is nothing to go on with.
        #[allow(clippy::expect_used, reason = "a machine without randomness must not seal")]
        aws_lc_rs::rand::fill(bytes).expect("the operating system gives random bytes");
    }
}

/// Milliseconds since 1970-01-01 UTC.
#[must_use]
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
