//! Who is named in a document, where its structure says so: to be looked for in every text of the
//! study.

use crate::Unread;
use crate::xml::{decode, parse};
use roxmltree::Node;
use std::collections::BTreeSet;

/// Values of one kind that are gathered.
const MOST: usize = 1_000;
/// Longest of them, in bytes.
const LONGEST: usize = 1_024;

/// Who and what a document names. Identifies: no `Debug`.
#[derive(Default)]
pub struct CdaPeople {
    /// Persons, as DICOM writes names (`family^given`) or as they stand.
    pub persons: BTreeSet<String>,
    /// Organizations and facilities.
    pub organizations: BTreeSet<String>,
    /// Addresses, part by part.
    pub addresses: BTreeSet<String>,
    /// Extensions of the identifiers of people, organizations, orders and encounters.
    pub identifiers: BTreeSet<String>,
    /// Telephone numbers and mail addresses.
    pub contacts: BTreeSet<String>,
    /// Days of birth, `YYYYMMDD`.
    pub days: BTreeSet<String>,
}

/// Names of these are names of things.
const THINGS: &[&str] = &[
    "assignedAuthoringDevice",
    "manufacturedLabeledDrug",
    "manufacturedMaterial",
    "playingDevice",
    "playingEntity",
    "qualifier",
];

/// Identifiers of these name statements, not people: each becomes another one.
const STATEMENTS: &[&str] = &[
    "ClinicalDocument",
    "act",
    "encounter",
    "externalAct",
    "externalDocument",
    "externalObservation",
    "externalProcedure",
    "observation",
    "organizer",
    "parentDocument",
    "procedure",
    "section",
    "specimenRole",
    "substanceAdministration",
    "supply",
];

const PARTS_OF_ADDRESSES: &[&str] = &[
    "additionalLocator",
    "city",
    "county",
    "houseNumber",
    "postalCode",
    "precinct",
    "streetAddressLine",
    "streetName",
];

/// Gathers who is named.
///
/// # Errors
/// [`Unread`] when the document does not parse, or names more than anybody does.
pub fn cda_people(document: &[u8]) -> Result<CdaPeople, Unread> {
    let text = decode(document)?;
    let tree = parse(&text)?;
    let mut people = CdaPeople::default();
    for node in tree.descendants().filter(Node::is_element) {
        people.take(node);
        let sets = people.sets();
        if sets.iter().any(|set| set.len() > MOST) {
            return Err(Unread::TooMuch);
        }
    }
    Ok(people)
}

impl CdaPeople {
    fn sets(&self) -> [&BTreeSet<String>; 5] {
        let places = [&self.organizations, &self.addresses];
        [places[0], places[1], &self.persons, &self.identifiers, &self.contacts]
    }

    fn take(&mut self, node: Node<'_, '_>) {
        let name = node.tag_name().name();
        let parent = node.parent_element().map_or("", |parent| parent.tag_name().name());
        match name {
            "name" if THINGS.contains(&parent) => {}
            "name" => self.name(node, parent),
            "id" if !STATEMENTS.contains(&parent) => {
                put(&mut self.identifiers, node.attribute("extension"));
            }
            "telecom" => {
                let contact = node.attribute("value").map(without_scheme);
                put(&mut self.contacts, contact);
            }
            "birthTime" => {
                let day = node.attribute("value").and_then(|value| value.get(..8));
                put(&mut self.days, day.filter(|day| day.bytes().all(|b| b.is_ascii_digit())));
            }
            _ if PARTS_OF_ADDRESSES.contains(&name) => {
                put(&mut self.addresses, Some(&all_text(node)));
            }
            "addr" => put(&mut self.addresses, Some(&own_text(node))),
            _ => {}
        }
    }

    fn name(&mut self, node: Node<'_, '_>, parent: &str) {
        let parts = |name: &str| {
            let of = node.children().filter(|child| child.tag_name().name() == name);
            let texts: Vec<String> = of.map(all_text).filter(|text| !text.is_empty()).collect();
            texts.join(" ")
        };
        let (family, given) = (parts("family"), parts("given"));
        if family.is_empty() && given.is_empty() {
            let place = parent.to_ascii_lowercase();
            let place = ["organization", "place", "facility"].iter().any(|w| place.contains(w));
            let set = if place { &mut self.organizations } else { &mut self.persons };
            put(set, Some(&all_text(node)));
            return;
        }
        put(&mut self.persons, Some(&format!("{family}^{given}")));
        // Somebody may have typed a name beside its parts.
        put(&mut self.persons, Some(&own_text(node)));
    }
}

fn put(set: &mut BTreeSet<String>, value: Option<&str>) {
    let value = value.map(str::trim).filter(|value| !value.is_empty() && value.len() <= LONGEST);
    if let Some(value) = value {
        set.insert(value.to_owned());
    }
}

/// A telephone number or address without `tel:`, `mailto:` and the like.
fn without_scheme(value: &str) -> &str {
    match value.split_once(':') {
        Some((scheme, rest)) if scheme.bytes().all(|b| b.is_ascii_alphabetic()) => rest,
        _ => value,
    }
}

/// The text directly in an element, spaces put together.
fn own_text(node: Node<'_, '_>) -> String {
    let texts = node.children().filter(Node::is_text).filter_map(|child| child.text());
    words(&texts.collect::<Vec<_>>().join(" "))
}

/// All the text below an element, spaces put together.
fn all_text(node: Node<'_, '_>) -> String {
    let texts = node.descendants().filter(Node::is_text).filter_map(|child| child.text());
    words(&texts.collect::<String>())
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
