//! Part 10 files and bare data sets: however the bytes come in, the same is read of them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scanveil_dataset::{Limits, open, open_slice, outline, peek_data_set, peek_part10};
use std::io::Read;

/// Bytes of a body that are compared: an inflated one may be long.
const BODY: u64 = 1 << 20;

/// A reader that hands out a few bytes at a time.
struct Drip<'a>(&'a [u8]);

impl Read for Drip<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let length = self.0.len().min(out.len()).min(7);
        out[..length].copy_from_slice(&self.0[..length]);
        self.0 = &self.0[length..];
        Ok(length)
    }
}

fn body(body: impl Read) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    let read = body.take(BODY).read_to_end(&mut bytes);
    (bytes, read.is_ok())
}

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    let slice = open_slice(bytes, &limits);
    let stream = open(Drip(bytes), &limits);
    match (slice, stream) {
        (Ok((slice, slice_body)), Ok((stream, stream_body))) => {
            let elements = slice.data.elements();
            assert_eq!(elements.len(), stream.data.elements().len());
            for (at, (one, other)) in elements.iter().zip(stream.data.elements()).enumerate() {
                assert_eq!((one.tag, one.vr), (other.tag, other.vr));
                assert!(slice.data.value(one) == stream.data.value(other));
                assert!(one.next as usize > at && one.next as usize <= elements.len());
                if at < 64 {
                    let _ = slice.data.path(at);
                }
            }
            assert!(body(slice_body) == body(stream_body));
        }
        (Err(one), Err(other)) => assert_eq!(one.code, other.code),
        _ => panic!("read from memory and read as a stream are not the same"),
    }
    if let Ok(Some(outline)) = outline(bytes, &limits) {
        assert!(outline.open(bytes).is_ok());
    }
    let _ = peek_part10(bytes);
    for syntax in ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"] {
        let _ = peek_data_set(bytes, syntax);
    }
});
