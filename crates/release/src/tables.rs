//! The three tables of a release: instances, series, studies.

use crate::line::{Line, series, shared, studies};
use crate::table::{Grid, Kind};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

/// Attributes that hold whole numbers (VR US, UL, IS).
const INTEGERS: &[&str] = &[
    "AcquisitionNumber",
    "BitsAllocated",
    "BitsStored",
    "Columns",
    "EchoTrainLength",
    "Exposure",
    "ExposureTime",
    "HighBit",
    "InstanceNumber",
    "NumberOfFrames",
    "NumberOfSlices",
    "PixelRepresentation",
    "PlanarConfiguration",
    "Rows",
    "SamplesPerPixel",
    "SeriesNumber",
    "TotalPixelMatrixColumns",
    "TotalPixelMatrixRows",
    "XRayTubeCurrent",
];

/// A column that does not come from the attributes.
type Fixed<'a> = (&'static str, Kind, Box<dyn Fn(usize) -> Option<Cow<'a, str>> + 'a>);

/// Every table with its name.
pub(crate) fn all(lines: &[Line]) -> [(&'static str, Grid<'_>); 3] {
    [("instances", instances(lines)), ("series", by_series(lines)), ("studies", by_study(lines))]
}

fn text(value: &str) -> Option<Cow<'_, str>> {
    Some(Cow::Borrowed(value))
}

fn number<'a>(value: impl ToString) -> Option<Cow<'a, str>> {
    Some(Cow::Owned(value.to_string()))
}

fn instances(lines: &[Line]) -> Grid<'_> {
    let fixed: Vec<Fixed<'_>> = vec![
        ("path", Kind::Text, Box::new(|row| text(&lines[row].path))),
        ("blake3", Kind::Text, Box::new(|row| number(lines[row].digest))),
        ("bytes", Kind::Integer, Box::new(|row| number(lines[row].bytes))),
        ("generation", Kind::Integer, Box::new(|row| number(lines[row].generation.0))),
        ("profile", Kind::Text, Box::new(|row| text(&lines[row].profile))),
        ("PatientID", Kind::Text, Box::new(|row| text(&lines[row].patient))),
        ("StudyInstanceUID", Kind::Text, Box::new(|row| text(lines[row].study.as_str()))),
        ("SeriesInstanceUID", Kind::Text, Box::new(|row| text(lines[row].series.as_str()))),
        ("SOPInstanceUID", Kind::Text, Box::new(|row| text(lines[row].sop_instance.as_str()))),
        ("SOPClassUID", Kind::Text, Box::new(|row| text(lines[row].sop_class.as_str()))),
        (
            "TransferSyntaxUID",
            Kind::Text,
            Box::new(|row| text(lines[row].transfer_syntax.as_str())),
        ),
    ];
    grid(lines, fixed, lines.len(), |row, keyword| lines[row].attribute(keyword))
}

fn by_series(lines: &[Line]) -> Grid<'_> {
    let groups = series(lines);
    let fixed: Vec<Fixed<'_>> = vec![
        ("PatientID", Kind::Text, of_first(lines, &groups, |line| &line.patient)),
        ("StudyInstanceUID", Kind::Text, of_first(lines, &groups, |line| line.study.as_str())),
        ("SeriesInstanceUID", Kind::Text, of_first(lines, &groups, |line| line.series.as_str())),
        ("instances", Kind::Integer, of_group(lines, &groups, |group| group.len() as u64)),
        ("bytes", Kind::Integer, of_group(lines, &groups, bytes)),
    ];
    let rows = groups.len();
    grid(lines, fixed, rows, move |row, keyword| shared(&lines[groups[row].clone()], keyword))
}

fn by_study(lines: &[Line]) -> Grid<'_> {
    let groups = studies(lines);
    let ranges = groups.clone();
    let fixed: Vec<Fixed<'_>> = vec![
        ("PatientID", Kind::Text, of_first(lines, &groups, |line| &line.patient)),
        ("StudyInstanceUID", Kind::Text, of_first(lines, &groups, |line| line.study.as_str())),
        ("series", Kind::Integer, of_group(lines, &groups, |group| series(group).len() as u64)),
        ("instances", Kind::Integer, of_group(lines, &groups, |group| group.len() as u64)),
        ("bytes", Kind::Integer, of_group(lines, &groups, bytes)),
        (
            "ModalitiesInStudy",
            Kind::Text,
            Box::new(move |row| {
                let group = &lines[ranges[row].clone()];
                let set: BTreeSet<&str> =
                    group.iter().filter_map(|line| line.attribute("Modality")).collect();
                // As the attribute (0008,0061) has it: values separated by a backslash.
                let list = set.into_iter().collect::<Vec<_>>().join("\\");
                (!list.is_empty()).then_some(Cow::Owned(list))
            }),
        ),
    ];
    let rows = groups.len();
    grid(lines, fixed, rows, move |row, keyword| shared(&lines[groups[row].clone()], keyword))
}

fn bytes(group: &[Line]) -> u64 {
    group.iter().map(|line| line.bytes).sum()
}

fn of_first<'a>(
    lines: &'a [Line],
    groups: &[Range<usize>],
    get: impl Fn(&'a Line) -> &'a str + 'a,
) -> Box<dyn Fn(usize) -> Option<Cow<'a, str>> + 'a> {
    let starts: Vec<usize> = groups.iter().map(|group| group.start).collect();
    Box::new(move |row| text(get(&lines[starts[row]])))
}

fn of_group<'a>(
    lines: &'a [Line],
    groups: &[Range<usize>],
    get: impl Fn(&'a [Line]) -> u64,
) -> Box<dyn Fn(usize) -> Option<Cow<'a, str>> + 'a> {
    let numbers: Vec<u64> = groups.iter().map(|group| get(&lines[group.clone()])).collect();
    Box::new(move |row| number(numbers[row]))
}

/// The fixed columns, then every attribute met, by keyword.
fn grid<'a>(
    lines: &'a [Line],
    fixed: Vec<Fixed<'a>>,
    rows: usize,
    attribute: impl Fn(usize, &str) -> Option<&'a str> + 'a,
) -> Grid<'a> {
    let met: BTreeSet<&str> =
        lines.iter().flat_map(|line| line.attributes.keys().map(String::as_str)).collect();
    let mut columns: Vec<(String, Kind)> =
        fixed.iter().map(|(name, kind, _)| ((*name).to_owned(), *kind)).collect();
    for keyword in met {
        if fixed.iter().all(|(name, ..)| *name != keyword) {
            let kind = if INTEGERS.contains(&keyword) { Kind::Integer } else { Kind::Text };
            columns.push((keyword.to_owned(), kind));
        }
    }
    let names: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
    let cell = move |row: usize, column: usize| match fixed.get(column) {
        Some((_, _, get)) => get(row),
        None => attribute(row, &names[column]).map(Cow::Borrowed),
    };
    Grid { columns, rows, cell: Box::new(cell) }
}
