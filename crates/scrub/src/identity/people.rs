//! Who an encapsulated document names: known to the whole study, as what a header says.

use super::{Class, StudyIdentity, too_many};
use crate::study::documents::encapsulated;
use scanveil_dataset::{DataSet, Tag, tags};
use scanveil_documents::{Unread, cda_people};
use scanveil_model::Reason;
use scanveil_verify::What;

/// Elements that say the same as a document does: the profile keeps both or none.
const INSTITUTION: Tag = Tag::new(0x8, 0x80);
const ADDRESS: Tag = Tag::new(0x10, 0x1040);
const TELEPHONE: Tag = Tag::new(0x10, 0x2154);
const OTHER_NUMBERS: Tag = Tag::new(0x10, 0x1000);

impl StudyIdentity {
    /// Gathers what a CDA document says of people. One that does not parse says nothing, and is
    /// held back later.
    pub(super) fn document(&mut self, data: &DataSet<'_>) -> Result<(), Reason> {
        let Some(document) = encapsulated(data).filter(|document| document.is_cda()) else {
            return Ok(());
        };
        let Ok(bytes) = document.bytes() else { return Ok(()) };
        let people = match cda_people(bytes) {
            Ok(people) => people,
            Err(Unread::TooMuch) => return Err(too_many()),
            Err(_) => return Ok(()),
        };
        for (values, class, what, tag) in [
            (&people.persons, Class::Person, What::Name, tags::PATIENT_NAME),
            (&people.identifiers, Class::Identifier, What::Identifier, OTHER_NUMBERS),
            (&people.organizations, Class::Place, What::Place, INSTITUTION),
            (&people.addresses, Class::Place, What::Place, ADDRESS),
            (&people.contacts, Class::Identifier, What::Contact, TELEPHONE),
            (&people.days, Class::Date, What::Date, tags::PATIENT_BIRTH_DATE),
        ] {
            for value in values {
                self.evidence.add(what, tag, value).map_err(|_| too_many())?;
                self.values.insert((class, tag, value.clone()));
            }
        }
        Ok(())
    }
}
