//! `scanveil inspect`: looks for what still identifies somebody, without the original. Values are
//! never shown: only where, what and how often.

use super::scrub::{pool, progress_bar, quiet_panics};
use crate::cli::InspectArgs;
use crate::output::{Failure, Output, table};
use indicatif::ProgressBar;
use rayon::prelude::*;
use scanveil_dataset::{Body, DataSet, Header, Kind, PixelElement, Tag, keyword, tags};
use scanveil_engine::{Fault, Input, Work, gather, visit};
use scanveil_model::{Reason, ReasonCode};
use scanveil_pipeline::DocumentProcess;
use scanveil_scrub::{Inspector, Risk, Trace, TracePlace};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;

/// Version of the JSON's format.
const VERSION: u32 = 1;
/// Most places told apart; more are counted as one.
const MOST_PLACES: usize = 10_000;

/// What was found where, with how many elements and files it was.
type Findings = BTreeMap<(Level, &'static str, String), Count>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Level {
    High,
    Medium,
    /// The file could not be looked into, so nothing is known.
    Unknown,
}

#[derive(Default, Clone, Copy)]
struct Count {
    elements: u64,
    files: u64,
}

#[derive(Serialize)]
struct Finding<'f> {
    risk: Level,
    finding: &'static str,
    /// Tags from the top, `[]` for any item; a reason's code for what was not looked into.
    at: &'f str,
    #[serde(skip_serializing_if = "Option::is_none")]
    keyword: Option<&'static str>,
    elements: u64,
    files: u64,
}

#[derive(Serialize)]
struct Answer<'f> {
    version: u32,
    files: usize,
    findings: Vec<Finding<'f>>,
}

pub(crate) fn run(args: &InspectArgs, output: &Output) -> Result<ExitCode, Failure> {
    quiet_panics();
    let mut inputs = gather(&args.inputs)?;
    inputs.retain(|input| !input.is_certificate());
    let bar = progress_bar(output, inputs.len() as u64);
    let inspector = Inspector::new().with_reader(Arc::new(DocumentProcess::default()));
    let look = Look { inspector, bar: &bar };
    let pool = pool(args.jobs)?;
    let (mut findings, archives) = pool.install(|| look.all(&inputs));
    let mut files = inputs.len() - archives.len();
    for members in archives {
        files += members.len();
        bar.inc_length(members.len() as u64);
        merge(&mut findings, pool.install(|| look.all(&members)).0);
    }
    bar.finish_and_clear();
    let answer = Answer { version: VERSION, files, findings: listed(&findings) };
    output.result(&answer, || text(&answer));
    Ok(if answer.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

fn listed(findings: &Findings) -> Vec<Finding<'_>> {
    findings
        .iter()
        .map(|((risk, finding, at), count)| Finding {
            risk: *risk,
            finding,
            at,
            keyword: last_tag(at).and_then(keyword),
            elements: count.elements,
            files: count.files,
        })
        .collect()
}

/// The tag at the end of a path.
fn last_tag(at: &str) -> Option<Tag> {
    let (group, element) = at.rsplit_once('(')?.1.strip_suffix(')')?.split_once(',')?;
    let number = |text| u16::from_str_radix(text, 16).ok();
    Some(Tag::new(number(group)?, number(element)?))
}

fn text(answer: &Answer<'_>) -> String {
    if answer.findings.is_empty() {
        return format!("{} files: nothing found that identifies somebody", answer.files);
    }
    let mut rows = table(&["risk", "finding", "where", "attribute", "elements", "files"]);
    for finding in &answer.findings {
        let risk = match finding.risk {
            Level::High => "high",
            Level::Medium => "medium",
            Level::Unknown => "unknown",
        };
        rows.add_row([
            risk.to_owned(),
            finding.finding.to_owned(),
            finding.at.to_owned(),
            finding.keyword.unwrap_or("").to_owned(),
            finding.elements.to_string(),
            finding.files.to_string(),
        ]);
    }
    format!(
        "{rows}\n\n{} files. High: the standard names it as identifying, or nobody can say what it \
         holds. Medium: it may be.",
        answer.files
    )
}

fn merge(into: &mut Findings, from: Findings) {
    for (mut key, count) in from {
        if into.len() >= MOST_PLACES && !into.contains_key(&key) {
            key.2 = "elsewhere".to_owned();
        }
        let sum = into.entry(key).or_default();
        sum.elements += count.elements;
        sum.files += count.files;
    }
}

struct Look<'l> {
    inspector: Inspector,
    bar: &'l ProgressBar,
}

/// What was found, and the members of each archive that was met.
type Found = (Findings, Vec<Vec<Input>>);

impl Look<'_> {
    fn all(&self, inputs: &[Input]) -> Found {
        inputs.par_iter().map(|input| self.one(input)).reduce(Found::default, |mut all, more| {
            merge(&mut all.0, more.0);
            all.1.extend(more.1);
            all
        })
    }

    fn one(&self, input: &Input) -> Found {
        let mut findings = Findings::default();
        let mut archives = Vec::new();
        let looked = match input.is_unlisted() {
            true => Err("a folder that cannot be listed".to_owned()),
            false => catch_unwind(AssertUnwindSafe(|| self.look(input, &mut archives)))
                .unwrap_or_else(|_| Err(ReasonCode::Internal.to_string())),
        };
        match looked {
            Ok(found) => findings = found,
            Err(why) => add(&mut findings, Level::Unknown, "not-inspected", why),
        }
        findings.values_mut().for_each(|count| count.files = 1);
        self.bar.inc(1);
        (findings, archives)
    }

    fn look(&self, input: &Input, archives: &mut Vec<Vec<Input>>) -> Result<Findings, String> {
        let why = |fault: Fault| match fault {
            Fault::Unreadable | Fault::Changed => "it cannot be read".to_owned(),
            Fault::Packing => "packed by a method other than deflate".to_owned(),
            Fault::Reason(reason) => reason.code.to_string(),
        };
        if let Some(members) = input.unpack().map_err(|_| "damaged-archive".to_owned())? {
            archives.push(members);
            return Ok(Findings::default());
        }
        let mut one = One { inspector: &self.inspector, findings: Findings::default() };
        visit(input, &mut one).map_err(why)?;
        Ok(one.findings)
    }
}

fn add(findings: &mut Findings, level: Level, finding: &'static str, at: String) {
    findings.entry((level, finding, at)).or_default().elements += 1;
}

struct One<'o> {
    inspector: &'o Inspector,
    findings: Findings,
}

impl Work for One<'_> {
    type Out = ();

    fn run<R: Read>(&mut self, header: &Header<'_>, mut body: Body<'_, R>) -> Result<(), Reason> {
        let findings = &mut self.findings;
        self.inspector.look(header, |place, trace: Trace| {
            let level = match trace.risk() {
                Risk::High => Level::High,
                Risk::Medium => Level::Medium,
            };
            let at = match place {
                TracePlace::Whole => "the file".to_owned(),
                TracePlace::Tag(tag) => tag.to_string(),
                TracePlace::Element(index) => pattern(&header.data, index),
            };
            add(findings, level, trace.as_str(), at);
        });
        let surplus = match header.pixel {
            None => 0,
            Some(pixel) => surplus(&header.data, pixel, &mut body)?,
        };
        if surplus > 0 {
            add(findings, Level::High, "bytes-after-pixels", tags::PIXEL_DATA.to_string());
        }
        Ok(())
    }
}

/// Where an element stands, whichever items it is in.
fn pattern(data: &DataSet<'_>, index: usize) -> String {
    let mut parts = Vec::new();
    let mut at = Some(index);
    while let Some((number, element)) = at.and_then(|at| Some((at, data.elements().get(at)?))) {
        let part =
            if element.kind == Kind::Item { "[]".to_owned() } else { element.tag.to_string() };
        parts.push(part);
        // A parent stands before its children; the top has none.
        at = usize::try_from(element.parent).ok().filter(|&parent| parent < number);
    }
    parts.reverse();
    parts.concat()
}

/// Bytes past the last pixel, and after the pixel data.
fn surplus<R: Read>(
    data: &DataSet<'_>,
    pixel: PixelElement,
    body: &mut Body<'_, R>,
) -> Result<u64, Reason> {
    let truncated = |_| Reason::new(ReasonCode::Truncated, "ends within the pixel data");
    let past = match pixel.length {
        Some(length) => {
            skip(body, u64::from(length)).map_err(truncated)?;
            described(data).map_or(0, |pixels| u64::from(length).saturating_sub(pixels))
        }
        None => {
            while let Some(length) = fragment(body).map_err(truncated)? {
                skip(body, length).map_err(truncated)?;
            }
            0
        }
    };
    let after = io::copy(body, &mut io::sink()).map_err(truncated)?;
    Ok(past + after)
}

/// Bytes of the pixels by their description, padded to an even number.
fn described(data: &DataSet<'_>) -> Option<u64> {
    let value = |tag| data.unsigned(tag).map(u64::from);
    let frames = data.integer_string(tags::NUMBER_OF_FRAMES).unwrap_or(1);
    let bits = value(tags::ROWS)?
        .checked_mul(value(tags::COLUMNS)?)?
        .checked_mul(value(tags::SAMPLES_PER_PIXEL).unwrap_or(1))?
        .checked_mul(value(tags::BITS_ALLOCATED)?)?
        .checked_mul(u64::try_from(frames).ok()?)?;
    Some(bits.div_ceil(16) * 2)
}

/// The length of the next fragment; `None` at the delimiter (PS3.5 A.4).
fn fragment(body: &mut impl Read) -> io::Result<Option<u64>> {
    let mut head = [0; 8];
    body.read_exact(&mut head)?;
    let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    match head[..4] {
        [0xfe, 0xff, 0x00, 0xe0] => Ok(Some(length.into())),
        [0xfe, 0xff, 0xdd, 0xe0] => Ok(None),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn skip(body: &mut impl Read, length: u64) -> io::Result<()> {
    let skipped = io::copy(&mut body.by_ref().take(length), &mut io::sink())?;
    if skipped < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_from_the_end_of_a_path() {
        assert_eq!(last_tag("(0008,1140)[](0008,1155)"), Some(Tag::new(8, 0x1155)));
        assert_eq!(last_tag("(0010,0010)"), Some(tags::PATIENT_NAME));
        for no_path in ["the file", "not-dicom", "(0008,1140)[]"] {
            assert_eq!(last_tag(no_path), None);
        }
    }

    #[test]
    fn places_are_bounded() {
        let mut all = Findings::default();
        for at in 0..MOST_PLACES + 5 {
            let mut one = Findings::default();
            add(&mut one, Level::High, "value", at.to_string());
            merge(&mut all, one);
        }
        assert_eq!(all.len(), MOST_PLACES + 1);
        assert_eq!(all[&(Level::High, "value", "elsewhere".to_owned())].elements, 5);
    }
}
