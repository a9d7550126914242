//! What an instance keeps on purpose, element by element: the verification is told, so that it does
//! not take for a residue what a rule, an option or a treatment accounts for. The same value in any
//! other element is a residue all the same.

use crate::ProfileOption;
use crate::identity;
use crate::outcome::{Decided, Written};
use crate::text::Texts;
use crate::treatment::{Because, Treatment};
use scanveil_dataset::Vr;
use scanveil_model::Action;
use scanveil_verify::{Kept, What};

/// What says nothing of who the patient is.
const IMPERSONAL: &[What] = &[What::Date, What::Age, What::Uid, What::Place, What::Device];

/// What the element of a decision keeps on purpose, if anything; `old` is its value as it came.
pub(crate) fn kept(texts: &Texts<'_>, decided: &Decided<'_>, old: &[u8]) -> Option<Kept> {
    let written = decided.written?;
    let value = decided.new.unwrap_or(old);
    let kinds = kinds(decided, &written);
    let words = match written.treatment {
        Treatment::Machine => texts.spared_of_machine(written.charset, value),
        Treatment::Clean | Treatment::Retained | Treatment::Vocabulary => {
            texts.spared(written.charset, value)
        }
        Treatment::Terms => {
            let mut words = texts.spared(written.charset, value);
            words.extend(texts.terms(value));
            words
        }
        Treatment::Check if decided.element.vr == Vr::CS => {
            let mut words = texts.spared(written.charset, value);
            words.extend(texts.terms(value));
            words
        }
        _ => Vec::new(),
    };
    let some = !(value.is_empty() || kinds.is_empty() && words.is_empty());
    some.then_some(Kept { at: written.at, tag: decided.element.tag, kinds, words })
}

/// The kinds of values that the element may hold.
fn kinds(decided: &Decided<'_>, written: &Written<'_>) -> &'static [What] {
    match written.treatment {
        // Its oldest age is the profile's own.
        Treatment::CapAge => &[What::Age],
        // Another day of the patient's, moved: the day that stood here is gone.
        Treatment::Shift if decided.action == Action::Shift => &[What::Date],
        Treatment::Dated => &[What::Date],
        Treatment::Generalize(_) => &[What::Date, What::Age],
        // The profile's own value, or a number that hangs on a key.
        Treatment::Fixed(_) | Treatment::Hash => What::ALL,
        // Digits in a UID that is kept say no more than the UID.
        Treatment::Keep if decided.element.vr == Vr::UI => What::ALL,
        Treatment::Keep | Treatment::Retained | Treatment::Check if is_choice(written.because) => {
            if identity::names_somebody(decided.element) {
                What::ALL
            } else {
                IMPERSONAL
            }
        }
        // The option's own code is C: what its attributes say of devices and places stays.
        Treatment::Clean if retains(written.because) => IMPERSONAL,
        _ => &[],
    }
}

/// Whether somebody decided that just this attribute stays.
fn is_choice(because: Because) -> bool {
    matches!(because, Because::Table | Because::Option(_) | Because::Rule(_))
}

/// Whether an option retains the attribute, cleaned or not.
pub(crate) fn retains(because: Because) -> bool {
    matches!(
        because,
        Because::Option(
            ProfileOption::RetainDeviceIdentity
                | ProfileOption::RetainInstitutionIdentity
                | ProfileOption::RetainPatientCharacteristics
        )
    )
}
