//! `scanveil keys`.

use super::subject::desk::{self, Recorded};
use crate::cli::{KeysCommand, KeysRotateArgs};
use crate::output::{Failure, Output, table, time};
use scanveil_govern::{Action, Event, Office, Outcome};
use scanveil_pipeline::{Site, now_ms};
use scanveil_vault::{HospitalListing, SecretVersion};
use std::process::ExitCode;

pub(crate) fn run(command: &KeysCommand, output: &Output) -> Result<ExitCode, Failure> {
    match command {
        KeysCommand::List(arg) => list(&*super::site(arg)?, output)?,
        KeysCommand::Rotate(args) => rotate(args, output)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list(site: &Site, output: &Output) -> Result<(), Failure> {
    let mut listing: Vec<(HospitalListing, Vec<SecretVersion>)> = Vec::new();
    for entry in site.keyring().list()? {
        let secrets = site.keyring().secret_versions(&entry.hospital)?;
        listing.push((entry, secrets));
    }
    let row = |(entry, secrets): &(HospitalListing, Vec<SecretVersion>)| {
        serde_json::json!({
            "hospital": entry.hospital, "subjects": entry.subjects,
            "destroyed": entry.destroyed, "secret_version": secrets.len(), "secrets": secrets,
        })
    };
    output.result(&listing.iter().map(row).collect::<Vec<_>>(), || {
        let mut keys = table(&["hospital", "subject keys", "destroyed", "secret in force"]);
        let mut changes = table(&["hospital", "secret", "since", "because"]);
        let mut changed = false;
        for (entry, secrets) in &listing {
            keys.add_row([
                entry.hospital.to_string(),
                entry.subjects.to_string(),
                entry.destroyed.to_string(),
                secrets.len().to_string(),
            ]);
            for secret in secrets.iter().filter(|_| secrets.len() > 1) {
                changed = true;
                changes.add_row([
                    entry.hospital.to_string(),
                    secret.number.to_string(),
                    secret.made_at_ms.map_or("the beginning".to_owned(), time),
                    secret.reason.clone().unwrap_or_default(),
                ]);
            }
        }
        let root = site.keyring().root_key_path();
        let changes = if changed { format!("\n{changes}") } else { String::new() };
        let root = root.display();
        format!("{keys}{changes}\nroot key: {root} (back it up: without it nothing opens)")
    });
    Ok(())
}

fn rotate(args: &KeysRotateArgs, output: &Output) -> Result<(), Failure> {
    let site = super::site(&args.config)?;
    let log = Office::open(desk::folder(&site.config()))?.log();
    let now = now_ms();
    let event = Event {
        hospital: Some(args.hospital.clone()),
        ..Event::new(now, desk::user(), Action::KEYS_ROTATE, Outcome::Begun)
    };
    let version = desk::step(
        &log,
        event,
        Recorded::Around,
        |_| {
            site.config().hospital(&args.hospital)?;
            site.keyring().existing_hospital(&args.hospital)?;
            Ok(())
        },
        |(), _| Ok(site.keyring().change_secret(&args.hospital, args.reason.as_str(), now)?),
    )?;
    let result = serde_json::json!({ "hospital": args.hospital, "secret_version": version });
    output.result(&result, || {
        format!(
            "Secret {version} of hospital {} is in force: what is scrubbed from now on gets other \
             pseudonyms, UIDs and dates.\nBack up the keyring. Then move what there is, project by \
             project:\n  scanveil batch plan --hospital {} --project PROJECT\nEarlier releases keep \
             the pseudonyms they were made with.",
            args.hospital, args.hospital
        )
    });
    Ok(())
}
