//! How people name the subject of a question: as the rules of profiles and their tests do.

use crate::output::Failure;
use scanveil_dataset::{Tag, tag_of};

/// What a question is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) tag: Tag,
    /// Of a private element, where it is named with it.
    pub(super) creator: Option<String>,
}

fn not_a_tag() -> Failure {
    Failure::new(
        "SV-CLI-005",
        "not a tag",
        "write it as PatientName, 00100010, (0010,0010), 60xx3000, (0019,xx0C) or \
         (0019,GEMS_ACQU_01,0C)",
    )
}

/// A keyword or tag.
pub(super) fn tag(text: &str) -> Result<Tag, Failure> {
    tag_of(text).ok_or_else(not_a_tag)
}

/// A keyword, a tag, a tag with `x` for any digit, or a private element with its creator.
pub(super) fn parse(text: &str) -> Result<Subject, Failure> {
    // First: a creator may look like the digits of a tag.
    with_creator(text)
        .or_else(|| tag_of(text).map(|tag| Subject { tag, creator: None }))
        .or_else(|| with_any_digit(text))
        .ok_or_else(not_a_tag)
}

/// `(0019,GEMS_ACQU_01,0C)`: group, creator, element within its block; the first block stands for
/// all.
fn with_creator(text: &str) -> Option<Subject> {
    let inner = text.trim().strip_prefix('(')?.strip_suffix(')')?;
    let (group, rest) = inner.split_once(',')?;
    let (creator, element) = rest.rsplit_once(',')?;
    let group = u16::from_str_radix(group.trim(), 16).ok().filter(|group| group % 2 == 1)?;
    let element = element.trim();
    let element = u8::from_str_radix(element, 16).ok().filter(|_| element.len() == 2)?;
    let creator = Some(creator.trim().to_owned()).filter(|creator| !creator.is_empty());
    Some(Subject { tag: Tag::new(group, 0x1000 | u16::from(element)), creator })
}

/// `60xx3000`, `(0019,xx0C)`: one of the tags stands for all, of private ones that of the first
/// block.
fn with_any_digit(text: &str) -> Option<Subject> {
    let digits: Vec<char> = text.chars().filter(|c| !matches!(c, '(' | ')' | ',' | ' ')).collect();
    if digits.len() != 8 || !digits.iter().any(|digit| digit.eq_ignore_ascii_case(&'x')) {
        return None;
    }
    let any = |digit: &char| if digit.eq_ignore_ascii_case(&'x') { '0' } else { *digit };
    let mut tag = u32::from_str_radix(&digits.iter().map(any).collect::<String>(), 16).ok()?;
    let block = digits[4..6].iter().all(|digit| digit.eq_ignore_ascii_case(&'x'));
    if block && tag >> 16 & 1 == 1 {
        tag |= 0x1000;
    }
    Some(Subject { tag: Tag(tag), creator: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_named_as_rules_name_them() {
        let known = |text: &str| parse(text).ok();
        let of = |tag, creator: Option<&str>| {
            Some(Subject { tag: Tag(tag), creator: creator.map(str::to_owned) })
        };
        for (text, expected) in [
            ("PatientName", of(0x0010_0010, None)),
            ("0010,0010", of(0x0010_0010, None)),
            ("(0019,xx0C)", of(0x0019_100c, None)),
            ("0019XX0c", of(0x0019_100c, None)),
            ("60xx3000", of(0x6000_3000, None)),
            ("(50xx,xxxx)", of(0x5000_0000, None)),
            ("(0019,GEMS_ACQU_01,0C)", of(0x0019_100c, Some("GEMS_ACQU_01"))),
            ("(0029,A, B,10)", of(0x0029_1010, Some("A, B"))),
            ("(0018,GEMS,0C)", None),
            ("(0019,,0C)", of(0x0019_100c, None)),
            ("60xx300", None),
            ("nonsense", None),
        ] {
            assert_eq!(known(text), expected, "{text}");
        }
    }
}
