//! What an instance holds, whichever way it came: the digest of its transfer syntax and its data
//! set. A file brings its own preamble and file meta information; over C-STORE there are none.

use scanveil_dataset::peek_part10;
use scanveil_model::Digest;

/// Longest beginning of a file that is looked through for the place where its data set begins.
const MAX_HEAD: usize = 64 << 10;

/// Takes the bytes of a Part 10 file as they come.
pub(crate) struct Content {
    /// The beginning, until the data set is found in it; nothing once it is, or was looked for in
    /// vain.
    head: Option<Vec<u8>>,
    hasher: Option<blake3::Hasher>,
}

impl Content {
    pub(crate) fn new() -> Self {
        Self { head: Some(Vec::new()), hasher: None }
    }

    /// The next bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        } else if let Some(head) = &mut self.head {
            head.extend_from_slice(bytes);
            self.hasher = begin(head);
            if self.hasher.is_some() || head.len() > MAX_HEAD {
                self.head = None;
            }
        }
    }

    /// The digest: BLAKE3 of the Transfer Syntax UID, a zero byte, and the data set. None where the
    /// file does not say where its data set begins, or in which syntax it is.
    pub(crate) fn finish(self) -> Option<Digest> {
        self.hasher.map(|hasher| Digest(*hasher.finalize().as_bytes()))
    }
}

/// Begins with the data set, if this much of the file shows where it is.
fn begin(head: &[u8]) -> Option<blake3::Hasher> {
    let peeked = peek_part10(head).ok()?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(peeked.transfer_syntax?.as_str().as_bytes());
    hasher.update(&[0]);
    hasher.update(head.get(peeked.data_set_at..)?);
    Some(hasher)
}

#[cfg(test)]
mod tests {
    use super::*;
    use scanveil_dataset::file_meta;

    const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
    const EXPLICIT: &str = "1.2.840.10008.1.2.1";

    fn of(file: &[u8], step: usize) -> Option<Digest> {
        let mut content = Content::new();
        file.chunks(step).for_each(|bytes| content.push(bytes));
        content.finish()
    }

    #[test]
    fn only_syntax_and_data_set_count_however_they_come() {
        let data_set = b"\x08\x00\x60\x00CS\x02\x00CT\x10\x00\x10\x00PN\x04\x00A^B ".repeat(50);
        let file = [file_meta(CT, "1.2.3", EXPLICIT), data_set.clone()].concat();
        let wanted = of(&file, file.len());
        assert!(wanted.is_some());
        for step in [1, 7, 132, 200] {
            assert_eq!(of(&file, step), wanted, "{step}");
        }
        // Another sender's preamble and names.
        let mut other = [file_meta(CT, "1.2.3", EXPLICIT), data_set.clone()].concat();
        other[..4].copy_from_slice(b"II*\0");
        assert_eq!(of(&other, 100), wanted);
        let mut changed = file.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert_ne!(of(&changed, 100), wanted);
        let jpeg = [file_meta(CT, "1.2.3", "1.2.840.10008.1.2.4.50"), data_set].concat();
        assert!(of(&jpeg, 100).is_some_and(|digest| Some(digest) != wanted));
        // What does not say where its data set is, or is none at all.
        assert_eq!(of(&file[..140], 10), None);
        assert_eq!(of(&vec![b'x'; 3 * MAX_HEAD], 1000), None);
    }
}
