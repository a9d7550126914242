//! What a profile does with an attribute, and why: for people and for comparing profiles.

use super::{Circumstances, Condition, Profile};
use crate::plan::Place;
use crate::study::documents::ENCAPSULATED_DOCUMENT;
use crate::table;
use crate::treatment::Because;
use crate::unlisted::is_never_kept;
use scanveil_dataset::{Tag, Vr, lookup, tags};
use std::collections::BTreeSet;

/// Which instance and place a question is about; what is left out is not known.
#[derive(Debug, Clone, Default)]
pub struct Case<'c> {
    /// Name of the object definition (`ct-image`).
    pub iod: &'c str,
    /// SOP Class UID.
    pub sop_class: &'c str,
    /// Modality.
    pub modality: &'c str,
    /// Manufacturer.
    pub manufacturer: &'c str,
    /// Manufacturer's model name.
    pub model: &'c str,
    /// Hospital.
    pub hospital: &'c str,
    /// Sequences that hold the attribute, outermost first.
    pub path: &'c [Tag],
    /// Creator of a private attribute.
    pub creator: Option<&'c str>,
    /// Value representation, where the dictionary knows none.
    pub vr: Option<Vr>,
}

/// What a profile does with an attribute.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Explanation {
    /// One word: `keep`, `remove`, `empty`, `dummy`, `pseudonym`, `remap`, `shift`, `clean` ...
    pub treatment: &'static str,
    /// The stable word for the reason: `basic-profile`, an option's name, `rule-3` ...
    pub because: String,
    /// The reason in words.
    pub why: String,
    /// What else there is to know: where a rule cannot act.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A rule that cannot act, wholly or in some instances.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct IdleRule {
    /// Number of the rule, counted from 1.
    pub number: usize,
    /// Why.
    pub why: &'static str,
}

/// Where a rule has no effect because nobody can say what a value is.
const NO_REPRESENTATION: &str = "in implicit VR and as UN the value goes, because its \
     representation is not known: state it with `vr`";

/// Pixel data passes, or not, by what is seen in it.
const PIXELS: &str = "pixel data is passed on after a look into it, cut to its description, or \
     holds the instance back; rules have no effect on it, [pixels] has";

impl Profile {
    /// What the profile does with an attribute, and why.
    #[must_use]
    pub fn explain(&self, tag: Tag, case: &Case<'_>) -> Explanation {
        let plan = self.plan(&Circumstances {
            modality: case.modality.as_bytes(),
            sop_class: case.sop_class,
            iod: case.iod,
            manufacturer: case.manufacturer.as_bytes(),
            model: case.model.as_bytes(),
            hospital: case.hospital,
        });
        let known = lookup(tag).map(|entry| entry.vr);
        let vr = case.vr.or(known).unwrap_or(Vr::UN);
        let creator = case.creator.map(str::as_bytes);
        let place = Place { path: case.path, creator, value: &[] };
        if tag == ENCAPSULATED_DOCUMENT && case.path.is_empty() {
            let because = Because::Documents;
            let why = self.why(tag, because, vr);
            return Explanation { treatment: "by-kind", because: because.word(), why, note: None };
        }
        let pixels = [tags::PIXEL_DATA, tags::FLOAT_PIXEL_DATA, tags::DOUBLE_FLOAT_PIXEL_DATA];
        if pixels.contains(&tag) && case.path.is_empty() {
            let (treatment, because) = ("look", "pixels".to_owned());
            return Explanation { treatment, because, why: PIXELS.to_owned(), note: None };
        }
        let rules = &self.settings.rules;
        let (treatment, because) = plan.treatment(rules, tag, (vr, vr), &place);
        let why = self.why(tag, because, vr);
        let idle = |number: u16| {
            let rule = rules.get(usize::from(number)).filter(|_| vr == Vr::UN)?;
            (rule.needs_representation() && rule.stated().is_none()).then_some(NO_REPRESENTATION)
        };
        let note = match because {
            Because::Rule(number) => idle(number).map(str::to_owned),
            _ => None,
        };
        Explanation { treatment: treatment.word(), because: because.word(), why, note }
    }

    /// The rules that cannot act: what they name is never kept, an earlier rule about the same
    /// attributes always goes before, or in implicit VR nobody can say what the value is.
    #[must_use]
    pub fn idle_rules(&self) -> Vec<IdleRule> {
        let mut idle = Vec::new();
        let mut decided: BTreeSet<Tag> = BTreeSet::new();
        for (at, rule) in self.settings.rules.iter().enumerate() {
            let plain: Vec<Tag> = rule.plain_tags().into_iter().flatten().collect();
            let always = rule.when == Condition::default();
            let why = if rule.is_about_nothing(is_never_kept) && rule.needs_representation() {
                Some("no profile keeps what it names")
            } else if !plain.is_empty() && plain.iter().all(|tag| decided.contains(tag)) {
                Some("earlier rules decide about all that it names")
            } else if rule.is_about_private_elements()
                && rule.needs_representation()
                && rule.stated().is_none()
            {
                Some(NO_REPRESENTATION)
            } else {
                None
            };
            idle.extend(why.map(|why| IdleRule { number: at + 1, why }));
            if always {
                decided.extend(plain);
            }
        }
        idle
    }

    fn why(&self, tag: Tag, because: Because, vr: Vr) -> String {
        let row = || table::rows().find(|row| row.tag == Some(tag));
        match because {
            Because::Table => row().map_or_else(String::new, |row| {
                format!("PS3.15 Table E.1-1 ({}): {}", table::EDITION, row.basic.as_str())
            }),
            Because::Option(option) => {
                let code = row().and_then(|row| {
                    row.options.into_iter().find(|(name, _)| *name == option.name())
                });
                let code = code.map_or("", |(_, code)| code.as_str());
                format!("PS3.15 Table E.1-1 ({}), option {}: {code}", table::EDITION, option.name())
            }
            Because::Private => "a private attribute that nothing vouches for".into(),
            Because::Unknown => {
                "not in the data dictionary, or in a group that is never kept".into()
            }
            Because::Representation => {
                format!("not in Table E.1-1: by its value representation {}", vr.as_str())
            }
            Because::Undefined => "the object definition does not have it there".into(),
            Because::Ours => "written by scanveil itself".into(),
            Because::Concept => "PS3.15 Table E.3.4-1".into(),
            Because::Documents => {
                let rules = &self.document.documents;
                let (pdf, cda) = (rules.pdf.as_str(), rules.cda.as_str());
                format!("documents of the profile: PDF {pdf}, CDA {cda}, others quarantine")
            }
            Because::Dummies => "it stands in a sequence that is replaced".into(),
            Because::Rule(number) => {
                let reason = self.settings.rules.get(usize::from(number));
                let reason = reason.map_or("", |rule| rule.reason.as_str());
                format!("rule {} of the profile: {reason}", u32::from(number) + 1)
            }
        }
    }
}
