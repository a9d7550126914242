//! Makes a case into an instance, byte by byte.

use super::document::{CaseDocument, Syntax};
use super::path::{self, Name};
use crate::ProfilesError;
use data_encoding::HEXLOWER_PERMISSIVE;
use scanveil_dataset::{CharacterSets, Encoding, Tag, Vr, Writer, file_meta, lookup, tag_of, tags};
use std::collections::BTreeMap;
use toml::{Table, Value};

/// Sequences within sequences in a case.
const DEPTH: usize = 32;

/// An instance made from a case.
pub(super) struct Instance {
    pub(super) bytes: Vec<u8>,
}

/// SOP classes by the names of their object definitions, with a modality, and whether they have
/// pixels.
const CLASSES: [(&str, &str, &str, bool); 14] = [
    ("ct-image", "1.2.840.10008.5.1.4.1.1.2", "CT", true),
    ("mr-image", "1.2.840.10008.5.1.4.1.1.4", "MR", true),
    ("enhanced-mr-image", "1.2.840.10008.5.1.4.1.1.4.1", "MR", true),
    ("computed-radiography-image", "1.2.840.10008.5.1.4.1.1.1", "CR", true),
    ("digital-x-ray-image", "1.2.840.10008.5.1.4.1.1.1.1", "DX", true),
    ("digital-mammography-x-ray-image", "1.2.840.10008.5.1.4.1.1.1.2", "MG", true),
    ("positron-emission-tomography-image", "1.2.840.10008.5.1.4.1.1.128", "PT", true),
    ("nuclear-medicine-image", "1.2.840.10008.5.1.4.1.1.20", "NM", true),
    ("ultrasound-image", "1.2.840.10008.5.1.4.1.1.6.1", "US", true),
    ("secondary-capture-image", "1.2.840.10008.5.1.4.1.1.7", "OT", true),
    ("basic-text-sr", "1.2.840.10008.5.1.4.1.1.88.11", "SR", false),
    ("rt-structure-set", "1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT", false),
    ("grayscale-softcopy-presentation-state", "1.2.840.10008.5.1.4.1.1.11.1", "PR", false),
    ("encapsulated-pdf", "1.2.840.10008.5.1.4.1.1.104.1", "DOC", false),
];

/// An element to be written.
struct Given {
    vr: Vr,
    content: Content,
}

enum Content {
    Value(Vec<u8>),
    Items(Vec<BTreeMap<Tag, Given>>),
}

type Elements = BTreeMap<Tag, Given>;

/// How values are written.
struct Reader<'c> {
    case: &'c CaseDocument,
    sets: CharacterSets,
    encoding: Encoding,
}

/// Writes the case's elements at a place, in an instance that has all else it needs.
pub(super) fn instance(case: &CaseDocument, place: &str) -> Result<Instance, ProfilesError> {
    let known =
        CLASSES.iter().find(|(name, uid, ..)| case.sop_class == *name || case.sop_class == *uid);
    let (_, class, modality, pixels) =
        *known.ok_or_else(|| case.error("sop-class", "no object definition that cases have"))?;
    let (syntax, encoding) = match case.transfer_syntax {
        Syntax::Implicit => ("1.2.840.10008.1.2", Encoding { explicit: false, big_endian: false }),
        Syntax::Explicit => ("1.2.840.10008.1.2.1", Encoding { explicit: true, big_endian: false }),
        Syntax::BigEndian => ("1.2.840.10008.1.2.2", Encoding { explicit: true, big_endian: true }),
    };
    let sets = CharacterSets::parse(case.character_set.as_bytes())
        .map_err(|_| case.error("character-set", "not a character set of the standard"))?;
    let reader = Reader { case, sets, encoding };
    let given = reader.elements(&case.given, 0)?;
    let mut elements = reader.skeleton(class, modality, pixels);
    if place == "." {
        elements.extend(given);
    } else {
        reader.nest(&mut elements, place, given)?;
    }
    let uid = |tag: Tag| match elements.get(&tag).map(|element| &element.content) {
        Some(Content::Value(value)) => String::from_utf8_lossy(value).into_owned(),
        _ => String::new(),
    };
    let mut bytes = file_meta(&uid(tags::SOP_CLASS_UID), &uid(tags::SOP_INSTANCE_UID), syntax);
    write(&mut Writer::new(&mut bytes), &elements, encoding);
    Ok(Instance { bytes })
}

fn write(writer: &mut Writer<'_>, elements: &Elements, encoding: Encoding) {
    for (tag, element) in elements {
        match &element.content {
            Content::Value(value) => writer.element(*tag, element.vr, value, encoding),
            Content::Items(items) => {
                let sequence = writer.open_sequence(*tag, Vr::SQ, false, encoding);
                for item in items {
                    let mark = writer.open_item(false, encoding);
                    write(writer, item, encoding);
                    writer.close_item(&mark);
                }
                writer.close_sequence(&sequence);
            }
        }
    }
}

impl Reader<'_> {
    /// What an instance cannot be without: an invented patient, identifiers, a few pixels.
    fn skeleton(&self, class: &str, modality: &str, pixels: bool) -> Elements {
        let mut elements = Elements::new();
        let mut text = |tag: Tag, vr: Vr, value: &str| {
            let content = Content::Value(value.as_bytes().to_vec());
            elements.insert(tag, Given { vr, content });
        };
        if !self.case.character_set.is_empty() {
            text(tags::SPECIFIC_CHARACTER_SET, Vr::CS, &self.case.character_set);
        }
        text(tags::SOP_CLASS_UID, Vr::UI, class);
        text(tags::SOP_INSTANCE_UID, Vr::UI, "2.999.40.1.1.1");
        text(tags::MODALITY, Vr::CS, modality);
        text(tags::PATIENT_NAME, Vr::PN, "Tregarthen^Morwenna");
        text(tags::PATIENT_ID, Vr::LO, "TM-48213077");
        text(tags::STUDY_INSTANCE_UID, Vr::UI, "2.999.40.1");
        text(tags::SERIES_INSTANCE_UID, Vr::UI, "2.999.40.1.1");
        if pixels {
            text(tags::PHOTOMETRIC_INTERPRETATION, Vr::CS, "MONOCHROME2");
            for (tag, number) in [
                (tags::SAMPLES_PER_PIXEL, 1),
                (tags::ROWS, 8),
                (tags::COLUMNS, 8),
                (tags::BITS_ALLOCATED, 16),
                (tags::BITS_STORED, 12),
                (tags::HIGH_BIT, 11),
                (tags::PIXEL_REPRESENTATION, 0),
            ] {
                let content = Content::Value(
                    self.number(Vr::US, &Value::Integer(number)).unwrap_or_default(),
                );
                elements.insert(tag, Given { vr: Vr::US, content });
            }
            let content = Content::Value(vec![0; 128]);
            elements.insert(tags::PIXEL_DATA, Given { vr: Vr::OW, content });
        }
        elements
    }

    /// Puts elements into a sequence of the instance, or of sequences in it.
    fn nest(&self, into: &mut Elements, place: &str, given: Elements) -> Result<(), ProfilesError> {
        let steps = path::parse(place)
            .ok_or_else(|| self.case.error(place, "neither `.` nor a path of sequences"))?;
        let mut inner = given;
        for step in steps.iter().rev() {
            let mut outer = Elements::new();
            let tag = self.place(&mut outer, &step.name);
            let content = Content::Items(vec![inner]);
            outer.insert(tag, Given { vr: Vr::SQ, content });
            inner = outer;
        }
        into.extend(inner);
        Ok(())
    }

    /// The tag of a name, with its private creator written where it has one.
    fn place(&self, elements: &mut Elements, name: &Name) -> Tag {
        let (group, creator, element) = match name {
            Name::Tag(tag) => return *tag,
            Name::Private { group, creator, element } => (*group, creator, *element),
        };
        let mut block = 0x10;
        while let Some(taken) = elements.get(&Tag::new(group, block)) {
            let same = matches!(&taken.content, Content::Value(name) if name == creator.as_bytes());
            if same {
                break;
            }
            block += 1;
        }
        let content = Content::Value(creator.as_bytes().to_vec());
        elements.insert(Tag::new(group, block), Given { vr: Vr::LO, content });
        Tag::new(group, block << 8 | u16::from(element))
    }

    fn elements(&self, table: &Table, depth: usize) -> Result<Elements, ProfilesError> {
        let mut elements = Elements::new();
        for (key, value) in table {
            let wrong = |why: &str| self.case.error(key, why);
            if depth == DEPTH {
                return Err(wrong("sequences too deep"));
            }
            let name = Name::parse(key)
                .ok_or_else(|| wrong("neither a keyword nor a tag nor (gggg,creator,ee)"))?;
            let tag = self.place(&mut elements, &name);
            let vr = self.vr(key, tag, value)?;
            let content = self.content(key, vr, value, depth)?;
            elements.insert(tag, Given { vr, content });
        }
        Ok(elements)
    }

    /// The VR that the value says, or the dictionary's.
    fn vr(&self, key: &str, tag: Tag, value: &Value) -> Result<Vr, ProfilesError> {
        let said = value.as_table().and_then(|table| table.get("vr"));
        match said.map(Value::as_str) {
            Some(Some(text)) => <[u8; 2]>::try_from(text.as_bytes())
                .ok()
                .map(Vr)
                .filter(|vr| vr.is_known())
                .ok_or_else(|| self.case.error(key, "`vr` is no value representation")),
            Some(None) => Err(self.case.error(key, "`vr` is no value representation")),
            None => lookup(tag).map(|entry| entry.vr).ok_or_else(|| {
                self.case.error(key, "the dictionary does not have it: give { vr, value }")
            }),
        }
    }

    fn content(
        &self,
        key: &str,
        vr: Vr,
        value: &Value,
        depth: usize,
    ) -> Result<Content, ProfilesError> {
        let wrong = |why: &str| self.case.error(key, why);
        let value = match value {
            Value::Table(table) => {
                let known = |key: &String| matches!(key.as_str(), "vr" | "value" | "hex" | "items");
                if !table.keys().all(known) {
                    return Err(wrong("an element has the keys vr, value, hex and items"));
                }
                if let Some(hex) = table.get("hex").and_then(Value::as_str) {
                    return hex_bytes(hex)
                        .map(Content::Value)
                        .ok_or_else(|| wrong("`hex` is no even number of hexadecimal digits"));
                }
                let value = table.get("items").or_else(|| table.get("value"));
                value.ok_or_else(|| wrong("it has no value, hex or items"))?
            }
            value => value,
        };
        if vr == Vr::SQ {
            let items = value.as_array().ok_or_else(|| wrong("a sequence is a list of items"))?;
            let items = items.iter().map(|item| {
                let table = item.as_table().ok_or_else(|| wrong("an item is a table"))?;
                self.elements(table, depth + 1)
            });
            return Ok(Content::Items(items.collect::<Result<_, _>>()?));
        }
        let single = std::slice::from_ref(value);
        let values = value.as_array().map_or(single, Vec::as_slice);
        self.values(vr, values)
            .map(Content::Value)
            .ok_or_else(|| wrong("a value that its value representation cannot hold"))
    }

    fn values(&self, vr: Vr, values: &[Value]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        for (at, value) in values.iter().enumerate() {
            if vr.is_string() {
                if at > 0 {
                    out.push(b'\\');
                }
                let text = match value {
                    Value::String(text) => text.clone(),
                    Value::Integer(number) => number.to_string(),
                    Value::Float(number) => number.to_string(),
                    _ => return None,
                };
                if vr.is_text() {
                    out.extend(self.sets.encode(&text)?);
                } else {
                    out.extend(text.into_bytes());
                }
            } else if let Value::String(text) = value {
                match vr {
                    Vr::AT => out.extend(self.tag(tag_of(text)?)),
                    _ => out.extend(text.as_bytes()),
                }
            } else {
                out.extend(self.number(vr, value)?);
            }
        }
        Some(out)
    }

    fn tag(&self, tag: Tag) -> Vec<u8> {
        let parts = [tag.group(), tag.element()];
        let bytes = parts.map(|part| {
            if self.encoding.big_endian { part.to_be_bytes() } else { part.to_le_bytes() }
        });
        bytes.concat()
    }

    fn number(&self, vr: Vr, value: &Value) -> Option<Vec<u8>> {
        let whole = value.as_integer();
        let real = value.as_float().or(whole.map(|number| number as f64));
        let mut bytes = match vr {
            Vr::US => u16::try_from(whole?).ok()?.to_le_bytes().to_vec(),
            Vr::SS => i16::try_from(whole?).ok()?.to_le_bytes().to_vec(),
            Vr::UL => u32::try_from(whole?).ok()?.to_le_bytes().to_vec(),
            Vr::SL => i32::try_from(whole?).ok()?.to_le_bytes().to_vec(),
            Vr::UV => u64::try_from(whole?).ok()?.to_le_bytes().to_vec(),
            Vr::SV => whole?.to_le_bytes().to_vec(),
            Vr::FL => (real? as f32).to_le_bytes().to_vec(),
            Vr::FD => real?.to_le_bytes().to_vec(),
            _ => return None,
        };
        if self.encoding.big_endian {
            bytes.reverse();
        }
        Some(bytes)
    }
}

fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    HEXLOWER_PERMISSIVE.decode(&digits).ok()
}
