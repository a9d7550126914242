//! The search itself.

use crate::What;
use crate::explain::{Instance, Told};
use crate::filter::Filter;
use crate::forms::{self, Form, NO_DAY};
use crate::grouped::Grouped;
use crate::spelling::Written;
use crate::stands::{begins_value, char_at, char_before, ends_value, stands};
use scanveil_dataset::Tag;
use scanveil_model::Reason;
use std::collections::{BTreeSet, HashSet};
use std::ops::{ControlFlow, Range};

/// Shortest form that is looked for in compressed bytes: shorter ones are met there by chance.
const SHORTEST_PACKED: usize = 8;

/// Longest UID (PS3.5 9.1).
const LONGEST_UID: usize = 64;

/// Looks for the identifying values of a study. No `Debug`.
pub struct Verifier {
    filter: Filter,
    forms: Vec<Form>,
    /// For each day, the elements it was found in.
    days: Vec<BTreeSet<Tag>>,
    uids: HashSet<u64>,
    grouped: Grouped,
}

/// An element of what was written that keeps something on purpose: nothing is objected to there
/// that is of these kinds or lies within these bytes; the same in another element still is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Where its value begins in what was written.
    pub at: usize,
    /// Its tag.
    pub tag: Tag,
    /// What the profile keeps in it, or its treatment accounts for.
    pub kinds: &'static [What],
    /// Bytes of its value that are words of the trade, whoever is called so.
    pub words: Vec<Range<usize>>,
}

/// Where an identifying value was found, and of what kind it is; never the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Residue {
    /// Byte offset of its first byte.
    pub at: usize,
    /// What it is.
    pub what: What,
}

/// A form found and standing.
pub(crate) struct Hit<'v> {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) form: &'v Form,
}

impl Hit<'_> {
    /// Whether marks or spaces stand between its digits.
    pub(crate) fn is_grouped(&self) -> bool {
        self.form.written == Written::Utf8
            && self.end - self.start > self.form.bytes.len()
            && self.form.what != What::Uid
    }
}

impl Verifier {
    pub(crate) fn new(
        mut forms: Vec<Form>,
        days: Vec<BTreeSet<Tag>>,
        uids: HashSet<u64>,
        grouped: Grouped,
    ) -> Self {
        Self { filter: Filter::new(&mut forms), forms, days, uids, grouped }
    }

    /// The first identifying value in bytes that are readable as they are: a header, a report, a
    /// native data set.
    #[must_use]
    pub fn search(&self, bytes: &[u8]) -> Option<Residue> {
        self.first(bytes, 0)
    }

    /// The first identifying value in compressed bytes: a code stream with its comments, a deflated
    /// data set, a sealed file. Only forms of 8 bytes or more count there.
    #[must_use]
    pub fn search_packed(&self, bytes: &[u8]) -> Option<Residue> {
        self.first(bytes, SHORTEST_PACKED)
    }

    fn first(&self, bytes: &[u8], shortest: usize) -> Option<Residue> {
        let mut residue = None;
        self.visit(bytes, |hit| {
            if hit.end - hit.start < shortest {
                return ControlFlow::Continue(());
            }
            residue = Some(Residue { at: hit.start, what: hit.form.what });
            ControlFlow::Break(())
        });
        residue
    }

    /// Searches a written instance: preamble, file meta information and elements; of a deflated
    /// one, the elements before they are deflated. What our own writing explains is passed over:
    /// values equal to one of `ours` (the pseudonym, dummy values), keyed UIDs, the
    /// de-identification attributes, numbers by chance, bytes that are no values; and what `kept`,
    /// in order of its places, says is kept on purpose, in that element only.
    ///
    /// # Errors
    /// [`scanveil_model::ReasonCode::ResidualIdentifier`] with the element that holds one;
    /// [`scanveil_model::ReasonCode::Internal`] when something was found and `written` does not
    /// parse.
    pub fn check(&self, written: &[u8], ours: &[&[u8]], kept: &[Kept]) -> Result<(), Reason> {
        if self.search(written).is_none() {
            return Ok(());
        }
        let instance = Instance::new(written)?;
        let parsed = instance.parse()?;
        let told = Told { ours, kept };
        let mut outcome = Ok(());
        self.visit(written, |hit| {
            outcome = parsed.judge(&hit, self, told);
            if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        outcome
    }

    /// The elements that a day was found in.
    pub(crate) fn holders(&self, form: &Form) -> Option<&BTreeSet<Tag>> {
        self.days.get(form.day as usize).filter(|_| form.day != NO_DAY)
    }

    fn visit(&self, bytes: &[u8], mut found: impl FnMut(Hit<'_>) -> ControlFlow<()>) {
        let mut over = ControlFlow::Continue(());
        self.filter.scan(bytes, |at, candidates| {
            for form in &self.forms[candidates] {
                let Some(start) = (at + 1).checked_sub(3 + form.anchor()) else { continue };
                let Some(end) = self.whole(form, bytes, start) else { continue };
                over = found(Hit { start, end, form });
                over?;
            }
            ControlFlow::Continue(())
        });
        if over.is_continue() {
            self.grouped.scan(bytes, |at, form| found(Hit { start: at.start, end: at.end, form }));
        }
    }

    /// Where the form that may begin at `start` ends, if it stands there.
    fn whole(&self, form: &Form, bytes: &[u8], start: usize) -> Option<usize> {
        let end = start + form.bytes.len();
        if !form.equals(bytes.get(start..end)?) {
            return None;
        }
        if form.what == What::Uid {
            return self.uid(bytes, start, form.written);
        }
        stands(form, bytes, start).then_some(end)
    }

    /// Where the UID that begins at `start` ends, if it is one of the study's.
    fn uid(&self, bytes: &[u8], start: usize, written: Written) -> Option<usize> {
        let part = |c: &char| c.is_ascii_digit() || *c == '.';
        if char_before(bytes, start, written).is_some_and(|c| part(&c))
            && !begins_value(bytes, start)
        {
            return None;
        }
        let width = if written == Written::Utf8 { 1 } else { 2 };
        let mut uid = [0u8; LONGEST_UID + 1];
        let (mut length, mut at) = (0, start);
        while let Some(c) = char_at(bytes, at, written).filter(part) {
            // What follows may be the header of the next element.
            if ends_value(bytes, at) && self.knows(&uid[..length]) {
                return Some(at);
            }
            *uid.get_mut(length)? = c as u8;
            length += 1;
            at += width;
        }
        let uid = &uid[..length];
        let end = uid.iter().rposition(|&byte| byte != b'.').map_or(0, |last| last + 1);
        let uid = &uid[..end];
        self.knows(uid).then_some(start + end * width)
    }

    fn knows(&self, uid: &[u8]) -> bool {
        !forms::is_registered(uid) && self.uids.contains(&forms::digest(uid))
    }
}
