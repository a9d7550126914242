//! Rewrites the elements before the pixel data: every element at every depth is treated by rule,
//! runs of kept elements are copied as one piece, and the de-identification attributes are put in
//! place.

mod content_items;

use crate::attributes;
use crate::decide::{CannotDecode, Context, New};
use crate::icc;
use crate::iod::TOP;
use crate::noticed::Noticed;
use crate::options::ProfileOption;
use crate::outcome::{Decided, Outcome, Watch, Written};
use crate::plan::{Place, Plan};
use crate::private;
use crate::profile::Rule;
use crate::structured::ItemRule;
use crate::text::Charset;
use crate::treatment::{Because, Treatment, in_dummies};
use crate::values::dummy;
use content_items::Personal;
use scanveil_dataset::{CharacterSets, DataSet, Element, Encoding, Kind, Tag, Vr, Writer, tags};
use scanveil_model::{Action, Reason, ReasonCode};
use std::borrow::Cow;

/// An attribute that scanveil puts into every output, encoded already.
pub(crate) struct Insert<'i> {
    pub(crate) tag: Tag,
    pub(crate) bytes: Cow<'i, [u8]>,
}

/// How the elements of a data set or an item are treated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// By the plan.
    Plain,
    /// By the plan, and what it would keep of texts and dates is replaced.
    Dummies,
    /// As content items; replaced throughout, or by Table E.3.4-1.
    Content { replaced: bool },
}

/// A data set or an item being treated.
struct Level {
    mode: Mode,
    /// For the value-bearing attributes of a content item.
    item: Option<ItemRule>,
    /// What it says of the person.
    person: Personal,
    /// Private creator elements met so far: their indices.
    creators: Vec<usize>,
    /// Where it ends in the list.
    end: usize,
}

impl Level {
    fn new(mode: Mode, end: usize) -> Self {
        Self { mode, item: None, person: Personal::Nothing, creators: Vec::new(), end }
    }
}

/// Rewrites one header into `out`.
pub(crate) struct Rewriter<'c, 'd, 'o, 'w> {
    context: &'c Context<'c>,
    plan: &'c Plan,
    data: &'d DataSet<'d>,
    charset: Charset,
    out: &'o mut Vec<u8>,
    outcome: Outcome,
    /// Sequences above the element.
    path: Vec<Tag>,
    /// Bytes of the input that are to be copied as they are, gathered until something else comes.
    run: Option<(usize, usize)>,
    /// Whether content items refer to others by their place; looked for once.
    by_place: Option<bool>,
    /// What the item around says of the person.
    person: Personal,
    watch: Option<Watch<'w>>,
}

impl<'c, 'd, 'o, 'w> Rewriter<'c, 'd, 'o, 'w> {
    /// Treats the whole data set; `inserts` are sorted by tag and replace what the input has there.
    ///
    /// # Errors
    /// The [`Reason`] to hold the instance back.
    pub(crate) fn rewrite(
        context: &'c Context<'c>,
        plan: &'c Plan,
        data: &'d DataSet<'d>,
        charset: Charset,
        inserts: &[Insert<'_>],
        out: &'o mut Vec<u8>,
        watch: Option<Watch<'w>>,
    ) -> Result<Outcome, Reason> {
        let mut this = Self {
            context,
            plan,
            data,
            charset,
            out,
            outcome: Outcome::default(),
            path: Vec::new(),
            run: None,
            by_place: None,
            person: Personal::Nothing,
            watch,
        };
        let mut ours = inserts.iter().peekable();
        let not_always = |tag: &Tag| !is_inserted(*tag);
        let others: Vec<Tag> = inserts.iter().map(|insert| insert.tag).filter(not_always).collect();
        let end = data.elements().len();
        let mut level = Level::new(Mode::Plain, end);
        let mut at = 0;
        while let Some(element) = data.elements().get(at) {
            while let Some(insert) = ours.next_if(|insert| insert.tag <= element.tag) {
                this.flush();
                this.out.extend_from_slice(&insert.bytes);
            }
            if !is_inserted(element.tag) && !others.contains(&element.tag) {
                this.element(at, element, &mut level)?;
            }
            at = element.next as usize;
        }
        this.flush();
        ours.for_each(|insert| this.out.extend_from_slice(&insert.bytes));
        Ok(this.outcome)
    }

    /// Counts an element that goes without a look at its value.
    fn note(&mut self, at: usize, element: &Element, action: Action, because: Because) {
        self.outcome.counts.count(action, because);
        if let Some(watch) = &mut self.watch {
            watch(&Decided { at, element, action, new: None, kinds: &[], written: None });
        }
    }

    fn flush(&mut self) {
        if let Some((from, to)) = self.run.take() {
            self.out.extend_from_slice(self.data.raw(from, to));
        }
    }

    /// Adds an element to the run of bytes copied as they are; gives where its value will begin.
    fn keep(&mut self, element: &Element) -> usize {
        if element.odd || element.length % 2 == 1 {
            // An odd length is the sender's mistake (PS3.5 7.1.1): padded on the way. So is a value
            // representation that is none: another one is written.
            let value = self.data.value(element).to_vec();
            return self.put(element, &value);
        }
        let from = element.start as usize - head_length(element);
        let mut to = (element.start + element.length) as usize;
        if element.undefined_length {
            to += 8;
        }
        let begun = match &mut self.run {
            Some((begun, end)) if *end == from => {
                *end = to;
                *begun
            }
            _ => {
                self.flush();
                self.run = Some((from, to));
                from
            }
        };
        self.out.len() + element.start as usize - begun
    }

    /// Writes an element with a new value; gives where that begins.
    fn put(&mut self, element: &Element, value: &[u8]) -> usize {
        self.flush();
        // A known tag that came as UN goes out under its own VR, whose dummy it may hold.
        Writer::new(self.out).element(element.tag, element.vr, value, element.encoding);
        self.out.len() - value.len().next_multiple_of(2)
    }

    /// What to do with an element at its place.
    fn treatment(&self, element: &Element, level: &Level) -> (Treatment, Because) {
        if let Some(treatment) = level.item.and_then(|item| item.of(element.tag)) {
            return (treatment, Because::Concept);
        }
        let creator = self.creator(element, level);
        if element.tag.is_private() && creator.is_none() {
            return (Treatment::Remove, Because::Private);
        }
        let value = self.data.value(element);
        let place = Place { path: &self.path, creator, value };
        let rules = self.context.rules;
        let vr = (element.vr, element.declared);
        let (treatment, because) = self.plan.treatment(rules, element.tag, vr, &place);
        if level.mode == Mode::Dummies && !matches!(because, Because::Rule(_)) {
            return in_dummies(treatment, because, element.vr);
        }
        (treatment, because)
    }

    /// The creator of a private element's block (PS3.5 7.8.1).
    fn creator(&self, element: &Element, level: &Level) -> Option<&'d [u8]> {
        if !element.tag.is_private() {
            return None;
        }
        // Tags ascend, so that the group's creators are the last ones met.
        let wanted = block(element.tag);
        let of = |&at: &usize| self.data.elements().get(at);
        let group = |creator: &&Element| creator.tag.group() == wanted.group();
        let mut creators = level.creators.iter().rev().filter_map(of).take_while(group);
        creators.find(|creator| creator.tag == wanted).map(|creator| self.data.value(creator))
    }

    fn element(&mut self, at: usize, element: &Element, level: &mut Level) -> Result<(), Reason> {
        if element.tag.is_private() && !self.plan.keeps_private() {
            self.note(at, element, Action::Remove, Because::Private);
            return Ok(());
        }
        if element.tag.is_private_creator() {
            self.creator_element(at, element, level);
            return Ok(());
        }
        if self.declares_nothing(at, element) || self.tells_age(at, element, level) {
            return Ok(());
        }
        if element.odd {
            self.outcome.notice(Noticed::OddRepresentation);
        }
        let (treatment, because) = self.treatment(element, level);
        if element.kind == Kind::Sequence {
            return self.sequence(at, element, treatment, because, level);
        }
        match treatment {
            Treatment::Colours if icc::cleaned(self.data.value(element)).is_none() => {
                self.outcome.notice(Noticed::ColourProfileRemoved);
                self.note(at, element, Action::Remove, because);
                Ok(())
            }
            Treatment::Remove | Treatment::Descend | Treatment::Content => {
                self.notice_idle_rule(element, because);
                self.note(at, element, Action::Remove, because);
                Ok(())
            }
            treatment => {
                let judged = self.as_what_it_is(element, because, level);
                self.leaf(at, &judged, treatment, because)
            }
        }
    }

    /// A private creator stays if an element of its block does.
    fn creator_element(&mut self, at: usize, element: &Element, level: &mut Level) {
        level.creators.push(at);
        let mut next = element.next as usize;
        while let Some(other) = self.data.elements().get(next).filter(|_| next < level.end) {
            if other.tag.group() != element.tag.group() || other.tag <= element.tag {
                break;
            }
            let kept = block(other.tag) == element.tag
                && self.treatment(other, level).0 != Treatment::Remove;
            if kept {
                self.keep(element);
                self.outcome.counts.count(Action::Keep, Because::Representation);
                return;
            }
            next = other.next as usize;
        }
        self.note(at, element, Action::Remove, Because::Private);
    }

    fn sequence(
        &mut self,
        at: usize,
        element: &Element,
        treatment: Treatment,
        because: Because,
        level: &Level,
    ) -> Result<(), Reason> {
        // Nested content is treated as the content around it.
        let content = matches!(level.mode, Mode::Content { .. })
            && element.tag == CONTENT_SEQUENCE
            && treatment != Treatment::Remove;
        let mode = match treatment {
            _ if content => level.mode,
            Treatment::Descend if matches!(level.mode, Mode::Content { .. }) => level.mode,
            Treatment::Descend if level.mode == Mode::Dummies => Mode::Dummies,
            Treatment::Descend => Mode::Plain,
            Treatment::Content => Mode::Content { replaced: false },
            // D of structured content: its structure stays valid, its values are replaced.
            Treatment::Dummy if element.tag == CONTENT_SEQUENCE => Mode::Content { replaced: true },
            Treatment::Dummy => Mode::Dummies,
            Treatment::Remove => {
                self.note(at, element, Action::Remove, because);
                return Ok(());
            }
            _ => {
                // Whatever else the rules say of it: the items go.
                self.put_empty_sequence(element);
                self.note(at, element, Action::Empty, because);
                return Ok(());
            }
        };
        let replaced = matches!(mode, Mode::Dummies | Mode::Content { replaced: true });
        let action = if replaced { Action::Replace } else { Action::Keep };
        self.outcome.counts.count(action, because);
        self.path.push(element.tag);
        let done = self.descend(at, element, mode);
        self.path.pop();
        done
    }

    fn descend(&mut self, at: usize, sequence: &Element, mode: Mode) -> Result<(), Reason> {
        self.flush();
        let undefined = sequence.undefined_length;
        // Items with value representations have no place in UN (PS3.5 6.2.2).
        let first = self.data.elements().get(at + 1).filter(|_| sequence.next as usize > at + 1);
        let explicit = first.is_some_and(|item| item.encoding.explicit);
        let unknown = sequence.declared == Vr::UN && !explicit && !sequence.odd;
        let vr = if unknown { Vr::UN } else { Vr::SQ };
        let mark =
            Writer::new(self.out).open_sequence(sequence.tag, vr, undefined, sequence.encoding);
        let mut item_at = at + 1;
        while item_at < sequence.next as usize {
            let item = self.data.elements()[item_at];
            self.item(item_at, &item, mode)?;
            item_at = item.next as usize;
        }
        Writer::new(self.out).close_sequence(&mark);
        Ok(())
    }

    fn item(&mut self, at: usize, item: &Element, mode: Mode) -> Result<(), Reason> {
        let mut rule = match mode {
            Mode::Content { replaced } => self.content_rule(at, replaced),
            _ => None,
        };
        let (person, told) = self.personal(at);
        let hidden = told && matches!(person, Personal::Hidden);
        let goes = hidden || told && !self.plan.has(ProfileOption::RetainPatientCharacteristics);
        if goes {
            rule = Some(ItemRule::gone());
        }
        if rule.is_some_and(|rule| rule.remove) && !self.refers_by_place() {
            self.note(at, item, Action::Remove, Because::Concept);
            return Ok(());
        }
        let declared = self.child(at, tags::SPECIFIC_CHARACTER_SET);
        let declared = declared.and_then(|at| self.data.elements().get(at));
        let declared = declared.and_then(|e| CharacterSets::parse(self.data.value(e)).ok());
        let outer = declared
            .map(|read| std::mem::replace(&mut self.charset, Charset { read, write: None }));
        let mark = Writer::new(self.out).open_item(item.undefined_length, item.encoding);
        let end = item.next as usize;
        let person = if goes { Personal::Hidden } else { person };
        let outer_person = std::mem::replace(&mut self.person, person.clone());
        let mut level = Level { item: rule, person, ..Level::new(mode, end) };
        let mut child = at + 1;
        while child < end {
            let element = self.data.elements()[child];
            self.element(child, &element, &mut level)?;
            child = element.next as usize;
        }
        self.flush();
        self.person = outer_person;
        Writer::new(self.out).close_item(&mark);
        if let Some(outer) = outer {
            self.charset = outer;
        }
        Ok(())
    }

    fn put_empty_sequence(&mut self, element: &Element) {
        self.flush();
        Writer::new(self.out).head(element.tag, Vr::SQ, 0, element.encoding);
    }

    fn leaf(
        &mut self,
        at: usize,
        element: &Element,
        treatment: Treatment,
        because: Because,
    ) -> Result<(), Reason> {
        let value = self.data.value(element);
        let decided = self.context.decide(element, treatment, value, &self.charset);
        let (action, new) = match decided {
            Ok(decided) => decided,
            // Who only looks goes on with the next one.
            Err(CannotDecode) if self.watch.is_some() => (Action::Clean, New::Value(Vec::new())),
            Err(CannotDecode) => {
                let detail = "not in the declared character set";
                return Err(Reason::at(ReasonCode::CharacterSet, self.data.path(at), detail));
            }
        };
        let (action, new) = self.as_required(element, value, action, new);
        self.outcome.counts.count(action, because);
        for kind in new.kinds() {
            *self.outcome.findings.entry(kind.as_str()).or_default() += 1;
        }
        let place = match new.value() {
            None => self.keep(element),
            Some(new) => self.put(element, new),
        };
        if let Some(watch) = &mut self.watch {
            let written = Some(Written { at: place, treatment, because, charset: &self.charset });
            let (new, kinds) = (new.value(), new.kinds());
            watch(&Decided { at, element, action, new, kinds, written });
        }
        let top = self.path.is_empty();
        if top && self.context.tabled && attributes::listed(element.tag) {
            let written = new.value().unwrap_or(value);
            attributes::note(&mut self.outcome.attributes, element, written);
        }
        Ok(())
    }

    /// Where nothing is left of a value that must be there (type 1), a dummy stands in.
    fn as_required(
        &self,
        element: &Element,
        value: &[u8],
        action: Action,
        new: New,
    ) -> (Action, New) {
        let emptied = new.value().is_some_and(<[u8]>::is_empty) && !value.is_empty();
        let parent = self.path.last().copied().unwrap_or(TOP);
        if emptied && self.plan.requires(parent, element.tag) {
            let dummy = dummy(element.vr, element.encoding.big_endian);
            return (Action::Replace, New::Value(dummy));
        }
        (action, new)
    }

    /// An element that came as UN or in implicit VR, with the VR that the rule states or, for a
    /// safe private one, that the standard's table gives it.
    fn as_what_it_is(&self, element: &Element, because: Because, level: &Level) -> Element {
        if element.vr != Vr::UN {
            return *element;
        }
        let vr = match because {
            Because::Rule(number) => {
                self.context.rules.get(usize::from(number)).and_then(Rule::stated)
            }
            _ => self.creator(element, level).and_then(|name| private::safe(element.tag, name)),
        };
        Element { vr: vr.unwrap_or(Vr::UN), ..*element }
    }

    /// Notices a rule that wants something left of a value that nobody can read.
    fn notice_idle_rule(&mut self, element: &Element, because: Because) {
        let Because::Rule(number) = because else { return };
        let rule = self.context.rules.get(usize::from(number));
        if element.vr == Vr::UN && rule.is_some_and(Rule::needs_representation) {
            self.outcome.notice(Noticed::RuleCannotAct);
        }
    }
}

/// The creator element of the block that a private element stands in (PS3.5 7.8.1).
fn block(tag: Tag) -> Tag {
    Tag::new(tag.group(), tag.element() >> 8)
}

/// Content Sequence.
const CONTENT_SEQUENCE: Tag = Tag::new(0x40, 0xa730);

/// Bytes of tag, VR and length as they stand in the input.
fn head_length(element: &Element) -> usize {
    let Encoding { explicit, .. } = element.encoding;
    if explicit && element.declared.has_long_length() { 12 } else { 8 }
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
