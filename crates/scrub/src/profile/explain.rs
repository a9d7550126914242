//! What a profile does with an attribute, and why: for people and for comparing profiles.

use super::{Circumstances, Profile};
use crate::plan::Place;
use crate::study::documents::ENCAPSULATED_DOCUMENT;
use crate::table;
use crate::treatment::Because;
use scanveil_dataset::{Tag, Vr, lookup};

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
}

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
            return Explanation { treatment: "by-kind", because: because.word(), why };
        }
        let (treatment, because) = plan.treatment(&self.settings.rules, tag, (vr, vr), &place);
        let why = self.why(tag, because, vr);
        Explanation { treatment: treatment.word(), because: because.word(), why }
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
