//! Rewrites the elements before the pixel data: every element at every depth is treated by rule, runs
//! of kept elements are copied as one piece, and the de-identification attributes are put in place.

use crate::Profile;
use crate::attributes;
use crate::dates;
use crate::identity::Search;
use crate::keyed::ProjectSecret;
use crate::rules::Treatment;
use crate::suspicion::suspicious;
use crate::values::dummy;
use crate::vocabulary::known;
use scanveil_dataset::{CharacterSets, DataSet, Element, Encoding, Kind, Tag, Vr, Writer, tags};
use scanveil_model::Action;
use std::collections::BTreeMap;

/// What the header's treatment needs to know of the study.
pub(crate) struct Context<'c> {
    pub(crate) profile: &'c Profile,
    pub(crate) secret: &'c ProjectSecret,
    pub(crate) search: &'c Search,
    pub(crate) pseudonym: &'c str,
    /// Days to subtract from every date.
    pub(crate) back: i64,
    /// Whether attributes are noted for tables.
    pub(crate) tabled: bool,
}

/// What came of it.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) actions: [u32; 8],
    pub(crate) attributes: BTreeMap<String, String>,
}

impl Outcome {
    /// Counts by action, without those that did not happen.
    pub(crate) fn counts(&self) -> BTreeMap<Action, u32> {
        ACTIONS.iter().zip(self.actions).filter(|(_, n)| *n > 0).map(|(a, n)| (*a, n)).collect()
    }
}

const ACTIONS: [Action; 8] = [
    Action::Keep,
    Action::Remove,
    Action::Empty,
    Action::Replace,
    Action::Pseudonym,
    Action::Remap,
    Action::Shift,
    Action::Clean,
];

/// An attribute that scanveil puts into every output, encoded already.
pub(crate) struct Insert {
    pub(crate) tag: Tag,
    pub(crate) bytes: Vec<u8>,
}

/// Rewrites one header into `out`.
pub(crate) struct Rewriter<'c, 'd, 'o> {
    context: &'c Context<'c>,
    data: &'d DataSet<'d>,
    out: &'o mut Vec<u8>,
    outcome: Outcome,
    /// Bytes of the input that are to be copied as they are, gathered until something else comes.
    run: Option<(usize, usize)>,
}

impl<'c, 'd, 'o> Rewriter<'c, 'd, 'o> {
    /// Treats the whole data set; `inserts` are sorted by tag and replace what the input has there.
    pub(crate) fn rewrite(
        context: &'c Context<'c>,
        data: &'d DataSet<'d>,
        inserts: &[Insert],
        out: &'o mut Vec<u8>,
    ) -> Outcome {
        let mut this = Self { context, data, out, outcome: Outcome::default(), run: None };
        let mut inserts = inserts.iter().peekable();
        let mut at = 0;
        while let Some(element) = data.elements().get(at) {
            while let Some(insert) = inserts.next_if(|insert| insert.tag <= element.tag) {
                this.flush();
                this.out.extend_from_slice(&insert.bytes);
            }
            if !is_inserted(element.tag) {
                this.element(at, element, true);
            }
            at = element.next as usize;
        }
        this.flush();
        inserts.for_each(|insert| this.out.extend_from_slice(&insert.bytes));
        this.outcome
    }

    fn count(&mut self, action: Action) {
        if let Some(at) = ACTIONS.iter().position(|a| *a == action) {
            self.outcome.actions[at] += 1;
        }
    }

    fn flush(&mut self) {
        if let Some((from, to)) = self.run.take() {
            self.out.extend_from_slice(self.data.raw(from, to));
        }
    }

    /// Adds an element to the run of bytes copied as they are.
    fn keep(&mut self, element: &Element) {
        if element.length % 2 == 1 {
            // An odd length is the sender's mistake (PS3.5 7.1.1): padded on the way.
            let value = self.data.value(element).to_vec();
            return self.put(element, &value);
        }
        let from = element.start as usize - head_length(element);
        let mut to = (element.start + element.length) as usize;
        if element.undefined_length {
            to += 8;
        }
        match &mut self.run {
            Some((_, end)) if *end == from => *end = to,
            _ => {
                self.flush();
                self.run = Some((from, to));
            }
        }
    }

    fn put(&mut self, element: &Element, value: &[u8]) {
        self.flush();
        // A known tag that came as UN goes out under its own VR, whose dummy it may hold.
        Writer::new(self.out).element(element.tag, element.vr, value, element.encoding);
    }

    fn element(&mut self, at: usize, element: &Element, top: bool) {
        let rules = &self.context.profile.rules;
        let treatment = rules.treatment(element.tag, element.vr, element.declared);
        match treatment {
            Treatment::Descend if element.kind == Kind::Sequence => {
                self.descend(at, element);
                self.count(Action::Keep);
            }
            Treatment::Remove | Treatment::Descend => self.count(Action::Remove),
            _ if element.kind == Kind::Sequence => {
                // Whatever else the rules say of it: the items go.
                self.put_empty_sequence(element);
                self.count(Action::Empty);
            }
            treatment => self.leaf(element, treatment, top),
        }
    }

    fn descend(&mut self, at: usize, sequence: &Element) {
        self.flush();
        let undefined = sequence.undefined_length;
        let mark = Writer::new(self.out).open_sequence(
            sequence.tag,
            sequence.declared,
            undefined,
            sequence.encoding,
        );
        let mut item_at = at + 1;
        while item_at < sequence.next as usize {
            let item = self.data.elements()[item_at];
            let item_mark = Writer::new(self.out).open_item(item.undefined_length, item.encoding);
            let mut child = item_at + 1;
            while child < item.next as usize {
                let element = self.data.elements()[child];
                self.element(child, &element, false);
                child = element.next as usize;
            }
            self.flush();
            Writer::new(self.out).close_item(&item_mark);
            item_at = item.next as usize;
        }
        Writer::new(self.out).close_sequence(&mark);
    }

    fn put_empty_sequence(&mut self, element: &Element) {
        self.flush();
        let declared = if element.declared == Vr::UN { Vr::SQ } else { element.declared };
        Writer::new(self.out).head(element.tag, declared, 0, element.encoding);
    }

    fn leaf(&mut self, element: &Element, treatment: Treatment, top: bool) {
        let value = self.data.value(element);
        let (action, replaced) = self.decide(element, treatment, value);
        self.count(action);
        match &replaced {
            None => self.keep(element),
            Some(new) => self.put(element, new),
        }
        if top && self.context.tabled && attributes::listed(element.tag) {
            let written = replaced.as_deref().unwrap_or(value);
            attributes::note(&mut self.outcome.attributes, element, written);
        }
    }

    /// The action, and the new value unless the element stays as it is.
    fn decide(
        &self,
        element: &Element,
        treatment: Treatment,
        value: &[u8],
    ) -> (Action, Option<Vec<u8>>) {
        let empty = || (Action::Empty, Some(Vec::new()));
        let dated = |new: Option<String>| match new {
            Some(new) => (Action::Shift, Some(new.into_bytes())),
            None => (Action::Empty, Some(Vec::new())),
        };
        let text = || std::str::from_utf8(value).unwrap_or("\u{fffd}");
        let back = self.context.back;
        match treatment {
            Treatment::Keep => (Action::Keep, None),
            Treatment::Empty => empty(),
            Treatment::Dummy if value.is_empty() => (Action::Keep, None),
            Treatment::Dummy if element.vr == Vr::UI => self.remap(value),
            Treatment::Dummy => {
                (Action::Replace, Some(dummy(element.vr, element.encoding.big_endian)))
            }
            Treatment::Pseudonym => {
                (Action::Pseudonym, Some(self.context.pseudonym.as_bytes().to_vec()))
            }
            Treatment::Remap => self.remap(value),
            Treatment::Shift => match &element.vr.0 {
                b"DA" => dated(dates::shift_da(text(), back)),
                b"DT" => dated(dates::shift_dt(text(), back)),
                _ if dates::is_time(text()) => (Action::Keep, None),
                _ => empty(),
            },
            Treatment::CapAge => match dates::cap_age(text()) {
                Some(age) if age == text().trim_matches([' ', '\0']) => (Action::Keep, None),
                Some(age) => (Action::Clean, Some(age.into_bytes())),
                None => empty(),
            },
            Treatment::Text => self.text(element, value),
            Treatment::Retained if self.context.search.finds(value) => {
                (Action::Clean, Some(Vec::new()))
            }
            Treatment::Retained => (Action::Keep, None),
            Treatment::Check => self.check(element, value),
            Treatment::Remove | Treatment::Descend => empty(),
        }
    }

    /// UIDs: each value by itself; what the standard registers stays (PS3.6 Annex A).
    fn remap(&self, value: &[u8]) -> (Action, Option<Vec<u8>>) {
        let mut out = Vec::with_capacity(value.len() + 32);
        for (i, part) in value.split(|&b| b == b'\\').enumerate() {
            if i > 0 {
                out.push(b'\\');
            }
            let uid = part.trim_ascii();
            let uid = uid.strip_suffix(b"\0").unwrap_or(uid).trim_ascii();
            if is_registered(uid) {
                out.extend_from_slice(uid);
            } else if !uid.is_empty() {
                out.extend_from_slice(self.context.secret.uid(uid).as_bytes());
            }
        }
        let same = out == value.strip_suffix(b"\0").unwrap_or(value);
        if same { (Action::Keep, None) } else { (Action::Remap, Some(out)) }
    }

    fn text(&self, element: &Element, value: &[u8]) -> (Action, Option<Vec<u8>>) {
        let doubtful = match std::str::from_utf8(value) {
            Ok(text) => suspicious(text.trim_matches([' ', '\0'])).is_some() || !known(text),
            Err(_) => true,
        };
        if !doubtful && !self.context.search.finds(value) {
            return (Action::Keep, None);
        }
        // Code Meaning (0008,0104) is type 1: an empty one would make the code invalid.
        let new = if element.tag == Tag::new(8, 0x104) { b"REMOVED".to_vec() } else { Vec::new() };
        (Action::Clean, Some(new))
    }

    /// Code strings and numbers: nothing but what their VR allows (PS3.5 6.2), and no identifier.
    fn check(&self, element: &Element, value: &[u8]) -> (Action, Option<Vec<u8>>) {
        let fits = |b: u8| match &element.vr.0 {
            b"DS" => b.is_ascii_digit() || b"+-.eE\\ \0".contains(&b),
            b"IS" => b.is_ascii_digit() || b"+-\\ \0".contains(&b),
            _ => b.is_ascii_alphanumeric() || b"_\\ \0-/.".contains(&b),
        };
        let ok = value.iter().all(|&b| fits(b));
        let code = element.vr == Vr::CS;
        // A number as short as a slice's is no identifier; words of a code string are.
        let hit = if code {
            self.context.search.finds(value)
        } else {
            self.context.search.long_forms(value).next().is_some()
        };
        let numbered =
            code && suspicious(std::str::from_utf8(value).unwrap_or("\u{fffd}")).is_some();
        let ok = if element.tag == tags::SPECIFIC_CHARACTER_SET {
            CharacterSets::parse(value).is_ok()
        } else {
            ok && !hit && !numbered
        };
        if ok { (Action::Keep, None) } else { (Action::Clean, Some(Vec::new())) }
    }
}

/// UIDs that the standard itself registers stay: SOP classes, transfer syntaxes, well-known frames.
fn is_registered(uid: &[u8]) -> bool {
    uid.starts_with(b"1.2.840.10008.") && uid.iter().all(|b| b.is_ascii_digit() || *b == b'.')
}

/// Bytes of tag, VR and length as they stand in the input.
fn head_length(element: &Element) -> usize {
    let Encoding { explicit, .. } = element.encoding;
    let long = element.declared.has_long_length() || !element.declared.is_known();
    if explicit && long { 12 } else { 8 }
}

/// Attributes that scanveil writes itself: the input's are never kept.
pub(crate) fn is_inserted(tag: Tag) -> bool {
    matches!(
        tag,
        tags::PATIENT_IDENTITY_REMOVED
            | tags::DEIDENTIFICATION_METHOD
            | tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE
            | tags::BURNED_IN_ANNOTATION
            | tags::RECOGNIZABLE_VISUAL_FEATURES
            | tags::LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED
    )
}
