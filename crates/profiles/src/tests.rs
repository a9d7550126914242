mod behaviours;
mod imports;

use crate::*;
use scanveil_scrub::{Case, Profile};

fn profile(text: &str) -> Profile {
    let head = "format = 2\nname = \"x\"\nversion = \"1\"\n";
    Profile::from_toml(&format!("{head}{text}")).unwrap()
}

#[test]
fn differences_name_options_settings_rules_and_attributes() {
    let a = profile("options = [\"modified-dates\"]\n[dates]\nshift-max = 100\n");
    let b = profile(
        "options = [\"full-dates\"]\nunlisted = \"defined\"\n[[rule]]\nmatch = [\"StationName\"]\n\
         action = \"keep\"\nreason = \"needed\"\n",
    );
    let found = diff(&a, &b, &Case::default());
    let option = |name: &str, only_in| Difference::Option { name: name.to_owned(), only_in };
    assert!(found.contains(&option("modified-dates", Side::A)));
    assert!(found.contains(&option("full-dates", Side::B)));
    let setting = |name: &str| {
        found.iter().any(|it| matches!(it, Difference::Setting { name: n, .. } if *n == name))
    };
    assert!(setting("unlisted") && setting("dates.shift-max") && !setting("dates.age-cap"));
    let rules: Vec<_> = found
        .iter()
        .filter_map(|it| match it {
            Difference::Rule { only_in, number, rule } => Some((*only_in, *number, rule.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(rules, [(Side::B, 1, "keep: StationName")]);
    let attribute = |keyword: &str| {
        found.iter().find_map(|it| match it {
            Difference::Attribute { keyword: found, a, b, .. } if *found == keyword => {
                Some((a.treatment, b.treatment))
            }
            _ => None,
        })
    };
    assert_eq!(attribute("StudyDate").map(|(a, _)| a), Some("shift"));
    assert!(attribute("StationName").is_some());
    assert_eq!(attribute("PatientName"), None);
    assert!(diff(&a, &a, &Case::default()).is_empty());
}

#[test]
fn the_dictionary_is_whole_and_sorted() {
    let entries = crate::dictionary::entries();
    assert!(entries.len() > 5000, "{}", entries.len());
    assert!(entries.is_sorted_by_key(|entry| entry.tag));
}
