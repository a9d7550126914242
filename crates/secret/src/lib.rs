//! Keys in memory: locked where the system allows it, so that they reach no swap file, left out of
//! images of the process, and wiped as soon as they are given back.

use memmap2::MmapMut;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use zeroize::Zeroize;

/// Bytes of a secret.
const LENGTH: usize = 32;
/// Memory that is taken at a time: whole pages, which hold nothing else.
const STEP: usize = 16 << 10;

type Place = &'static mut [u8; LENGTH];

/// Places for secrets. What is taken from the system once is kept: a process has few keys at a
/// time, and pages that are locked and unlocked with each of them would cost much.
struct Places {
    free: Vec<Place>,
    /// Whether something had to be taken that could not be locked.
    unlocked: bool,
}

static PLACES: Mutex<Places> = Mutex::new(Places { free: Vec::new(), unlocked: false });

impl Places {
    fn all() -> MutexGuard<'static, Self> {
        PLACES.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&mut self) -> Place {
        loop {
            if let Some(place) = self.free.pop() {
                return place;
            }
            self.grow();
        }
    }

    fn grow(&mut self) {
        let bytes: &'static mut [u8] = match MmapMut::map_anon(STEP) {
            Ok(map) => {
                self.unlocked |= map.lock().is_err();
                // The process writes no image in any case; a debugger's may still.
                #[cfg(target_os = "linux")]
                let _ = map.advise(memmap2::Advice::DontDump);
                &mut Box::leak(Box::new(map))[..]
            }
            Err(_) => {
                self.unlocked = true;
                vec![0; STEP].leak()
            }
        };
        self.free.extend(bytes.as_chunks_mut().0);
    }
}

/// Whether every secret so far lies in memory that is locked.
#[must_use]
pub fn is_locked() -> bool {
    // One is needed to know.
    drop(Secret::new(|_| ()));
    !Places::all().unlocked
}

/// 32 secret bytes in one place: moving them leaves no copy behind.
pub struct Secret(Option<Place>);

impl Secret {
    /// A secret that `fill` writes.
    #[must_use]
    pub fn new(fill: impl FnOnce(&mut [u8; LENGTH])) -> Self {
        let place = Places::all().take();
        fill(place);
        Self(Some(place))
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; LENGTH] {
        match &self.0 {
            Some(place) => place,
            None => unreachable!("the place is taken only by drop"),
        }
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        if let Some(place) = self.0.take() {
            place.zeroize();
            Places::all().free.push(place);
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_wiped_and_used_again() {
        let many: Vec<Secret> =
            (0..2000u16).map(|n| Secret::new(|bytes| bytes.fill(n as u8))).collect();
        assert!(many.iter().zip(0..2000u16).all(|(one, n)| *one.bytes() == [n as u8; LENGTH]));
        drop(many);
        let places = Places::all();
        assert!(places.free.len() >= 2000 - STEP / LENGTH);
        assert!(places.free.iter().all(|place| **place == [0; LENGTH]));
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", Secret::new(|bytes| bytes.fill(7))), "Secret(..)");
    }

    #[test]
    fn the_systems_word_is_asked_for() {
        // Either is right: it hangs on the limit that the test runs under.
        assert_eq!(is_locked(), !Places::all().unlocked);
    }
}
