//! ICC profiles (ICC.1; PS3.3 C.11.15): what they say of colours stays, and what they say in
//! words, of a maker, a device or a day goes. A profile is written anew of the tags that only hold
//! numbers; one that cannot be read is not.

/// Bytes of a profile's header, and of an entry of its table of tags.
const HEADER: usize = 128;
const ENTRY: usize = 12;
/// Most tags of a profile; real ones have some twenty.
const MOST_TAGS: usize = 100;
/// Longest profile.
const LONGEST: usize = 64 << 20;

/// What the parts of a profile are used for, that may be in an image.
const CLASSES: [&[u8; 4]; 4] = [b"scnr", b"mntr", b"prtr", b"spac"];
const COLOUR_SPACES: [&[u8; 4]; 9] =
    [b"RGB ", b"GRAY", b"CMYK", b"CMY ", b"Lab ", b"XYZ ", b"YCbr", b"HSV ", b"HLS "];
const CONNECTION_SPACES: [&[u8; 4]; 2] = [b"XYZ ", b"Lab "];

/// Tags of numbers, and whether colours are something else without one.
const TAGS: [(&[u8; 4], bool); 30] = [
    (b"A2B0", true),
    (b"A2B1", true),
    (b"A2B2", true),
    (b"B2A0", true),
    (b"B2A1", true),
    (b"B2A2", true),
    (b"B2D0", true),
    (b"B2D1", true),
    (b"B2D2", true),
    (b"B2D3", true),
    (b"D2B0", true),
    (b"D2B1", true),
    (b"D2B2", true),
    (b"D2B3", true),
    (b"bTRC", true),
    (b"bXYZ", true),
    (b"bkpt", false),
    (b"chad", true),
    (b"chrm", false),
    (b"cicp", false),
    (b"gTRC", true),
    (b"gXYZ", true),
    (b"gamt", false),
    (b"kTRC", true),
    (b"lumi", false),
    (b"meas", false),
    (b"rTRC", true),
    (b"rXYZ", true),
    (b"view", false),
    (b"wtpt", true),
];

/// What a profile needs, one or the other, to say anything of colours.
const NEEDED: [&[u8; 4]; 3] = [b"A2B0", b"kTRC", b"rXYZ"];

/// D50, the illuminant of every profile.
const D50: [u8; 12] = [0, 0, 0xf6, 0xd6, 0, 1, 0, 0, 0, 0, 0xd3, 0x2d];
/// A day that says nothing: 1 January 2000.
const DAY: [u8; 12] = [0x07, 0xd0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0];
/// What a profile is called, and whose it is.
const TEXT: &str = "De-identified";

/// A part of a profile: its tag, and what it says.
type Part<'p> = ([u8; 4], std::borrow::Cow<'p, [u8]>);

/// The profile without words, makers, devices and days. `None` when it cannot be read, or would be
/// another one without what it holds.
pub(crate) fn cleaned(profile: &[u8]) -> Option<Vec<u8>> {
    let size = number(profile, 0)?;
    let profile = profile.get(..size).filter(|_| size <= LONGEST)?;
    let version = *profile.get(8)?;
    let signature = |at: usize| profile.get(at..at + 4)?.first_chunk::<4>();
    let known = signature(36)? == b"acsp"
        && matches!(version, 2 | 4)
        && CLASSES.contains(&signature(12)?)
        && COLOUR_SPACES.contains(&signature(16)?)
        && CONNECTION_SPACES.contains(&signature(20)?);
    let parts = if known { parts(profile)? } else { return None };
    if !parts.iter().any(|(tag, _)| NEEDED.contains(&tag)) {
        return None;
    }
    let mut new = header(profile, version)?;
    write(&mut new, parts, version)?;
    Some(new)
}

/// The parts that only hold numbers.
fn parts(profile: &[u8]) -> Option<Vec<Part<'_>>> {
    let count = number(profile, HEADER).filter(|&count| count <= MOST_TAGS)?;
    let begin = HEADER + 4 + count * ENTRY;
    let mut parts: Vec<Part<'_>> = Vec::with_capacity(count);
    for at in (HEADER + 4..begin).step_by(ENTRY) {
        let tag = *profile.get(at..)?.first_chunk::<4>()?;
        let (from, length) = (number(profile, at + 4)?, number(profile, at + 8)?);
        let value = profile.get(from..from.checked_add(length)?).filter(|_| from >= begin)?;
        let Some((_, colours)) = TAGS.iter().find(|(known, _)| **known == tag) else { continue };
        match of_numbers(value) {
            Some(value) if parts.iter().all(|(other, _)| *other != tag) => {
                parts.push((tag, value.into()));
            }
            None if !colours => {}
            _ => return None,
        }
    }
    Some(parts)
}

/// A value of numbers, cut to what they fill.
fn of_numbers(value: &[u8]) -> Option<&[u8]> {
    let count = |at: usize| number(value, at);
    let channels = || Some((usize::from(*value.get(8)?), usize::from(*value.get(9)?)));
    let grid = || {
        let (inputs, outputs) = channels()?;
        let points = usize::from(*value.get(10)?).checked_pow(u32::try_from(inputs).ok()?)?;
        Some((inputs, outputs, points.checked_mul(outputs)?))
    };
    let short = |at: usize| Some(usize::from(u16::from_be_bytes(*value.get(at..)?.first_chunk()?)));
    let length = match value.first_chunk::<4>()? {
        b"XYZ " => 20,
        b"curv" => count(8)?.checked_mul(2)?.checked_add(12)?,
        b"para" => 12 + 4 * [1, 3, 4, 5, 7].get(short(8)?)?,
        b"sf32" if value.len() <= 8 + 4 * 16 => value.len(),
        b"chrm" => 12 + 8 * short(8)?,
        b"meas" => 36,
        b"view" => 36,
        b"cicp" => 12,
        b"mft1" => {
            let (inputs, outputs, table) = grid()?;
            table.checked_add(48 + 256 * (inputs + outputs))?
        }
        b"mft2" => {
            let (inputs, outputs, table) = grid()?;
            let curves = inputs * short(48)? + outputs * short(50)?;
            table.checked_add(curves)?.checked_mul(2)?.checked_add(52)?
        }
        b"mAB " | b"mBA " => value.len(),
        _ => return None,
    };
    value.get(..length)
}

/// The header, with what it says of colours.
fn header(profile: &[u8], version: u8) -> Option<Vec<u8>> {
    let mut new = vec![0; HEADER];
    new[8] = version;
    new[9] = *profile.get(9)? & 0xf0;
    new[12..24].copy_from_slice(profile.get(12..24)?);
    new[24..36].copy_from_slice(&DAY);
    new[36..40].copy_from_slice(b"acsp");
    new[47] = profile.get(47)? & 3;
    new[63] = profile.get(63)? & 0xf;
    new[67] = profile.get(67)? & 3;
    new[68..80].copy_from_slice(&D50);
    Some(new)
}

/// Writes the table of tags and the parts: those that are the same stand there once.
fn write(new: &mut Vec<u8>, mut parts: Vec<Part<'_>>, version: u8) -> Option<()> {
    let (name, owner) = if version == 2 { (described(), plain()) } else { (unicode(), unicode()) };
    parts.push((*b"desc", name.into()));
    parts.push((*b"cprt", owner.into()));
    parts.sort_by_key(|(tag, _)| *tag);
    let as_number = |n: usize| Some(u32::try_from(n).ok()?.to_be_bytes());
    new.extend(as_number(parts.len())?);
    let mut at = HEADER + 4 + parts.len() * ENTRY;
    let mut places: Vec<usize> = Vec::with_capacity(parts.len());
    let mut data = Vec::new();
    for (index, (tag, value)) in parts.iter().enumerate() {
        let same = parts[..index].iter().position(|(_, other)| other == value);
        let place = same.and_then(|same| places.get(same)).copied().unwrap_or(at);
        if place == at {
            data.extend_from_slice(value);
            data.resize(data.len().next_multiple_of(4), 0);
            at += value.len().next_multiple_of(4);
        }
        places.push(place);
        new.extend_from_slice(tag);
        new.extend(as_number(place)?);
        new.extend(as_number(value.len())?);
    }
    new.append(&mut data);
    let size = as_number(new.len())?;
    new[..4].copy_from_slice(&size);
    Some(())
}

/// `textDescriptionType` of version 2.
fn described() -> Vec<u8> {
    let mut value = b"desc\0\0\0\0".to_vec();
    value.extend((TEXT.len() as u32 + 1).to_be_bytes());
    value.extend_from_slice(TEXT.as_bytes());
    // Its end, no text in Unicode, and none in the code of the Macintosh.
    value.resize(value.len() + 1 + 8 + 3 + 67, 0);
    value
}

/// `textType`.
fn plain() -> Vec<u8> {
    [b"text\0\0\0\0", TEXT.as_bytes(), b"\0"].concat()
}

/// `multiLocalizedUnicodeType` of version 4, in English.
fn unicode() -> Vec<u8> {
    let mut value = b"mluc\0\0\0\0\0\0\0\x01\0\0\0\x0cenUS".to_vec();
    value.extend((TEXT.len() as u32 * 2).to_be_bytes());
    value.extend(28u32.to_be_bytes());
    value.extend(TEXT.encode_utf16().flat_map(u16::to_be_bytes));
    value
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    usize::try_from(u32::from_be_bytes(*bytes)).ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A profile of a display, with a private tag, the tags given and a day of its making.
    pub(crate) fn profile(version: u8, more: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
        let xyz = |n: u8| [&b"XYZ \0\0\0\0"[..], &[0, 0, n, 0, 0, 0, n, 1, 0, 0, n, 2]].concat();
        let curve = [&b"curv\0\0\0\0\0\0\0\x01"[..], &[2, 51]].concat();
        let mut parts: Vec<(&[u8; 4], Vec<u8>)> = vec![
            (b"rXYZ", xyz(1)),
            (b"gXYZ", xyz(2)),
            (b"bXYZ", xyz(3)),
            (b"wtpt", xyz(4)),
            (b"rTRC", curve.clone()),
            (b"gTRC", curve.clone()),
            (b"bTRC", curve),
        ];
        parts.extend(more.iter().cloned());
        let mut new = vec![0; HEADER];
        new[8] = version;
        new[12..24].copy_from_slice(b"mntrRGB XYZ ");
        new[24..36].copy_from_slice(&[0x07, 0xe8, 0, 5, 0, 17, 0, 10, 0, 11, 0, 12]);
        new[36..40].copy_from_slice(b"acsp");
        new[48..56].copy_from_slice(b"GARRWOBY");
        new[67] = 1;
        new[68..80].copy_from_slice(&D50);
        new.extend((parts.len() as u32).to_be_bytes());
        let mut at = HEADER + 4 + parts.len() * ENTRY;
        for (tag, value) in &parts {
            new.extend_from_slice(*tag);
            new.extend((at as u32).to_be_bytes());
            new.extend((value.len() as u32).to_be_bytes());
            at += value.len().next_multiple_of(4);
        }
        for (_, value) in &parts {
            new.extend_from_slice(value);
            new.resize(new.len().next_multiple_of(4), 0);
        }
        let size = (new.len() as u32).to_be_bytes();
        new[..4].copy_from_slice(&size);
        new
    }

    fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
        bytes.windows(wanted.len()).any(|window| window == wanted)
    }

    #[test]
    fn colours_stay_and_words_go() {
        for version in [2, 4] {
            let words = [
                (b"desc", b"desc\0\0\0\0\0\0\0\x0aGarrowby 1\0\0\0\0".to_vec()),
                (b"cprt", b"text\0\0\0\0Copyright Dunmorrow Infirmary\0".to_vec()),
                (b"dmdd", b"desc\0\0\0\0\0\0\0\x08Fennimo\0\0\0\0".to_vec()),
                (b"calt", b"dtim\0\0\0\0\x07\xe8\0\x05\0\x11\0\x0a\0\x0b\0\x0c".to_vec()),
                (b"zzzz", b"data\0\0\0\0Quillfeather".to_vec()),
                (b"bkpt", b"text\0\0\0\0Marchbanks\0".to_vec()),
            ];
            let old = profile(version, &words);
            let new = cleaned(&old).expect("it is one");
            for word in ["Garrowby", "Dunmorrow", "Fennimo", "Quillfeather", "Marchbanks", "GARR"] {
                assert!(holds(&old, word.as_bytes()) && !holds(&new, word.as_bytes()), "{word}");
            }
            assert!(!holds(&new, &[0x07, 0xe8, 0, 5]));
            assert_eq!((new[8], new[67], &new[12..24]), (version, 1, &b"mntrRGB XYZ "[..]));
            let (before, after) = (parts(&old).expect("parts"), parts(&new).expect("parts"));
            assert_eq!(after.len(), 7);
            for part in &after {
                assert!(before.contains(part));
            }
            assert_eq!(cleaned(&new), Some(new.clone()), "nothing is left to do");
            let named = [version == 2, version == 4];
            assert_eq!([&b"desc\0\0\0\0"[..], b"mluc\0\0\0\0"].map(|t| holds(&new, t)), named);
        }
    }

    #[test]
    fn what_cannot_be_read_is_no_profile() {
        let good = profile(2, &[]);
        assert!(cleaned(&[&good[..], &[0, 0]].concat()).is_some(), "padding");
        for end in 0..good.len() {
            assert_eq!(cleaned(&good[..end]), None, "{end}");
        }
        let with = |at: usize, bytes: &[u8]| {
            let mut other = good.clone();
            other[at..at + bytes.len()].copy_from_slice(bytes);
            cleaned(&other)
        };
        // Its size, version, class, spaces, magic, count of tags, a tag's place and length.
        for (at, bytes) in [
            (0, &[0xff; 4][..]),
            (8, &[5]),
            (12, b"nmcl"),
            (16, b"ABCD"),
            (20, b"RGB "),
            (36, b"csp "),
            (128, &[0xff; 4]),
            (136, &[0xff; 4]),
            (140, &[0xff; 4]),
        ] {
            assert_eq!(with(at, bytes), None, "{at}");
        }
        // A curve that is a text, and one that is there twice.
        assert_eq!(cleaned(&profile(2, &[(b"A2B0", b"text\0\0\0\0abc\0".to_vec())])), None);
        let twice = [(b"rXYZ", b"XYZ \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec())];
        assert_eq!(cleaned(&profile(2, &twice)), None);
    }
}
