use super::*;

/// Every profile that comes with scanveil does what its tests say.
#[test]
fn shipped_profiles_behave() {
    let mut wrong = Vec::new();
    for name in Profile::builtin_names() {
        let tests = builtin_tests(name).unwrap_or_else(|| panic!("{name} has no tests"));
        let profile = Profile::builtin(name).unwrap();
        let results = run(tests, &profile).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(results.len() >= 8, "{name}");
        for result in results {
            for failure in &result.failures {
                wrong.push(format!(
                    "{name}, {} at {}: {}: expected {}, found {}",
                    result.case, result.place, failure.element, failure.expected, failure.found
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The judge can say no: every expectation of the fixture is wrong.
#[test]
fn wrong_expectations_fail_and_name_no_value() {
    let basic = Profile::builtin("basic").unwrap();
    let results = run(include_str!("../fixtures/cases.toml"), &basic).unwrap();
    let elements: Vec<Vec<&str>> = results
        .iter()
        .map(|result| result.failures.iter().map(|failure| failure.element.as_str()).collect())
        .collect();
    assert_eq!(results[0].checks, 12);
    assert_eq!(elements[0].len(), 12, "{elements:?}");
    for result in &results {
        assert!(!result.passed(), "{}", result.case);
    }
    let words = format!("{results:?}");
    for value in ["Tregarthen", "48213077", "20240517", "Quay", "CHEST"] {
        assert!(!words.contains(value), "{value}");
    }
}

#[test]
fn test_documents_are_strict() {
    let basic = Profile::builtin("basic").unwrap();
    let head = "format = 1\nprofile = \"basic\"\n[[case]]\nname = \"a\"\nwhy = \"b\"\n";
    for (text, code) in [
        ("format = 2\nprofile = \"basic\"\ncase = []\n".to_owned(), "SV-PROFILES-002"),
        ("format = 1\nprofile = \"basic\"\ncase = []\ncolour = 1\n".to_owned(), "SV-PROFILES-002"),
        (format!("{head}colour = 1\n"), "SV-PROFILES-002"),
        (format!("{head}quarantined = \"because\"\n"), "SV-PROFILES-002"),
        (format!("{head}sop-class = \"teapot\"\n"), "SV-PROFILES-004"),
        (format!("{head}character-set = \"KLINGON\"\n"), "SV-PROFILES-004"),
        (format!("{head}within = [\"Nowhere\"]\n"), "SV-PROFILES-004"),
        (format!("{head}[case.given]\nTeapot = \"1\"\n"), "SV-PROFILES-004"),
        (format!("{head}[case.given]\nRows = \"x\\ny\"\nColumns = true\n"), "SV-PROFILES-004"),
        (format!("{head}[case.given]\n\"(0009,X,01)\" = \"1\"\n"), "SV-PROFILES-004"),
        (
            format!("{head}[case.given]\nPatientID = {{ vr = \"LO\", vlaue = \"1\" }}\n"),
            "SV-PROFILES-004",
        ),
        (format!("{head}[case.given]\nRows = 70000\n"), "SV-PROFILES-004"),
        (format!("{head}[case.expect]\nPatientName = \"kpet\"\n"), "SV-PROFILES-004"),
        (format!("{head}[case.expect]\nPatientName = {{ hold = [\"x\"] }}\n"), "SV-PROFILES-004"),
    ] {
        let error = run(&text, &basic).err().unwrap_or_else(|| panic!("{text}"));
        assert_eq!(scanveil_model::Coded::code(&error), code, "{text}: {error}");
    }
}

#[test]
fn hospitals_and_private_rules_can_be_tested() {
    let profile = Profile::from_toml(include_str!("../fixtures/rules-profile.toml")).unwrap();
    let tests = include_str!("../fixtures/rules.toml");
    for result in run(tests, &profile).unwrap() {
        assert!(result.passed(), "{result:?}");
    }
}
