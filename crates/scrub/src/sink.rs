//! Where a scrubbed instance is written: counted, digested, and deflated again if it came deflated.

use flate2::Compression;
use flate2::write::DeflateEncoder;
use scanveil_model::{Digest, Reason, ReasonCode};
use std::io::{self, Write};

/// Counts and digests what goes through.
struct Counted<W> {
    out: W,
    hasher: blake3::Hasher,
    length: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write_all(bytes)?;
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

enum Form<W: Write> {
    Plain(Counted<W>),
    Deflated(DeflateEncoder<Counted<W>>),
}

/// The writer of one instance.
pub(crate) struct Sink<W: Write> {
    form: Form<W>,
}

impl<W: Write> Sink<W> {
    /// Writes the beginning of an instance: `meta` bytes of preamble and file meta information, and
    /// the elements before the pixel data. What stands behind the meta information is deflated if
    /// `deflated`.
    pub(crate) fn begin(
        out: W,
        written: &[u8],
        meta: usize,
        deflated: bool,
    ) -> Result<Self, Reason> {
        let mut counted = Counted { out, hasher: blake3::Hasher::new(), length: 0 };
        if !deflated {
            counted.write_all(written).map_err(write_failed)?;
            return Ok(Self { form: Form::Plain(counted) });
        }
        let (meta, elements) = written.split_at(meta);
        counted.write_all(meta).map_err(write_failed)?;
        let encoder = DeflateEncoder::new(counted, Compression::default());
        let mut sink = Self { form: Form::Deflated(encoder) };
        sink.write(elements)?;
        Ok(sink)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Reason> {
        match &mut self.form {
            Form::Plain(out) => out.write_all(bytes),
            Form::Deflated(out) => out.write_all(bytes),
        }
        .map_err(write_failed)
    }

    /// Ends the instance: its digest and length.
    pub(crate) fn end(self) -> Result<(Digest, u64), Reason> {
        let mut counted = match self.form {
            Form::Plain(counted) => counted,
            Form::Deflated(encoder) => {
                let mut counted = encoder.finish().map_err(write_failed)?;
                // A deflated data set of odd length is padded with one NUL (PS3.5 A.5).
                if counted.length % 2 == 1 {
                    counted.write_all(&[0]).map_err(write_failed)?;
                }
                counted
            }
        };
        counted.flush().map_err(write_failed)?;
        Ok((Digest(*counted.hasher.finalize().as_bytes()), counted.length))
    }
}

fn write_failed(_: io::Error) -> Reason {
    Reason::new(ReasonCode::Internal, "the output could not be written")
}
