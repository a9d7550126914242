//! `scanveil profile`.

mod behaviour;
mod notation;

use crate::cli::{CircumstanceArgs, ProfileCommand};
use crate::outfile::{OutFile, Privacy, Wanted};
use crate::output::{Failure, Output, io_failure, table};
use scanveil_dataset::{Tag, keyword};
use scanveil_model::ProjectName;
use scanveil_pipeline::load_profile;
use scanveil_profiles::{
    Difference, ImportKind, NotExpressed, Side, describe_action, describe_condition,
    describe_subject, diff, import,
};
use scanveil_scrub::{Case, EDITION, Profile, ProfileOption, SopClass, Unlisted};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn run(command: &ProfileCommand, output: &Output) -> Result<ExitCode, Failure> {
    match command {
        ProfileCommand::List => list(output),
        ProfileCommand::Show { profile } => show(&load_profile(profile)?, output),
        ProfileCommand::Explain { tag, profile, circumstances } => {
            explain(tag, &load_profile(profile)?, circumstances, output)?;
        }
        ProfileCommand::Check { profile } => return Ok(check(&load_profile(profile)?, output)),
        ProfileCommand::Test { profiles, tests } => {
            return behaviour::run(profiles, tests.as_deref(), output);
        }
        ProfileCommand::Diff { a, b, circumstances } => {
            let (a, b) = (load_profile(a)?, load_profile(b)?);
            let place = Place::of(circumstances)?;
            differences(&a, &b, &diff(&a, &b, &place.case(circumstances)), output);
        }
        ProfileCommand::Import { from, file, name, out, force } => {
            let out = out.as_deref().map(|path| profile_file(path, file, *force)).transpose()?;
            imported(*from, file, name, out.as_ref(), output)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(output: &Output) {
    let profiles: Vec<Profile> = Profile::builtin_names().filter_map(Profile::builtin).collect();
    let json: Vec<_> = profiles
        .iter()
        .map(|profile| {
            serde_json::json!({
                "name": profile.name(), "purpose": profile.document().purpose,
                "options": options(profile), "label": profile.label(),
            })
        })
        .collect();
    output.result(&json, || {
        let mut table = table(&["profile", "purpose", "options"]);
        for profile in &profiles {
            let document = profile.document();
            table.add_row([profile.name(), &document.purpose, &options(profile).join("\n")]);
        }
        table.to_string()
    });
}

fn options(profile: &Profile) -> Vec<&'static str> {
    profile.options().map(ProfileOption::name).collect()
}

fn show(profile: &Profile, output: &Output) {
    let document = profile.document();
    let json = serde_json::json!({
        "label": profile.label(), "digest": profile.digest().to_string(), "edition": EDITION,
        "profile": document,
    });
    output.result(&json, || {
        let mut settings = table(&["setting", ""]);
        let or_none = |list: &[String]| match list {
            [] => "none".to_owned(),
            list => list.join(", "),
        };
        let unlisted = match document.unlisted {
            Unlisted::ByRepresentation => "by-representation",
            Unlisted::Defined => "defined",
        };
        let dates = &document.dates;
        for (name, value) in [
            ("name", profile.name().to_owned()),
            ("version", document.version.clone()),
            ("purpose", document.purpose.clone()),
            ("label", profile.label()),
            ("PS3.15 edition", EDITION.to_owned()),
            ("options", or_none(&document.options)),
            ("unlisted", unlisted.to_owned()),
            ("dates", format!("{} to {} days", dates.shift_min, dates.shift_max)),
            ("ages", format!("up to {} years", dates.age_cap)),
            ("words kept", or_none(&document.text.keep)),
            ("words removed", or_none(&document.text.remove)),
            ("burned in: NO", document.pixels.burned_in_annotation.as_str().to_owned()),
            ("PDF documents", document.documents.pdf.as_str().to_owned()),
            ("CDA documents", document.documents.cda.as_str().to_owned()),
            ("rules", document.rules.len().to_string()),
        ] {
            settings.add_row([name, &value]);
        }
        if document.rules.is_empty() {
            return settings.to_string();
        }
        let mut rules = table(&["rule", "about", "when", "action", "reason"]);
        for (at, rule) in document.rules.iter().enumerate() {
            rules.add_row([
                (at + 1).to_string(),
                describe_subject(rule),
                describe_condition(rule),
                describe_action(rule),
                rule.reason.clone(),
            ]);
        }
        format!("{settings}\n\n{rules}")
    });
}

/// Where an attribute stands, as the command line says it.
struct Place {
    path: Vec<Tag>,
    iod: &'static str,
}

impl Place {
    fn of(circumstances: &CircumstanceArgs) -> Result<Self, Failure> {
        let steps = circumstances.within.iter().flat_map(|path| path.split('.'));
        let path = steps.map(notation::tag).collect::<Result<_, _>>()?;
        let iod = circumstances.sop_class.as_deref().and_then(SopClass::find);
        Ok(Self { path, iod: iod.map_or("", |class| class.iod) })
    }

    fn case<'c>(&'c self, given: &'c CircumstanceArgs) -> Case<'c> {
        let text = |value: &'c Option<String>| value.as_deref().unwrap_or("");
        // An object definition may be named itself.
        let class = text(&given.sop_class);
        let iod = if self.iod.is_empty() { class } else { self.iod };
        Case {
            iod,
            sop_class: class,
            modality: text(&given.modality),
            manufacturer: text(&given.manufacturer),
            model: text(&given.model),
            hospital: given.hospital.as_ref().map_or("", |hospital| hospital.as_str()),
            path: &self.path,
            creator: given.creator.as_deref(),
            vr: given.vr,
        }
    }
}

fn explain(
    text: &str,
    profile: &Profile,
    circumstances: &CircumstanceArgs,
    output: &Output,
) -> Result<(), Failure> {
    let notation::Subject { tag, creator } = notation::parse(text)?;
    let place = Place::of(circumstances)?;
    let mut case = place.case(circumstances);
    case.creator = case.creator.or(creator.as_deref());
    let found = profile.explain(tag, &case);
    let name = keyword(tag).unwrap_or(if tag.is_private() { "private" } else { "unknown" });
    output.result(
        &serde_json::json!({
            "tag": tag.to_string(), "keyword": name, "profile": profile.label(),
            "treatment": found.treatment, "because": found.because, "why": found.why,
            "note": found.note,
        }),
        || {
            let note = found.note.as_ref().map_or_else(String::new, |note| format!("\n{note}"));
            let (treatment, why, because) = (found.treatment, &found.why, &found.because);
            format!("{tag} {name}\n{treatment}: {why} ({because}){note}")
        },
    );
    Ok(())
}

/// Says which rules cannot act.
fn check(profile: &Profile, output: &Output) -> ExitCode {
    let idle = profile.idle_rules();
    output.result(&serde_json::json!({ "profile": profile.label(), "idle": idle }), || {
        if idle.is_empty() {
            return format!("{}: every rule can act", profile.label());
        }
        let mut rules = table(&["rule", "about", "action", "cannot act"]);
        for rule in &idle {
            let document = &profile.document().rules[rule.number - 1];
            rules.add_row([
                rule.number.to_string(),
                describe_subject(document),
                describe_action(document),
                rule.why.to_owned(),
            ]);
        }
        rules.to_string()
    });
    if idle.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) }
}

fn differences(a: &Profile, b: &Profile, found: &[Difference], output: &Output) {
    let json = serde_json::json!({ "a": a.label(), "b": b.label(), "differences": found });
    output.result(&json, || {
        if found.is_empty() {
            return "no difference".to_owned();
        }
        let (name_a, name_b) = (a.label(), b.label());
        let mut settings = table(&["", &name_a, &name_b]);
        let mut rules = table(&["rule", "only in", ""]);
        let mut groups: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
        for difference in found {
            match difference {
                Difference::Option { name, only_in } => {
                    let (a, b) = if *only_in == Side::A { ("yes", "no") } else { ("no", "yes") };
                    settings.add_row([name, a, b]);
                }
                Difference::Setting { name, a, b } => {
                    settings.add_row([*name, a, b]);
                }
                Difference::Rule { only_in, number, rule } => {
                    let side = if *only_in == Side::A { &name_a } else { &name_b };
                    rules.add_row([&number.to_string(), side, rule]);
                }
                Difference::Attribute { tag, keyword, a, b } => {
                    let known = groups.entry((a.treatment, b.treatment)).or_default();
                    known.push(if keyword.is_empty() {
                        tag.clone()
                    } else {
                        (*keyword).to_owned()
                    });
                }
            }
        }
        let mut attributes = table(&[&name_a, &name_b, "", "attributes"]);
        for ((a, b), names) in groups {
            attributes.add_row([a, b, &names.len().to_string(), &in_lines(&names)]);
        }
        let tables = [settings, rules, attributes];
        let filled = tables.iter().filter(|table| table.row_count() > 0);
        filled.map(ToString::to_string).collect::<Vec<_>>().join("\n\n")
    });
}

/// Names put into lines that a terminal can show.
fn in_lines(names: &[String]) -> String {
    const WIDTH: usize = 90;
    let mut lines = vec![String::new()];
    for name in names {
        let full = lines.last().is_some_and(|line| line.len() + name.len() > WIDTH);
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(name);
        }
    }
    lines.join("\n")
}

/// The file that an imported profile is written to: no file is taken for an earlier import.
fn profile_file(path: &Path, recipe: &Path, force: bool) -> Result<OutFile, Failure> {
    let wanted = Wanted { option: "--out", path, privacy: Privacy::Plain, ours: |_| false, force };
    let file = OutFile::claim(&wanted)?;
    file.spare(recipe)?;
    Ok(file)
}

fn imported(
    kind: ImportKind,
    file: &Path,
    name: &ProjectName,
    out: Option<&OutFile>,
    output: &Output,
) -> Result<(), Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| io_failure(&file.display().to_string(), &error))?;
    let imported = import(kind, name, &text)?;
    let toml = imported.to_toml()?;
    if let Some(out) = out {
        out.write(|file| file.write_all(toml.as_bytes()))?;
    }
    let json = serde_json::json!({
        "rules": imported.document.rules.len(),
        "not_expressed": imported.not_expressed,
        "profile": imported.document,
    });
    let rules = imported.document.rules.len();
    output.result(&json, || {
        tell(&imported.not_expressed);
        match out {
            Some(out) => format!("{}: {rules} rules", out.path().display()),
            None => toml,
        }
    });
    Ok(())
}

/// What could not be expressed, on standard error, by the reason.
fn tell(notes: &[NotExpressed]) {
    let mut by_reason: BTreeMap<&str, Vec<&NotExpressed>> = BTreeMap::new();
    for note in notes {
        by_reason.entry(note.why).or_default().push(note);
    }
    for (why, notes) in by_reason {
        // A closed pipe is the reader's choice.
        let _ = writeln!(std::io::stderr(), "not expressed: {why}");
        for note in notes {
            let _ = writeln!(std::io::stderr(), "  {}: {}", note.place, note.what);
        }
    }
}
