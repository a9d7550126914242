//! Encapsulated documents (PS3.3 A.45): read and held back, or read and passed on, by the profile's
//! rule for their kind.

use super::StudyScrubber;
use crate::dates;
use crate::header::Insert;
use crate::outcome::Outcome;
use crate::profile::{CdaRule, PdfRule};
use crate::sop::{PixelClass, SopClass};
use crate::treatment::Because;
use crate::{ProfileOption, text::is_known};
use scanveil_dataset::{DataSet, Encoding, Header, Kind, Tag, Vr, Writer, tags};
use scanveil_documents::{CdaRules, PdfText, Unread, cda_text, clean_cda};
use scanveil_model::{Action, Reason, ReasonCode, TagPath};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Encapsulated Document.
pub(crate) const ENCAPSULATED_DOCUMENT: Tag = Tag::new(0x42, 0x11);
/// MIME Type of Encapsulated Document, List of MIME Types, Encapsulated Document Length.
const MIME_TYPE: Tag = Tag::new(0x42, 0x12);
const MIME_TYPES: Tag = Tag::new(0x42, 0x14);
const DOCUMENT_LENGTH: Tag = Tag::new(0x42, 0x15);
/// HL7 Instance Identifier: root and extension of the document's own identifier.
const HL7_INSTANCE_IDENTIFIER: Tag = Tag::new(0x40, 0xe001);

/// Encapsulated PDF Storage and Encapsulated CDA Storage.
const PDF: &str = "1.2.840.10008.5.1.4.1.1.104.1";
const CDA: &str = "1.2.840.10008.5.1.4.1.1.104.2";

/// Programs that write PDF, and the words around their names: not names of people here.
const SOFTWARE: &str = include_str!("../../tables/software.txt");

/// A document as an instance holds it.
pub(crate) struct Encapsulated<'d> {
    value: &'d [u8],
    length: Option<usize>,
    mime_type: String,
}

/// The document of an instance that has one at its top.
pub(crate) fn encapsulated<'d>(data: &'d DataSet<'_>) -> Option<Encapsulated<'d>> {
    let element = data.find(ENCAPSULATED_DOCUMENT)?;
    let plain = element.kind == Kind::Leaf && !element.undefined_length;
    let length = data.find(DOCUMENT_LENGTH).and_then(|element| {
        let bytes: [u8; 4] = data.value(element).try_into().ok()?;
        let big = element.encoding.big_endian;
        let length = if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        usize::try_from(length).ok()
    });
    let mime_type = data.text(MIME_TYPE).unwrap_or(b"");
    Some(Encapsulated {
        value: if plain { data.value(element) } else { b"" },
        length,
        mime_type: String::from_utf8_lossy(mime_type).to_ascii_lowercase(),
    })
}

impl<'d> Encapsulated<'d> {
    /// Whether it says to be a CDA document.
    pub(crate) fn is_cda(&self) -> bool {
        self.mime_type == "text/xml"
    }

    /// Whether it says to be a PDF.
    pub(crate) fn is_pdf(&self) -> bool {
        self.mime_type == "application/pdf"
    }

    /// The document without padding. Behind it there is at most one byte of padding.
    pub(crate) fn bytes(&self) -> Result<&'d [u8], Unread> {
        let padding = |rest: &[u8]| matches!(rest, [] | [0 | b' ']);
        match self.length {
            Some(length) => {
                let (document, rest) =
                    self.value.split_at_checked(length).ok_or(Unread::Malformed)?;
                if padding(rest) { Ok(document) } else { Err(Unread::Leftovers) }
            }
            None => Ok(self.value.strip_suffix(b"\0").unwrap_or(self.value)),
        }
    }
}

/// A document that goes out.
pub(super) struct NewDocument<'d> {
    bytes: Cow<'d, [u8]>,
    mime_type: &'static str,
    action: Action,
    /// What was taken out of its texts.
    findings: BTreeMap<&'static str, u32>,
    identifier: Option<String>,
}

impl NewDocument<'_> {
    /// Puts the elements of the document in their places.
    pub(super) fn insert(&self, inserts: &mut Vec<Insert<'_>>, encoding: Encoding) {
        let length = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        let length = if encoding.big_endian { length.to_be_bytes() } else { length.to_le_bytes() };
        let identifier = self.identifier.as_deref().map(str::as_bytes);
        let elements = [
            // It was read, and what it says of itself is known.
            Some((tags::BURNED_IN_ANNOTATION, Vr::CS, &b"NO"[..])),
            identifier.map(|identifier| (HL7_INSTANCE_IDENTIFIER, Vr::ST, identifier)),
            Some((ENCAPSULATED_DOCUMENT, Vr::OB, &self.bytes[..])),
            Some((MIME_TYPE, Vr::LO, self.mime_type.as_bytes())),
            Some((DOCUMENT_LENGTH, Vr::UL, &length[..])),
        ];
        for (tag, vr, value) in elements.into_iter().flatten() {
            let mut bytes = Vec::with_capacity(value.len() + 16);
            Writer::new(&mut bytes).element(tag, vr, value, encoding);
            inserts.retain(|insert| insert.tag != tag);
            let at = inserts.partition_point(|insert| insert.tag < tag);
            inserts.insert(at, Insert { tag, bytes: bytes.into() });
        }
    }
}

/// What came of an instance, its document counted with it.
pub(super) fn counted(document: Option<NewDocument<'_>>, mut outcome: Outcome) -> Outcome {
    let Some(document) = document else { return outcome };
    outcome.counts.count(document.action, Because::Documents);
    for (kind, count) in document.findings {
        *outcome.findings.entry(kind).or_default() += count;
    }
    outcome
}

fn held(detail: impl Into<String>) -> Reason {
    let at = TagPath(ENCAPSULATED_DOCUMENT.to_string());
    Reason::at(ReasonCode::EncapsulatedDocument, at, detail)
}

fn unread(unread: Unread) -> Reason {
    held(unread.to_string())
}

impl StudyScrubber<'_> {
    /// The document of an instance as it goes out; `None` for an instance that has none.
    ///
    /// # Errors
    /// The [`Reason`] why the instance is held back.
    pub(super) fn document<'d>(
        &self,
        header: &'d Header<'_>,
        sop: SopClass,
    ) -> Result<Option<NewDocument<'d>>, Reason> {
        let Some(document) = encapsulated(&header.data) else {
            return match sop.pixels {
                PixelClass::Document => Err(held("an instance of a document, without one")),
                _ => Ok(None),
            };
        };
        if header.pixel.is_some() {
            return Err(held("a document beside pixels"));
        }
        if header.data.text(MIME_TYPES).is_some_and(|types| !types.is_empty()) {
            return Err(held("a document with parts of other kinds"));
        }
        let rules = self.profile.document().documents;
        match (sop.uid, document.mime_type.as_str()) {
            (PDF, "application/pdf") if rules.pdf == PdfRule::Search => {
                self.pdf(header, document.bytes().map_err(unread)?).map(Some)
            }
            (CDA, "text/xml") if rules.cda == CdaRule::Clean => {
                self.cda(header, document.bytes().map_err(unread)?).map(Some)
            }
            (PDF, "application/pdf") | (CDA, "text/xml") => {
                Err(held("the profile releases none of this kind"))
            }
            _ => Err(held("of a kind that is never released")),
        }
    }

    /// A PDF goes out as it is, or not at all.
    fn pdf<'d>(&self, header: &Header<'_>, bytes: &'d [u8]) -> Result<NewDocument<'d>, Reason> {
        let flag = tags::BURNED_IN_ANNOTATION;
        if header.data.text(flag).is_some_and(|flag| !matches!(flag, b"" | b"NO")) {
            let at = TagPath(flag.to_string());
            return Err(Reason::at(ReasonCode::BurnedInText, at, "declared"));
        }
        let reader = self.profile.reader.as_ref().ok_or(Unread::NoReader).map_err(unread)?;
        let text = reader.read_pdf(bytes).map_err(unread)?;
        self.search(&text)?;
        Ok(NewDocument {
            bytes: Cow::Borrowed(bytes),
            mime_type: "application/pdf",
            action: Action::Keep,
            findings: BTreeMap::new(),
            identifier: None,
        })
    }

    /// Searches what a PDF says, twice: by recognizers and dictionaries, and for what the study
    /// itself says of people.
    fn search(&self, text: &PdfText) -> Result<(), Reason> {
        if text.dated && !self.profile.has(ProfileOption::FullDates) {
            return Err(unread(Unread::Dates));
        }
        let software = text.software.iter().map(|name| without_software(name));
        let found = |text: &str, known_only: bool| {
            let findings = self.texts.find(text);
            findings.into_iter().find(|finding| !known_only || is_known(finding.kind))
        };
        let read = text.pages.iter().chain(&text.strings).cloned().chain(software);
        for text in read {
            if let Some(finding) = found(&text, false) {
                return Err(held(format!("found in its text: {}", finding.kind.as_str())));
            }
        }
        let all = [&text.pages, &text.readings, &text.strings, &text.names, &text.software];
        for text in all.into_iter().flatten() {
            if let Some(residue) = self.verifier.search(text.as_bytes()) {
                return Err(held(format!("found in its text: {}", residue.what.as_str())));
            }
        }
        let others = text.readings.iter().chain(&text.names);
        match others.filter_map(|text| found(text, true)).next() {
            Some(finding) => Err(held(format!("found in its text: {}", finding.kind.as_str()))),
            None => Ok(()),
        }
    }

    /// A CDA document is written again.
    fn cda<'d>(&self, header: &Header<'_>, bytes: &[u8]) -> Result<NewDocument<'d>, Reason> {
        let findings = RefCell::new(BTreeMap::<&'static str, u32>::new());
        let text = |text: &str| {
            let (clean, kinds) = self.texts.clean_text(text);
            let mut findings = findings.borrow_mut();
            for kind in kinds {
                *findings.entry(kind.as_str()).or_default() += 1;
            }
            clean.into_owned()
        };
        let date = |date: &str| self.date(date);
        let uid = |uid: &str| self.document_uid(uid);
        let extension = |root: &str, extension: &str| self.extension(root, extension);
        let rules = CdaRules {
            text: &text,
            date: &date,
            uid: &uid,
            extension: &extension,
            pseudonym: &self.pseudonym,
            characteristics: self.profile.has(ProfileOption::RetainPatientCharacteristics),
        };
        let clean = clean_cda(bytes, &rules).map_err(unread)?;
        self.second_look(&clean)?;
        let identifier = header.data.text(HL7_INSTANCE_IDENTIFIER);
        let identifier = identifier.map(|value| self.identifier(&String::from_utf8_lossy(value)));
        Ok(NewDocument {
            bytes: Cow::Owned(clean),
            mime_type: "text/XML",
            action: Action::Clean,
            findings: findings.into_inner(),
            identifier,
        })
    }

    /// Searches what the new document says, entities resolved, for what identified the patient.
    fn second_look(&self, clean: &[u8]) -> Result<(), Reason> {
        let text = cda_text(clean).map_err(|_| {
            Reason::new(ReasonCode::Internal, "a document that was written does not parse")
        })?;
        let theirs = text.replace(&self.pseudonym, "");
        match self.verifier.search(theirs.as_bytes()) {
            None => Ok(()),
            Some(residue) => {
                let at = TagPath(ENCAPSULATED_DOCUMENT.to_string());
                let detail = format!("found by verification: {}", residue.what.as_str());
                Err(Reason::at(ReasonCode::ResidualIdentifier, at, detail))
            }
        }
    }

    /// A date of a document by the profile's options, as a DT.
    fn date(&self, date: &str) -> Option<String> {
        let single = !date.contains('\\');
        if self.profile.has(ProfileOption::FullDates) {
            return (single && dates::is_dated(Vr::DT, date)).then(|| date.to_owned());
        }
        let shifts = self.profile.has(ProfileOption::ModifiedDates);
        dates::shift_dt(date, self.by()).filter(|new| shifts && single && !new.is_empty())
    }

    /// The extension of an identifier, hashed with the root that it is unique in.
    fn extension(&self, root: &str, extension: &str) -> String {
        self.secret.hashed_text(format!("{}^{}", root.trim(), extension.trim()).as_bytes())
    }

    /// An identifier as DICOM writes it: the root, and the extension behind `^`. UUIDs are the same
    /// in capitals and in small letters.
    fn identifier(&self, value: &str) -> String {
        match value.split_once('^') {
            Some((root, extension)) => {
                format!(
                    "{}^{}",
                    self.document_uid(&root.trim().to_ascii_uppercase()),
                    self.extension(root, extension)
                )
            }
            None if value.is_empty() => String::new(),
            None => self.document_uid(&value.trim().to_ascii_uppercase()),
        }
    }
}

/// The name of a program, without words and versions that programs have.
fn without_software(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| {
        let version = word.bytes().all(|b| b.is_ascii_digit()) && word.len() <= 4;
        !version && !SOFTWARE.lines().any(|known| known.eq_ignore_ascii_case(word))
    });
    // Letters before a number of a version: `m120`.
    let short = |word: &&str| {
        let mut rest = word.chars();
        rest.next();
        word.len() > 4 || !rest.all(|c| c.is_ascii_digit())
    };
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).filter(short).collect();
    words.join(" ")
}
