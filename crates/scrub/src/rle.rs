//! RLE lossless decoding (PS3.5 Annex G), to look into the pixels. The code stream itself is passed on
//! as it is, so it may hold nothing that decoding does not use.

use scanveil_model::{Reason, ReasonCode};

fn bad(detail: &str) -> Reason {
    Reason::new(ReasonCode::PixelMismatch, detail)
}

/// Decodes one frame: `segments` planes of `plane` bytes, put back to back (most significant byte
/// plane first, sample by sample).
///
/// # Errors
/// [`ReasonCode::PixelMismatch`] when the frame does not decode to exactly this, or holds more.
pub(crate) fn decode(frame: &[u8], segments: usize, plane: usize) -> Result<Vec<u8>, Reason> {
    let word = |at: usize| {
        let bytes = frame.get(at..at + 4).and_then(|b| b.try_into().ok());
        bytes.map(u32::from_le_bytes).ok_or_else(|| bad("RLE header cut"))
    };
    if word(0)? as usize != segments {
        return Err(bad("RLE segments do not fit the samples"));
    }
    // Unused offsets must be zero, else they are a place to hide in.
    for unused in segments + 1..16 {
        if word(unused * 4)? != 0 {
            return Err(bad("RLE offsets after the last segment"));
        }
    }
    // A run of PackBits makes at most 128 bytes of two: nothing is allocated for an impossible claim.
    if segments * plane > frame.len() * 64 {
        return Err(bad("RLE frame too short for its pixels"));
    }
    let mut out = Vec::with_capacity(segments * plane);
    for segment in 0..segments {
        let start = word(4 + segment * 4)? as usize;
        let end =
            if segment + 1 < segments { word(8 + segment * 4)? as usize } else { frame.len() };
        let begins = if segment == 0 { 64 } else { start };
        if start != begins || start > end {
            return Err(bad("RLE offsets out of order"));
        }
        let bytes = frame.get(start..end).ok_or_else(|| bad("RLE offset past the frame"))?;
        let used = unpack(bytes, plane, &mut out)?;
        // One pad byte to an even length is all that may follow.
        if bytes.len() - used > 1 {
            return Err(bad("bytes after the last RLE run"));
        }
    }
    Ok(out)
}

/// Decodes one segment of PackBits; gives how many bytes it used.
fn unpack(bytes: &[u8], plane: usize, out: &mut Vec<u8>) -> Result<usize, Reason> {
    let full = out.len() + plane;
    let mut at = 0;
    while out.len() < full {
        let control = *bytes.get(at).ok_or_else(|| bad("RLE segment ends early"))? as i8;
        at += 1;
        if control >= 0 {
            let count = control as usize + 1;
            let run = bytes.get(at..at + count).ok_or_else(|| bad("RLE run cut"))?;
            out.extend_from_slice(run);
            at += count;
        } else if control != -128 {
            let byte = *bytes.get(at).ok_or_else(|| bad("RLE run cut"))?;
            out.extend(std::iter::repeat_n(byte, (1 - isize::from(control)) as usize));
            at += 1;
        }
    }
    if out.len() > full {
        return Err(bad("RLE run past the plane"));
    }
    Ok(at)
}

/// Puts the planes of 16-bit words together, little endian.
pub(crate) fn words(planes: &[u8]) -> Vec<u8> {
    let (high, low) = planes.split_at(planes.len() / 2);
    high.iter().zip(low).flat_map(|(&high, &low)| [low, high]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(segments: &[&[u8]]) -> Vec<u8> {
        let mut out = vec![0; 64];
        out[0] = segments.len() as u8;
        for (i, segment) in segments.iter().enumerate() {
            let at = out.len() as u32;
            out[4 + i * 4..8 + i * 4].copy_from_slice(&at.to_le_bytes());
            out.extend_from_slice(segment);
        }
        out
    }

    #[test]
    fn decodes_and_refuses() {
        let good = frame(&[&[0xfd, 7, 1, 8, 9, 0]]);
        assert_eq!(decode(&good, 1, 6).unwrap(), [7, 7, 7, 7, 8, 9]);
        let two = frame(&[&[0xff, 1], &[0xff, 2]]);
        assert_eq!(words(&decode(&two, 2, 2).unwrap()), [2, 1, 2, 1]);
        let mut hidden = good.clone();
        hidden.extend_from_slice(b"name");
        let mut offset = good.clone();
        offset[60] = 1;
        for wrong in [&good[..68], &hidden, &offset, &frame(&[&[0xf0, 7]]), b"", &[1, 0, 0, 0]] {
            assert!(decode(wrong, 1, 6).is_err());
        }
        assert!(decode(&good, 2, 6).is_err());
    }

    proptest::proptest! {
        #[test]
        fn noise_never_panics(noise: Vec<u8>, segments in 1usize..4) {
            let _ = decode(&noise, segments, 64);
            let _ = decode(&frame(&[&noise]), 1, 64);
        }
    }
}
