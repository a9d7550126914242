//! Comments in compressed frames: whoever looks at the picture does not see them. They are blanked
//! in place, so that no length and no offset changes.

/// What is wrong with a frame that cannot be walked through.
pub(crate) type Unwalkable = &'static str;

const CUT: Unwalkable = "a code stream that ends early";
const STRANGE: Unwalkable = "a code stream of another kind";

/// Blanks comments, application data and what lies behind the end of one frame.
pub(crate) fn blank_comments(frame: &mut [u8]) -> Result<(), Unwalkable> {
    match frame {
        [0xff, 0xd8, ..] => jpeg(frame),
        [0xff, 0x4f, ..] => jpeg_2000(frame),
        _ => Err(STRANGE),
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Result<usize, Unwalkable> {
    match bytes.get(at..at + 2) {
        Some(two) => Ok(usize::from(u16::from_be_bytes([two[0], two[1]]))),
        None => Err(CUT),
    }
}

/// The end of a marker segment whose length stands at `at`.
fn segment_end(bytes: &[u8], at: usize) -> Result<usize, Unwalkable> {
    let end = at + u16_at(bytes, at)?;
    if end < at + 2 {
        Err(STRANGE)
    } else if end > bytes.len() {
        Err(CUT)
    } else {
        Ok(end)
    }
}

/// JPEG and JPEG-LS (ISO 10918-1 B.1, 14495-1 C.1).
fn jpeg(frame: &mut [u8]) -> Result<(), Unwalkable> {
    let mut at = 2;
    loop {
        if frame.get(at) != Some(&0xff) {
            return Err(if at >= frame.len() { CUT } else { STRANGE });
        }
        let marker = *frame.get(at + 1).ok_or(CUT)?;
        at += 2;
        match marker {
            // A fill byte before a marker.
            0xff => at -= 1,
            0x01 | 0xd0..=0xd7 => {}
            0xd9 => {
                frame[at..].fill(0);
                return Ok(());
            }
            0xe0..=0xef | 0xfe => {
                let end = segment_end(frame, at)?;
                let kept = kept(marker, &frame[at + 2..end]);
                frame[at + 2 + kept..end].fill(0);
                at = end;
            }
            0xda => at = entropy_end(frame, segment_end(frame, at)?)?,
            _ => at = segment_end(frame, at)?,
        }
    }
}

/// How much of application data a decoder needs: what the colours are.
fn kept(marker: u8, data: &[u8]) -> usize {
    match marker {
        0xe0 if data.starts_with(b"JFIF\0") => data.len().min(14),
        0xee if data.starts_with(b"Adobe") => data.len().min(12),
        _ => 0,
    }
}

/// The next marker behind entropy-coded data: a byte of ones with the high bit set behind it, and
/// no restart marker.
fn entropy_end(frame: &[u8], from: usize) -> Result<usize, Unwalkable> {
    let mut at = from;
    while let Some(pair) = frame.get(at..at + 2) {
        if pair[0] == 0xff && pair[1] >= 0x80 && !matches!(pair[1], 0xd0..=0xd7 | 0xff) {
            return Ok(at);
        }
        at += 1;
    }
    Err(CUT)
}

/// JPEG 2000 (ISO 15444-1 A.3): a main header, tile-parts with headers of their own, an end.
fn jpeg_2000(frame: &mut [u8]) -> Result<(), Unwalkable> {
    let mut at = 2;
    // Where the tile-part that is walked through ends; none in the main header.
    let mut tile: Option<usize> = None;
    loop {
        if frame.get(at) != Some(&0xff) {
            return Err(if at >= frame.len() { CUT } else { STRANGE });
        }
        let marker = *frame.get(at + 1).ok_or(CUT)?;
        match (marker, tile) {
            (0xd9, None) => {
                frame[at + 2..].fill(0);
                return Ok(());
            }
            (0x90, None) => {
                let length = frame.get(at + 6..at + 10).ok_or(CUT)?;
                let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]);
                let end = match usize::try_from(length).map_err(|_| CUT)? {
                    // The last tile-part may leave its length to the end of the code stream.
                    0 => frame.len().checked_sub(2).ok_or(CUT)?,
                    length => at + length,
                };
                if end > frame.len() {
                    return Err(CUT);
                }
                tile = Some(end);
                at = segment_end(frame, at + 2)?;
            }
            (0x93, Some(end)) if end >= at + 2 => {
                at = end;
                tile = None;
            }
            (0x64, _) => {
                let end = segment_end(frame, at + 2)?;
                // What follows says whether it is text or bytes.
                let text = (at + 6).min(end);
                frame[text..end].fill(0);
                at = end;
            }
            _ => at = segment_end(frame, at + 2)?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(marker: u8, data: &[u8]) -> Vec<u8> {
        let length = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
        [&[0xff, marker], length.as_slice(), data].concat()
    }

    #[test]
    fn comments_of_jpeg_go_and_the_picture_stays() {
        let picture = [0x12, 0xff, 0x00, 0x34, 0xff, 0xd0, 0x56];
        let name = b"Doe^Jane";
        let jfif = b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0".as_slice();
        let build = |name: &[u8]| {
            [
                vec![0xff, 0xd8],
                segment(0xe0, &[jfif, name].concat()),
                segment(0xe1, name),
                segment(0xee, &[b"Adobe\0\x64\0\0\0\0\x01".as_slice(), name].concat()),
                segment(0xdb, &[7; 65]),
                segment(0xda, &[1, 1, 0, 0, 63, 0]),
                picture.to_vec(),
                segment(0xfe, name),
                segment(0xda, &[1, 1, 0, 0, 63, 0]),
                picture.to_vec(),
                vec![0xff, 0xff, 0xd9],
                name.to_vec(),
            ]
            .concat()
        };
        let mut frame = build(name);
        blank_comments(&mut frame).unwrap();
        assert_eq!(frame, build(&[0; 8]));
        let short = frame.len() - 12;
        for end in 2..short {
            assert!(blank_comments(&mut frame[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn comments_of_jpeg_2000_go_from_every_header() {
        let name = b"Doe^Jane";
        let comment = |name: &[u8]| segment(0x64, &[&[0, 1], name].concat());
        let build = |name: &[u8], open_end: bool| {
            let inner = [comment(name), vec![0xff, 0x93], b"bits\xff\x64 of it".to_vec()].concat();
            let length = if open_end { 0 } else { u32::try_from(12 + inner.len()).unwrap() };
            let sot = [&[0, 0], length.to_be_bytes().as_slice(), &[0, 1]].concat();
            [
                vec![0xff, 0x4f],
                segment(0x51, &[9; 40]),
                comment(name),
                segment(0x90, &sot),
                inner,
                vec![0xff, 0xd9],
            ]
            .concat()
        };
        for open_end in [false, true] {
            let mut frame = build(name, open_end);
            blank_comments(&mut frame).unwrap();
            assert_eq!(frame, build(&[0; 8], open_end));
        }
        let mut behind = [build(name, false), name.to_vec()].concat();
        blank_comments(&mut behind).unwrap();
        assert!(!behind.windows(8).any(|eight| eight == name));
    }

    #[test]
    fn other_streams_are_not_walked_through() {
        for frame in [&b"\xff\x0aJXL"[..], b"\0\0\0\x0cjP  ", b"", b"\xff\xd8", b"\xff\xd8\x12"] {
            assert!(blank_comments(&mut frame.to_vec()).is_err());
        }
    }
}
