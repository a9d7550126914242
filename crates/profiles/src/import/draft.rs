//! What an import has understood so far, and the choices that all imports make alike.

use super::attribute::{Attribute, TEXTS};
use super::{Imported, MOST_RULES, NotExpressed};
use crate::{ProfilesError, dictionary};
use regex::bytes::RegexBuilder;
use scanveil_dataset::{Tag, Vr, tags};
use scanveil_model::ProjectName;
use scanveil_scrub::{Coarseness, Condition, ProfileDocument, RuleAction, RuleDocument};
use std::collections::{HashMap, HashSet};

/// Patient ID and its issuer, day and time of birth, Other Patient IDs and its sequence, address,
/// Medical Record Locator, telephone numbers, telecom information, Accession Number, Admission ID:
/// an imported profile does not keep them, whoever asks for it.
const IDENTITY: [Tag; 13] = [
    tags::PATIENT_BIRTH_DATE,
    Tag::new(0x10, 0x0032),
    Tag::new(0x10, 0x0033),
    tags::PATIENT_ID,
    tags::ISSUER_OF_PATIENT_ID,
    Tag::new(0x10, 0x1000),
    Tag::new(0x10, 0x1002),
    Tag::new(0x10, 0x1040),
    Tag::new(0x10, 0x1090),
    Tag::new(0x10, 0x2154),
    Tag::new(0x10, 0x2155),
    Tag::new(0x08, 0x0050),
    Tag::new(0x38, 0x0010),
];

/// What scanveil itself writes of a de-identification (PS3.15 E.1.1).
const STATEMENT: [Tag; 4] = [
    tags::PATIENT_IDENTITY_REMOVED,
    tags::DEIDENTIFICATION_METHOD,
    tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE,
    tags::LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED,
];

/// The identifiers that every instance has, one relation between them.
const INSTANCE: [Tag; 3] =
    [tags::STUDY_INSTANCE_UID, tags::SERIES_INSTANCE_UID, tags::SOP_INSTANCE_UID];

/// Bytes that no rule of an import keeps: documents, curves, what has no representation.
const BYTES: [Vr; 7] = [Vr::OB, Vr::OW, Vr::UN, Vr::OD, Vr::OF, Vr::OL, Vr::OV];

/// Bytes that a compiled pattern may take, as in profiles.
const PATTERN_SIZE: usize = 1 << 20;

/// What a recipe does to an attribute, in the words of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Treat {
    Do(RuleAction),
    With(String),
    To(Coarseness),
    /// A change that cannot be expressed: the attribute is removed.
    Unknown(&'static str),
}

impl Treat {
    pub(super) const KEEP: Self = Self::Do(RuleAction::Keep);
    pub(super) const REMOVE: Self = Self::Do(RuleAction::Remove);
    pub(super) const EMPTY: Self = Self::Do(RuleAction::Empty);
}

/// When a rule applies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Guard {
    pub(super) when: Condition,
    pub(super) value: Option<String>,
    pub(super) path: String,
}

impl Guard {
    pub(super) fn is_open(&self) -> bool {
        *self == Self::default()
    }
}

/// Where a directive stands and what it is called.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) place: &'a str,
    pub(super) what: &'a str,
}

/// An import under way.
pub(super) struct Draft {
    purpose: String,
    options: Vec<String>,
    rules: Vec<RuleDocument>,
    /// Rules of the present block, by all they say but their tags, and the tags they have.
    block: HashMap<String, (usize, HashSet<String>)>,
    notes: Vec<NotExpressed>,
    told: HashSet<&'static str>,
    kind: &'static str,
}

impl Draft {
    pub(super) fn new(kind: &'static str, purpose: &str) -> Self {
        Self {
            purpose: purpose.to_owned(),
            options: Vec::new(),
            rules: Vec::new(),
            block: HashMap::new(),
            notes: Vec::new(),
            told: HashSet::new(),
            kind,
        }
    }

    /// What cannot be read at all.
    pub(super) fn unreadable(&self, place: impl Into<String>, why: &str) -> ProfilesError {
        ProfilesError::Syntax { kind: self.kind, place: place.into(), why: why.to_owned() }
    }

    pub(super) fn option(&mut self, name: &str) {
        if !self.options.iter().any(|known| known == name) {
            self.options.push(name.to_owned());
        }
    }

    /// A difference between recipe and profile.
    pub(super) fn note(&mut self, at: Place<'_>, why: &'static str) {
        // More than fits is refused in the end; until then it takes no more room.
        if self.notes.len() > MOST_RULES {
            return;
        }
        let (place, what) = (at.place.to_owned(), at.what.to_owned());
        self.notes.push(NotExpressed { place, what, why });
    }

    /// A difference that holds for the whole recipe, told where it is met first.
    pub(super) fn note_once(&mut self, at: Place<'_>, why: &'static str) {
        if self.told.insert(why) {
            self.note(at, why);
        }
    }

    /// Rules from here on stand after all before: their tags are not put together.
    pub(super) fn next_block(&mut self) {
        self.block.clear();
    }

    /// Adds a rule, to a rule of this block that says the same where there is one.
    pub(super) fn rule(&mut self, rule: RuleDocument) {
        let key = format!("{:?}", RuleDocument { tags: Vec::new(), ..rule.clone() });
        if let Some((at, known)) = self.block.get_mut(&key)
            && !rule.tags.is_empty()
        {
            let new = rule.tags.into_iter().filter(|tag| known.insert(tag.clone()));
            self.rules[*at].tags.extend(new);
            return;
        }
        if self.rules.len() > MOST_RULES {
            return;
        }
        let known = rule.tags.iter().cloned().collect();
        self.block.insert(key, (self.rules.len(), known));
        self.rules.push(rule);
    }

    /// A recipe's treatment of an attribute, as far as it is safe.
    pub(super) fn treat(&mut self, at: Place<'_>, to: &Attribute, guard: Guard, treat: Treat) {
        if STATEMENT.iter().any(|&tag| to.is(tag)) {
            return self.note(at, "scanveil itself writes what it did, and how");
        }
        if to.is_orphan() {
            if treat == Treat::REMOVE {
                return;
            }
            return self.note(at, "a private element without its creator: it is removed");
        }
        if to.is(tags::SOP_CLASS_UID) {
            if treat != Treat::KEEP {
                self.note(at, "the SOP class always stays");
            }
            return;
        }
        if INSTANCE.iter().any(|&tag| to.is(tag)) && treat != Treat::Do(RuleAction::Remap) {
            let why = "identifiers of study, series and instance are always replaced; only the \
                       option retain-uids keeps them, all together";
            return self.note(at, why);
        }
        let treat = match self.restrain(at, to, treat) {
            Some(treat) => treat,
            None => return,
        };
        let rule = rule_of(to, guard, treat);
        self.rule(rule);
    }

    /// Keeps that are not safe as they stand, and replacements that make one person of many.
    fn restrain(&mut self, at: Place<'_>, to: &Attribute, treat: Treat) -> Option<Treat> {
        let named = to.is(tags::PATIENT_NAME) || to.is(tags::PATIENT_ID);
        match treat {
            Treat::With(_) if named => {
                let why = "a fixed value would make one person of all patients: the pseudonym";
                self.note(at, why);
                Some(Treat::Do(RuleAction::Pseudonym))
            }
            Treat::With(_) if to.has_vr(&[Vr::SQ]) || to.has_vr(&BYTES) => {
                self.note(at, "a fixed value for a sequence or for bytes: removed");
                Some(Treat::REMOVE)
            }
            Treat::With(text) if text.is_empty() => Some(Treat::EMPTY),
            Treat::Unknown(_) if named => {
                self.note(at, "the project's own pseudonym stands for a patient");
                Some(Treat::Do(RuleAction::Pseudonym))
            }
            Treat::Unknown(why) => {
                self.note(at, why);
                Some(Treat::REMOVE)
            }
            Treat::Do(RuleAction::Keep) => self.keep(at, to),
            treat => Some(treat),
        }
    }

    fn keep(&mut self, at: Place<'_>, to: &Attribute) -> Option<Treat> {
        if to.has_vr(&[Vr::PN]) || IDENTITY.iter().any(|&tag| to.is(tag)) {
            self.note(at, "what names a person is not kept: the Basic Profile applies");
            return None;
        }
        if to.has_vr(&BYTES) {
            self.note(at, "bytes are kept only where the Basic Profile keeps them");
            return None;
        }
        if to.has_vr(&[Vr::UI]) {
            // Classes and other registered identifiers stay without a rule.
            if !["ClassUID", "SyntaxUID"].iter().any(|end| to.pattern.ends_with(end)) {
                self.note(at, "UIDs are kept only all together, by the option retain-uids");
            }
            return None;
        }
        if to.has_vr(&TEXTS) {
            self.note(at, "texts are kept without the words that identify (clean)");
            return Some(Treat::Do(RuleAction::Clean));
        }
        if to.has_vr(&[Vr::SQ]) {
            self.note(at, "of a sequence that is kept, each item follows the rules");
        }
        Some(Treat::KEEP)
    }

    /// Rules for what an instance cannot be without, before others that are about very much.
    pub(super) fn essentials(&mut self) {
        for (tags, action) in [
            (
                &[tags::SPECIFIC_CHARACTER_SET, tags::MODALITY, tags::SOP_CLASS_UID][..],
                RuleAction::Keep,
            ),
            (&INSTANCE, RuleAction::Remap),
            (&[tags::PATIENT_NAME, tags::PATIENT_ID], RuleAction::Pseudonym),
        ] {
            let tags = tags.iter().map(|&tag| Attribute::of(tag).pattern).collect();
            self.next_block();
            self.rule(RuleDocument { tags, ..empty(action) });
        }
        self.next_block();
    }

    /// Removes what no rule before has named, in all groups but those given.
    pub(super) fn remove_rest(&mut self, at: Place<'_>, but: &[u16]) {
        let why = "character set, modality, identifiers and pixel description stay: an instance \
                   cannot be without them";
        self.note_once(at, why);
        self.essentials();
        let groups = dictionary::GROUPS
            .iter()
            .filter(|group| !matches!(group, 0x0028 | 0x7fe0) && !but.contains(group));
        let tags = groups.map(|group| format!("{group:04X}xxxx")).collect();
        let reason = "not named by the recipe".to_owned();
        self.rule(RuleDocument { tags, reason, ..empty(RuleAction::Remove) });
    }

    pub(super) fn finish(self, name: &ProjectName) -> Result<Imported, ProfilesError> {
        if self.rules.len().max(self.notes.len()) > MOST_RULES {
            return Err(too_many("rules"));
        }
        let document = ProfileDocument {
            format: 2,
            name: name.clone(),
            version: "1".to_owned(),
            purpose: self.purpose,
            options: self.options,
            unlisted: Default::default(),
            dates: Default::default(),
            text: Default::default(),
            documents: Default::default(),
            pixels: Default::default(),
            rules: self.rules,
        };
        let mut not_expressed = self.notes;
        not_expressed.sort_by_key(|note| line_of(&note.place));
        Ok(Imported { document, not_expressed })
    }
}

/// More than one recipe has.
pub(super) fn too_many(unit: &'static str) -> ProfilesError {
    ProfilesError::TooLarge { what: "the recipe", limit: MOST_RULES, unit }
}

/// The number of a line; other places stand after all lines.
fn line_of(place: &str) -> u64 {
    place.strip_prefix("line ").and_then(|number| number.parse().ok()).unwrap_or(u64::MAX)
}

/// A rule about any attribute, with nothing but its action.
pub(super) fn empty(action: RuleAction) -> RuleDocument {
    RuleDocument {
        tags: Vec::new(),
        vr: Vec::new(),
        path: String::new(),
        creator: None,
        value: None,
        when: Condition::default(),
        action,
        with: None,
        to: None,
        reason: String::new(),
    }
}

pub(super) fn rule_of(to: &Attribute, guard: Guard, treat: Treat) -> RuleDocument {
    let (action, with, coarse) = match treat {
        Treat::Do(action) => (action, None, None),
        Treat::With(text) => (RuleAction::Replace, Some(text), None),
        Treat::To(coarse) => (RuleAction::Generalize, None, Some(coarse)),
        Treat::Unknown(_) => (RuleAction::Remove, None, None),
    };
    RuleDocument {
        tags: vec![to.pattern.clone()],
        path: guard.path,
        creator: to.creator.clone(),
        value: guard.value,
        when: guard.when,
        with,
        to: coarse,
        ..empty(action)
    }
}

/// Whether a rule's value pattern compiles: other tools' dialects know what ours does not.
pub(super) fn is_pattern(value: &str) -> bool {
    RegexBuilder::new(value).size_limit(PATTERN_SIZE).build().is_ok()
}

/// A text as a pattern that matches just it.
pub(super) fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if !c.is_alphanumeric() && !c.is_whitespace() && c.is_ascii() {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
