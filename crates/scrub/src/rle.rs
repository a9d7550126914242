//! RLE lossless decoding (PS3.5 Annex G), to look into the pixels. The code stream itself is passed
//! on as it is, so it may hold nothing that decoding does not use.

use scanveil_model::{Reason, ReasonCode};

fn bad(detail: &str) -> Reason {
    Reason::new(ReasonCode::PixelMismatch, detail)
}

/// Decodes one frame of `segments` planes of `plane` bytes, the most significant byte's first, into
/// words of that many bytes, little endian.
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
    // A run of PackBits makes at most 128 bytes of two: nothing is allocated for an impossible
    // claim.
    if segments * plane > frame.len() * 64 {
        return Err(bad("RLE frame too short for its pixels"));
    }
    let mut out = vec![0; segments * plane];
    for segment in 0..segments {
        let start = word(4 + segment * 4)? as usize;
        let end =
            if segment + 1 < segments { word(8 + segment * 4)? as usize } else { frame.len() };
        let begins = if segment == 0 { 64 } else { start };
        if start != begins || start > end {
            return Err(bad("RLE offsets out of order"));
        }
        let bytes = frame.get(start..end).ok_or_else(|| bad("RLE offset past the frame"))?;
        let places = out.iter_mut().skip(segments - 1 - segment).step_by(segments);
        let used = unpack(bytes, places)?;
        // One pad byte to an even length is all that may follow.
        if bytes.len() - used > 1 {
            return Err(bad("bytes after the last RLE run"));
        }
    }
    Ok(out)
}

/// Decodes one segment of PackBits into its places; gives how many bytes it used.
fn unpack<'o>(
    bytes: &[u8],
    mut places: impl ExactSizeIterator<Item = &'o mut u8>,
) -> Result<usize, Reason> {
    let mut at = 0;
    while places.len() > 0 {
        let control = *bytes.get(at).ok_or_else(|| bad("RLE segment ends early"))? as i8;
        at += 1;
        let literal = control >= 0;
        let count =
            if literal { control as usize + 1 } else { (1 - isize::from(control)) as usize };
        if control == -128 {
            continue;
        }
        if count > places.len() {
            return Err(bad("RLE run past the plane"));
        }
        let run = bytes.get(at..at + if literal { count } else { 1 });
        let run = run.ok_or_else(|| bad("RLE run cut"))?;
        at += run.len();
        if literal {
            run.iter().zip(places.by_ref()).for_each(|(&byte, place)| *place = byte);
        } else {
            places.by_ref().take(count).for_each(|place| *place = run[0]);
        }
    }
    Ok(at)
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
        assert_eq!(decode(&two, 2, 2).unwrap(), [2, 1, 2, 1]);
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
