//! Searching a stream in overlapping windows.

use super::{Hit, HuntReport, Hunter, Layer, SEALED_MIN_FORM};
use std::io::{self, Read};

/// Bytes read at a time.
const WINDOW: usize = 1 << 20;
/// Bytes on each side that decide whether short digits stand in a long run.
const CONTEXT: usize = 32;
/// Letters and digits in a row from which on a short run of digits within is chance: the last
/// part of a `2.25` UID, a hexadecimal digest, an object key.
const LONG_RUN: usize = 30;

/// Searches everything `read` gives; returns the number of bytes. From offset `packed_from` on the
/// bytes are compressed: they are as random as sealed data, and only long forms are looked for.
pub(super) fn stream(
    hunter: &Hunter,
    path: &str,
    layer: Layer,
    packed_from: u64,
    read: &mut dyn Read,
    report: &mut HuntReport,
) -> io::Result<u64> {
    let keep = hunter.longest + CONTEXT;
    let mut window: Vec<u8> = Vec::with_capacity(WINDOW + keep + CONTEXT);
    // Offset of the window's first byte, and up to where (exclusive) hits were reported.
    let (mut base, mut done) = (0u64, 0u64);
    loop {
        let got = read.take(WINDOW as u64).read_to_end(&mut window)?;
        let last = got == 0;
        let limit = if last { window.len() } else { window.len().saturating_sub(CONTEXT) };
        for found in hunter.automaton.find_overlapping_iter(&window) {
            let end = base + found.end() as u64;
            if end <= done || found.end() > limit {
                continue;
            }
            let id = found.pattern().as_usize();
            let pattern = &hunter.patterns[id];
            let start = base + found.start() as u64;
            if start >= packed_from && pattern.bytes.len() < SEALED_MIN_FORM {
                continue;
            }
            if pattern.short_digits && in_long_run(&window, found.start(), found.end()) {
                continue;
            }
            report.push(Hit {
                path: path.to_owned(),
                offset: start,
                kind: pattern.kind,
                form: pattern.form,
                encoding: pattern.encoding,
                layer,
                pattern: id,
            });
        }
        done = done.max(base + limit as u64);
        if last {
            return Ok(base + window.len() as u64);
        }
        let drop = window.len().saturating_sub(keep + CONTEXT);
        window.drain(..drop);
        base += drop as u64;
    }
}

fn in_long_run(window: &[u8], start: usize, end: usize) -> bool {
    let alphanumeric = |b: &&u8| b.is_ascii_alphanumeric();
    let before = window[..start].iter().rev().take(CONTEXT).take_while(alphanumeric).count();
    let after = window[end..].iter().take(CONTEXT).take_while(alphanumeric).count();
    before + (end - start) + after >= LONG_RUN
}
