//! What a run has finished, study by study, so that one that was stopped goes on where it was.
//!
//! The journal lies with the unfinished outputs and goes with them. It holds nothing of an input
//! but what comes out anyway: a study is known in it by a hash that hangs on the secret, the
//! profile, this program, this start of the machine, and every input of the study as it was seen.

use crate::work::{Clean, Details, Done, Outcome};
use scanveil_model::{Action, Digest, Reason, ReasonCode, TagPath};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The journal's name.
pub(crate) const JOURNAL: &str = "journal";
/// Changes with each start of the machine: what was written before may never have reached the disk.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// What is the same for all studies of a run.
pub(crate) fn circumstances(profile: &Digest, reported: bool) -> Vec<u8> {
    let boot = fs::read(BOOT).unwrap_or_default();
    [env!("CARGO_PKG_VERSION").as_bytes(), &[0, u8::from(reported)], &profile.0, &boot].concat()
}

/// What became of one instance.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Entry {
    Clean {
        output: String,
        bytes: u64,
        digest: Option<Digest>,
        actions: Option<BTreeMap<Action, u32>>,
        noticed: BTreeMap<String, u32>,
        input: Option<(Digest, u64)>,
    },
    Held {
        reason: Reason,
        input: Option<(Digest, u64)>,
    },
}

impl Entry {
    /// What is noted of an instance; nothing of one that may go better the next time.
    pub(crate) fn of(done: &Done, output: &str) -> Option<Self> {
        match &done.outcome {
            Outcome::Clean(clean) => Some(Self::Clean {
                output: output.to_owned(),
                bytes: clean.bytes,
                digest: clean.digest,
                actions: clean.details.as_ref().map(|details| details.actions.clone()),
                noticed: clean.details.as_ref().map(|one| one.noticed.clone()).unwrap_or_default(),
                input: done.input,
            }),
            Outcome::Held(held) => {
                // What is not about its bytes may go better the next time.
                let is_it = |code: &&ReasonCode| code.as_str() == held.reason;
                let code = ReasonCode::ALL.iter().find(is_it)?;
                let reason = match held.at.clone() {
                    Some(at) => Reason::at(*code, TagPath(at), held.detail.clone()),
                    None => Reason::new(*code, held.detail.clone()),
                };
                let lasts = *code != ReasonCode::Internal;
                lasts.then_some(Self::Held { reason, input: done.input })
            }
            _ => None,
        }
    }

    /// The same as if it had been done now.
    pub(crate) fn done(&self) -> Done {
        match self {
            Self::Clean { output, bytes, digest, actions, noticed, input } => {
                let details = actions.clone().map(|actions| Details {
                    output: output.clone(),
                    actions,
                    noticed: noticed.clone(),
                });
                let clean = Clean { bytes: *bytes, digest: *digest, details };
                Done { outcome: Outcome::Clean(Box::new(clean)), input: *input }
            }
            Self::Held { reason, input } => {
                Done { outcome: Outcome::Held(Box::new(reason.clone().into())), input: *input }
            }
        }
    }

    /// Whether the output is there, as long as it was.
    fn is_there(&self, out: &Path) -> bool {
        match self {
            Self::Clean { output, bytes, .. } => fs::symlink_metadata(out.join(output))
                .is_ok_and(|found| found.is_file() && found.len() == *bytes),
            Self::Held { .. } => true,
        }
    }
}

/// One line: a study and its instances, in the order of what was seen of them.
#[derive(Serialize, Deserialize)]
struct Line {
    study: Digest,
    instances: Vec<Entry>,
}

/// What earlier runs have finished, by study.
pub(crate) type Finished = HashMap<Digest, Vec<Entry>>;

/// The journal of this run.
pub(crate) struct Journal {
    file: Mutex<File>,
}

impl Journal {
    /// Begins one.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create_new(true).open(path)?;
        Ok(Self { file: Mutex::new(file) })
    }

    /// Notes a study whose outputs are in their place. In one write: a line that is cut by a kill
    /// is none.
    pub(crate) fn note(&self, study: Digest, instances: Vec<Entry>) -> io::Result<()> {
        let mut line = serde_json::to_vec(&Line { study, instances })?;
        line.push(b'\n');
        self.file.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line)
    }

    /// Takes over from journals of runs that were stopped what is wanted now and still there.
    pub(crate) fn take_over(
        &self,
        journals: &[PathBuf],
        wanted: &HashSet<Digest>,
        out: &Path,
    ) -> io::Result<Finished> {
        let mut finished = Finished::new();
        for path in journals {
            let Ok(file) = File::open(path) else { continue };
            for line in BufReader::new(file).split(b'\n') {
                let Ok(line) = serde_json::from_slice::<Line>(&line?) else { continue };
                if !wanted.contains(&line.study)
                    || !line.instances.iter().all(|entry| entry.is_there(out))
                {
                    continue;
                }
                self.note(line.study, line.instances.clone())?;
                finished.insert(line.study, line.instances);
            }
        }
        Ok(finished)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(output: &str, bytes: u64) -> Entry {
        let digest = Some(Digest([3; 32]));
        let actions = Some(BTreeMap::from([(Action::Remove, 2)]));
        let noticed = BTreeMap::new();
        Entry::Clean { output: output.into(), bytes, digest, actions, noticed, input: None }
    }

    #[test]
    fn only_whole_lines_of_wanted_studies_that_are_still_there_are_taken_over() {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name);
        fs::write(at("a.dcm"), "12345").unwrap();
        fs::write(at("short.dcm"), "123").unwrap();
        let first = Journal::create(&at("first")).unwrap();
        let studies: Vec<Digest> = (1..=5).map(|n| Digest([n; 32])).collect();
        first.note(studies[0], vec![clean("a.dcm", 5)]).unwrap();
        first.note(studies[1], vec![clean("short.dcm", 5)]).unwrap();
        first.note(studies[2], vec![clean("gone.dcm", 5)]).unwrap();
        first.note(studies[3], vec![clean("a.dcm", 5)]).unwrap();
        first.note(studies[4], vec![clean("a.dcm", 5)]).unwrap();
        let whole = fs::read(at("first")).unwrap();
        fs::write(at("first"), &whole[..whole.len() - 9]).unwrap();
        let wanted = studies.iter().copied().filter(|study| *study != studies[3]).collect();
        let second = Journal::create(&at("second")).unwrap();
        let journals = [at("first"), at("none")];
        let finished = second.take_over(&journals, &wanted, temp.path()).unwrap();
        assert_eq!(finished.keys().collect::<Vec<_>>(), [&studies[0]]);
        let Outcome::Clean(again) = finished[&studies[0]][0].done().outcome else { panic!() };
        assert_eq!((again.bytes, again.digest), (5, Some(Digest([3; 32]))));
        assert_eq!(again.details.unwrap().actions[&Action::Remove], 2);
        let third = Journal::create(&at("third")).unwrap();
        let again = third.take_over(&[at("second")], &wanted, temp.path()).unwrap();
        assert_eq!(again.len(), 1, "what was taken over is noted");
    }
}
