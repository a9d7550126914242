//! A data set that is written together with its answers.

use super::answer::{Answer, AnswerAction as Action, AnswerCategory as Category};
use super::attr::{self, Attr};
use super::phrase::{Part, Phrase};
use crate::charset::Charset;
use crate::people::Day;
use crate::wire::{DataSet, Vr};

/// Words of institutions' names that are no one's own.
const COMMON: &[&str] = &[
    "hospital",
    "general",
    "memorial",
    "infirmary",
    "medical",
    "center",
    "centre",
    "clinic",
    "university",
    "klinikum",
    "klinik",
    "krankenhaus",
    "hôpital",
    "clinique",
    "centro",
    "clínica",
    "universitario",
    "hospitalier",
    "universitätsklinikum",
    "policlínica",
    "polyclinique",
    "santa",
    "sainte",
    "saint",
    "distrital",
    "hospitalar",
    "evangelisches",
];

/// The letter of 45 CFR 164.514(b)(2)(i) for a kind of identifier.
pub(super) mod hipaa {
    use super::Category;
    pub(in super::super) const NAME: Category = Category::Hipaa("HIPAA-A");
    pub(in super::super) const PLACE: Category = Category::Hipaa("HIPAA-B");
    pub(in super::super) const DATE: Category = Category::Hipaa("HIPAA-C");
    pub(in super::super) const PHONE: Category = Category::Hipaa("HIPAA-D");
    pub(in super::super) const MAIL: Category = Category::Hipaa("HIPAA-F");
    pub(in super::super) const SOCIAL: Category = Category::Hipaa("HIPAA-G");
    pub(in super::super) const RECORD: Category = Category::Hipaa("HIPAA-H");
    pub(in super::super) const PLAN: Category = Category::Hipaa("HIPAA-I");
    pub(in super::super) const ACCOUNT: Category = Category::Hipaa("HIPAA-J");
    pub(in super::super) const OTHER: Category = Category::Hipaa("HIPAA-R");
}

const IOD: Category = Category::Dicom("DICOM-IOD");

/// A data set or an item, and what should become of its elements.
pub(super) struct Sheet {
    data: DataSet,
    charset: Charset,
    /// The path of the item, empty at the top.
    within: String,
    answers: Vec<Answer>,
}

impl Sheet {
    pub(super) fn new(charset: Charset) -> Self {
        Self { data: DataSet::new(charset), charset, within: String::new(), answers: Vec::new() }
    }

    pub(super) fn into_parts(self) -> (DataSet, Vec<Answer>) {
        (self.data, self.answers)
    }

    pub(super) fn data(&mut self) -> &mut DataSet {
        &mut self.data
    }

    fn answer(
        &mut self,
        attr: Attr,
        value: &str,
        action: Action,
        text: Option<String>,
        category: Category,
    ) {
        let tag = format!("({:04x},{:04x})", attr.tag >> 16, attr.tag & 0xffff);
        self.push(tag, attr.name, value, action, text, category);
    }

    fn push(
        &mut self,
        tag: String,
        name: &str,
        value: &str,
        action: Action,
        text: Option<String>,
        category: Category,
    ) {
        let path = format!("{}<{tag}>", self.within);
        let (name, value) = (name.to_owned(), value.to_owned());
        self.answers.push(Answer { tag, path, name, value, action, text, category });
    }

    /// An element nobody asks about.
    pub(super) fn plain(&mut self, attr: Attr, text: &str) {
        self.data.text(attr.tag, attr.vr, text);
    }

    /// Text that must stay as it is.
    pub(super) fn keep(&mut self, attr: Attr, text: &str) {
        self.plain(attr, text);
        let words = Some(text.to_owned());
        self.answer(attr, text, Action::TextRetained, words, kept(attr));
    }

    /// An element that must stay, whatever is in it.
    pub(super) fn there(&mut self, attr: Attr, text: &str) {
        self.plain(attr, text);
        self.answer(attr, text, Action::TagRetained, None, IOD);
    }

    /// A value that must go, with its element or without it.
    pub(super) fn gone(&mut self, attr: Attr, text: &str, category: Category) {
        self.plain(attr, text);
        // A pseudonym of letters and digits can hold three letters by chance.
        if let Some(words) = telling(text, "", 4) {
            self.answer(attr, text, Action::TextRemoved, Some(words), category);
        }
    }

    /// A value that must go from an element that must stay.
    pub(super) fn replaced(&mut self, attr: Attr, text: &str, category: Category) {
        self.gone(attr, text, category);
        self.answer(attr, text, Action::TagRetained, None, IOD);
    }

    /// The patient's identifier.
    pub(super) fn patient_id(&mut self, id: &str) {
        let attr = attr::PATIENT_ID;
        self.replaced(attr, id, hipaa::RECORD);
        let basic = Category::Dicom("DICOM-P15-BASIC-C");
        self.answer(attr, id, Action::PatientIdConsistent, None, basic);
    }

    /// A date that must be shifted and stay a date.
    pub(super) fn date(&mut self, attr: Attr, day: Day) {
        let text = day.da();
        self.plain(attr, &text);
        self.answer(attr, &text, Action::DateShifted, None, hipaa::DATE);
        self.answer(attr, &text, Action::TextNotNull, None, IOD);
    }

    /// A date and time whose date must be shifted.
    pub(super) fn date_time(&mut self, attr: Attr, day: Day, time: &str) {
        let text = format!("{}{time}", day.da());
        self.plain(attr, &text);
        self.answer(attr, &day.da(), Action::DateShifted, None, hipaa::DATE);
    }

    /// A UID that must be mapped, where it stays.
    pub(super) fn uid(&mut self, attr: Attr, uid: &str) {
        self.plain(attr, uid);
        self.answer(attr, uid, Action::UidChanged, None, hipaa::OTHER);
        let basic = Category::Dicom("DICOM-P15-BASIC-U");
        self.answer(attr, uid, Action::UidConsistent, None, basic);
    }

    /// A text of which a part must stay and the rest go.
    pub(super) fn phrase(&mut self, attr: Attr, phrase: &Phrase) {
        let whole = phrase.text();
        self.plain(attr, &whole);
        for part in &phrase.parts {
            let (text, wanted) = (part.text(), phrase.others());
            match part {
                Part::Filler(_) => {}
                Part::Keep(_) => {
                    let words = Some(text.to_owned());
                    self.answer(attr, &whole, Action::TextRetained, words, kept(attr));
                }
                Part::Gone(_, category) => {
                    if let Some(words) = telling(text, &wanted, 3) {
                        self.answer(attr, &whole, Action::TextRemoved, Some(words), *category);
                    }
                }
                Part::Date(_) => self.answer(attr, text, Action::DateShifted, None, hipaa::DATE),
                Part::Uid(_) => self.answer(attr, text, Action::UidChanged, None, hipaa::OTHER),
            }
        }
    }

    /// The digest of Pixel Data.
    pub(super) fn pixels(&mut self, md5: &str) {
        let attr = Attr { tag: 0x7fe0_0010, vr: Vr::Ow, name: "Pixel Data" };
        let category = Category::Tcia("TCIA-P15-PIX-K");
        self.answer(attr, md5, Action::PixelsRetained, Some(md5.to_owned()), category);
    }

    /// Adds an item to a sequence.
    pub(super) fn item(&mut self, attr: Attr, fill: impl FnOnce(&mut Self)) {
        let number = self.data.items(attr.tag);
        let tag = format!("({:04x},{:04x})", attr.tag >> 16, attr.tag & 0xffff);
        let mut item = Self::new(self.charset);
        item.within = format!("{}<{tag}>[<{number:04}>]", self.within);
        fill(&mut item);
        self.data.push_item(attr.tag, item.data);
        self.answers.append(&mut item.answers);
    }

    /// A code sequence with one item (PS3.3 8.8) whose meaning must stay.
    pub(super) fn code(&mut self, attr: Attr, [value, scheme, meaning]: [&str; 3]) {
        self.item(attr, |item| {
            item.plain(attr::CODE_VALUE, value);
            item.plain(attr::CODE_SCHEME, scheme);
            item.keep(attr::CODE_MEANING, meaning);
        });
    }

    /// A private element (PS3.5 7.8) with its creator.
    pub(super) fn private(&mut self, at: PrivateAt<'_>, vr: Vr, bytes: Vec<u8>, wish: Wish) {
        let PrivateAt { group, creator, block, element } = at;
        let base = u32::from(group) << 16;
        self.data.text(base | u32::from(block), Vr::Lo, creator);
        self.data.bytes(base | u32::from(block) << 8 | u32::from(element), vr, bytes);
        let tag = format!("({group:04x},\"{}\",{element:02x})", creator.to_uppercase());
        let safe = Category::Tcia("TCIA-PTKB-K");
        let name = "Private Element";
        match wish {
            Wish::There => self.push(tag, name, "", Action::TagRetained, None, safe),
            Wish::Keep(text) => {
                self.push(tag, name, &text, Action::TextRetained, Some(text.clone()), safe);
            }
            Wish::Gone(text, category) => {
                if let Some(words) = telling(&text, "", 3) {
                    self.push(tag, name, &text, Action::TextRemoved, Some(words), category);
                }
            }
            Wish::Date(text) => {
                self.push(tag, name, &text, Action::DateShifted, None, hipaa::DATE);
            }
            Wish::Uid(text) => {
                self.push(tag, name, &text, Action::UidChanged, None, hipaa::OTHER);
            }
        }
    }
}

/// Where a private element stands.
#[derive(Clone, Copy)]
pub(super) struct PrivateAt<'a> {
    pub(super) group: u16,
    pub(super) creator: &'a str,
    pub(super) block: u8,
    pub(super) element: u8,
}

/// What should become of a private element.
pub(super) enum Wish {
    There,
    Keep(String),
    Gone(String, Category),
    Date(String),
    Uid(String),
}

/// Why a text stays: by which option of PS3.15 Annex E, or because nothing is said against it.
fn kept(attr: Attr) -> Category {
    Category::Tcia(match attr.tag {
        0x0010_0040 | 0x0010_1010..=0x0010_1030 | 0x0010_2160 | 0x0010_21a0 => "TCIA-P15-PAT-K",
        0x0008_1010 | 0x0018_1000 | 0x0018_700a => "TCIA-P15-DEV-K",
        0x0040_a000..=0x0040_a7ff => "TCIA-P15-SR-C",
        0x0008_103e | 0x0008_1030 | 0x0008_1080 | 0x0008_2111 => "TCIA-P15-DESC-C",
        0x0010_2000..=0x0010_4000 | 0x0012_0051 | 0x0018_0010 | 0x0018_1030 => "TCIA-P15-DESC-C",
        0x0018_1400 | 0x0018_4000 | 0x0020_4000 | 0x0032_1030..=0x0040_2400 => "TCIA-P15-DESC-C",
        _ => "TCIA-REV",
    })
}

/// The words of a value whose absence says that it is gone: long enough, distinctive, and no part
/// of what stays beside them.
pub(super) fn telling(text: &str, beside: &str, shortest: usize) -> Option<String> {
    let beside = beside.to_lowercase();
    let words: Vec<&str> = text
        .split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '.' | '_' | '@' | 'ヶ' | '々')))
        .flat_map(|word| word.split('@'))
        .map(|word| word.trim_matches(['-', '.']))
        .filter(|word| {
            let least = if word.is_ascii() { shortest } else { 2 };
            let lower = word.to_lowercase();
            word.chars().count() >= least
                && !beside.contains(&lower)
                && !COMMON.contains(&lower.as_str())
        })
        .collect();
    (!words.is_empty()).then(|| words.join(" "))
}
