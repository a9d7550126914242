//! Which fields a line of a recipe is about.

use super::Groups;
use crate::import::attribute::Attribute;
use crate::import::draft::too_many;
use crate::{ProfilesError, dictionary};
use regex::RegexBuilder;
use scanveil_dataset::Tag;
use std::collections::HashMap;

/// Bytes that a compiled expression may take.
const EXPRESSION_SIZE: usize = 1 << 20;

/// Different expressions in one recipe, and fields that its lines are about altogether.
const MOST_EXPRESSIONS: usize = 1_000;
const MOST_FOUND: usize = 500_000;

/// Fields that a line is about.
pub(super) enum Field {
    /// One attribute.
    One(Attribute),
    /// A kind of attributes: value representations, tags with `x` for any digit.
    Kind(Vec<String>, Vec<String>),
}

/// Parts a line after its action into field and value. A private field may hold quoted spaces.
pub(super) fn split(rest: &str) -> (&str, &str) {
    let mut quoted = false;
    let end = rest.find(|c: char| {
        quoted ^= c == '"';
        c.is_whitespace() && !quoted
    });
    let (field, value) = rest.split_at(end.unwrap_or(rest.len()));
    let value = value.split(" #").next().unwrap_or("");
    (field, value.trim())
}

/// Finds fields by their expressions; what takes long is done once for each expression.
pub(super) struct Fields<'g> {
    groups: &'g Groups<'g>,
    matched: HashMap<(String, bool), Vec<Tag>>,
    found: usize,
}

impl<'g> Fields<'g> {
    pub(super) fn new(groups: &'g Groups<'g>) -> Self {
        Self { groups, matched: HashMap::new(), found: 0 }
    }

    /// The fields of an expression; none where it cannot be read.
    pub(super) fn of(&mut self, field: &str) -> Result<Vec<Field>, ProfilesError> {
        let group = field.split_once(':').filter(|(kind, _)| kind.eq_ignore_ascii_case("fields"));
        let found = match group {
            Some((_, name)) => {
                let mut found = Vec::new();
                for member in self.groups.get(name).map_or(&[][..], Vec::as_slice) {
                    found.extend(self.single(split(member).0));
                    self.count(found.len())?;
                }
                found
            }
            None => self.single(field),
        };
        self.found += found.len() + 1;
        self.count(0)?;
        Ok(found)
    }

    fn count(&self, more: usize) -> Result<(), ProfilesError> {
        let full = self.found + more > MOST_FOUND || self.matched.len() > MOST_EXPRESSIONS;
        if full { Err(too_many("fields")) } else { Ok(()) }
    }

    fn single(&mut self, field: &str) -> Vec<Field> {
        let named = Attribute::parse(field).or_else(|| Attribute::parse_private(field));
        if let Some(attribute) = named {
            return vec![Field::One(attribute)];
        }
        let Some((expander, argument)) = field.split_once(':') else { return Vec::new() };
        match expander.to_ascii_lowercase().as_str() {
            "contains" => self.matching(argument.to_owned(), true),
            "startswith" => self.matching(format!("^(?:{argument})"), true),
            "endswith" => self.matching(format!("(?:{argument})$"), true),
            "except" => self.matching(argument.to_owned(), false),
            "select" => select(argument).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn matching(&mut self, expression: String, wanted: bool) -> Vec<Field> {
        let tags = self
            .matched
            .entry((expression, wanted))
            .or_insert_with_key(|(expression, wanted)| matching(expression, *wanted));
        tags.iter().map(|&tag| Field::One(Attribute::of(tag))).collect()
    }
}

/// `VR:PN` and `GROUP:0010`.
fn select(argument: &str) -> Option<Field> {
    let (what, value) = argument.split_once(':')?;
    let value = value.trim();
    if what.eq_ignore_ascii_case("vr") && value.len() == 2 && value.is_ascii() {
        return Some(Field::Kind(vec![value.to_ascii_uppercase()], Vec::new()));
    }
    let group = u16::from_str_radix(value.trim_start_matches("0x"), 16).ok()?;
    what.eq_ignore_ascii_case("group")
        .then(|| Field::Kind(Vec::new(), vec![format!("{group:04X}xxxx")]))
}

/// The attributes of the dictionary whose keyword or tag an expression matches, or does not.
fn matching(expression: &str, wanted: bool) -> Vec<Tag> {
    let expression =
        RegexBuilder::new(expression).case_insensitive(true).size_limit(EXPRESSION_SIZE).build();
    let Ok(expression) = expression else { return Vec::new() };
    let entries = dictionary::entries().iter().filter(|entry| {
        let digits = format!("{:08x}", entry.tag.0);
        let found = expression.is_match(entry.keyword)
            || expression.is_match(&digits)
            || expression.is_match(&entry.tag.to_string());
        found == wanted
    });
    entries.map(|entry| entry.tag).collect()
}
