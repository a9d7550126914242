use super::unescaped;
use crate::{Cleaner, Known};

fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

#[test]
fn clinical_text_stays() {
    let (cleaner, known) = (Cleaner::new(&[]), Known::nothing());
    let mut changed = Vec::new();
    let mut count = 0;
    for line in lines(include_str!("stay.txt")).map(unescaped) {
        count += 1;
        let cleaned = cleaner.clean(&known, &line);
        if cleaned.text != line || !cleaned.findings.is_empty() {
            changed.push(format!("{line:?} became {:?} by {:?}", cleaned.text, cleaned.findings));
        }
    }
    assert!(count > 200, "{count} cases");
    assert!(changed.is_empty(), "{}", changed.join("\n"));
}

#[test]
fn what_identifies_goes() {
    let (cleaner, known) = (Cleaner::new(&[]), Known::nothing());
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in lines(include_str!("go.txt")) {
        count += 1;
        let (input, output) = line.split_once(" =>").expect("input => output");
        let (input, output) = (unescaped(input), unescaped(output.trim_start_matches(' ')));
        let cleaned = cleaner.clean(&known, &input);
        if cleaned.text != output {
            wrong.push(format!("{input:?} became {:?}, not {output:?}", cleaned.text));
        }
    }
    assert!(count > 200, "{count} cases");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
