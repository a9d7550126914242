//! Benchmark corpora: many CT slices, very many small MR slices, one huge multi-frame image.

use crate::SynthError;
use crate::charset::Charset;
use crate::file::{FileParts, Syntax, put_pixels};
use crate::key::SynthInstance;
use crate::kinds;
use crate::pixels::{Frames, Noise, Phantom, noisy16};
use crate::study::Study;
use crate::wire::Lengths;
use std::io::Write;

/// `n` CT slices of one series, `side` x `side` x 16 bits, explicit little endian.
pub fn ct_slices(
    seed: u64,
    n: usize,
    side: u16,
) -> impl Iterator<Item = Result<SynthInstance, SynthError>> + Send {
    let study = Study::invent(seed, 0, 0, 0, Charset::Latin1, "CT chest");
    let series = study.series(2, "CT", "thorax 5.0 B31f", "SIEMENS");
    let noise = Noise::new(seed);
    let base = Phantom::Chest.draw(side, side, 0.5);
    (0..n).map(move |number| {
        let frames = vec![noisy16(&base, &noise, number, 4)];
        let slice = kinds::Slice { number, of: n };
        let draft = kinds::ct_header(&study, &series, slice);
        let draft = draft.pixels(Frames::grey16(side, side, 12, frames));
        study.write(draft, Syntax::ExplicitLe, Lengths::Undefined)
    })
}

/// `n` MR slices of one series, `side` x `side` x 16 bits, explicit little endian, each with a
/// header of about 150 elements, private blocks and sequences included.
pub fn mr_slices(
    seed: u64,
    n: usize,
    side: u16,
) -> impl Iterator<Item = Result<SynthInstance, SynthError>> + Send {
    let study = Study::invent(seed, 0, 1, 1, Charset::Latin1, "MR brain");
    let series = study.series(3, "MR", "t2 tse tra", "SIEMENS");
    let noise = Noise::new(seed);
    let base = Phantom::Head.draw(side, side, 0.5);
    (0..n).map(move |number| {
        let frames = vec![noisy16(&base, &noise, number, 7)];
        let slice = kinds::Slice { number, of: n };
        let draft = kinds::mr_header(&study, &series, slice);
        let draft = draft.pixels(Frames::grey16(side, side, 12, frames));
        study.write(draft, Syntax::ExplicitLe, Lengths::Undefined)
    })
}

/// Writes one Enhanced CT image of about `bytes` bytes (below 4 GiB),
/// 512 x 512 x 16 bits a frame, holding one frame in memory at a time. Returns its length.
///
/// # Errors
/// [`SynthError::Io`] when `out` fails.
pub fn big_multiframe(seed: u64, bytes: u64, out: &mut impl Write) -> Result<u64, SynthError> {
    const SIDE: u16 = 512;
    const FRAME: u64 = 2 * 512 * 512;
    const LIMIT: u64 = 0xffff_ffff / FRAME - 1;
    let count = (bytes / FRAME).clamp(1, LIMIT);
    let study = Study::invent(seed, 0, 2, 2, Charset::Latin1, "CT cine");
    let series = study.series(1, "CT", "cine", "Imager");
    let mut draft = kinds::enhanced_ct_header(&study, &series, count as u16);
    let d = &mut draft.data;
    put_pixels(d, Frames::grey16(SIDE, SIDE, 12, Vec::new()), Syntax::ExplicitLe)?;
    d.remove(0x7fe0_0010);
    let head = FileParts::new(draft.data, draft.class, &draft.uid, Syntax::ExplicitLe);
    let mut head = head.encode()?.bytes;
    // Pixel Data's header by hand: its value follows frame by frame.
    head.extend([0xe0, 0x7f, 0x10, 0x00, b'O', b'W', 0, 0]);
    head.extend(((count * FRAME) as u32).to_le_bytes());
    out.write_all(&head).map_err(SynthError::io("writing a multi-frame image"))?;
    let noise = Noise::new(seed);
    let base = Phantom::Chest.draw(SIDE, SIDE, 0.5);
    for frame in 0..count {
        let image = noisy16(&base, &noise, frame as usize, 4);
        out.write_all(&image).map_err(SynthError::io("writing a multi-frame image"))?;
    }
    Ok(head.len() as u64 + count * FRAME)
}
