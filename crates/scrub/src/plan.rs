//! Compiles a profile and the tables, for one object definition, into one look-up: what to do with
//! an element.

use crate::days::{self, Published};
use crate::iod::{Attributes, TOP, Type};
use crate::kept;
use crate::options::ProfileOption;
use crate::private;
use crate::profile::{Rule, Settings, Subject, Unlisted};
use crate::table::{self, Code, TableRow};
use crate::treatment::{Because, Treatment};
use crate::unlisted::{self, ICC_PROFILE, is_never_kept};
use scanveil_dataset::{Tag, Vr, lookup, tags};
use std::collections::{BTreeSet, HashMap};

/// Slots of the hash table: a power of two, a good deal more than the rows.
const SLOTS: usize = 2048;

/// Not in [`tags`]: only here it is more than a row of the table.
const RETRIEVE_AE_TITLE: Tag = Tag::new(0x8, 0x54);

/// A row of the compiled table.
#[derive(Clone, Copy)]
struct Row {
    tag: Tag,
    /// Where no exception is listed.
    treatment: Treatment,
    because: Because,
    /// Sequences in which another treatment holds, because the attribute has another type there.
    exceptions: (u16, u16),
}

/// What happens to dates that the table does not list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dates {
    Empty,
    Shift,
    Keep,
}

impl Dates {
    /// What the options say.
    pub(crate) fn of(options: &BTreeSet<ProfileOption>) -> Self {
        if options.contains(&ProfileOption::FullDates) {
            Self::Keep
        } else if options.contains(&ProfileOption::ModifiedDates) {
            Self::Shift
        } else {
            Self::Empty
        }
    }

    fn treatment(self) -> Treatment {
        match self {
            Self::Empty => Treatment::Empty,
            Self::Shift => Treatment::Shift,
            Self::Keep => Treatment::Dated,
        }
    }
}

/// Where an element stands.
#[derive(Clone, Copy)]
pub(crate) struct Place<'p> {
    /// Sequences above, outermost first.
    pub(crate) path: &'p [Tag],
    /// Creator of the block that a private element stands in.
    pub(crate) creator: Option<&'p [u8]>,
    /// The element's value; empty for a sequence.
    pub(crate) value: &'p [u8],
}

/// The compiled profile, for instances of one definition in the same circumstances.
pub(crate) struct Plan {
    slots: Box<[Option<Row>]>,
    exceptions: Vec<(Tag, Treatment)>,
    types: Attributes,
    options: BTreeSet<ProfileOption>,
    dates: Dates,
    unlisted: Unlisted,
    /// Rules in force, by number, that need more than the tag.
    guarded: Vec<u16>,
    /// Rules in force about single private elements, by group and element within the block.
    of_creators: HashMap<(u16, u8), Vec<u16>>,
    /// For tags that a rule in force names plainly.
    plain: HashMap<Tag, u16>,
    /// A private element can be kept.
    private: bool,
    /// A rule is in force.
    ruled: bool,
}

fn slot(tag: Tag) -> usize {
    (tag.0.wrapping_mul(0x9e37_79b1) >> 21) as usize % SLOTS
}

impl Plan {
    /// Compiles the settings for a definition; `failing` are the rules whose conditions do not
    /// hold, in order.
    pub(crate) fn compile(settings: &Settings, iod: &str, failing: &[u16]) -> Self {
        let mut plan = Self {
            slots: vec![None; SLOTS].into(),
            exceptions: Vec::new(),
            types: Attributes::of(iod),
            options: settings.options.clone(),
            dates: Dates::of(&settings.options),
            unlisted: settings.unlisted,
            guarded: Vec::new(),
            of_creators: HashMap::new(),
            plain: HashMap::new(),
            private: settings.options.contains(&ProfileOption::RetainSafePrivate),
            ruled: false,
        };
        plan.rules(&settings.rules, failing);
        plan.table();
        plan
    }

    fn rules(&mut self, rules: &[Rule], failing: &[u16]) {
        for (number, rule) in (0u16..).zip(rules) {
            if failing.binary_search(&number).is_ok() {
                continue;
            }
            self.ruled = true;
            self.private |= rule.is_about_private();
            if let Some(tags) = rule.plain_tags() {
                tags.for_each(|tag| {
                    self.plain.entry(tag).or_insert(number);
                });
            } else if let Some(places) = rule.places_in_blocks() {
                places.for_each(|place| self.of_creators.entry(place).or_default().push(number));
            } else {
                self.guarded.push(number);
            }
        }
    }

    fn table(&mut self) {
        let mut types: HashMap<Tag, Vec<(Tag, Type)>> = HashMap::new();
        for (parent, tag, kind) in self.types.iter() {
            types.entry(tag).or_default().push((parent, kind));
        }
        for row in table::rows() {
            let Some(tag) = row.tag else { continue };
            // Z with a dummy, as PS3.15 E.2 allows: the patient stays recognizable as one subject.
            if matches!(tag, tags::PATIENT_NAME | tags::PATIENT_ID) {
                self.insert(tag, Treatment::Pseudonym, Because::Table, &[]);
                continue;
            }
            let sequence = lookup(tag).is_some_and(|entry| entry.vr == Vr::SQ);
            // Where the archive has it that handed a copy out: that is no device, and what differs
            // in nothing else is the same instance.
            let none = BTreeSet::new();
            let options = if tag == RETRIEVE_AE_TITLE { &none } else { &self.options };
            let at = |kind| resolve(&row, options, kind, sequence);
            let (treatment, because) = at(Type::Three);
            let mut exceptions: Vec<(Tag, Treatment)> = types
                .get(&tag)
                .into_iter()
                .flatten()
                .map(|(parent, kind)| (*parent, at(*kind).0))
                .filter(|(_, other)| *other != treatment)
                .collect();
            exceptions.sort_by_key(|(parent, _)| *parent);
            self.insert(tag, treatment, because, &exceptions);
        }
    }

    fn insert(
        &mut self,
        tag: Tag,
        treatment: Treatment,
        because: Because,
        exceptions: &[(Tag, Treatment)],
    ) {
        let from = self.exceptions.len() as u16;
        self.exceptions.extend_from_slice(exceptions);
        let exceptions = (from, self.exceptions.len() as u16);
        let mut at = slot(tag);
        while self.slots[at].is_some_and(|row| row.tag != tag) {
            at = (at + 1) % SLOTS;
        }
        self.slots[at] = Some(Row { tag, treatment, because, exceptions });
    }

    fn row(&self, tag: Tag) -> Option<&Row> {
        let mut at = slot(tag);
        while let Some(row) = &self.slots[at] {
            if row.tag == tag {
                return Some(row);
            }
            at = (at + 1) % SLOTS;
        }
        None
    }

    /// The table's treatment of a tag in a sequence.
    fn tabled(&self, parent: Tag, tag: Tag) -> Option<(Treatment, Because)> {
        let row = self.row(tag)?;
        let (from, to) = row.exceptions;
        let exceptions = self.exceptions.get(usize::from(from)..usize::from(to)).unwrap_or(&[]);
        let other = exceptions.iter().find(|(place, _)| *place == parent);
        Some((other.map_or(row.treatment, |(_, treatment)| *treatment), row.because))
    }

    /// Whether an attribute's value is kept openly at the top level, so that it is no identifier.
    pub(crate) fn retains(&self, rules: &[Rule], tag: Tag) -> bool {
        if let Some(number) = self.plain.get(&tag) {
            return rules[usize::from(*number)].treatment == Treatment::Keep;
        }
        self.tabled(TOP, tag).is_some_and(|(treatment, because)| {
            matches!(treatment, Treatment::Keep | Treatment::Retained)
                || treatment == Treatment::Clean && kept::retains(because)
        })
    }

    /// Whether a private element can be kept at all.
    pub(crate) fn keeps_private(&self) -> bool {
        self.private
    }

    /// Whether the definition requires a value there (type 1).
    pub(crate) fn requires(&self, parent: Tag, tag: Tag) -> bool {
        self.types.kind(parent, tag) == Type::One
    }

    /// What becomes of dates.
    pub(crate) fn dates(&self) -> Dates {
        self.dates
    }

    /// Whether an option is in force.
    pub(crate) fn has(&self, option: ProfileOption) -> bool {
        self.options.contains(&option)
    }

    /// What to do with an element, and because of what.
    pub(crate) fn treatment(
        &self,
        rules: &[Rule],
        tag: Tag,
        vr: (Vr, Vr),
        place: &Place<'_>,
    ) -> (Treatment, Because) {
        let (treatment, because) = self.by_rules(rules, tag, vr, place);
        if treatment == Treatment::Keep && tag == ICC_PROFILE {
            return (Treatment::Colours, because);
        }
        if treatment != Treatment::Shift {
            return (treatment, because);
        }
        // Shifted, what everybody can look up tells by how much.
        let parent = place.path.last().copied().unwrap_or(TOP);
        let treatment = match days::published(tag) {
            None => Treatment::Shift,
            Some(Published::Keep) => Treatment::Published,
            Some(Published::Remove) => self.without(parent, tag, Treatment::Remove),
        };
        (treatment, because)
    }

    fn by_rules(
        &self,
        rules: &[Rule],
        tag: Tag,
        (vr, declared): (Vr, Vr),
        place: &Place<'_>,
    ) -> (Treatment, Because) {
        if is_never_kept(tag) {
            return (Treatment::Remove, Because::Unknown);
        }
        if self.ruled
            && let Some((number, treatment)) = self.ruled(rules, tag, vr, place)
        {
            let stated = rules[usize::from(number)].stated().filter(|_| vr == Vr::UN);
            let vr = stated.unwrap_or(vr);
            return (self.by_representation(treatment, vr), Because::Rule(number));
        }
        if tag.is_private() {
            return self.private(tag, vr, place);
        }
        let parent = place.path.last().copied().unwrap_or(TOP);
        if let Some((treatment, because)) = self.tabled(parent, tag) {
            let undefined = self.unlisted == Unlisted::Defined && !self.types.has(parent, tag);
            if undefined && matches!(treatment, Treatment::Keep | Treatment::Clean) {
                return (Treatment::Remove, Because::Undefined);
            }
            return (self.by_representation(treatment, vr), because);
        }
        // What nobody knows, nobody can vouch for.
        let Some(entry) = lookup(tag) else { return (Treatment::Remove, Because::Unknown) };
        // A public tag with another VR than its own: no rule was written for what it holds.
        if !entry.several && entry.vr != declared && declared != Vr::UN {
            let text = |vr: Vr| matches!(&vr.0, b"LO" | b"SH" | b"CS" | b"UC");
            if !(text(entry.vr) && text(declared)) {
                return (Treatment::Remove, Because::Representation);
            }
        }
        if self.unlisted == Unlisted::Defined && !self.types.has(parent, tag) {
            return (Treatment::Remove, Because::Undefined);
        }
        if unlisted::CALENDARS.contains(&tag.0) {
            return (self.without(parent, tag, Treatment::Remove), Because::Representation);
        }
        (self.unlisted(parent, tag, vr), Because::Representation)
    }

    /// The first rule in force that is about the element.
    fn ruled(
        &self,
        rules: &[Rule],
        tag: Tag,
        vr: Vr,
        place: &Place<'_>,
    ) -> Option<(u16, Treatment)> {
        let plain = self.plain.get(&tag).copied();
        let subject =
            Subject { tag, vr, path: place.path, creator: place.creator, value: place.value };
        let of_creators = self
            .of_creators
            .get(&(tag.group(), tag.element() as u8))
            .filter(|_| tag.is_private())
            .map_or(&[][..], Vec::as_slice);
        let first = |numbers: &[u16]| {
            numbers
                .iter()
                .copied()
                .take_while(|number| plain.is_none_or(|plain| *number < plain))
                .find(|number| rules[usize::from(*number)].applies(&subject))
        };
        let guarded = match (first(&self.guarded), first(of_creators)) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let number = guarded.or(plain)?;
        Some((number, rules[usize::from(number)].treatment))
    }

    fn private(&self, tag: Tag, vr: Vr, place: &Place<'_>) -> (Treatment, Because) {
        if !self.has(ProfileOption::RetainSafePrivate) {
            return (Treatment::Remove, Because::Private);
        }
        let because = Because::Option(ProfileOption::RetainSafePrivate);
        match place.creator.and_then(|creator| private::safe(tag, creator)) {
            // Written as UN or in implicit VR: the standard's table says what it is.
            Some(safe) if vr == Vr::UN => (self.by_representation(Treatment::Keep, safe), because),
            Some(_) => (self.by_representation(Treatment::Keep, vr), because),
            None => (Treatment::Remove, Because::Private),
        }
    }

    /// Elements that the table does not list, by VR.
    fn unlisted(&self, parent: Tag, tag: Tag, vr: Vr) -> Treatment {
        let strict = self.unlisted == Unlisted::Defined;
        match &vr.0 {
            b"CS" | b"LO" | b"SH" if unlisted::are_terms(tag, !self.cleans_long_text()) => {
                Treatment::Terms
            }
            b"SQ" => Treatment::Descend,
            b"UI" if self.has(ProfileOption::RetainUids) => Treatment::Keep,
            b"UI" => Treatment::Remap,
            b"DA" | b"DT" | b"TM" if self.dates == Dates::Empty => {
                self.without(parent, tag, Treatment::Empty)
            }
            b"DA" | b"DT" | b"TM" => self.dates.treatment(),
            b"PN" => self.without(parent, tag, Treatment::Empty),
            b"AS" => Treatment::CapAge,
            b"LO" | b"SH" | b"UC" if strict => Treatment::Vocabulary,
            b"LO" | b"SH" if unlisted::MACHINE_WRITTEN.contains(&tag.0) => Treatment::Machine,
            b"LO" | b"SH" | b"UC" => Treatment::Clean,
            b"LT" | b"ST" | b"UT" if !strict && self.cleans_long_text() => Treatment::Clean,
            b"CS" | b"DS" | b"IS" => Treatment::Check,
            b"AT" | b"FD" | b"FL" | b"SL" | b"SS" | b"SV" | b"UL" | b"US" | b"UV" => {
                Treatment::Keep
            }
            // Bulk binary data of the groups whose content is numbers by definition.
            b"OB" | b"OD" | b"OF" | b"OL" | b"OV" | b"OW"
                if matches!(tag.group(), 0x0022 | 0x0028 | 0x0066 | 0x006a | 0x5400 | 0x5600) =>
            {
                Treatment::Keep
            }
            // Long text, application entities, locators, unknown bytes.
            _ => self.without(parent, tag, Treatment::Remove),
        }
    }

    fn cleans_long_text(&self) -> bool {
        [ProfileOption::CleanDescriptors, ProfileOption::CleanGraphics]
            .iter()
            .any(|option| self.has(*option))
    }

    /// How to be without a value and stay valid: by the attribute's type, else `optional`.
    fn without(&self, parent: Tag, tag: Tag, optional: Treatment) -> Treatment {
        match self.types.kind(parent, tag) {
            Type::One => Treatment::Dummy,
            Type::Two => Treatment::Empty,
            Type::Three => optional,
        }
    }

    /// Adapts a treatment to the VR that the value really has.
    fn by_representation(&self, treatment: Treatment, vr: Vr) -> Treatment {
        let text = matches!(&vr.0, b"LO" | b"SH" | b"ST" | b"LT" | b"UT" | b"UC" | b"AE" | b"UR");
        match (treatment, &vr.0) {
            // Ages kept as patient characteristics are capped all the same.
            (Treatment::Keep | Treatment::Clean, b"AS") => Treatment::CapAge,
            (Treatment::Keep | Treatment::Clean | Treatment::Shift, b"SQ") => Treatment::Descend,
            // One date that is not shifted gives the others away.
            (Treatment::Keep | Treatment::Clean, b"DA" | b"DT" | b"TM") => match self.dates {
                Dates::Shift => Treatment::Shift,
                _ => Treatment::Dated,
            },
            // A value that its own VR could not explain.
            (Treatment::Keep | Treatment::Clean | Treatment::Vocabulary, b"UN") => {
                Treatment::Remove
            }
            // What is kept by choice is still searched for the patient.
            (Treatment::Keep, _) if text => Treatment::Retained,
            (Treatment::Keep, b"PN") => Treatment::Keep,
            (Treatment::Keep, b"CS" | b"DS" | b"IS") => Treatment::Check,
            (Treatment::Shift, b"DA" | b"DT" | b"TM") => Treatment::Shift,
            (Treatment::Clean | Treatment::Shift, _) if text => Treatment::Clean,
            (Treatment::Clean, b"CS" | b"DS" | b"IS") => Treatment::Check,
            (Treatment::Clean, b"UI") => Treatment::Remap,
            (Treatment::Clean, b"PN") => Treatment::Empty,
            (Treatment::Clean, b"OB" | b"OW" | b"OD" | b"OF" | b"OL" | b"OV") => Treatment::Remove,
            (Treatment::Clean, _) => Treatment::Keep,
            (Treatment::Shift, _) => Treatment::Remove,
            (Treatment::Remap, b"UI") => Treatment::Remap,
            (Treatment::Remap, _) => Treatment::Remove,
            (Treatment::Descend | Treatment::Content, b"SQ") => treatment,
            (Treatment::Descend | Treatment::Content, _) => Treatment::Remove,
            (treatment, _) => treatment,
        }
    }
}

/// Resolves a row under the options, for an attribute of a type (PS3.15 E.1.1, Table E.1-1a).
fn resolve(
    row: &TableRow,
    options: &BTreeSet<ProfileOption>,
    kind: Type,
    sequence: bool,
) -> (Treatment, Because) {
    let by_option = |wanted: Code| {
        row.options.iter().find_map(|(name, code)| {
            let option = ProfileOption::find(name)?;
            (*code == wanted && options.contains(&option)).then_some(option)
        })
    };
    if let Some(option) = by_option(Code::K) {
        return (Treatment::Keep, Because::Option(option));
    }
    if let Some(option) = by_option(Code::C) {
        let treatment = match option {
            ProfileOption::ModifiedDates => Treatment::Shift,
            ProfileOption::CleanStructuredContent => Treatment::Content,
            ProfileOption::CleanGraphics => Treatment::Descend,
            _ => Treatment::Clean,
        };
        return (treatment, Because::Option(option));
    }
    let without = match kind {
        Type::One => Treatment::Dummy,
        Type::Two => Treatment::Empty,
        Type::Three => Treatment::Remove,
    };
    let treatment = match row.basic {
        // X would make the instance invalid where the type is 1 or 2: nothing is kept all the same.
        Code::X | Code::XZ | Code::XD | Code::XZD => without,
        Code::Z | Code::ZD if kind == Type::One => Treatment::Dummy,
        Code::Z | Code::ZD => Treatment::Empty,
        Code::D => Treatment::Dummy,
        Code::U if sequence => Treatment::Descend,
        Code::U => Treatment::Remap,
        // The graph of references stays, with other UIDs, wherever the sequence is.
        Code::XZU => Treatment::Descend,
        Code::K => Treatment::Keep,
        Code::C => Treatment::Clean,
    };
    (treatment, Because::Table)
}
