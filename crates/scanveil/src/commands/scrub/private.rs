//! What identifies, for the hospital's own eyes: old and new identifiers, and which file was held
//! back. Files of mode 0600, never a log.

use crate::outfile::OutFile;
use crate::output::{Failure, table};
use csv::Writer;
use scanveil_engine::{Held, Outcome, Pairs, Results};
use std::io::{self, BufWriter};

/// Files that the table on a terminal names.
const NAMED: usize = 20;
/// The first line of a mapping.
const MAPPING: [&str; 3] = ["kind", "id_old", "id_new"];
/// The first line of a list of what was held back.
const HELD: [&str; 7] = ["input", "file", "member", "reason", "at", "detail", "next_step"];

/// Whether a file begins as a mapping does.
pub(super) fn is_mapping(head: &[u8]) -> bool {
    head.starts_with(MAPPING.join(",").as_bytes())
}

/// Whether a file begins as a list of what was held back does.
pub(super) fn is_held_list(head: &[u8]) -> bool {
    head.starts_with(HELD.join(",").as_bytes())
}

fn csv<'o, W: io::Write>(
    out: &'o mut BufWriter<W>,
    head: &[&str],
) -> io::Result<Writer<&'o mut BufWriter<W>>> {
    let mut writer = Writer::from_writer(out);
    writer.write_record(head)?;
    Ok(writer)
}

/// Writes `kind,id_old,id_new`. A field that a spreadsheet would take for a formula stays what it
/// is: the file is for joining, and its values are the hospital's own.
pub(super) fn write_mapping(file: &OutFile, pairs: &Pairs) -> Result<(), Failure> {
    file.write(|out| {
        let mut rows = csv(out, &MAPPING)?;
        for (kind, old, new) in pairs {
            rows.write_record([kind.as_str(), old, new])?;
        }
        rows.flush()
    })
}

/// One input that was held back, with its name.
fn held<'h>(results: &'h Results<'_>) -> impl Iterator<Item = (usize, String, String, &'h Held)> {
    results.outcomes().iter().enumerate().filter_map(|(at, done)| {
        let Outcome::Held(held) = &done.outcome else { return None };
        let (file, member) = results.name(at)?;
        Some((at, file.to_string_lossy().into_owned(), member.unwrap_or_default(), &**held))
    })
}

/// Writes which file was held back, and why.
pub(super) fn write_held(file: &OutFile, results: &Results<'_>) -> Result<(), Failure> {
    file.write(|out| {
        let mut rows = csv(out, &HELD)?;
        for (at, path, member, why) in held(results) {
            let number = at.to_string();
            let place = why.at.as_deref().unwrap_or("");
            let row = [&number, &path, &member, why.reason, place, &why.detail, why.next_step];
            rows.write_record(row)?;
        }
        rows.flush()
    })
}

/// The first files that were held back, for a terminal.
pub(super) fn held_table(results: &Results<'_>) -> String {
    let mut rows = table(&["held back", "because", "at", "detail"]);
    let mut left_out = 0;
    for (number, (_, path, member, why)) in held(results).enumerate() {
        if number >= NAMED {
            left_out += 1;
            continue;
        }
        let name = if member.is_empty() { path } else { format!("{path}: {member}") };
        let printable: String = name.chars().filter(|c| !c.is_control()).collect();
        let place = why.at.clone().unwrap_or_default();
        rows.add_row([printable, why.reason.to_owned(), place, why.detail.clone()]);
    }
    let more = match left_out {
        0 => String::new(),
        left => format!("\n{left} more: --held FILE lists all of them"),
    };
    format!("{rows}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outfile::{Privacy, Wanted};
    use scanveil_scrub::MappingKind;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn mappings_are_private_and_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mapping.csv");
        let pair = |kind, old: &str| (kind, old.to_owned(), "new".to_owned());
        let pairs =
            Pairs::from([pair(MappingKind::Patient, "a,\"b\""), pair(MappingKind::Uid, "1.2")]);
        for _ in 0..2 {
            let file = OutFile::claim(&Wanted {
                option: "--mapping",
                path: &path,
                privacy: Privacy::Private,
                ours: is_mapping,
                force: false,
            });
            write_mapping(&file.unwrap(), &pairs).unwrap();
        }
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, "kind,id_old,id_new\nuid,1.2,new\npatient,\"a,\"\"b\"\"\",new\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
