use super::*;
use proptest::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const LIMITS: PlaceLimits = PlaceLimits {
    most: 8,
    per_address: 8,
    per_token: 8,
    kept_per_hospital: None,
    yields_after: Duration::from_secs(10),
};

fn guest(address: &str, hospital: Option<&str>, token: Option<usize>) -> Guest {
    let token = token.map(|number| TokenDigest::of(&number.to_string()));
    let hospital = hospital.map(|name| HospitalId::parse(name).unwrap());
    Guest { address: address.parse().unwrap(), hospital, token }
}

/// Takes a place for somebody who is at work.
fn busy(places: &Places, guest: Guest) -> Result<Place, Full> {
    let place = places.take(guest, || {})?;
    place.busy();
    Ok(place)
}

fn many(places: &Places, most: usize, guest: &Guest) -> Vec<Place> {
    (0..most).map_while(|_| busy(places, guest.clone()).ok()).collect()
}

#[test]
fn an_address_and_a_token_have_their_share() {
    let places = Places::new(PlaceLimits { per_address: 3, per_token: 2, ..LIMITS }, || 0);
    let held = many(&places, 9, &guest("192.0.2.1", None, None));
    assert_eq!(held.len(), 3);
    let mapped = guest("::ffff:192.0.2.1", None, None);
    assert_eq!(busy(&places, mapped).err(), Some(Full::Address));
    let _one = busy(&places, guest("2001:db8::1", None, Some(0))).ok().unwrap();
    let _two = busy(&places, guest("2001:db8::2", None, Some(0))).ok().unwrap();
    let third = busy(&places, guest("192.0.2.9", None, Some(0)));
    assert_eq!(third.err(), Some(Full::Token));
    let _three = busy(&places, guest("2001:db8::3", None, Some(1))).ok().unwrap();
    // One subscriber varies the last 64 bits at will.
    let fourth = busy(&places, guest("2001:db8::4", None, Some(1)));
    assert_eq!(fourth.err(), Some(Full::Address));
    drop(held);
    assert_eq!(places.taken(), 3);
}

#[test]
fn places_are_kept_for_every_hospital() {
    // Eight places for two hospitals: two of an even share of four are kept for each.
    let now = Arc::new(AtomicUsize::new(2));
    let count = Arc::clone(&now);
    let count = move || count.load(Ordering::Relaxed);
    let places = Places::new(PlaceLimits { per_address: 100, ..LIMITS }, count);
    let one = guest("192.0.2.1", Some("one"), None);
    let held = many(&places, 9, &one);
    assert_eq!(held.len(), 6);
    assert_eq!(busy(&places, one.clone()).err(), Some(Full::Hospital));
    let two = guest("192.0.2.1", Some("two"), None);
    let others = many(&places, 9, &two);
    assert_eq!(others.len(), 2);
    assert_eq!(busy(&places, two).err(), Some(Full::Total));
    drop(others);
    drop(held);
    // Alone, a hospital has them all; with more hospitals than places nobody has any for sure.
    now.store(1, Ordering::Relaxed);
    assert_eq!(many(&places, 9, &one).len(), 8);
    now.store(100, Ordering::Relaxed);
    assert_eq!(many(&places, 9, &one).len(), 8);
}

#[test]
fn who_is_idle_gives_its_place_away_and_who_works_does_not() {
    let places = Places::new(PlaceLimits { most: 2, ..LIMITS }, || 0);
    let told = Arc::new(AtomicBool::new(false));
    let tell = Arc::clone(&told);
    let start = Instant::now();
    let silent = guest("192.0.2.1", None, None);
    let leave = Box::new(move || tell.store(true, Ordering::SeqCst));
    let first = places.take_at(start, silent.clone(), leave).ok().unwrap();
    let worker = busy(&places, silent.clone()).ok().unwrap();
    let early = places.take_at(start + Duration::from_secs(9), silent.clone(), Box::new(|| {}));
    assert_eq!(early.err(), Some(Full::Total));
    assert!(!told.load(Ordering::SeqCst));
    let late = places.take_at(start + Duration::from_secs(10), silent, Box::new(|| {}));
    let late = late.ok().unwrap();
    assert!(told.load(Ordering::SeqCst));
    assert_eq!(places.taken(), 2);
    // Whoever was told has lost its place already: that it ends frees no second one.
    drop(first);
    assert_eq!(places.taken(), 2);
    late.busy();
    drop(worker);
    assert_eq!(places.taken(), 1);
}

#[test]
fn the_address_with_the_most_gives_way_first() {
    let places = Places::new(PlaceLimits { yields_after: Duration::ZERO, ..LIMITS }, || 0);
    let told = Arc::new(AtomicUsize::new(0));
    let mut held = Vec::new();
    for (address, worth) in [("192.0.2.1", 100), ("192.0.2.2", 1)] {
        for _ in 0..if worth == 1 { 7 } else { 1 } {
            let told = Arc::clone(&told);
            let tell = move || _ = told.fetch_add(worth, Ordering::SeqCst);
            held.push(places.take(guest(address, None, None), tell).ok().unwrap());
        }
    }
    for n in 1..=6 {
        held.push(places.take(guest("192.0.2.3", None, None), || {}).ok().unwrap());
        assert!(told.load(Ordering::SeqCst) <= n && places.taken() == 8);
    }
}

proptest! {
    #[test]
    fn whatever_others_do_a_hospital_gets_what_is_kept_for_it(
        most in 1_usize..40,
        hospitals in 1_usize..6,
        kept in proptest::option::of(0_usize..20),
        takes in proptest::collection::vec((0_usize..6, any::<bool>()), 0..80),
    ) {
        let limits = PlaceLimits { most, per_address: most, per_token: most,
            kept_per_hospital: kept, ..LIMITS };
        let places = Places::new(limits, move || hospitals);
        let even = most / hospitals;
        let kept = kept.unwrap_or(even.div_ceil(2)).min(even);
        let name = |n: usize| format!("h{}", n % hospitals);
        let mut held: Vec<(usize, Place)> = Vec::new();
        for (hospital, give_back) in takes {
            if give_back && !held.is_empty() {
                held.swap_remove(hospital % held.len());
                continue;
            }
            let own = held.iter().filter(|(h, _)| h % hospitals == hospital % hospitals).count();
            match busy(&places, guest("192.0.2.1", Some(&name(hospital)), None)) {
                Ok(place) => held.push((hospital, place)),
                Err(_) => prop_assert!(own >= kept, "{own} of {kept} kept"),
            }
            prop_assert!(places.taken() <= most);
        }
    }
}
