//! A profile's own rules, compiled: what they are about, when they apply, what they do.

use super::document::{Coarseness, Condition, RuleAction, RuleDocument};
use crate::treatment::Treatment;
use regex::bytes::{Regex, RegexBuilder};
use scanveil_dataset::{Tag, Vr, tag_of};

/// Bytes that a compiled pattern of a rule may take.
const PATTERN_SIZE: usize = 1 << 20;

/// A tag with places for any digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TagPattern {
    value: u32,
    mask: u32,
}

impl TagPattern {
    fn parse(text: &str) -> Option<Self> {
        if let Some(tag) = tag_of(text) {
            return Some(Self { value: tag.0, mask: u32::MAX });
        }
        let digits: Vec<u8> =
            text.bytes().filter(|b| !matches!(b, b'(' | b')' | b',' | b' ')).collect();
        if digits.len() != 8 {
            return None;
        }
        let (mut value, mut mask) = (0u32, 0u32);
        for digit in digits {
            (value, mask) = (value << 4, mask << 4);
            if !digit.eq_ignore_ascii_case(&b'x') {
                value |= char::from(digit).to_digit(16)?;
                mask |= 0xf;
            }
        }
        Some(Self { value, mask })
    }

    fn matches(self, tag: Tag) -> bool {
        tag.0 & self.mask == self.value
    }
}

/// One step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// This sequence.
    Named(Tag),
    /// Any one sequence.
    One,
    /// Any number of sequences.
    Any,
}

/// A compiled rule.
pub(crate) struct Rule {
    tags: Vec<TagPattern>,
    vrs: Vec<Vr>,
    /// `None`: any place.
    path: Option<Vec<Step>>,
    creator: Option<String>,
    value: Option<Regex>,
    pub(crate) when: Condition,
    pub(crate) treatment: Treatment,
    /// The fixed value of `replace`.
    pub(crate) with: Option<Vec<u8>>,
    pub(crate) reason: String,
}

/// What a rule looks at.
pub(crate) struct Subject<'s> {
    pub(crate) tag: Tag,
    pub(crate) vr: Vr,
    /// Sequences above, outermost first.
    pub(crate) path: &'s [Tag],
    /// Creator of a private element.
    pub(crate) creator: Option<&'s [u8]>,
    pub(crate) value: &'s [u8],
}

/// What is true of an instance, for conditions.
#[derive(Default)]
pub(crate) struct Circumstances<'c> {
    pub(crate) modality: &'c [u8],
    pub(crate) sop_class: &'c str,
    pub(crate) iod: &'c str,
    pub(crate) manufacturer: &'c [u8],
    pub(crate) model: &'c [u8],
    pub(crate) hospital: &'c str,
}

impl Rule {
    /// Compiles a rule; `number` is its own number, for the place of its fixed value.
    pub(crate) fn compile(document: RuleDocument, number: usize) -> Result<Self, String> {
        let tags = document.tags.iter().map(|text| {
            TagPattern::parse(text).ok_or_else(|| format!("`{text}` is neither keyword nor tag"))
        });
        let vrs = document.vr.iter().map(|text| {
            let vr = <[u8; 2]>::try_from(text.as_bytes()).ok().map(Vr);
            vr.filter(|vr| vr.is_known())
                .ok_or_else(|| format!("`{text}` is no value representation"))
        });
        let value = document.value.as_deref().map(|pattern| {
            RegexBuilder::new(pattern)
                .size_limit(PATTERN_SIZE)
                .build()
                .map_err(|_| "`value` is no regular expression, or too large a one".to_owned())
        });
        let rule = Self {
            tags: tags.collect::<Result<_, _>>()?,
            vrs: vrs.collect::<Result<_, _>>()?,
            path: path(&document.path)?,
            creator: document.creator.map(|name| name.trim().to_ascii_lowercase()),
            value: value.transpose()?,
            treatment: treatment(&document.action, document.with.as_deref(), document.to, number)?,
            with: document.with.map(String::into_bytes),
            when: document.when,
            reason: document.reason,
        };
        let about_anything = rule.tags.is_empty()
            && rule.vrs.is_empty()
            && rule.path.is_none()
            && rule.creator.is_none()
            && rule.value.is_none();
        if about_anything {
            return Err("it is about every element; give `match`, `vr`, `path`, `creator` or \
                        `value`"
                .into());
        }
        Ok(rule)
    }

    /// The single public tags that this rule is about wholly: no pattern, place, value or creator.
    pub(crate) fn plain_tags(&self) -> Option<impl Iterator<Item = Tag> + '_> {
        let plain = !self.tags.is_empty()
            && self.vrs.is_empty()
            && self.path.is_none()
            && self.creator.is_none()
            && self.value.is_none()
            && self.tags.iter().all(|tag| tag.mask == u32::MAX && !Tag(tag.value).is_private());
        plain.then(|| self.tags.iter().map(|tag| Tag(tag.value)))
    }

    /// Group and element within the block of the single private elements that this rule is about.
    pub(crate) fn places_in_blocks(&self) -> Option<impl Iterator<Item = (u16, u8)> + '_> {
        let single = |tag: &TagPattern| tag.mask & 0xffff_00ff == 0xffff_00ff;
        let places =
            self.creator.is_some() && !self.tags.is_empty() && self.tags.iter().all(single);
        places.then(|| self.tags.iter().map(|tag| ((tag.value >> 16) as u16, tag.value as u8)))
    }

    /// Whether the rule names private elements and nothing else.
    pub(crate) fn is_about_private_elements(&self) -> bool {
        !self.tags.is_empty() && self.tags.iter().all(|tag| Tag(tag.value).is_private())
    }

    /// Whether the rule can be about private elements at all.
    pub(crate) fn is_about_private(&self) -> bool {
        let odd =
            |pattern: &TagPattern| pattern.mask >> 16 & 1 == 0 || pattern.value >> 16 & 1 == 1;
        self.creator.is_some() || self.tags.is_empty() || self.tags.iter().any(odd)
    }

    /// The one value representation that the rule says its elements have: what came as UN or in
    /// implicit VR is of it. Of items nothing can be said so.
    pub(crate) fn stated(&self) -> Option<Vr> {
        match self.vrs[..] {
            [vr] if !self.tags.is_empty() && !matches!(vr, Vr::SQ | Vr::UN) => Some(vr),
            _ => None,
        }
    }

    /// Whether the rule leaves something of a value, for which its representation must be known.
    pub(crate) fn needs_representation(&self) -> bool {
        !matches!(self.treatment, Treatment::Remove | Treatment::Empty | Treatment::Pseudonym)
    }

    /// Whether all that the rule names is what no profile keeps.
    pub(crate) fn is_about_nothing(&self, is_never_kept: fn(Tag) -> bool) -> bool {
        let never = |pattern: &TagPattern| is_never_kept(Tag(pattern.value));
        !self.tags.is_empty() && self.tags.iter().all(never)
    }

    /// Whether the rule is about this element.
    pub(crate) fn applies(&self, subject: &Subject<'_>) -> bool {
        let tag = if self.creator.is_some() {
            // Written with the block as `xx`: only group and element within the block count.
            Tag(subject.tag.0 & 0xffff_00ff)
        } else {
            subject.tag
        };
        let about = |pattern: &TagPattern| {
            let mask =
                if self.creator.is_some() { pattern.mask & 0xffff_00ff } else { pattern.mask };
            TagPattern { value: pattern.value & mask, mask }.matches(tag)
        };
        (self.tags.is_empty() || self.tags.iter().any(about))
            && (self.vrs.is_empty()
                || self.vrs.contains(&subject.vr)
                || subject.vr == Vr::UN && self.stated().is_some())
            && self.path.as_deref().is_none_or(|steps| fits(steps, subject.path))
            && self.creator.as_ref().is_none_or(|name| {
                subject.creator.is_some_and(|found| is_same_creator(found, name.as_bytes()))
            })
            && self.value.as_ref().is_none_or(|pattern| pattern.is_match(subject.value))
    }
}

/// Creators are compared without padding and case (PS3.5 7.8.1: devices pad them as they like).
fn is_same_creator(found: &[u8], name: &[u8]) -> bool {
    let end = found.iter().rposition(|b| !matches!(b, b' ' | 0)).map_or(0, |at| at + 1);
    found[..end].trim_ascii_start().eq_ignore_ascii_case(name)
}

fn path(text: &str) -> Result<Option<Vec<Step>>, String> {
    match text.trim() {
        "" => return Ok(None),
        "." => return Ok(Some(Vec::new())),
        _ => {}
    }
    let steps = text.split('.').map(|part| match part.trim() {
        "*" => Ok(Step::One),
        "**" => Ok(Step::Any),
        name => tag_of(name).map(Step::Named).ok_or_else(|| format!("no sequence `{name}`")),
    });
    steps.collect::<Result<_, _>>().map(Some)
}

/// Whether a path of sequences fits the steps. Paths are as short as the depth limit.
fn fits(steps: &[Step], path: &[Tag]) -> bool {
    match steps.split_first() {
        None => path.is_empty(),
        Some((Step::Any, rest)) => (0..=path.len()).any(|skip| fits(rest, &path[skip..])),
        Some((Step::One, rest)) => path.split_first().is_some_and(|(_, path)| fits(rest, path)),
        Some((Step::Named(tag), rest)) => {
            path.split_first().is_some_and(|(first, path)| first == tag && fits(rest, path))
        }
    }
}

fn treatment(
    action: &RuleAction,
    with: Option<&str>,
    to: Option<Coarseness>,
    number: usize,
) -> Result<Treatment, String> {
    if with.is_some() && *action != RuleAction::Replace {
        return Err("`with` belongs to the action `replace`".into());
    }
    if to.is_some() && *action != RuleAction::Generalize {
        return Err("`to` belongs to the action `generalize`".into());
    }
    Ok(match action {
        RuleAction::Keep => Treatment::Keep,
        RuleAction::Remove => Treatment::Remove,
        RuleAction::Empty => Treatment::Empty,
        RuleAction::Replace if with.is_some() => Treatment::Fixed(number as u16),
        RuleAction::Replace => Treatment::Dummy,
        RuleAction::Pseudonym => Treatment::Pseudonym,
        RuleAction::Remap => Treatment::Remap,
        RuleAction::Shift => Treatment::Shift,
        RuleAction::Clean => Treatment::Clean,
        RuleAction::Generalize => Treatment::Generalize(to.ok_or("`generalize` needs `to`")?),
        RuleAction::Hash => Treatment::Hash,
    })
}

/// Whether an instance is as a condition says.
pub(crate) fn holds(when: &Condition, found: &Circumstances<'_>) -> bool {
    let any = |patterns: &[String], values: &[&[u8]]| {
        patterns.is_empty()
            || patterns.iter().any(|pattern| {
                values.iter().any(|value| is_like(pattern.as_bytes(), value.trim_ascii()))
            })
    };
    any(&when.modality, &[found.modality])
        && any(&when.sop_class, &[found.sop_class.as_bytes(), found.iod.as_bytes()])
        && any(&when.manufacturer, &[found.manufacturer])
        && any(&when.model, &[found.model])
        && any(&when.hospital, &[found.hospital.as_bytes()])
}

/// Whether a value is like a pattern, in which `*` stands for any characters; case does not matter.
fn is_like(pattern: &[u8], value: &[u8]) -> bool {
    let (mut p, mut v, mut star) = (0, 0, None);
    while v < value.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, v));
                p += 1;
            }
            Some(b) if b.eq_ignore_ascii_case(&value[v]) => (p, v) = (p + 1, v + 1),
            _ => {
                let Some((at, tried)) = star else { return false };
                star = Some((at, tried + 1));
                (p, v) = (at + 1, tried + 1);
            }
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_with_stars() {
        for (pattern, value, expected) in [
            ("GE*", "GE MEDICAL SYSTEMS", true),
            ("ge*", "GEMS", true),
            ("*scan*", "Big Scanner 3", true),
            ("CT", "CT", true),
            ("CT", "CTX", false),
            ("a*b*c", "aXbXbc", true),
            ("a*b*c", "aXbXbd", false),
            ("*", "", true),
            ("", "", true),
        ] {
            assert_eq!(
                is_like(pattern.as_bytes(), value.as_bytes()),
                expected,
                "{pattern} {value}"
            );
        }
    }

    #[test]
    fn paths_fit_by_steps() {
        let (a, b) = (Tag::new(0x8, 0x1140), Tag::new(0x40, 0x275));
        for (text, place, expected) in [
            (".", &[][..], true),
            (".", &[a][..], false),
            ("ReferencedImageSequence", &[a][..], true),
            ("*", &[a][..], true),
            ("*", &[a, b][..], false),
            ("**.RequestAttributesSequence", &[a, b][..], true),
            ("**.RequestAttributesSequence", &[b][..], true),
            ("ReferencedImageSequence.**", &[a, b, b][..], true),
            ("ReferencedImageSequence", &[b][..], false),
        ] {
            let steps = path(text).unwrap().unwrap();
            assert_eq!(fits(&steps, place), expected, "{text}");
        }
        assert!(path("NoSuchSequence").is_err());
    }

    #[test]
    fn tags_with_any_digit() {
        let curves = TagPattern::parse("(50xx,xxxx)").unwrap();
        assert!(curves.matches(Tag::new(0x5012, 0x10)) && !curves.matches(Tag::new(0x6000, 0x10)));
        assert_eq!(
            TagPattern::parse("StudyDescription"),
            TagPattern::parse("0008,1030").filter(|_| true)
        );
        assert!(TagPattern::parse("Nonsense").is_none() && TagPattern::parse("00081").is_none());
    }
}
