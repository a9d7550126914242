//! Answers: the Store Instances Response Module (PS3.18 I.2) and its HTTP status.

use super::WebError;
use super::media::Format;
use crate::arrival::{Outcome, Refusal};
use crate::intake::IntakeError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use serde_json::{Map, Value, json};
use std::io;

/// Seconds after which a sender may try again when the spool is full.
const RETRY_AFTER_FULL: HeaderValue = HeaderValue::from_static("30");

/// What became of the instances of one request, counted by what decides the status.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) stored: u64,
    pub(crate) failed: u64,
    full: u64,
    media_type: u64,
    refused: u64,
    spool: u64,
    too_large: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, outcome: &Outcome) {
        let Err(why) = &outcome.result else {
            self.stored += 1;
            return;
        };
        self.failed += 1;
        match why {
            Refusal::Spool(IntakeError::Full) => self.full += 1,
            Refusal::Spool(IntakeError::Refused(_)) => self.refused += 1,
            Refusal::Spool(_) => self.spool += 1,
            Refusal::MediaType => self.media_type += 1,
            Refusal::TooLarge => self.too_large += 1,
            _ => {}
        }
    }

    /// PS3.18 10.5.3.1: 200 when all were stored, 202 when some, 409 when none. Where all failed
    /// for one reason that HTTP has a status for (PS3.18 8.5), that one.
    pub(crate) fn status(&self) -> StatusCode {
        match self.failed {
            0 => StatusCode::OK,
            _ if self.stored > 0 => StatusCode::ACCEPTED,
            all if self.full == all => StatusCode::INSUFFICIENT_STORAGE,
            all if self.media_type == all => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            all if self.refused == all => StatusCode::FORBIDDEN,
            all if self.too_large == all => StatusCode::PAYLOAD_TOO_LARGE,
            all if self.spool == all => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::CONFLICT,
        }
    }
}

/// Answers a STOW-RS request. `fault` is what stopped it early, if anything did.
pub(crate) fn stow(outcomes: &[Outcome], format: Format, fault: Option<WebError>) -> Response {
    let mut tally = Tally::default();
    outcomes.iter().for_each(|outcome| tally.add(outcome));
    let status = match fault {
        Some(fault) if outcomes.is_empty() => return fault.into_response(),
        Some(fault) => fault.status(),
        None => tally.status(),
    };
    let module = module(outcomes);
    let body = match format {
        Format::Json => Value::Object(to_json(&module)).to_string().into_bytes(),
        Format::Xml => to_xml(&module),
    };
    let mut response = (status, body).into_response();
    let kind = HeaderValue::from_static(format.content_type());
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    retry_when_full(&mut response);
    response
}

/// Says when to come back, where the spool was full.
pub(crate) fn retry_when_full(response: &mut Response) {
    if response.status() == StatusCode::INSUFFICIENT_STORAGE {
        response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_FULL);
    }
}

/// One attribute of the response, enough of the data model for both encodings.
struct Attribute {
    tag: &'static str,
    vr: &'static str,
    keyword: &'static str,
    value: Content,
}

enum Content {
    Empty,
    Uid(String),
    Number(u16),
    Items(Vec<Vec<Attribute>>),
}

/// PS3.18 Table I.2-1. Retrieve URL (0008,1190) is of type 2 and empty: nothing can be retrieved
/// from here.
fn module(outcomes: &[Outcome]) -> Vec<Attribute> {
    let (mut failed, mut stored, mut other) = (Vec::new(), Vec::new(), Vec::new());
    for outcome in outcomes {
        let mut item = Vec::with_capacity(3);
        if let (Some(class), Some(instance)) = (&outcome.sop_class_uid, &outcome.sop_instance_uid) {
            let uid = |uid: &scanveil_model::Uid| Content::Uid(uid.as_str().to_owned());
            item.push(attribute("00081150", "UI", "ReferencedSOPClassUID", uid(class)));
            item.push(attribute("00081155", "UI", "ReferencedSOPInstanceUID", uid(instance)));
        }
        match &outcome.result {
            Ok(_) => {
                item.push(retrieve_url());
                stored.push(item);
            }
            Err(why) => {
                let named = !item.is_empty();
                let reason = Content::Number(why.failure_reason());
                item.push(attribute("00081197", "US", "FailureReason", reason));
                // "Other Failures Sequence: reason(s) for failures that are not associated with a
                // specific SOP Instance"
                if named { failed.push(item) } else { other.push(item) }
            }
        }
    }
    let sequences = [
        ("00081198", "FailedSOPSequence", failed),
        ("00081199", "ReferencedSOPSequence", stored),
        ("0008119A", "OtherFailuresSequence", other),
    ];
    let mut module = vec![retrieve_url()];
    for (tag, keyword, items) in sequences {
        if !items.is_empty() {
            module.push(attribute(tag, "SQ", keyword, Content::Items(items)));
        }
    }
    module
}

fn attribute(
    tag: &'static str,
    vr: &'static str,
    keyword: &'static str,
    value: Content,
) -> Attribute {
    Attribute { tag, vr, keyword, value }
}

fn retrieve_url() -> Attribute {
    attribute("00081190", "UR", "RetrieveURL", Content::Empty)
}

/// PS3.18 F.2: DICOM JSON Model.
fn to_json(attributes: &[Attribute]) -> Map<String, Value> {
    let encode = |attribute: &Attribute| {
        let value = match &attribute.value {
            Content::Empty => return json!({ "vr": attribute.vr }),
            Content::Uid(uid) => json!([uid]),
            Content::Number(number) => json!([number]),
            Content::Items(items) => {
                items.iter().map(|item| Value::Object(to_json(item))).collect()
            }
        };
        json!({ "vr": attribute.vr, "Value": value })
    };
    attributes.iter().map(|attribute| (attribute.tag.to_owned(), encode(attribute))).collect()
}

/// PS3.19 A.1: Native DICOM Model.
fn to_xml(attributes: &[Attribute]) -> Vec<u8> {
    let mut xml = Writer::new(Vec::new());
    let declaration = BytesDecl::new("1.0", Some("UTF-8"), None);
    // Writing to memory cannot fail.
    let _ = xml.write_event(Event::Decl(declaration));
    let _ = xml
        .create_element("NativeDicomModel")
        .with_attribute(("xmlns", "http://dicom.nema.org/PS3.19/models/NativeDICOM"))
        .with_attribute(("xml:space", "preserve"))
        .write_inner_content(|xml| write_xml(attributes, xml));
    xml.into_inner()
}

fn write_xml(attributes: &[Attribute], xml: &mut Writer<Vec<u8>>) -> io::Result<()> {
    for Attribute { tag, vr, keyword, value } in attributes {
        let element = xml
            .create_element("DicomAttribute")
            .with_attribute(("tag", *tag))
            .with_attribute(("vr", *vr))
            .with_attribute(("keyword", *keyword));
        match value {
            Content::Empty => element.write_empty()?,
            Content::Uid(uid) => element.write_inner_content(|xml| write_value(uid, xml))?,
            Content::Number(number) => {
                element.write_inner_content(|xml| write_value(&number.to_string(), xml))?
            }
            Content::Items(items) => element.write_inner_content(|xml| write_items(items, xml))?,
        };
    }
    Ok(())
}

fn write_value(value: &str, xml: &mut Writer<Vec<u8>>) -> io::Result<()> {
    let element = xml.create_element("Value").with_attribute(("number", "1"));
    element.write_text_content(BytesText::new(value)).map(drop)
}

fn write_items(items: &[Vec<Attribute>], xml: &mut Writer<Vec<u8>>) -> io::Result<()> {
    for (number, item) in (1..).zip(items) {
        let number: u64 = number;
        xml.create_element("Item")
            .with_attribute(("number", number.to_string().as_str()))
            .write_inner_content(|xml| write_xml(item, xml))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::Receipt;
    use scanveil_model::{Digest, Reason, ReasonCode, Uid};

    fn outcome(uid: Option<&str>, result: Result<(), Refusal>) -> Outcome {
        let uid = uid.map(|uid| Uid::parse(uid).unwrap());
        let receipt = Receipt { digest: Digest([0; 32]), length: 1 };
        Outcome {
            sop_class_uid: uid.clone(),
            sop_instance_uid: uid,
            result: result.map(|()| receipt),
        }
    }

    fn not_dicom() -> Refusal {
        Refusal::NotDicom(Reason::new(ReasonCode::NotDicom, "test"))
    }

    #[test]
    fn the_status_says_what_became_of_all() {
        let full = || Err(Refusal::Spool(IntakeError::Full));
        let io = || Err(Refusal::Spool(IntakeError::Io(std::io::ErrorKind::Other.into())));
        let table: Vec<(Vec<Result<(), Refusal>>, u16)> = vec![
            (vec![Ok(()), Ok(())], 200),
            (vec![Ok(()), full()], 202),
            (vec![full(), full()], 507),
            (vec![full(), Err(not_dicom())], 409),
            (vec![Err(Refusal::MediaType)], 415),
            (vec![Err(Refusal::TooLarge)], 413),
            (vec![Err(Refusal::Spool(IntakeError::Refused("test")))], 403),
            (vec![io()], 500),
            (vec![Err(Refusal::StudyMismatch), Err(Refusal::StudyUnknown)], 409),
        ];
        for (results, status) in table {
            let shown = format!("{results:?}");
            let mut tally = Tally::default();
            results.into_iter().for_each(|result| tally.add(&outcome(Some("1.2"), result)));
            assert_eq!(tally.status().as_u16(), status, "{shown}");
        }
    }

    #[test]
    fn both_encodings_hold_the_module_of_the_standard() {
        let outcomes = [
            outcome(Some("1.2.3"), Ok(())),
            outcome(Some("1.2.4"), Err(Refusal::StudyMismatch)),
            outcome(None, Err(not_dicom())),
        ];
        let module = module(&outcomes);
        let uids = |uid: &str| {
            json!({
                "00081150": { "vr": "UI", "Value": [uid] },
                "00081155": { "vr": "UI", "Value": [uid] },
            })
        };
        let mut stored = uids("1.2.3");
        stored["00081190"] = json!({ "vr": "UR" });
        let mut failed = uids("1.2.4");
        failed["00081197"] = json!({ "vr": "US", "Value": [0xA901] });
        let other = json!({ "00081197": { "vr": "US", "Value": [0xC000] } });
        let wanted = json!({
            "00081190": { "vr": "UR" },
            "00081198": { "vr": "SQ", "Value": [failed] },
            "00081199": { "vr": "SQ", "Value": [stored] },
            "0008119A": { "vr": "SQ", "Value": [other] },
        });
        assert_eq!(Value::Object(to_json(&module)), wanted);
        let xml = String::from_utf8(to_xml(&module)).unwrap();
        let item = "<DicomAttribute tag=\"00081198\" vr=\"SQ\" keyword=\"FailedSOPSequence\">\
            <Item number=\"1\"><DicomAttribute tag=\"00081150\" vr=\"UI\" \
            keyword=\"ReferencedSOPClassUID\"><Value number=\"1\">1.2.4</Value></DicomAttribute>";
        assert!(xml.contains(item), "{xml}");
        assert!(xml.ends_with("</NativeDicomModel>"));
    }
}
