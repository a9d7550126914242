//! Compiles a profile's options and the table into one look-up: what to do with a tag.

use crate::options::ProfileOption;
use crate::table::{self, Code};
use scanveil_dataset::{Tag, Vr, lookup, tags};
use std::collections::BTreeSet;

/// What to do with an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Treatment {
    /// Keep as it is.
    Keep,
    /// Leave out.
    Remove,
    /// Zero length.
    Empty,
    /// A dummy value fit for the VR.
    Dummy,
    /// The keyed pseudonym of the patient.
    Pseudonym,
    /// A keyed UID.
    Remap,
    /// Shift dates.
    Shift,
    /// Cap an age over 89 years.
    CapAge,
    /// Keep a short text when its words are words of the trade and nothing in it may identify.
    Text,
    /// Keep a text that an option retains, unless it holds an identifier of the study.
    Retained,
    /// Keep a value of digits or code characters unless it is something else.
    Check,
    /// Keep the sequence; treat its items.
    Descend,
}

/// Slots of the hash table: a power of two, a good deal more than the rows.
const SLOTS: usize = 2048;

/// The compiled table.
pub(crate) struct RuleSet {
    slots: Box<[(u32, Option<Treatment>)]>,
    dates: Dates,
    keep_uids: bool,
}

/// What happens to dates that the table does not list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dates {
    Empty,
    Shift,
    Keep,
}

fn slot(tag: Tag) -> usize {
    (tag.0.wrapping_mul(0x9e37_79b1) >> 21) as usize % SLOTS
}

impl RuleSet {
    pub(crate) fn compile(options: &BTreeSet<ProfileOption>) -> Self {
        let dates = if options.contains(&ProfileOption::FullDates) {
            Dates::Keep
        } else if options.contains(&ProfileOption::ModifiedDates) {
            Dates::Shift
        } else {
            Dates::Empty
        };
        let mut set = Self {
            slots: vec![(0, None); SLOTS].into(),
            dates,
            keep_uids: options.contains(&ProfileOption::RetainUids),
        };
        for row in table::rows() {
            if let Some(tag) = row.tag {
                set.insert(tag, resolve(&row, options));
            }
        }
        // Z with a dummy, as PS3.15 E.2 allows: the patient stays recognizable as one subject.
        set.insert(tags::PATIENT_NAME, Treatment::Pseudonym);
        set.insert(tags::PATIENT_ID, Treatment::Pseudonym);
        set
    }

    fn insert(&mut self, tag: Tag, treatment: Treatment) {
        let mut at = slot(tag);
        while self.slots[at].1.is_some() && self.slots[at].0 != tag.0 {
            at = (at + 1) % SLOTS;
        }
        self.slots[at] = (tag.0, Some(treatment));
    }

    /// Whether the table's row of this tag keeps its value, so that the value is no identifier
    /// here.
    pub(crate) fn retains(&self, tag: Tag) -> bool {
        matches!(self.row(tag), Some(Treatment::Keep | Treatment::Retained))
    }

    fn row(&self, tag: Tag) -> Option<Treatment> {
        let mut at = slot(tag);
        loop {
            match self.slots[at] {
                (_, None) => return None,
                (found, treatment) if found == tag.0 => return treatment,
                _ => at = (at + 1) % SLOTS,
            }
        }
    }

    /// What to do with an element of this tag and VR.
    pub(crate) fn treatment(&self, tag: Tag, vr: Vr, declared: Vr) -> Treatment {
        // Private attributes, group lengths, curves, overlays, and groups that no data set has.
        let group = tag.group();
        if tag.is_private()
            || tag.is_group_length()
            || group < 8
            || matches!(group & 0xff00, 0x5000 | 0x6000)
            || matches!(group, 0x4000 | 0x4008 | 0xfffa | 0xfffc | 0xfffe)
        {
            return Treatment::Remove;
        }
        if let Some(treatment) = self.row(tag) {
            return by_representation(treatment, vr);
        }
        // What nobody knows, nobody can vouch for.
        let Some(entry) = lookup(tag) else { return Treatment::Remove };
        // A public tag with another VR than its own: no rule was written for what it holds.
        if !entry.several && entry.vr != declared && declared != Vr::UN {
            let text = |vr: Vr| matches!(&vr.0, b"LO" | b"SH" | b"CS" | b"UC");
            if !(text(entry.vr) && text(declared)) {
                return Treatment::Remove;
            }
        }
        self.unlisted(tag, vr)
    }

    /// Elements that the table does not list, by VR.
    fn unlisted(&self, tag: Tag, vr: Vr) -> Treatment {
        match &vr.0 {
            b"SQ" => Treatment::Descend,
            b"UI" if self.keep_uids => Treatment::Keep,
            b"UI" => Treatment::Remap,
            b"DA" | b"DT" | b"TM" => match self.dates {
                Dates::Empty => Treatment::Empty,
                Dates::Shift => Treatment::Shift,
                Dates::Keep => Treatment::Keep,
            },
            b"PN" => Treatment::Empty,
            b"AS" => Treatment::CapAge,
            b"LO" | b"SH" | b"UC" => Treatment::Text,
            b"CS" | b"DS" | b"IS" => Treatment::Check,
            b"AT" | b"FD" | b"FL" | b"SL" | b"SS" | b"SV" | b"UL" | b"US" | b"UV" => {
                Treatment::Keep
            }
            // Bulk binary data of the groups whose content is numbers by definition.
            b"OB" | b"OD" | b"OF" | b"OL" | b"OV" | b"OW"
                if matches!(tag.group(), 0x0022 | 0x0028 | 0x0066 | 0x006a | 0x5400 | 0x5600)
                    || matches!(tag.0, 0x7fe0_0001 | 0x7fe0_0002) =>
            {
                Treatment::Keep
            }
            // Long text, application entities, locators, unknown bytes.
            _ => Treatment::Remove,
        }
    }

    /// The treatment of a tag in words.
    pub(crate) fn explain(&self, tag: Tag) -> String {
        let vr = lookup(tag).map_or(Vr::UN, |entry| entry.vr);
        let treatment = self.treatment(tag, vr, vr);
        let why = if tag.is_private() {
            "private attribute".to_owned()
        } else {
            match table::rows().find(|row| row.tag == Some(tag)) {
                Some(row) => format!("PS3.15 Table E.1-1 ({}): {:?}", table::EDITION, row.basic),
                None if lookup(tag).is_none() => "not in the data dictionary".to_owned(),
                None => format!("not in Table E.1-1: by value representation {vr:?}"),
            }
        };
        format!("{treatment:?}: {why}").to_lowercase()
    }
}

fn resolve(row: &table::TableRow, options: &BTreeSet<ProfileOption>) -> Treatment {
    let applies = |code: Code| {
        row.options.iter().any(|(name, found)| {
            *found == code && options.iter().any(|option| option.name() == *name)
        })
    };
    if applies(Code::K) {
        return Treatment::Keep;
    }
    let dated =
        row.options.iter().any(|(name, code)| *name == "modified-dates" && *code == Code::C);
    if dated && options.contains(&ProfileOption::ModifiedDates) {
        return Treatment::Shift;
    }
    match row.basic {
        Code::X => Treatment::Remove,
        Code::Z | Code::XZ => Treatment::Empty,
        Code::D | Code::XD | Code::XZD | Code::ZD => Treatment::Dummy,
        Code::U => Treatment::Remap,
        Code::XZU => Treatment::Descend,
        Code::K => Treatment::Keep,
        Code::C => Treatment::Text,
    }
}

/// Adapts a row's treatment to the VR that the value really has.
fn by_representation(treatment: Treatment, vr: Vr) -> Treatment {
    match (treatment, &vr.0) {
        // Ages kept as patient characteristics are capped all the same.
        (Treatment::Keep, b"AS") => Treatment::CapAge,
        (Treatment::Keep, b"SQ") => Treatment::Descend,
        // A value that its own VR could not explain.
        (Treatment::Keep | Treatment::Text | Treatment::Retained, b"UN") => Treatment::Remove,
        // Device and institution identity is kept as text, still searched for the patient.
        (Treatment::Keep, b"LO" | b"SH" | b"ST" | b"LT" | b"UT" | b"UC") => Treatment::Retained,
        // A sequence has no dummy value of its own: its items go.
        (Treatment::Dummy, b"SQ") => Treatment::Empty,
        (Treatment::Shift, b"DA" | b"DT" | b"TM") => Treatment::Shift,
        (Treatment::Shift, _) => Treatment::Remove,
        (Treatment::Remap, b"UI") => Treatment::Remap,
        (Treatment::Remap, _) => Treatment::Remove,
        (Treatment::Descend, b"SQ") => Treatment::Descend,
        (Treatment::Descend, _) => Treatment::Remove,
        (treatment, _) => treatment,
    }
}
