//! One instance of a release, and the groups that lines form.

use scanveil_model::{Digest, Generation, Uid};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// One instance on its way into the release. Holds new identifiers only.
#[derive(Clone)]
pub(crate) struct Line {
    /// Path within the release.
    pub(crate) path: String,
    pub(crate) patient: Arc<str>,
    pub(crate) study: Uid,
    pub(crate) series: Uid,
    pub(crate) sop_instance: Uid,
    pub(crate) sop_class: Uid,
    pub(crate) transfer_syntax: Uid,
    pub(crate) digest: Digest,
    pub(crate) bytes: u64,
    pub(crate) generation: Generation,
    pub(crate) profile: Arc<str>,
    pub(crate) attributes: BTreeMap<String, String>,
    /// Place of its object in the list of objects.
    pub(crate) object: usize,
    /// Place within its object.
    pub(crate) entry: usize,
}

impl Line {
    pub(crate) fn attribute(&self, keyword: &str) -> Option<&str> {
        self.attributes.get(keyword).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// The ranges of lines that belong together; the lines are sorted so that those are neighbours.
pub(crate) fn groups<'a, K: PartialEq>(
    lines: &'a [Line],
    key: impl Fn(&'a Line) -> K,
) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        match groups.last_mut() {
            Some(group) if key(&lines[group.start]) == key(line) => group.end = i + 1,
            _ => groups.push(i..i + 1),
        }
    }
    groups
}

/// Groups of one patient's one study.
pub(crate) fn studies(lines: &[Line]) -> Vec<Range<usize>> {
    groups(lines, |line| (&line.patient, &line.study))
}

/// Groups of one series.
pub(crate) fn series(lines: &[Line]) -> Vec<Range<usize>> {
    groups(lines, |line| (&line.patient, &line.study, &line.series))
}

/// The attribute's value when all lines of the group have the same.
pub(crate) fn shared<'a>(group: &'a [Line], keyword: &str) -> Option<&'a str> {
    let first = group.first()?.attribute(keyword)?;
    group.iter().all(|line| line.attribute(keyword) == Some(first)).then_some(first)
}
