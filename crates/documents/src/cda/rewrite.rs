//! Writes a document again: element by element, each by its rule.

use super::forms::{
    is_code, is_language, is_number, is_oid, is_registered, is_template_version, is_time, is_uid,
    is_unit,
};
use super::out::Out;
use super::structure::{Rule, STRUCTURAL, of_type, rule};
use super::{CdaRules, HL7, XSI};
use crate::Unread;
use roxmltree::{Attribute, Node};
use std::collections::HashMap;

/// What CDA R2 has as its type (`typeId`).
const TYPE: (&str, &str) = ("2.16.840.1.113883.1.3", "POCD_HD000040");
/// A whole number with so many digits can be an identifier.
const LONG_NUMBER: usize = 6;
/// Namespace of `xml:lang`.
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// Attributes of the classes, whose values are on the list of [`STRUCTURAL`], and those that are
/// true or false.
const STRUCTURAL_ATTRIBUTES: &[&str] = &[
    "classCode",
    "contextControlCode",
    "determinerCode",
    "moodCode",
    "nullFlavor",
    "operator",
    "typeCode",
];
const FLAGS: &[&str] = &[
    "contextConductionInd",
    "displayable",
    "inclusive",
    "institutionSpecified",
    "inversionInd",
    "inverted",
    "negationInd",
];

/// The state of one document.
pub(crate) struct Rewriter<'r> {
    pub(crate) rules: &'r CdaRules<'r>,
    pub(crate) out: Out,
    /// IDs of the narrative, which could be anybody's name, and the numbers that they become.
    ids: HashMap<String, usize>,
}

impl<'r> Rewriter<'r> {
    pub(crate) fn new(rules: &'r CdaRules<'r>) -> Self {
        Self { rules, out: Out::new(), ids: HashMap::new() }
    }

    /// The whole document.
    pub(crate) fn document(mut self, root: Node<'_, '_>) -> Result<Vec<u8>, Unread> {
        self.out.start("ClinicalDocument");
        self.out.attribute("xmlns", HL7);
        self.out.attribute("xmlns:xsi", XSI);
        self.attributes(root, Rule::Keep)?;
        self.children(root, Rule::Keep)?;
        self.out.end("ClinicalDocument");
        Ok(self.out.finish())
    }

    /// The elements in an element that has no text of its own.
    fn children(&mut self, of: Node<'_, '_>, around: Rule) -> Result<(), Unread> {
        for child in of.children() {
            if child.is_text() {
                if child.text().is_some_and(|text| !text.trim().is_empty()) {
                    return Err(Unread::StrayText);
                }
            } else if child.is_element() {
                self.element(child, around)?;
            }
        }
        Ok(())
    }

    fn element(&mut self, node: Node<'_, '_>, around: Rule) -> Result<(), Unread> {
        let (name, parent) = (node.tag_name(), node.parent_element());
        if name.namespace() != Some(HL7) {
            return Err(Unread::Element);
        }
        let name = name.name();
        let parent = parent.map_or("", |parent| parent.tag_name().name());
        let rule = rule(name, parent, around).ok_or(Unread::Element)?;
        match rule {
            Rule::Drop => return Ok(()),
            _ if name == "administrativeGenderCode" && !self.rules.characteristics => {
                return Ok(());
            }
            Rule::Patient => return self.patient(node),
            Rule::Author => return self.author(node),
            Rule::Custodian => {
                let inner = ["assignedCustodian", "representedCustodianOrganization"];
                self.hollow("custodian", &inner);
                return Ok(());
            }
            _ => {}
        }
        self.out.start(name);
        match rule {
            Rule::Keep => {
                self.attributes(node, rule)?;
                self.children(node, rule)?;
            }
            Rule::Narrative => self.narrative(node)?,
            Rule::Value => self.value(node)?,
            _ => self.typed(node, rule)?,
        }
        self.out.end(name);
        Ok(())
    }

    /// A value of a data type: attributes, and what the type has within it.
    fn typed(&mut self, node: Node<'_, '_>, rule: Rule) -> Result<(), Unread> {
        self.attributes(node, rule)?;
        match rule {
            Rule::Text => self.plain(node),
            _ => self.children(node, rule),
        }
    }

    /// `value`, whose type says what it is.
    fn value(&mut self, node: Node<'_, '_>) -> Result<(), Unread> {
        let Some(named) = node.attribute((XSI, "type")) else {
            let unknown = node.attribute("nullFlavor").filter(|word| STRUCTURAL.contains(word));
            self.out.attribute("nullFlavor", unknown.ok_or(Unread::Value)?);
            return self.children(node, Rule::Value);
        };
        let (rule, _) = of_type(named).ok_or(Unread::Value)?;
        self.typed(node, rule)
    }

    /// Text of type ST or ED: characters, and a pointer to the narrative.
    fn plain(&mut self, node: Node<'_, '_>) -> Result<(), Unread> {
        for child in node.children() {
            if child.is_element() {
                self.element(child, Rule::Text)?;
            }
        }
        let text: String =
            node.children().filter(Node::is_text).filter_map(|child| child.text()).collect();
        let clean = if text.trim().is_empty() { String::new() } else { (self.rules.text)(&text) };
        self.out.text(&clean);
        Ok(())
    }

    /// Attributes by their names; those that are free text go, those that are not known hold the
    /// document back.
    fn attributes(&mut self, node: Node<'_, '_>, rule: Rule) -> Result<(), Unread> {
        for attribute in node.attributes() {
            match attribute.namespace() {
                None => self.attribute(node, &attribute, rule)?,
                Some(XSI) if attribute.name() == "type" => {
                    let (_, name) = of_type(attribute.value()).ok_or(Unread::Value)?;
                    self.out.attribute("xsi:type", name);
                }
                Some(XSI) if attribute.name() == "schemaLocation" => {}
                Some(XML) if attribute.name() == "lang" => {
                    if is_language(attribute.value()) {
                        self.out.attribute("xml:lang", attribute.value());
                    }
                }
                Some(XML) if attribute.name() == "space" => {}
                _ => return Err(Unread::Element),
            }
        }
        Ok(())
    }

    /// An attribute that any element may have, or one of the element's type.
    fn attribute(
        &mut self,
        node: Node<'_, '_>,
        attribute: &Attribute<'_, '_>,
        rule: Rule,
    ) -> Result<(), Unread> {
        let (name, value) = (attribute.name(), attribute.value());
        let fits = match name {
            "ID" => {
                let id = self.id(value);
                self.out.attribute("ID", &id);
                return Ok(());
            }
            "language" if !is_language(value) => return Ok(()),
            "language" => true,
            _ if STRUCTURAL_ATTRIBUTES.contains(&name) => STRUCTURAL.contains(&value),
            _ if FLAGS.contains(&name) => is_flag(value),
            _ => {
                return match rule {
                    Rule::Code => self.of_code(node, name, value),
                    Rule::Quantity => self.of_quantity(node, name, value),
                    Rule::Time => self.of_time(node, name, value),
                    Rule::Identifier | Rule::Definition => {
                        let root = node.attribute("root").unwrap_or("");
                        self.of_identifier((name, value), root, rule)
                    }
                    Rule::Flag if name == "value" => self.checked(name, value, is_flag(value)),
                    Rule::Text | Rule::Pointer => self.of_text(name, value, rule),
                    _ => Err(Unread::Element),
                };
            }
        };
        self.checked(name, value, fits)
    }

    fn of_code(&mut self, node: Node<'_, '_>, name: &str, value: &str) -> Result<(), Unread> {
        match name {
            "code" => return self.code(node, value),
            "codeSystem" => self.definition(name, value),
            "codeSystemVersion" => {}
            "displayName" | "codeSystemName" => {
                let clean = (self.rules.text)(value);
                if !clean.is_empty() {
                    self.out.attribute(name, &clean);
                }
            }
            _ => return Err(Unread::Element),
        }
        Ok(())
    }

    fn of_quantity(&mut self, node: Node<'_, '_>, name: &str, value: &str) -> Result<(), Unread> {
        match name {
            "value" => {
                // An identifier is a whole number, and not a short one.
                let short = value.len() < LONG_NUMBER || value.contains('.');
                self.checked(name, value, is_number(value) && (short || self.says_nothing(value)))
            }
            "unit" => {
                // What stands in braces is a comment on the unit (UCUM 12).
                if is_unit(value) {
                    self.out.attribute(name, value);
                }
                Ok(())
            }
            _ => self.of_code(node, name, value),
        }
    }

    fn of_time(&mut self, node: Node<'_, '_>, name: &str, value: &str) -> Result<(), Unread> {
        match name {
            "value" => {
                match Some(value).filter(|value| is_time(value)).and_then(self.rules.date) {
                    Some(date) => self.out.attribute(name, &date),
                    None => self.out.attribute("nullFlavor", "MSK"),
                }
                Ok(())
            }
            "alignment" => self.checked(name, value, is_code(value)),
            "code" => self.code(node, value),
            "unit" => self.of_quantity(node, name, value),
            _ => Err(Unread::Element),
        }
    }

    fn of_identifier(
        &mut self,
        (name, value): (&str, &str),
        root: &str,
        rule: Rule,
    ) -> Result<(), Unread> {
        match (name, rule) {
            ("root", Rule::Definition) => self.definition(name, value),
            ("extension", Rule::Definition) => {
                let version = is_registered(root) && is_template_version(value);
                if version || (root, value) == TYPE {
                    self.out.attribute(name, value);
                }
            }
            ("root", _) => self.out.attribute(name, &self.new_uid(value)),
            ("extension", _) => {
                self.out.attribute(name, &(self.rules.extension)(root, value));
            }
            ("assigningAuthorityName", _) => {}
            _ => return Err(Unread::Element),
        }
        Ok(())
    }

    fn of_text(&mut self, name: &str, value: &str, rule: Rule) -> Result<(), Unread> {
        match (name, value) {
            ("value", _) if rule == Rule::Pointer => {
                let id = value.strip_prefix('#').ok_or(Unread::Embedded)?;
                let id = self.id(id);
                self.out.attribute(name, &format!("#{id}"));
            }
            ("mediaType", "text/plain" | "text/x-hl7-text+xml") | ("representation", "TXT") => {
                self.out.attribute(name, value);
            }
            ("mediaType" | "representation", _) => return Err(Unread::Embedded),
            _ => return Err(Unread::Element),
        }
        Ok(())
    }

    /// A code: of a system that is everybody's by its form, of a house's own only when nothing is
    /// found in it.
    fn code(&mut self, node: Node<'_, '_>, value: &str) -> Result<(), Unread> {
        let own = match node.attribute("codeSystem") {
            Some(system) => !is_registered(system),
            // Without a system it is one of HL7's own words, where the type says so.
            None => matches!(node.tag_name().name(), "code" | "value" | "translation"),
        };
        if own && !self.says_nothing(value) {
            self.out.attribute("nullFlavor", "MSK");
            return Ok(());
        }
        self.checked("code", value, is_code(value))
    }

    /// Whether nothing is found in a value.
    fn says_nothing(&self, value: &str) -> bool {
        (self.rules.text)(value) == value
    }

    fn checked(&mut self, name: &str, value: &str, fits: bool) -> Result<(), Unread> {
        if !fits {
            return Err(Unread::Value);
        }
        self.out.attribute(name, value);
        Ok(())
    }

    /// A UID that names a definition: of everybody, or of one house.
    fn definition(&mut self, name: &str, value: &str) {
        if is_registered(value) {
            self.out.attribute(name, value);
        } else {
            self.out.attribute(name, &self.new_uid(value));
        }
    }

    fn new_uid(&self, value: &str) -> String {
        let uid = value.trim();
        // A UUID is the same in capitals and in small letters.
        let uid = if is_oid(uid) { uid.to_owned() } else { uid.to_ascii_uppercase() };
        (self.rules.uid)(&uid)
    }

    /// The number of an ID: the same for the same ID.
    pub(crate) fn id(&mut self, id: &str) -> String {
        let next = self.ids.len() + 1;
        format!("n{}", self.ids.entry(id.to_owned()).or_insert(next))
    }

    /// The patient: the pseudonym, and the sex.
    fn patient(&mut self, node: Node<'_, '_>) -> Result<(), Unread> {
        let find = |name: &str| node.descendants().find(|n| n.has_tag_name((HL7, name)));
        let root = find("id").and_then(|id| id.attribute("root")).filter(|root| is_uid(root));
        self.out.start("recordTarget");
        self.out.start("patientRole");
        self.out.start("id");
        if let Some(root) = root {
            self.out.attribute("root", &self.new_uid(root));
        } else {
            self.out.attribute("nullFlavor", "MSK");
        }
        self.out.attribute("extension", self.rules.pseudonym);
        self.out.end("id");
        let sex = find("administrativeGenderCode").filter(|_| self.rules.characteristics);
        if let Some(sex) = sex {
            self.out.start("patient");
            self.out.start("administrativeGenderCode");
            self.typed(sex, Rule::Code)?;
            self.out.end("administrativeGenderCode");
            self.out.end("patient");
        }
        self.out.end("patientRole");
        self.out.end("recordTarget");
        Ok(())
    }

    /// The author: when, and not who.
    fn author(&mut self, node: Node<'_, '_>) -> Result<(), Unread> {
        self.out.start("author");
        if let Some(time) = node.children().find(|n| n.has_tag_name((HL7, "time"))) {
            self.out.start("time");
            self.typed(time, Rule::Time)?;
            self.out.end("time");
        }
        self.hollow("assignedAuthor", &[]);
        self.out.end("author");
        Ok(())
    }

    /// Elements within each other, the innermost with an identifier that is masked.
    fn hollow(&mut self, name: &str, inner: &[&str]) {
        self.out.start(name);
        match inner.split_first() {
            Some((first, rest)) => self.hollow(first, rest),
            None => {
                self.out.start("id");
                self.out.attribute("nullFlavor", "MSK");
                self.out.end("id");
            }
        }
        self.out.end(name);
    }
}

fn is_flag(value: &str) -> bool {
    matches!(value, "true" | "false")
}
