//! How long the pipeline worked for each hospital, as the service's own log says.

use crate::output::{Failure, io_failure};
use scanveil_model::HospitalId;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The message of the line that the pipeline writes for each study.
const STUDY_DONE: &str = "study done";

#[derive(Deserialize)]
struct Line {
    fields: Fields,
}

#[derive(Deserialize)]
struct Fields {
    message: String,
    hospital: String,
    ms: u64,
}

/// Milliseconds of work by hospital.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct StudyTimes(BTreeMap<String, u64>);

impl StudyTimes {
    #[allow(clippy::cast_precision_loss, reason = "seconds for people")]
    pub(super) fn seconds(&self, hospital: &HospitalId) -> f64 {
        self.0.get(hospital.as_str()).copied().unwrap_or(0) as f64 / 1000.0
    }

    fn read(log: &str) -> Self {
        let mut times = BTreeMap::new();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
        for Line { fields } in lines.filter(|line| line.fields.message == STUDY_DONE) {
            *times.entry(fields.hospital).or_default() += fields.ms;
        }
        Self(times)
    }
}

/// Adds up the studies of a log.
pub(super) fn study_times(log: &Path) -> Result<StudyTimes, Failure> {
    let text =
        fs::read_to_string(log).map_err(|error| io_failure(&log.display().to_string(), &error))?;
    Ok(StudyTimes::read(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn studies_add_up_and_other_lines_do_not_count() {
        let log = [
            r#"{"level":"INFO","fields":{"message":"study done","hospital":"a","ms":40,"x":1}}"#,
            r#"{"level":"INFO","fields":{"message":"study done","hospital":"b","ms":7}}"#,
            r#"{"level":"INFO","fields":{"message":"association ended","hospital":"a","ms":9}}"#,
            r#"{"level":"INFO","fields":{"message":"study done"}}"#,
            "half a li",
            r#"{"level":"INFO","fields":{"message":"study done","hospital":"a","ms":2}}"#,
        ];
        let wanted = BTreeMap::from([("a".to_owned(), 42), ("b".to_owned(), 7)]);
        assert_eq!(StudyTimes::read(&log.join("\n")), StudyTimes(wanted));
    }
}
