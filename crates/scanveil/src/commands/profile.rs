//! `scanveil profile`.

use crate::cli::ProfileCommand;
use crate::output::{Failure, Output, table};
use scanveil_dataset::{Tag, keyword};
use scanveil_pipeline::load_profile;
use scanveil_scrub::{EDITION, Profile};
use std::process::ExitCode;

pub(crate) fn run(command: &ProfileCommand, output: &Output) -> Result<ExitCode, Failure> {
    match command {
        ProfileCommand::List => {
            let names: Vec<&str> = Profile::builtin_names().collect();
            output.result(&names, || names.join("\n"));
        }
        ProfileCommand::Show { profile } => show(&load_profile(profile)?, output),
        ProfileCommand::Explain { tag, profile } => {
            let tag = parse_tag(tag)?;
            let profile = load_profile(profile)?;
            let why = profile.explain(tag);
            let name = keyword(tag).unwrap_or("unknown");
            output.result(
                &serde_json::json!({ "tag": tag.to_string(), "keyword": name, "treatment": why }),
                || format!("{tag} {name}\n{why}"),
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(profile: &Profile, output: &Output) {
    let options: Vec<&str> = profile.options().map(scanveil_scrub::ProfileOption::name).collect();
    output.result(
        &serde_json::json!({
            "name": profile.name(), "version": profile.version(), "label": profile.label(),
            "digest": profile.digest().to_string(), "edition": EDITION, "options": options,
        }),
        || {
            let mut table = table(&["", ""]);
            table.add_row(["name", profile.name()]);
            table.add_row(["version", profile.version()]);
            table.add_row(["label", &profile.label()]);
            table.add_row(["PS3.15 edition", EDITION]);
            let none = options.is_empty();
            table.add_row(["options", &if none { "none".into() } else { options.join(", ") }]);
            table.to_string()
        },
    );
}

fn parse_tag(text: &str) -> Result<Tag, Failure> {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let number = u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 8);
    number.map(Tag).ok_or_else(|| {
        Failure::new("SV-CLI-005", "not a tag", "write it as 00100010 or (0010,0010)")
    })
}
