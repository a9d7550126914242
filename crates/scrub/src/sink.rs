//! Where a scrubbed instance is written: counted, digested, and deflated again if it came deflated.

use flate2::Compression;
use flate2::write::DeflateEncoder;
use scanveil_model::{Digest, Reason, ReasonCode};
use std::io::{self, Write};

/// Counts what goes through, and digests it if asked to.
struct Counted<W> {
    out: W,
    hasher: Option<Box<blake3::Hasher>>,
    length: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write_all(bytes)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
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
    /// `deflated`; everything is digested if `digested`.
    pub(crate) fn begin(
        out: W,
        written: &[u8],
        meta: usize,
        deflated: bool,
        digested: bool,
    ) -> Result<Self, Reason> {
        let hasher = digested.then(Box::default);
        let mut counted = Counted { out, hasher, length: 0 };
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

    /// Ends the instance: its digest, if asked for, and its length.
    pub(crate) fn end(self) -> Result<(Option<Digest>, u64), Reason> {
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
        let digest = counted.hasher.map(|hasher| Digest(*hasher.finalize().as_bytes()));
        Ok((digest, counted.length))
    }
}

fn write_failed(_: io::Error) -> Reason {
    Reason::new(ReasonCode::Internal, "the output could not be written")
}
