//! The service is killed at any moment of a push, many times over: what was acknowledged is there,
//! once.

use crate::kit::{Installation, Wish, by_c_store};
use scanveil_model::{Digest, Zone};
use scanveil_synth::{Corpus, CorpusSpec, SynthInstance};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Duration;

/// How often the service is killed.
const ROUNDS: u64 = 12;
/// Associations at a time.
const ASSOCIATIONS: usize = 3;

/// Several studies of one hospital, some of which are held back, in an order that has every study
/// arrive in parts.
fn corpus() -> Vec<SynthInstance> {
    let spec = CorpusSpec {
        ct_slices: 30,
        mr_slices: 30,
        mr_side: 64,
        pet_slices: 16,
        shrink: 8,
        ..CorpusSpec::tiny()
    };
    let all = Corpus::generate(23, spec).map(Result::unwrap);
    let mut all: Vec<SynthInstance> = all.filter(|one| one.hospital == 0).collect();
    let mut dice = Dice(5);
    all.sort_by_cached_key(|_| dice.below(u64::MAX));
    all
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) % limit
    }
}

/// Sends what of these was not acknowledged yet, over several associations, until the service is
/// killed.
fn round(
    installation: &Installation,
    instances: &[SynthInstance],
    acknowledged: &Mutex<BTreeSet<String>>,
    heard: &mpsc::Sender<()>,
) {
    let taken = acknowledged.lock().unwrap().clone();
    let left: Vec<&SynthInstance> =
        instances.iter().filter(|one| !taken.contains(&one.sop_instance)).collect();
    std::thread::scope(|scope| {
        for part in left.chunks(left.len().div_ceil(ASSOCIATIONS).max(1)) {
            let heard = heard.clone();
            scope.spawn(move || {
                installation.push(part.iter().copied(), |one| {
                    acknowledged.lock().unwrap().insert(one.sop_instance.clone());
                    let _ = heard.send(());
                });
            });
        }
    });
}

#[test]
fn a_killed_service_has_everything_that_it_acknowledged_once() {
    let instances = corpus();
    // So short that studies are processed while others arrive, and some in two halves.
    let mut installation = Installation::new(Wish { quiet_ms: 30, ..Wish::default() });
    let acknowledged = Mutex::new(BTreeSet::new());
    let mut dice = Dice(23);
    for number in 0..ROUNDS {
        installation.start();
        let (heard, acknowledgements) = mpsc::channel();
        // Some rounds end in the push, the others while the pipeline works on what it took.
        let most = if number % 3 == 0 { 1 + dice.below(10) } else { u64::MAX };
        let patience = Duration::from_millis(dice.below(700));
        let made = instances.len() * (number as usize + 1) / ROUNDS as usize;
        let pid = installation.pid();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut count = 0;
                while count < most {
                    let wait = if count == 0 { Duration::from_secs(5) } else { patience };
                    if acknowledgements.recv_timeout(wait).is_err() {
                        break;
                    }
                    count += 1;
                }
                kill(pid);
            });
            round(&installation, &instances[..made], &acknowledged, &heard);
        });
        installation.kill();
    }
    installation.start();
    installation.settle();
    let after_kills = acknowledged.lock().unwrap().clone();
    assert!(!after_kills.is_empty());
    assert_once(&installation, &instances, &after_kills);

    let (heard, _acknowledgements) = mpsc::channel();
    round(&installation, &instances, &acknowledged, &heard);
    assert_eq!(
        acknowledged.lock().unwrap().len(),
        instances.len(),
        "{}",
        installation.last_words()
    );
    installation.settle();
    assert_once(&installation, &instances, &acknowledged.lock().unwrap());
    assert_released_once(&installation);
    installation.stop();
}

fn kill(pid: u32) {
    let killed = std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status();
    assert!(killed.is_ok());
}

fn times(digests: Option<&Vec<Digest>>) -> BTreeMap<Digest, usize> {
    let mut times = BTreeMap::new();
    for digest in digests.into_iter().flatten() {
        *times.entry(*digest).or_default() += 1;
    }
    times
}

/// Every acknowledged instance is once among the originals, and once in research or in quarantine;
/// nothing is anywhere twice, and nothing is there that was not sent.
fn assert_once(
    installation: &Installation,
    instances: &[SynthInstance],
    acknowledged: &BTreeSet<String>,
) {
    let holdings = installation.holdings();
    let [vault, research, quarantine] =
        [Zone::Vault, Zone::Research, Zone::Quarantine].map(|zone| times(holdings.get(&zone)));
    let mut sent = BTreeSet::new();
    for one in instances {
        let digest = by_c_store(one);
        sent.insert(digest);
        let count = |zone: &BTreeMap<Digest, usize>| zone.get(&digest).copied().unwrap_or(0);
        let found = (count(&vault), count(&research) + count(&quarantine));
        // What was durable when the answer was lost is there as well, whole.
        let once = found == (1, 1);
        assert!(
            once || (found == (0, 0) && !acknowledged.contains(&one.sop_instance)),
            "{found:?}: {}",
            installation.last_words()
        );
    }
    for zone in [&vault, &research, &quarantine] {
        assert!(zone.keys().all(|digest| sent.contains(digest)));
    }
}

fn assert_released_once(installation: &Installation) {
    let manifest = installation.release("release");
    let released: Vec<&Value> = manifest["instances"].as_array().unwrap().iter().collect();
    let names: BTreeSet<&str> =
        released.iter().map(|one| one["sop_instance_uid"].as_str().unwrap()).collect();
    let holdings = installation.holdings();
    assert_eq!((released.len(), names.len()), (holdings[&Zone::Research].len(), released.len()));
    assert!(names.len() > 20);
}
