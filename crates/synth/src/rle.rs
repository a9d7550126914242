//! RLE lossless (PS3.5 annex G): byte planes, each packed line by line with PackBits.

use crate::pixels::Frames;

/// One frame as an RLE fragment: a header of 16 offsets and a segment per byte plane, the most
/// significant byte first (PS3.5 G.2), the planes of a colour image one after the other.
pub(crate) fn encode_frame(frame: &[u8], frames: &Frames) -> Vec<u8> {
    let bytes_per_sample = usize::from(frames.allocated / 8);
    let samples = usize::from(frames.samples);
    let stride = bytes_per_sample * samples;
    let columns = usize::from(frames.columns);
    let mut segments = Vec::new();
    for sample in 0..samples {
        for byte in (0..bytes_per_sample).rev() {
            let plane: Vec<u8> = frame
                .iter()
                .skip(sample * bytes_per_sample + byte)
                .step_by(stride)
                .copied()
                .collect();
            let mut segment = Vec::with_capacity(plane.len() / 2);
            plane.chunks(columns.max(1)).for_each(|line| pack_bits(line, &mut segment));
            segment.extend(std::iter::repeat_n(0, segment.len() % 2));
            segments.push(segment);
        }
    }
    let mut out = Vec::with_capacity(64 + segments.iter().map(Vec::len).sum::<usize>());
    out.extend((segments.len() as u32).to_le_bytes());
    let mut offset = 64;
    for slot in 0..15 {
        let at = if slot < segments.len() { offset } else { 0 };
        out.extend((at as u32).to_le_bytes());
        offset += segments.get(slot).map_or(0, Vec::len);
    }
    segments.iter().for_each(|segment| out.extend(segment));
    out
}

/// PS3.5 G.3.1: a run of 2 to 128 equal bytes as (257 - n, byte), else up to 128 literals as
/// (n - 1, bytes).
fn pack_bits(line: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while at < line.len() {
        let run = run_length(&line[at..]);
        if run >= 3 {
            out.push((257 - run) as u8);
            out.push(line[at]);
            at += run;
            continue;
        }
        let start = at;
        while at < line.len() && at - start < 128 && run_length(&line[at..]) < 3 {
            at += 1;
        }
        out.push((at - start - 1) as u8);
        out.extend(&line[start..at]);
    }
}

fn run_length(bytes: &[u8]) -> usize {
    let first = bytes.first();
    bytes.iter().take(128).take_while(|b| Some(*b) == first).count()
}
