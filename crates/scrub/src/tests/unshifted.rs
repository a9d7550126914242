//! Dates that everybody knows are never shifted: whoever sees them would know by how much.

use super::every_row::{Place, instance, instance_with, outcome};
use super::*;
use crate::days::{PLACEHOLDERS, PUBLISHED, published};
use scanveil_dataset::{Vr, lookup};
use std::collections::BTreeSet;

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const SR: &str = "1.2.840.10008.5.1.4.1.1.88.33";
/// Not in the list: in no life, after every study, in no calendar.
const OTHERS: [&str; 8] = [
    "00020304", "17760704", "18120615", "21890101", "25001231", "77771231", "00000000", "22222222",
];

fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Every date and date-time of the tables; the data dictionary has no others but these four.
fn dated() -> BTreeSet<Tag> {
    let in_modules = include_str!("../../tables/attributes.txt")
        .lines()
        .filter(|line| !line.starts_with('='))
        .flat_map(|line| line.split(' ').skip(1))
        .filter_map(|word| u32::from_str_radix(word.get(..8)?, 16).ok().map(Tag));
    let others = [0x0008_0404, 0x0008_0416, 0x0008_041f, 0x0014_3076].map(Tag);
    let all = rows().filter_map(|row| row.tag).chain(in_modules).chain(others);
    let all = all.filter(|tag| *tag != tags::PATIENT_BIRTH_DATE);
    all.filter(|tag| lookup(*tag).is_some_and(|entry| is_dated(entry.vr))).collect()
}

fn is_dated(vr: Vr) -> bool {
    matches!(&vr.0, b"DA" | b"DT")
}

#[test]
fn no_placeholder_is_shifted_in_any_date() {
    let profiles = ["research", "longitudinal"].map(|name| Profile::builtin(name).unwrap());
    let tags = dated();
    assert!(tags.len() > 110, "{}", tags.len());
    let mut wrong = Vec::new();
    for (at, day) in lines(PLACEHOLDERS).chain(OTHERS).enumerate() {
        let place = if at % 2 == 0 { Place::Top } else { Place::Nested };
        let class = if at % 3 == 0 { SR } else { CT };
        let value = |tag: &Tag| {
            let vr = lookup(*tag).unwrap().vr;
            (*tag, vr, if vr == Vr::DT { format!("{day}000000") } else { day.to_owned() })
        };
        let values: Vec<_> = tags.iter().map(value).collect();
        let elements: Vec<_> =
            values.iter().map(|(tag, vr, value)| (*tag, *vr, value.clone().into_bytes())).collect();
        let bytes = instance_with(class, &elements, place);
        let out = scrub_one(&bytes, &profiles[at / 2 % 2]).unwrap();
        for (tag, _, value) in &values {
            let left = outcome(&out, *tag, place).unwrap_or_default();
            let left = String::from_utf8_lossy(&left).trim_end().to_owned();
            let dummy = left == "19000101" || left == "19000101000000";
            let kept = left == *value && published(*tag).is_some();
            if !(left.is_empty() || dummy || kept) {
                wrong.push(format!("{tag} {value} -> {left}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn published_dates_stay_or_go() {
    let research = Profile::builtin("research").unwrap();
    for line in lines(PUBLISHED) {
        let tag = Tag(u32::from_str_radix(&line[..8], 16).unwrap());
        let vr = lookup(tag).unwrap().vr;
        for (day, theirs) in [("20170328", false), ("19410712", true)] {
            let value = if vr == Vr::DT { format!("{day}000000.000000") } else { day.to_owned() };
            let out = scrub_one(&instance(CT, tag, vr, value.as_bytes(), Place::Nested), &research);
            let left = outcome(&out.unwrap(), tag, Place::Nested);
            let left = left.map(|left| String::from_utf8_lossy(&left).trim_end().to_owned());
            let stays = line.contains(",keep,");
            let expected = match (stays, theirs) {
                (true, false) => Some(value),
                (true, true) => Some(String::new()),
                (false, _) => None,
            };
            assert_eq!(left, expected, "{line}");
        }
    }
}
