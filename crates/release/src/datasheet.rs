//! The data sheet: what a researcher should know before using a release.

use crate::line::Line;
use crate::{LeftOut, ReleaseRequest, Totals};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Shown where nothing is known.
const UNKNOWN: &str = "not given";

/// The data sheet as Markdown. It holds no time, so that the same content gives the same text.
pub(crate) fn datasheet(
    request: &ReleaseRequest,
    lines: &[Line],
    totals: &Totals,
    left_out: &[LeftOut],
) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = what_it_is(&mut text, request, totals);
    let _ = counts(&mut text, lines);
    let _ = how_it_was_made(&mut text, request, lines);
    let _ = what_was_left_out(&mut text, left_out);
    text.push_str(HOW_TO_LOAD);
    text.push_str(HOW_TO_VERIFY);
    text.push_str(LIMITS);
    let _ = citation(&mut text, request);
    text
}

fn what_it_is(text: &mut String, request: &ReleaseRequest, totals: &Totals) -> std::fmt::Result {
    writeln!(
        text,
        "# Data sheet: {release}\n\n\
         De-identified medical images of the project `{project}`, as plain DICOM files.\n\n\
         | | |\n| --- | ---: |\n\
         | patients | {patients} |\n| studies | {studies} |\n| series | {series} |\n\
         | instances | {instances} |\n| bytes | {bytes} |\n\n\
         Made by scanveil {engine}; the time stands in `manifest.json`.\n\n\
         | path | what it is |\n| --- | --- |\n\
         | `data/<patient>/<study>/<series>/<instance>.dcm` | the instances |\n\
         | `data/<patient>/<study>/certificate.json` | what was done to a study, by which rules |\n\
         | `tables/instances`, `series`, `studies` | attributes, each as CSV and as Parquet |\n\
         | `manifest.json` | every instance with digest, identifiers, profile and generation |\n\
         | `manifest.b3` | BLAKE3 digest of every file |",
        release = request.release,
        project = request.project,
        engine = request.engine,
        patients = totals.patients,
        studies = totals.studies,
        series = totals.series,
        instances = totals.instances,
        bytes = totals.bytes,
    )
}

#[derive(Default)]
struct Count<'a> {
    patients: BTreeSet<&'a str>,
    studies: BTreeSet<&'a str>,
    instances: u64,
}

fn counted<'a>(
    lines: &'a [Line],
    key: impl Fn(&'a Line) -> &'a str,
) -> BTreeMap<&'a str, Count<'a>> {
    let mut counts: BTreeMap<&str, Count<'_>> = BTreeMap::new();
    for line in lines {
        let count = counts.entry(key(line)).or_default();
        count.patients.insert(&line.patient);
        count.studies.insert(line.study.as_str());
        count.instances += 1;
    }
    counts
}

fn count_table(
    text: &mut String,
    title: &str,
    counts: &BTreeMap<&str, Count<'_>>,
) -> std::fmt::Result {
    writeln!(text, "\n| {title} | patients | studies | instances |\n| --- | ---: | ---: | ---: |")?;
    for (key, count) in counts {
        writeln!(
            text,
            "| {} | {} | {} | {} |",
            cell(key),
            count.patients.len(),
            count.studies.len(),
            count.instances
        )?;
    }
    Ok(())
}

fn counts(text: &mut String, lines: &[Line]) -> std::fmt::Result {
    writeln!(text, "\n## What is in it")?;
    let modalities = counted(lines, |line| line.attribute("Modality").unwrap_or(UNKNOWN));
    count_table(text, "modality", &modalities)?;
    count_table(text, "SOP class", &counted(lines, |line| line.sop_class.as_str()))?;
    count_table(text, "transfer syntax", &counted(lines, |line| line.transfer_syntax.as_str()))
}

fn how_it_was_made(
    text: &mut String,
    request: &ReleaseRequest,
    lines: &[Line],
) -> std::fmt::Result {
    writeln!(
        text,
        "\n## How it was de-identified\n\n\
         By the rules of DICOM PS3.15 Annex E as the profile below has them. Patient identifiers \
         and UIDs are replaced by keyed pseudonyms that are the same throughout this project and \
         differ from those of any other. What could not be proven clean was held back. Every file \
         says in (0012,0062), (0012,0063) and (0012,0064) what was done to it."
    )?;
    count_table(text, "profile", &counted(lines, |line| &line.profile))?;
    let others = lines.iter().filter(|line| !line.profile.starts_with(&request.profile)).count();
    if others > 0 {
        writeln!(
            text,
            "\n{others} instances were made with another profile than the project's own on the day \
             of the release, which is `{}`.",
            request.profile
        )?;
    }
    let mut generations: BTreeMap<u32, BTreeSet<&str>> = BTreeMap::new();
    for line in lines {
        generations.entry(line.generation.0).or_default().insert(line.study.as_str());
    }
    writeln!(text, "\n| generation | studies |\n| ---: | ---: |")?;
    for (generation, studies) in generations {
        writeln!(text, "| {generation} | {} |", studies.len())?;
    }
    writeln!(
        text,
        "\nA study's generation counts how often it was de-identified anew; a release holds the \
         newest one of each study only."
    )
}

fn what_was_left_out(text: &mut String, left_out: &[LeftOut]) -> std::fmt::Result {
    writeln!(text, "\n## What was left out\n")?;
    if left_out.is_empty() {
        return writeln!(text, "Nothing.");
    }
    writeln!(text, "| reason | instances |\n| --- | ---: |")?;
    for left in left_out {
        writeln!(text, "| {} | {} |", left.reason, left.instances)?;
    }
    writeln!(
        text,
        "\nReasons that begin with `filter-` were asked for, and so was `other-profile`; those that \
         begin with `hospital-` are instances of hospitals that the project does not take any more; \
         `erased` is of patients whose data was erased; `unreadable`, `not-in-catalogue` and \
         `conflicting-copies` are instances whose stored copies could not be used; all others are \
         held in quarantine. What is left out is not missing at random: keep it in mind when \
         prevalences or rare findings matter."
    )
}

const HOW_TO_LOAD: &str = r#"
## How to load it

```python
import pandas, pydicom
table = pandas.read_parquet("tables/instances.parquet")
image = pydicom.dcmread(table[table.Modality == "CT"].path.iloc[0]).pixel_array
```

```python
import SimpleITK as sitk
series = pandas.read_parquet("tables/series.parquet").iloc[0]
folder = f"data/{series.PatientID}/{series.StudyInstanceUID}/{series.SeriesInstanceUID}"
reader = sitk.ImageSeriesReader()
reader.SetFileNames(reader.GetGDCMSeriesFileNames(folder))
volume = reader.Execute()
```

Split by `PatientID`, never by instance or series: images of one patient resemble each other.

The Parquet tables have every value as it is. In the CSV tables a text that a spreadsheet would
take for a formula has an apostrophe in front. Several values of one attribute are separated by a
backslash. In the tables of series and studies an attribute stands only where all instances agree.
"#;

const HOW_TO_VERIFY: &str = "
## How to verify it

`scanveil release verify .` in this folder checks every file against the manifest and looks for files
that do not belong. Without scanveil: `b3sum -c manifest.b3`, and compare the digest of `manifest.b3`
itself with `list_digest` in `manifest.json`.
";

const LIMITS: &str = "
## What is not guaranteed

- De-identified is not anonymous for all time: a face can be rendered from a head scan, and rare
  findings, devices or dates can single a person out. Do not try to identify anybody, and do not join
  this data with other data about persons.
- The images come from routine care: labels, orientation, calibration and completeness are as the
  device wrote them. Nothing was converted, resampled or corrected.
- Where the profile shifts dates, intervals within one patient are right and the dates are not;
  seasons and times between patients mean nothing.
- This is not a medical device, and the data is not for the care of any patient.
";

fn citation(text: &mut String, request: &ReleaseRequest) -> std::fmt::Result {
    writeln!(
        text,
        "\n## Citation and contact\n\n- How to cite: {}\n- Questions, and anything that seems to \
         identify somebody: {}",
        request.citation.as_deref().map_or(UNKNOWN.to_owned(), cell),
        request.contact.as_deref().map_or(UNKNOWN.to_owned(), cell),
    )
}

/// A text on one line that cannot leave its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\r', '\n'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ReleaseFilter, ReleaseMode, Unreadable};
    use scanveil_catalog::RecordId;
    use scanveil_model::{Digest, Generation, HospitalId, ProjectName, Uid};
    use std::sync::Arc;

    fn request() -> ReleaseRequest {
        let hospital = HospitalId::parse("st-wystan").unwrap();
        ReleaseRequest {
            release: RecordId::parse("lungs-3").unwrap(),
            project: ProjectName::parse("lungs").unwrap(),
            out: "out".into(),
            mode: ReleaseMode::New,
            admitted: BTreeSet::from([hospital.clone()]),
            configured: BTreeSet::from([hospital]),
            profile: "research@0123456789abcdef".into(),
            only_profile: false,
            filter: ReleaseFilter::default(),
            unreadable: Unreadable::Fail,
            created_at_ms: 0,
            engine: "1.0.0".into(),
            jobs: 1,
            citation: Some("Quillfeather and others, Lungs of Dunmorrow, 2026".into()),
            contact: None,
        }
    }

    fn line(number: u8, modality: &str) -> Line {
        let uid = |last: u8| Uid::parse(&format!("2.25.77.{last}")).unwrap();
        Line {
            path: format!("data/p/s/{number}.dcm"),
            patient: Arc::from("SV0123456789"),
            study: uid(1),
            series: uid(2),
            sop_instance: uid(10 + number),
            sop_class: Uid::parse("1.2.840.10008.5.1.4.1.1.2").unwrap(),
            transfer_syntax: Uid::parse("1.2.840.10008.1.2.1").unwrap(),
            digest: Digest([number; 32]),
            bytes: 1000,
            generation: Generation(2),
            profile: Arc::from("research@0123456789abcdef"),
            attributes: BTreeMap::from([("Modality".to_owned(), modality.to_owned())]),
            object: 0,
            entry: usize::from(number),
        }
    }

    #[test]
    fn the_data_sheet_is_as_it_was_read() {
        let lines = [line(1, "CT"), line(2, "CT"), line(3, "MR")];
        let totals = Totals { patients: 1, studies: 1, series: 1, instances: 3, bytes: 3000 };
        let left = LeftOut { reason: "burned-in-text".into(), instances: 4 };
        insta::assert_snapshot!(datasheet(&request(), &lines, &totals, &[left]));
    }
}
