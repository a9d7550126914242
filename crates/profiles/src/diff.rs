//! What two profiles do differently, for the person who has to decide between them.

use crate::describe::describe;
use crate::dictionary;
use scanveil_dataset::{Tag, keyword};
use scanveil_scrub::{Case, Explanation, Profile, ProfileDocument, RuleDocument, Unlisted, rows};
use serde::Serialize;
use std::collections::BTreeSet;

/// One difference between two profiles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Difference {
    /// An option of PS3.15 that only one has.
    Option {
        /// Its name.
        name: String,
        /// Which has it.
        only_in: Side,
    },
    /// A setting.
    Setting {
        /// Its name.
        name: &'static str,
        /// In the first profile.
        a: String,
        /// In the second.
        b: String,
    },
    /// A rule that only one has.
    Rule {
        /// Which has it.
        only_in: Side,
        /// Its number there, from 1.
        number: usize,
        /// The rule, in words.
        rule: String,
    },
    /// An attribute that is treated otherwise.
    Attribute {
        /// Its tag.
        tag: String,
        /// Its keyword; empty where the dictionary has none.
        keyword: &'static str,
        /// What the first profile does, and why.
        a: Explanation,
        /// What the second does, and why.
        b: Explanation,
    },
}

/// One of two profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The first.
    A,
    /// The second.
    B,
}

/// What two profiles do differently: options, settings, rules, then every attribute of the
/// dictionary and of Table E.1-1, as an instance would have it that is like `case`.
///
/// Rules are the same when they say the same, wherever they stand; what their order makes of it
/// shows in the attributes.
#[must_use]
pub fn diff(a: &Profile, b: &Profile, case: &Case<'_>) -> Vec<Difference> {
    let mut found = Vec::new();
    options(a, b, &mut found);
    settings(a.document(), b.document(), &mut found);
    rules(a.document(), b.document(), &mut found);
    attributes(a, b, case, &mut found);
    found
}

fn options(a: &Profile, b: &Profile, found: &mut Vec<Difference>) {
    let (in_a, in_b): (BTreeSet<_>, BTreeSet<_>) = (a.options().collect(), b.options().collect());
    for option in in_a.symmetric_difference(&in_b) {
        let only_in = if in_a.contains(option) { Side::A } else { Side::B };
        found.push(Difference::Option { name: option.name().to_owned(), only_in });
    }
}

fn settings(a: &ProfileDocument, b: &ProfileDocument, found: &mut Vec<Difference>) {
    let unlisted = |document: &ProfileDocument| match document.unlisted {
        Unlisted::ByRepresentation => "by-representation".to_owned(),
        Unlisted::Defined => "defined".to_owned(),
    };
    for (name, a, b) in [
        ("unlisted", unlisted(a), unlisted(b)),
        ("dates.shift-min", a.dates.shift_min.to_string(), b.dates.shift_min.to_string()),
        ("dates.shift-max", a.dates.shift_max.to_string(), b.dates.shift_max.to_string()),
        ("dates.age-cap", a.dates.age_cap.to_string(), b.dates.age_cap.to_string()),
        (
            "pixels.burned-in-annotation",
            a.pixels.burned_in_annotation.as_str().to_owned(),
            b.pixels.burned_in_annotation.as_str().to_owned(),
        ),
        ("documents.pdf", a.documents.pdf.as_str().to_owned(), b.documents.pdf.as_str().to_owned()),
        ("documents.cda", a.documents.cda.as_str().to_owned(), b.documents.cda.as_str().to_owned()),
        ("text.keep", a.text.keep.join(", "), b.text.keep.join(", ")),
        ("text.remove", a.text.remove.join(", "), b.text.remove.join(", ")),
    ] {
        if a != b {
            found.push(Difference::Setting { name, a, b });
        }
    }
}

fn rules(a: &ProfileDocument, b: &ProfileDocument, found: &mut Vec<Difference>) {
    let words = |rules: &[RuleDocument]| rules.iter().map(describe).collect::<Vec<_>>();
    let (in_a, in_b) = (words(&a.rules), words(&b.rules));
    for (only_in, here, there) in [(Side::A, &in_a, &in_b), (Side::B, &in_b, &in_a)] {
        let there: BTreeSet<&String> = there.iter().collect();
        for (at, rule) in here.iter().enumerate().filter(|(_, rule)| !there.contains(rule)) {
            found.push(Difference::Rule { only_in, number: at + 1, rule: rule.clone() });
        }
    }
}

fn attributes(a: &Profile, b: &Profile, case: &Case<'_>, found: &mut Vec<Difference>) {
    let known = dictionary::entries().iter().map(|entry| entry.tag);
    let tags: BTreeSet<Tag> = known.chain(rows().filter_map(|row| row.tag)).collect();
    for tag in tags {
        let (by_a, by_b) = (a.explain(tag, case), b.explain(tag, case));
        if by_a.treatment != by_b.treatment {
            let keyword = keyword(tag).unwrap_or("");
            found.push(Difference::Attribute { tag: tag.to_string(), keyword, a: by_a, b: by_b });
        }
    }
}
