//! Codes, and what names the definitions that they come from: no words of anybody, by their form.

use crate::dates;
use scanveil_dataset::Tag;
use std::collections::HashSet;
use std::sync::LazyLock;

/// Designators of coding schemes (PS3.16 section 8).
static SCHEMES: LazyLock<HashSet<&'static [u8]>> = LazyLock::new(|| {
    let lines = include_str!("../tables/coding-schemes.txt").lines();
    lines.filter(|line| !line.starts_with('#')).map(str::as_bytes).collect()
});

/// Longest code that is taken for one, and most letters in it: `R-40FB9`, `11528-7`, `39607008`.
const LONGEST_CODE: usize = 18;
const LETTERS_OF_A_CODE: usize = 4;
/// Digits of the longest number of a template or a context group (PS3.16): `10011`.
const LONGEST_DEFINITION: usize = 5;

/// A code of a coding scheme, by its form: numbers as long as a telephone's are no suspicion there,
/// words and days still are. A template's number, a context group's and a coding scheme's name are
/// such codes too.
pub(crate) fn is_code(tag: Tag, value: &[u8]) -> bool {
    let value = value.trim_ascii_end().strip_suffix(b"\0").unwrap_or(value).trim_ascii();
    match (tag.group(), tag.element()) {
        // Coding Scheme Designator, Mapping Resource.
        (0x0008, 0x0102 | 0x0105) => SCHEMES.contains(value),
        // Context Identifier, Template Identifier.
        (0x0008, 0x010f) | (0x0040, 0xdb00) => {
            value.len() <= LONGEST_DEFINITION && value.iter().all(u8::is_ascii_digit)
        }
        // Code Value.
        (0x0008, 0x0100) => {
            let letters = value.iter().filter(|b| b.is_ascii_alphabetic()).count();
            value.len() <= LONGEST_CODE
                && letters <= LETTERS_OF_A_CODE
                && value.iter().all(|&b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
                && !dates::holds_a_day(value)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_a_definition_is_a_code_and_words_are_none() {
        let (code, scheme, context, template) =
            ((0x8, 0x100), (0x8, 0x102), (0x8, 0x10f), (0x40, 0xdb00));
        let table: &[((u16, u16), &str, bool)] = &[
            (code, "121049", true),
            (code, "R-40FB9", true),
            (code, "Quillfeather", false),
            (code, "20240517", false),
            (scheme, "RFC5646", true),
            (scheme, "ISO3166_1", true),
            (scheme, "SCT ", true),
            (scheme, "99QUILLFEATHER", false),
            (scheme, "99PHI-IXR-XPER", true),
            ((0x8, 0x105), "99SMS_CTMR", true),
            ((0x8, 0x105), "99QUILL", false),
            (context, "4031", true),
            (template, "10011", true),
            (template, "1500\0", true),
            (template, "771903", false),
            (template, "QF-77", false),
            ((0x8, 0x104), "10011", false),
        ];
        for ((group, element), value, wanted) in table {
            let tag = Tag::new(*group, *element);
            assert_eq!(is_code(tag, value.as_bytes()), *wanted, "{tag} {value}");
        }
    }
}
