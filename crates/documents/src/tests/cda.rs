use crate::{CdaRules, Unread, cda_people, cda_text, clean_cda};

/// Names, numbers and places that stand somewhere in the documents of these tests.
const CANARIES: &[&str] = &[
    "Ottoline",
    "Ashgrove",
    "MRN5191125",
    "19530627",
    "Castellan",
    "Barnaby",
    "Quillfeather",
    "555-0142",
    "Harbour Lane",
    "Wystan",
    "ACC-77123",
    "Garrowby",
];

/// Takes out the words that the tests plant, as the text cleaner would.
fn text(text: &str) -> String {
    let mut text = text.to_owned();
    for canary in CANARIES {
        text = text.replace(canary, "");
    }
    text
}

fn clean(document: &[u8]) -> Result<String, Unread> {
    let rules = CdaRules {
        text: &text,
        date: &|date| (date.len() >= 8).then(|| format!("2001{}", &date[4..])),
        uid: &|uid| format!("2.25.{}", uid.len()),
        extension: &|root, extension| format!("SVH{}", root.len() + extension.len()),
        pseudonym: "SV0000",
        characteristics: true,
    };
    clean_cda(document, &rules).map(|bytes| String::from_utf8(bytes).unwrap())
}

const HEAD: &str = r#"<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
<templateId root="2.16.840.1.113883.10.20.22.1.1" extension="2015-08-01"/>
<id root="1.2.840.99999.1" extension="ACC-77123"/>
<code code="18748-4" codeSystem="2.16.840.1.113883.6.1" codeSystemName="LOINC"
  displayName="Diagnostic imaging report for Ashgrove"/>
<title>CT of Ottoline Ashgrove</title>
<effectiveTime value="20240301101500+0100"/>
<confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/>
<languageCode code="en-US"/>
<setId root="1.2.840.99999.1" extension="ACC-77123"/><versionNumber value="1"/>"#;

const PEOPLE: &str = r#"<recordTarget><patientRole><id root="1.2.840.99999.2" extension="MRN5191125"/>
<addr use="HP"><streetAddressLine>17 Harbour Lane</streetAddressLine><city>Wystan</city></addr>
<telecom value="tel:+1(206)555-0142"/>
<patient><name use="L"><given>Ottoline</given><family>Ashgrove</family></name>
<administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1"/>
<birthTime value="19530627"/><guardian><guardianPerson><name>Barnaby Garrowby</name>
</guardianPerson></guardian></patient>
<providerOrganization><name>Wystan Infirmary</name></providerOrganization></patientRole></recordTarget>
<author><time value="20240301"/><assignedAuthor><id extension="ACC-77123" root="1.2.840.99999.3"/>
<assignedPerson><name>Castellan</name></assignedPerson></assignedAuthor></author>
<dataEnterer><assignedEntity><assignedPerson><name>Quillfeather</name></assignedPerson>
</assignedEntity></dataEnterer>
<informant><relatedEntity classCode="PRS"><relatedPerson><name>Barnaby</name></relatedPerson>
</relatedEntity></informant>
<custodian><assignedCustodian><representedCustodianOrganization><id root="1.2.840.99999.4"/>
<name>Wystan</name></representedCustodianOrganization></assignedCustodian></custodian>
<informationRecipient><intendedRecipient><informationRecipient><name>Castellan</name>
</informationRecipient></intendedRecipient></informationRecipient>
<legalAuthenticator><time value="20240301"/><signatureCode code="S"/><assignedEntity>
<assignedPerson><name>Castellan</name></assignedPerson></assignedEntity></legalAuthenticator>
<authenticator><assignedEntity><assignedPerson><name>Castellan</name></assignedPerson>
</assignedEntity></authenticator>
<participant typeCode="REF"><associatedEntity classCode="PROV"><associatedPerson>
<name><prefix>Dr.</prefix>Garrowby</name></associatedPerson></associatedEntity></participant>
<inFulfillmentOf><order><id extension="ACC-77123"/></order></inFulfillmentOf>
<documentationOf><serviceEvent classCode="ACT"><code code="70450" codeSystem="2.16.840.1.113883.6.12"/>
<effectiveTime><low value="20240301"/></effectiveTime><performer typeCode="PRF"><assignedEntity>
<assignedPerson><name>Garrowby</name></assignedPerson></assignedEntity></performer>
</serviceEvent></documentationOf>
<relatedDocument typeCode="RPLC"><parentDocument><id root="1.2.840.99999.1" extension="ACC-77123"/>
</parentDocument></relatedDocument>
<componentOf><encompassingEncounter><id extension="ACC-77123"/><location><healthCareFacility>
<location><name>Wystan</name></location></healthCareFacility></location></encompassingEncounter>
</componentOf>"#;

const BODY: &str = r##"<component><structuredBody><component><section>
<code code="59776-5" codeSystem="2.16.840.1.113883.6.1"/><title>Findings</title>
<text><paragraph ID="Ashgrove1" styleCode="Bold">Seen by Dr. <content>Castel</content>lan:
 fracture of the left radius &amp; effusion.</paragraph>
<table border="1"><thead><tr><th>Name</th></tr></thead><tbody><tr><td>Ottoline Ashgrove</td></tr>
</tbody></table><list listType="ordered"><item>No pneumothorax<br/>Barnaby informed</item></list>
<linkHtml href="http://wystan.example/Ashgrove">image</linkHtml></text>
<author><time value="20240301"/><assignedAuthor><assignedPerson><name>Castellan</name>
</assignedPerson></assignedAuthor></author>
<entry><observation classCode="OBS" moodCode="EVN"><id root="1.2.840.99999.7"/>
<code code="121071" codeSystem="1.2.840.10008.2.16.4" displayName="Finding">
<originalText><reference value="#Ashgrove1"/></originalText></code>
<text>Dictated by Quillfeather: callus</text><statusCode code="completed"/>
<effectiveTime value="19530627"/>
<value xsi:type="CD" code="263102004" codeSystem="2.16.840.1.113883.6.96"
 displayName="Fracture of radius"/>
<entryRelationship typeCode="COMP"><observation classCode="OBS" moodCode="EVN">
<code code="ACC-77123" codeSystem="1.2.840.99999.9"/></observation></entryRelationship>
<entryRelationship typeCode="COMP"><observation classCode="OBS" moodCode="EVN">
<code code="L-1" codeSystem="1.2.840.99999.9"/><value xsi:type="PQ" value="14.5" unit="mm"/>
</observation></entryRelationship></observation></entry>
</section></component></structuredBody></component>"##;

fn document(inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<?xml-stylesheet href=\"Ashgrove.xsl\"?>\n\
         <ClinicalDocument xmlns=\"urn:hl7-org:v3\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">{inner}</ClinicalDocument>"
    )
}

fn leaks(text: &str) -> Vec<&'static str> {
    CANARIES.iter().copied().filter(|canary| text.contains(canary)).collect()
}

#[test]
fn people_go_and_findings_stay() {
    let whole = document(&[HEAD, "<!-- Ottoline -->", PEOPLE, BODY].concat());
    let out = clean(whole.as_bytes()).unwrap();
    let said = cda_text(out.as_bytes()).unwrap();
    assert_eq!(leaks(&said), [] as [&str; 0], "{said}");
    assert_eq!(leaks(&out), [] as [&str; 0], "{out}");
    for kept in [
        "fracture of the left radius &amp; effusion.",
        "No pneumothorax<br/>",
        "callus",
        "code=\"18748-4\"",
        "codeSystem=\"2.16.840.1.113883.6.1\"",
        "code=\"263102004\"",
        "displayName=\"Fracture of radius\"",
        "value=\"14.5\" unit=\"mm\"",
        "extension=\"SV0000\"",
        "administrativeGenderCode code=\"F\"",
        "effectiveTime value=\"20010301101500+0100\"",
        "effectiveTime value=\"20010627\"",
        "extension=\"POCD_HD000040\"",
        "extension=\"2015-08-01\"",
        "paragraph ID=\"n1\" styleCode=\"Bold\"",
        "reference value=\"#n1\"",
        "code=\"L-1\" codeSystem=\"2.25.15\"",
        "code nullFlavor=\"MSK\" codeSystem=\"2.25.15\"",
        "<custodian><assignedCustodian><representedCustodianOrganization><id nullFlavor=\"MSK\"/>",
    ] {
        assert!(out.contains(kept), "{kept}\n{out}");
    }
    for gone in ["<!--", "xml-stylesheet", "wystan", "<addr", "telecom", "legalAuthenticator"] {
        assert!(!out.contains(gone), "{gone}\n{out}");
    }
    // What came out goes through again.
    assert!(clean(out.as_bytes()).is_ok());
}

#[test]
fn who_is_named_is_gathered() {
    let people = cda_people(document(&[HEAD, PEOPLE, BODY].concat()).as_bytes()).ok().unwrap();
    let has = |set: &std::collections::BTreeSet<String>, value: &str| {
        assert!(set.contains(value), "{value} not in {set:?}");
    };
    has(&people.persons, "Ashgrove^Ottoline");
    has(&people.persons, "Castellan");
    has(&people.persons, "Barnaby Garrowby");
    has(&people.addresses, "17 Harbour Lane");
    has(&people.organizations, "Wystan Infirmary");
    has(&people.identifiers, "MRN5191125");
    has(&people.contacts, "+1(206)555-0142");
    has(&people.days, "19530627");
    // The document's own number names a statement.
    assert!(!cda_people(document(HEAD).as_bytes()).ok().unwrap().identifiers.contains("ACC-77123"));
}

#[test]
fn entities_sections_and_encodings_are_characters() {
    let narrative = |text: &str| {
        document(&format!(
            "<component><structuredBody><component><section><text>{text}</text></section>\
             </component></structuredBody></component>"
        ))
    };
    for text in [
        "&#65;shgrove: callus",
        "&#x41;&#x73;hgrove: callus",
        "<![CDATA[Ashgrove: callus]]>",
        "Ash<content>grove</content>: callus",
        "Ash<!-- x -->grove: callus",
        "A<sup>shgr</sup><content><sub>ove</sub></content>: callus",
    ] {
        let out = clean(narrative(text).as_bytes()).unwrap();
        let said = cda_text(out.as_bytes()).unwrap();
        assert!(leaks(&said).is_empty() && said.contains(": callus"), "{text}: {said}");
    }
    // A word in parts is one for the search behind, too.
    assert!(cda_text(narrative("Ash<sub>grove</sub>").as_bytes()).unwrap().contains("Ashgrove"));
    let umlaut = narrative("Fraktur am Fu\u{df}, M\u{fc}hsam").replace("UTF-8", "ISO-8859-1");
    let latin: Vec<u8> = umlaut.chars().map(|c| c as u8).collect();
    assert!(clean(&latin).unwrap().contains("Fraktur am Fu\u{df}, M\u{fc}hsam"));
    let wide: Vec<u8> = "\u{feff}"
        .chars()
        .chain(narrative("Fu\u{df}").chars())
        .flat_map(|c| (c as u16).to_le_bytes())
        .collect();
    assert!(clean(&wide).unwrap().contains("Fu\u{df}"));
    for (label, bytes) in [
        ("not UTF-8", umlaut.replace("ISO-8859-1", "UTF-8").chars().map(|c| c as u8).collect()),
        ("an unknown encoding", narrative("x").replace("UTF-8", "X-OTTOLINE").into_bytes()),
        ("UTF-7", narrative("x").replace("UTF-8", "UTF-7").into_bytes()),
    ] {
        let bytes: Vec<u8> = bytes;
        assert_eq!(clean(&bytes).err(), Some(Unread::Encoding), "{label}");
    }
}

#[test]
fn what_is_not_on_the_list_holds_a_document_back() {
    let body = |inner: &str| {
        document(&format!(
            "<component><structuredBody><component><section>{inner}</section></component>\
             </structuredBody></component>"
        ))
    };
    let cases: Vec<(&str, String, Unread)> = vec![
        ("another root", "<x/>".into(), Unread::NotCda),
        ("another namespace", document("").replace("urn:hl7-org:v3", "urn:x"), Unread::NotCda),
        ("unknown element", document("<ashgrove/>"), Unread::Element),
        ("unknown attribute", document("<title ashgrove=\"x\">x</title>"), Unread::Element),
        ("another namespace within", body("<x:y xmlns:x=\"urn:x\"/>"), Unread::Element),
        ("text between elements", document("Ottoline"), Unread::StrayText),
        ("text in a code", document("<code code=\"1\">Ottoline</code>"), Unread::StrayText),
        ("nonXMLBody", document("<component><nonXMLBody/></component>"), Unread::Element),
        ("media", body("<entry><observationMedia/></entry>"), Unread::Element),
        ("media in the text", body("<text><renderMultiMedia/></text>"), Unread::Embedded),
        (
            "base64",
            body("<entry><act><text representation=\"B64\">T3Q=</text></act></entry>"),
            Unread::Embedded,
        ),
        (
            "PDF within",
            body("<entry><act><text mediaType=\"application/pdf\">x</text></act></entry>"),
            Unread::Embedded,
        ),
        ("unknown element in the text", body("<text><marquee>x</marquee></text>"), Unread::Element),
        (
            "a block in a line",
            body("<text><content><paragraph>x</paragraph></content></text>"),
            Unread::Element,
        ),
        ("code that is a word", document("<languageCode code=\"Quillfeather\"/>"), Unread::Value),
        ("structural code that is a word", body("<entry typeCode=\"Ottoline\"/>"), Unread::Value),
        (
            "value without a type",
            body("<entry><observation><value>x</value></observation></entry>"),
            Unread::Value,
        ),
        (
            "value of another type",
            body("<entry><observation><value xsi:type=\"PN\">x</value></observation></entry>"),
            Unread::Value,
        ),
        (
            "quantity that is a date",
            body(
                "<entry><observation><value xsi:type=\"INT\" value=\"19530627\"/></observation></entry>",
            ),
            Unread::Value,
        ),
    ];
    held_back(cases);
}

fn held_back(cases: Vec<(&str, String, Unread)>) {
    for (name, document, unread) in cases {
        assert_eq!(clean(document.as_bytes()).err(), Some(unread), "{name}");
    }
}

#[test]
fn xml_that_is_more_than_elements_holds_a_document_back() {
    held_back(vec![
        ("not well-formed", "<ClinicalDocument".into(), Unread::Malformed),
        (
            "definition",
            format!("<!DOCTYPE x [<!ENTITY a \"b\">]>{}", document("")),
            Unread::Definition,
        ),
        (
            "billion laughs",
            "<!DOCTYPE l [<!ENTITY a \"x\"><!ENTITY b \"&a;&a;\">]><l>&b;</l>".into(),
            Unread::Definition,
        ),
        (
            "external entity",
            "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><x>&a;</x>".into(),
            Unread::Definition,
        ),
        ("unknown entity", document("<title>&ottoline;</title>"), Unread::Definition),
        ("XML 1.1", document("").replace("version=\"1.0\"", "version=\"1.1\""), Unread::Definition),
        ("depth", format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000)), Unread::TooMuch),
        (
            "attributes",
            format!("<a {}/>", (0..100_000).map(|at| format!("a{at}=\"\" ")).collect::<String>()),
            Unread::TooMuch,
        ),
        (
            "namespaces",
            (0..100).map(|at| format!("<a xmlns:n{at}=\"urn:{at}\"></a>")).collect(),
            Unread::TooMuch,
        ),
        ("elements", document(&"<title/>".repeat(600_000)), Unread::TooMuch),
        ("size", document(&" ".repeat(9 << 20)), Unread::TooLarge),
    ]);
}

#[test]
fn dates_and_sex_follow_the_profile() {
    let rules = CdaRules {
        text: &text,
        date: &|_| None,
        uid: &str::to_owned,
        extension: &|_, extension| extension.to_owned(),
        pseudonym: "SV0000",
        characteristics: false,
    };
    let whole = document(&[HEAD, PEOPLE, BODY].concat());
    let out = String::from_utf8(clean_cda(whole.as_bytes(), &rules).unwrap()).unwrap();
    assert!(out.contains("<effectiveTime nullFlavor=\"MSK\"/>"));
    for gone in ["2024", "19530627", "administrativeGenderCode"] {
        assert!(!out.contains(gone), "{gone}");
    }
}

/// A name written over any eight bytes of a document: it is not in what comes out.
#[test]
fn whatever_stands_anywhere_goes_or_holds_the_document_back() {
    let name = b"Ashgrove";
    let whole = document(&[HEAD, BODY].concat()).into_bytes();
    let (mut cleaned, mut refused) = (0, 0);
    for at in 0..whole.len() - name.len() {
        let mut changed = whole.clone();
        changed[at..at + name.len()].copy_from_slice(name);
        match clean(&changed) {
            Err(_) => refused += 1,
            Ok(out) => {
                cleaned += 1;
                let said = cda_text(out.as_bytes()).unwrap();
                assert!(!said.contains("Ashgrove"), "at {at}: {out}");
            }
        }
    }
    assert!(cleaned > 300 && refused > 500, "{cleaned} cleaned, {refused} refused");
}
