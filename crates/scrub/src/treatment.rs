//! What can be done with an element, and because of what.

use crate::options::ProfileOption;
use crate::profile::Coarseness;
use scanveil_dataset::Vr;

/// What to do with an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Treatment {
    /// Keep as it is.
    Keep,
    /// Leave out.
    Remove,
    /// Zero length.
    Empty,
    /// A dummy value fit for the VR; of a sequence, dummy values throughout its items.
    Dummy,
    /// The keyed pseudonym of the patient.
    Pseudonym,
    /// A keyed UID.
    Remap,
    /// Shift dates.
    Shift,
    /// Keep a date or time that is one.
    Dated,
    /// Keep a date that is the same for everybody.
    Published,
    /// Cap an old age.
    CapAge,
    /// Keep a short text only when every word in it is a word of the trade.
    Vocabulary,
    /// Keep each value only when every word in it is a word of the trade or part of a sequence's
    /// name.
    Terms,
    /// Keep what an ICC profile says of colours.
    Colours,
    /// Take out of a text what identifies somebody.
    Clean,
    /// The same of a text that a machine writes: kernels and models are no people's names.
    Machine,
    /// Keep a text that is kept by choice, without the study's own identifying values.
    Retained,
    /// Keep a value of digits or code characters unless it is something else.
    Check,
    /// Keep the sequence; treat its items.
    Descend,
    /// Structured content: keep the sequence, treat its items as content items (PS3.15 E.3.4).
    Content,
    /// A coarser value.
    Generalize(Coarseness),
    /// A keyed hash.
    Hash,
    /// The fixed value of the rule with this number.
    Fixed(u16),
}

impl Treatment {
    /// The word for it in explanations.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Remove => "remove",
            Self::Empty => "empty",
            Self::Dummy => "dummy",
            Self::Pseudonym => "pseudonym",
            Self::Remap => "remap",
            Self::Shift => "shift",
            Self::Dated => "keep-date",
            Self::Published => "keep-published-date",
            Self::CapAge => "cap-age",
            Self::Vocabulary => "keep-if-vocabulary",
            Self::Terms => "keep-terms",
            Self::Colours => "keep-colours",
            Self::Clean => "clean",
            Self::Machine => "clean-machine-written",
            Self::Retained => "keep-without-known-values",
            Self::Check => "check",
            Self::Descend => "descend",
            Self::Content => "clean-content",
            Self::Generalize(_) => "generalize",
            Self::Hash => "hash",
            Self::Fixed(_) => "replace",
        }
    }
}

/// Because of what an element is treated as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Because {
    /// The Basic Profile's column of Table E.1-1.
    Table,
    /// An option's column of Table E.1-1.
    Option(ProfileOption),
    /// A private attribute that nothing vouches for.
    Private,
    /// An attribute that is in no dictionary, or in a group that no data set has.
    Unknown,
    /// The table does not list it: by its value representation.
    Representation,
    /// The instance's own object definition does not have it.
    Undefined,
    /// Written by scanveil itself.
    Ours,
    /// Structured content, Table E.3.4-1.
    Concept,
    /// It stands in a sequence that is replaced by dummy values.
    Dummies,
    /// An encapsulated document, by the profile's rule for its kind.
    Documents,
    /// The profile's own rule with this number, counted from 0.
    Rule(u16),
}

impl Because {
    /// A small number for counting: rules last.
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Table => 0,
            Self::Private => 1,
            Self::Unknown => 2,
            Self::Representation => 3,
            Self::Undefined => 4,
            Self::Ours => 5,
            Self::Concept => 6,
            Self::Dummies => 7,
            Self::Documents => 8,
            Self::Option(option) => 9 + option as usize,
            Self::Rule(number) => FIRST_RULE + usize::from(number),
        }
    }

    /// The reason with this number.
    pub(crate) fn at(index: usize) -> Self {
        const FIXED: [Because; 9] = [
            Because::Table,
            Because::Private,
            Because::Unknown,
            Because::Representation,
            Because::Undefined,
            Because::Ours,
            Because::Concept,
            Because::Dummies,
            Because::Documents,
        ];
        if let Some(found) = FIXED.get(index) {
            return *found;
        }
        match ProfileOption::ALL.get(index - FIXED.len()) {
            Some(option) => Self::Option(*option),
            None => Self::Rule((index - FIRST_RULE) as u16),
        }
    }

    /// The stable word in reports and certificates.
    pub(crate) fn word(self) -> String {
        match self {
            Self::Table => "basic-profile".into(),
            Self::Option(option) => option.name().into(),
            Self::Private => "private".into(),
            Self::Unknown => "unknown-attribute".into(),
            Self::Representation => "value-representation".into(),
            Self::Undefined => "not-in-object-definition".into(),
            Self::Ours => "scanveil".into(),
            Self::Concept => "structured-content".into(),
            Self::Dummies => "in-replaced-sequence".into(),
            Self::Documents => "documents".into(),
            Self::Rule(number) => format!("rule-{}", u32::from(number) + 1),
        }
    }
}

/// What would be kept is replaced where it could identify; what has a form of its own stays valid.
pub(crate) fn in_dummies(treatment: Treatment, because: Because, vr: Vr) -> (Treatment, Because) {
    let open = matches!(
        treatment,
        Treatment::Keep
            | Treatment::Clean
            | Treatment::Retained
            | Treatment::Vocabulary
            | Treatment::Terms
            | Treatment::Dated
            | Treatment::Published
            | Treatment::Shift
    );
    match &vr.0 {
        b"LO" | b"SH" | b"ST" | b"LT" | b"UT" | b"UC" | b"PN" | b"AE" | b"UR" | b"DA" | b"TM"
        | b"DT"
            if open =>
        {
            (Treatment::Dummy, Because::Dummies)
        }
        b"UI" if open => (Treatment::Remap, Because::Dummies),
        _ => (treatment, because),
    }
}

/// Rules are counted from here on.
const FIRST_RULE: usize = 9 + ProfileOption::ALL.len();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_come_back_from_their_numbers() {
        for index in 0..FIRST_RULE + 5 {
            assert_eq!(Because::at(index).index(), index);
        }
    }
}
