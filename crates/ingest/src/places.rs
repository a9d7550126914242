//! Places: how many may be connected at the same time, and whose share that is.
//!
//! Whoever is silent, slow or many must not keep others out. So every address and every token has a
//! share, some places are kept for each hospital, and who is idle gives its place away when there
//! is no other.

use crate::web::TokenDigest;
use scanveil_model::HospitalId;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The part of an IPv6 address that one subscriber has (RFC 6177): the rest is theirs to vary.
const IPV6_SHARE_BITS: u32 = 64;

/// How many places there are, and the shares of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceLimits {
    /// All places.
    pub most: usize,
    /// Most of one address; of one network of 64 bits with IPv6.
    pub per_address: usize,
    /// Most of one token.
    pub per_token: usize,
    /// Places that are kept for each hospital; half of an even share when not set.
    pub kept_per_hospital: Option<usize>,
    /// Who is idle for so long gives its place away when there is no other.
    pub yields_after: Duration,
}

/// Who wants a place.
#[derive(Debug, Clone)]
pub struct Guest {
    /// The address.
    pub address: IpAddr,
    /// The hospital, once it is known.
    pub hospital: Option<HospitalId>,
    /// The digest of the token that was shown.
    pub token: Option<TokenDigest>,
}

impl Guest {
    /// Somebody of whom nothing but the address is known.
    #[must_use]
    pub fn stranger(address: IpAddr) -> Self {
        Self { address, hospital: None, token: None }
    }
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// All are taken.
    #[error("all places are taken")]
    Total,
    /// What is left is kept for other hospitals.
    #[error("the places left are kept for other hospitals")]
    Hospital,
    /// The address has its share.
    #[error("one address has all places of its share")]
    Address,
    /// The token has its share.
    #[error("one token has all places of its share")]
    Token,
}

impl Full {
    /// A fixed word for metrics and logs.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Total => "places-total",
            Self::Hospital => "places-hospital",
            Self::Address => "places-address",
            Self::Token => "places-token",
        }
    }
}

/// What a guest is asked to do when its place is given away.
type Leave = Box<dyn FnOnce() + Send>;

struct Entry {
    guest: Guest,
    /// Since when it is idle; nothing while it is at work.
    idle_since: Option<Instant>,
    leave: Leave,
}

#[derive(Default)]
struct State {
    next: u64,
    entries: HashMap<u64, Entry>,
}

struct Inner {
    limits: PlaceLimits,
    /// How many hospitals there are now.
    hospitals: Box<dyn Fn() -> usize + Send + Sync>,
    state: Mutex<State>,
}

/// The places of one kind, shared by all who give them out.
#[derive(Clone)]
pub struct Places(Arc<Inner>);

/// A place; given back when dropped.
pub struct Place {
    places: Places,
    id: u64,
}

impl Places {
    /// These many places, for as many hospitals as there are whenever one is taken.
    #[must_use]
    pub fn new(limits: PlaceLimits, hospitals: impl Fn() -> usize + Send + Sync + 'static) -> Self {
        let hospitals = Box::new(hospitals);
        Self(Arc::new(Inner { limits, hospitals, state: Mutex::default() }))
    }

    /// Takes a place, if need be from somebody who is idle: that one's `leave` is called then. A
    /// new guest counts as idle until it says otherwise.
    ///
    /// # Errors
    /// [`Full`] when there is none for this guest.
    pub fn take(&self, guest: Guest, leave: impl FnOnce() + Send + 'static) -> Result<Place, Full> {
        self.take_at(Instant::now(), guest, Box::new(leave))
    }

    fn take_at(&self, now: Instant, guest: Guest, leave: Leave) -> Result<Place, Full> {
        let guest = Guest { address: share_of(guest.address), ..guest };
        let mut state = self.state();
        let ousted = self.0.room(&state, &guest, now)?;
        let ousted = ousted.and_then(|id| state.entries.remove(&id));
        let id = state.next;
        state.next += 1;
        state.entries.insert(id, Entry { guest, idle_since: Some(now), leave });
        drop(state);
        if let Some(entry) = ousted {
            (entry.leave)();
        }
        Ok(Place { places: self.clone(), id })
    }

    /// How many places are taken.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.state().entries.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A thread that panicked left whole entries.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Something is at work: the place is not given away.
    pub fn busy(&self) {
        self.set_idle(None);
    }

    /// Nothing is at work from now on.
    pub fn idle(&self) {
        self.set_idle(Some(Instant::now()));
    }

    fn set_idle(&self, since: Option<Instant>) {
        if let Some(entry) = self.places.state().entries.get_mut(&self.id) {
            entry.idle_since = since;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let gone = self.places.state().entries.remove(&self.id);
        // What it was to be told may hold a connection: dropped when the lock is free.
        drop(gone);
    }
}

impl Inner {
    /// Whether there is room: at once, or in the place of whom.
    fn room(&self, state: &State, guest: &Guest, now: Instant) -> Result<Option<u64>, Full> {
        let count = |same: &dyn Fn(&Guest) -> bool| {
            state.entries.values().filter(|entry| same(&entry.guest)).count()
        };
        let same_address = |other: &Guest| other.address == guest.address;
        let same_token = |other: &Guest| other.token == guest.token;
        if count(&same_address) >= self.limits.per_address {
            return self.idlest(state, now, &same_address).map(Some).ok_or(Full::Address);
        }
        if guest.token.is_some() && count(&same_token) >= self.limits.per_token {
            return self.idlest(state, now, &same_token).map(Some).ok_or(Full::Token);
        }
        let hospitals = (self.hospitals)();
        let kept = self.kept(hospitals);
        let used = used_by_hospital(state);
        if self.is_free(state.entries.len(), [hospitals, kept], &used, guest) {
            return Ok(None);
        }
        // Only what lies above its hospital's kept places makes room for others.
        let helps = |other: &Guest| {
            other.hospital == guest.hospital || used.get(&other.hospital).is_some_and(|n| *n > kept)
        };
        let full =
            if state.entries.len() < self.limits.most { Full::Hospital } else { Full::Total };
        self.idlest(state, now, &helps).map(Some).ok_or(full)
    }

    /// Places kept for each of so many hospitals.
    fn kept(&self, hospitals: usize) -> usize {
        let even = self.limits.most.checked_div(hospitals).unwrap_or(0);
        self.limits.kept_per_hospital.unwrap_or(even.div_ceil(2)).min(even)
    }

    fn is_free(
        &self,
        taken: usize,
        [hospitals, kept]: [usize; 2],
        used: &HashMap<Option<HospitalId>, usize>,
        guest: &Guest,
    ) -> bool {
        if taken >= self.limits.most {
            return false;
        }
        let own = used.get(&guest.hospital).copied().unwrap_or(0);
        if guest.hospital.is_none() || own < kept {
            return true;
        }
        let absent = hospitals.saturating_sub(used.len());
        let spoken_for = used.values().map(|n| (*n).max(kept)).sum::<usize>() + absent * kept;
        spoken_for < self.limits.most
    }

    /// Among those who are idle long enough: of the address that has the most, who is it longest.
    fn idlest(&self, state: &State, now: Instant, may: &dyn Fn(&Guest) -> bool) -> Option<u64> {
        let mut per_address: HashMap<IpAddr, usize> = HashMap::new();
        for entry in state.entries.values() {
            *per_address.entry(entry.guest.address).or_default() += 1;
        }
        let yields = |since: Instant| now.saturating_duration_since(since);
        state
            .entries
            .iter()
            .filter(|(_, entry)| may(&entry.guest))
            .filter_map(|(id, entry)| {
                let idle = yields(entry.idle_since?);
                let crowd = per_address.get(&entry.guest.address).copied().unwrap_or(0);
                (idle >= self.limits.yields_after).then_some((crowd, idle, *id))
            })
            .max_by_key(|(crowd, idle, id)| (*crowd, *idle, std::cmp::Reverse(*id)))
            .map(|(_, _, id)| id)
    }
}

fn used_by_hospital(state: &State) -> HashMap<Option<HospitalId>, usize> {
    let mut used = HashMap::new();
    for entry in state.entries.values() {
        *used.entry(entry.guest.hospital.clone()).or_default() += 1;
    }
    used
}

/// What shares are counted by.
fn share_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let kept = u128::MAX << (128 - IPV6_SHARE_BITS);
            Ipv6Addr::from(u128::from(address) & kept).into()
        }
    }
}

#[cfg(test)]
mod tests;
