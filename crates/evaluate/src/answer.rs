//! Answers, and how the benchmark's database writes them: JSON whose strings are in angle brackets.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// What an answer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are the benchmark's own; `rules` says when each passes")]
pub enum Action {
    TagRetained,
    #[serde(rename = "text_notnull")]
    TextNotNull,
    TextRetained,
    TextRemoved,
    DateShifted,
    UidChanged,
    UidConsistent,
    #[serde(rename = "patid_consistent")]
    PatientIdConsistent,
    PixelsHidden,
    PixelsRetained,
}

/// What an action is about: the three figures that are reported apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aim {
    Removal,
    Retention,
    Consistency,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 10] = [
        Self::TagRetained,
        Self::TextNotNull,
        Self::TextRetained,
        Self::TextRemoved,
        Self::DateShifted,
        Self::UidChanged,
        Self::UidConsistent,
        Self::PatientIdConsistent,
        Self::PixelsHidden,
        Self::PixelsRetained,
    ];

    /// The benchmark's name of the action.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TagRetained => "tag_retained",
            Self::TextNotNull => "text_notnull",
            Self::TextRetained => "text_retained",
            Self::TextRemoved => "text_removed",
            Self::DateShifted => "date_shifted",
            Self::UidChanged => "uid_changed",
            Self::UidConsistent => "uid_consistent",
            Self::PatientIdConsistent => "patid_consistent",
            Self::PixelsHidden => "pixels_hidden",
            Self::PixelsRetained => "pixels_retained",
        }
    }

    /// The action of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }

    pub(crate) fn aim(self) -> Aim {
        match self {
            Self::TextRemoved | Self::DateShifted | Self::UidChanged | Self::PixelsHidden => {
                Aim::Removal
            }
            Self::UidConsistent | Self::PatientIdConsistent => Aim::Consistency,
            _ => Aim::Retention,
        }
    }
}

/// Why an answer is asked for, in the benchmark's own words (`answer_category_v2`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Category {
    /// `prev_cat`: the category of the benchmark's first edition.
    pub previous: Option<String>,
    /// `hipaa.z`.
    pub hipaa_z: Option<String>,
    /// `hipaa.m`: the letter of 45 CFR 164.514(b)(2)(i).
    pub hipaa_m: Option<String>,
    /// `dicom.p15`: an action code of PS3.15 Annex E.
    pub dicom_p15: Option<String>,
    /// `dicom.iod`: an attribute type.
    pub dicom_iod: Option<String>,
    /// `dicom.safe`: the list of safe private elements.
    pub dicom_safe: Option<String>,
    /// `tcia.ptkb`: the archive's knowledge of private tags.
    pub tcia_ptkb: Option<String>,
    /// `tcia.p15`: the archive's choice of options of PS3.15 Annex E.
    pub tcia_p15: Option<String>,
    /// `tcia.rev`: the archive's own review.
    pub tcia_rev: Option<String>,
}

impl Category {
    /// Category and subcategory by which the benchmark reports an answer with this action.
    #[must_use]
    pub fn reported(&self, action: Action) -> (&'static str, &str) {
        let hipaa = [&self.hipaa_m, &self.hipaa_z].map(|name| ("hipaa", name.as_deref()));
        let tcia =
            [&self.tcia_p15, &self.tcia_ptkb, &self.tcia_rev].map(|name| ("tcia", name.as_deref()));
        match action {
            Action::TagRetained | Action::TextNotNull => {
                let name = self.dicom_iod.as_deref().or(self.dicom_safe.as_deref());
                ("dicom", name.unwrap_or("unknown"))
            }
            Action::DateShifted => ("hipaa", "HIPAA-C"),
            Action::UidChanged => ("hipaa", "HIPAA-R"),
            Action::PixelsHidden => ("hipaa", "HIPAA-A"),
            Action::PatientIdConsistent => ("dicom", "DICOM-P15-BASIC-C"),
            Action::UidConsistent => ("dicom", "DICOM-P15-BASIC-U"),
            Action::PixelsRetained => ("tcia", "TCIA-P15-PIX-K"),
            Action::TextRemoved => pick(hipaa.into_iter().chain(tcia)),
            Action::TextRetained => pick(tcia.into_iter()),
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "prev_cat": self.previous,
            "hipaa": { "z": self.hipaa_z, "m": self.hipaa_m },
            "dicom": { "p15": self.dicom_p15, "iod": self.dicom_iod, "safe": self.dicom_safe },
            "tcia": { "ptkb": self.tcia_ptkb, "p15": self.tcia_p15, "rev": self.tcia_rev },
        })
    }

    fn from_json(value: &Value) -> Self {
        let text = |path: &str| {
            let found = value.pointer(path)?.as_str()?;
            (!found.is_empty()).then(|| found.to_owned())
        };
        Self {
            previous: text("/prev_cat"),
            hipaa_z: text("/hipaa/z"),
            hipaa_m: text("/hipaa/m"),
            dicom_p15: text("/dicom/p15"),
            dicom_iod: text("/dicom/iod"),
            dicom_safe: text("/dicom/safe"),
            tcia_ptkb: text("/tcia/ptkb"),
            tcia_p15: text("/tcia/p15"),
            tcia_rev: text("/tcia/rev"),
        }
    }
}

fn pick<'a>(
    choices: impl Iterator<Item = (&'static str, Option<&'a str>)>,
) -> (&'static str, &'a str) {
    let mut named = choices.filter_map(|(group, name)| Some((group, name?)));
    named.next().unwrap_or(("unknown", "unknown"))
}

/// One check. It has no `Debug`: it holds values.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// `Instance`, `Series`, `Study` or `Patient`; the benchmark joins by instance alone.
    pub scope: String,
    /// The element: `(0008,1030)`.
    pub tag: String,
    /// Where it stands: `<(0008,1140)>[<0000>]<(0008,1155)>`.
    pub tag_ds: String,
    /// The element's name.
    pub tag_name: String,
    /// The value as it was.
    pub value: String,
    /// What is asked for.
    pub action: Action,
    /// The words that must stay or go; a digest; for hidden pixels text and box, in JSON.
    pub action_text: Option<String>,
    /// Why.
    pub category: Category,
}

/// What the key says of one instance. It has no `Debug`: it holds values.
#[derive(Clone, PartialEq, Eq)]
pub struct InstanceAnswers {
    /// Modality.
    pub modality: String,
    /// SOP Class UID.
    pub sop_class_uid: String,
    /// Patient ID.
    pub patient_id: String,
    /// Study Instance UID.
    pub study_uid: String,
    /// Series Instance UID.
    pub series_uid: String,
    /// SOP Instance UID: what outputs are joined by.
    pub sop_instance_uid: String,
    /// MD5 of Pixel Data, in hexadecimal digits.
    pub digest: String,
    /// The checks.
    pub answers: Vec<Answer>,
}

fn wrapped(text: &str) -> Value {
    Value::String(format!("<{text}>"))
}

/// The text without the brackets around it.
pub(crate) fn unwrapped(text: &str) -> &str {
    let text = text.strip_prefix('<').unwrap_or(text);
    text.strip_suffix('>').unwrap_or(text)
}

/// The JSON of `AnswerData`.
pub(crate) fn to_json(answers: &[Answer]) -> String {
    let mut all = Map::new();
    for (number, answer) in answers.iter().enumerate() {
        let (group, name) = answer.category.reported(answer.action);
        let row = json!({
            "scope": wrapped(&answer.scope),
            "tag": wrapped(&answer.tag),
            "tag_ds": answer.tag_ds,
            "tag_name": wrapped(&answer.tag_name),
            "value": wrapped(&answer.value),
            "action": wrapped(answer.action.as_str()),
            "action_text": answer.action_text.as_deref().map(wrapped),
            "answer_category": wrapped(&format!("{group}:{name}")),
            "answer_category_v2": answer.category.to_json(),
        });
        all.insert(number.to_string(), row);
    }
    Value::Object(all).to_string()
}

/// Reads `AnswerData`, in the order of its numbers.
pub(crate) fn from_json(text: &str) -> Result<Vec<Answer>, &'static str> {
    let Ok(Value::Object(rows)) = serde_json::from_str(text) else {
        return Err("AnswerData");
    };
    let mut numbered = Vec::with_capacity(rows.len());
    for (number, row) in &rows {
        let number: u32 = number.parse().map_err(|_| "number of an answer")?;
        numbered.push((number, answer(row)?));
    }
    numbered.sort_by_key(|(number, _)| *number);
    Ok(numbered.into_iter().map(|(_, answer)| answer).collect())
}

fn answer(row: &Value) -> Result<Answer, &'static str> {
    let text = |key: &str| match row.get(key) {
        Some(Value::String(text)) => Some(unwrapped(text).to_owned()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    // The path keeps its brackets: they are part of it.
    let tag_ds = row.get("tag_ds").and_then(Value::as_str).ok_or("tag_ds")?;
    let action = text("action").and_then(|name| Action::parse(&name)).ok_or("action")?;
    Ok(Answer {
        scope: text("scope").unwrap_or_default(),
        tag: text("tag").unwrap_or_default(),
        tag_ds: tag_ds.to_owned(),
        tag_name: text("tag_name").unwrap_or_default(),
        value: text("value").unwrap_or_default(),
        action,
        action_text: text("action_text"),
        category: row.get("answer_category_v2").map(Category::from_json).unwrap_or_default(),
    })
}
