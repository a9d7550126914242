//! CTP's DICOM anonymizer scripts: XML (`<script>` with `p`, `e`, `k` and `r`), and the older text
//! of `set.[gggg,eeee]Name=...` lines.

use super::MOST_RULES;
use super::attribute::{Attribute, hex};
use super::ctp_function::{Setting, branches};
use super::draft::{Draft, Guard, Place, Treat, too_many};
use super::expression::parse;
use crate::ProfilesError;
use roxmltree::{Document, ParsingOptions};
use std::collections::{BTreeMap, HashMap};

/// Nodes of a script: elements and the texts in and between them.
const MOST_NODES: u32 = 400_000;

/// What a line of a script is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Parameter,
    Element,
    Keep,
    Remove,
}

/// A line of a script.
struct Directive {
    line: usize,
    subject: Subject,
    enabled: bool,
    /// A parameter's name, a tag, a group, or the name of a kind of elements.
    target: String,
    /// The element's name in the script.
    name: String,
    body: String,
}

/// Reads a script.
pub(super) fn read(text: &str) -> Result<Draft, ProfilesError> {
    let draft = Draft::new("the CTP script", "Imported from a CTP anonymizer script.");
    let directives = if text.trim_start().starts_with('<') {
        from_xml(&draft, text)?
    } else {
        from_lines(&draft, text)?
    };
    if directives.len() > MOST_RULES {
        return Err(too_many("lines"));
    }
    Ok(build(draft, &directives))
}

fn from_xml(draft: &Draft, text: &str) -> Result<Vec<Directive>, ProfilesError> {
    let options = ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| {
        draft.unreadable(format!("line {}", error.pos().row), "it is no well-formed XML")
    })?;
    let root = document.root_element();
    if !root.has_tag_name("script") {
        return Err(draft.unreadable("its root element", "an anonymizer script begins <script>"));
    }
    let mut lines = Lines::of(text);
    let mut directives = Vec::new();
    for node in root.children().filter(|node| node.is_element()) {
        let subject = match node.tag_name().name() {
            "p" => Subject::Parameter,
            "e" => Subject::Element,
            "k" => Subject::Keep,
            "r" => Subject::Remove,
            _ => continue,
        };
        let attribute = |name| node.attribute(name).unwrap_or("").to_owned();
        directives.push(Directive {
            line: lines.at(node.range().start),
            subject,
            enabled: subject == Subject::Parameter || attribute("en") == "T",
            target: attribute("t"),
            name: attribute("n"),
            body: node.text().unwrap_or("").trim().to_owned(),
        });
    }
    Ok(directives)
}

/// Numbers of lines, asked for in the order of the text.
struct Lines<'t> {
    text: &'t str,
    from: usize,
    line: usize,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        Self { text, from: 0, line: 1 }
    }

    fn at(&mut self, byte: usize) -> usize {
        let between = self.text.as_bytes().get(self.from..byte).unwrap_or(&[]);
        self.line += between.iter().filter(|b| **b == b'\n').count();
        self.from = self.from.max(byte);
        self.line
    }
}

fn from_lines(draft: &Draft, text: &str) -> Result<Vec<Directive>, ProfilesError> {
    let mut directives = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let Some((left, body)) = line.trim().split_once('=') else { continue };
        let (enabled, left) = match left.trim().strip_prefix('#') {
            Some(rest) => (false, rest.trim()),
            None => (true, left.trim()),
        };
        let directive = |subject, target: &str, name: &str| Directive {
            line: at + 1,
            subject,
            enabled,
            target: target.trim().to_owned(),
            name: name.trim().to_owned(),
            body: body.trim().to_owned(),
        };
        if let Some(name) = left.strip_prefix("param.") {
            directives.push(directive(Subject::Parameter, name, ""));
        } else if let Some(rest) = left.strip_prefix("set.") {
            let (target, name) = match rest.find(']') {
                Some(end) => rest.split_at(end + 1),
                None => (rest, ""),
            };
            directives.push(directive(Subject::Element, target, name));
        } else if let Some(rest) = left.strip_prefix("keep.") {
            let group = rest.strip_prefix("group").unwrap_or(rest);
            directives.push(directive(Subject::Keep, &format!("{group:0>4}"), ""));
        } else if let Some(rest) = left.strip_prefix("remove.") {
            directives.push(directive(Subject::Remove, rest, ""));
        }
    }
    if directives.is_empty() {
        return Err(draft.unreadable("its first line", "no line sets, keeps or removes anything"));
    }
    Ok(directives)
}

fn build(mut draft: Draft, directives: &[Directive]) -> Draft {
    let parameters: HashMap<&str, &str> = directives
        .iter()
        .filter(|line| line.subject == Subject::Parameter)
        .map(|line| (line.target.as_str(), line.body.as_str()))
        .collect();
    // Of several lines for one tag the last counts, as in CTP.
    let mut elements: BTreeMap<&str, &Directive> = BTreeMap::new();
    for line in directives.iter().filter(|line| line.subject == Subject::Element && line.enabled) {
        elements.insert(&line.target, line);
    }
    let mut plain = Vec::new();
    for line in elements.values() {
        let place = format!("line {}", line.line);
        let what = format!("{} {}", line.target, line.name);
        let at = Place { place: &place, what: what.trim() };
        let Some(attribute) = attribute_of(&line.target) else {
            draft.note(at, "not a tag: nothing is done with it");
            continue;
        };
        let Some(parts) = parse(&line.body) else {
            let treat = Treat::Unknown("its script cannot be read: removed");
            draft.treat(at, &attribute, Guard::default(), treat);
            continue;
        };
        let setting = Setting { to: &attribute, parameters: &parameters };
        for (guard, treat) in branches(&mut draft, at, &setting, &parts) {
            if guard.is_open() {
                plain.push((place.clone(), what.clone(), attribute.clone(), treat));
            } else {
                draft.treat(at, &attribute, guard, treat);
            }
        }
    }
    // Conditional rules stand before the ones that always apply.
    draft.next_block();
    for (place, what, attribute, treat) in plain {
        let at = Place { place: &place, what: what.trim() };
        draft.treat(at, &attribute, Guard::default(), treat);
    }
    whole_groups(&mut draft, directives);
    draft
}

fn attribute_of(target: &str) -> Option<Attribute> {
    if let Some(attribute) = Attribute::parse(target) {
        return Some(attribute);
    }
    // `gggg[creator]ee`.
    let (group, rest) = target.split_once('[')?;
    let (creator, element) = rest.split_once(']')?;
    let (group, element) = (hex(group, 4)?, u8::try_from(hex(element, 2)?).ok()?);
    (group & 1 == 1).then(|| Attribute::private(group, creator, element))
}

/// `k` and `r`: groups and kinds of elements.
fn whole_groups(draft: &mut Draft, directives: &[Directive]) {
    let mut kept = Vec::new();
    let mut rest = None;
    for line in directives {
        let place = format!("line {}", line.line);
        let what = format!("{:?} {}", line.subject, line.target).to_lowercase();
        let at = Place { place: &place, what: &what };
        match (line.subject, line.target.as_str(), line.enabled) {
            (Subject::Keep, "safeprivateelements", true) => draft.option("retain-safe-private"),
            (Subject::Keep, group, true) => {
                kept.extend(hex(group, 4));
                draft.note(at, "a group is not kept as a whole: its elements follow the profile");
            }
            (Subject::Remove, "unspecifiedelements", true) => rest = Some((place, what)),
            (Subject::Remove, "privategroups" | "curves" | "overlays", true) => {}
            (Subject::Remove, "privategroups", false) => {
                draft.note(
                    at,
                    "private elements go unless a rule or retain-safe-private keeps them",
                );
            }
            (Subject::Remove, "curves" | "overlays", false) => {
                draft.note(at, "curves and overlays are never kept");
            }
            (Subject::Remove, _, true) => draft.note(at, "not known: nothing is done with it"),
            _ => {}
        }
    }
    match rest {
        Some((place, what)) => draft.remove_rest(Place { place: &place, what: &what }, &kept),
        None => {
            let at = Place { place: "the script", what: "elements without an enabled script" };
            draft.note(at, "CTP keeps them; here they follow the Basic Profile");
        }
    }
}
