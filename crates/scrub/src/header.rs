//! Rewrites the elements before the pixel data: every element at every depth is treated by rule,
//! runs of kept elements are copied as one piece, and the de-identification attributes are put in
//! place.

use crate::attributes;
use crate::decide::Context;
use crate::rules::Treatment;
use scanveil_dataset::{DataSet, Element, Encoding, Kind, Tag, Vr, Writer, tags};
use scanveil_model::Action;
use std::collections::BTreeMap;

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
        let rules = self.context.rules;
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
        let (action, replaced) = self.context.decide(element, treatment, value);
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
