//! Part-10 files (PS3.10 7) and the transfer syntaxes they are written in.

use crate::error::SynthError;
use crate::pixels::Frames;
use crate::rle;
use crate::wire::{Coding, DataSet, Lengths, Value, Vr};
use flate2::{Compression, write::DeflateEncoder};
use std::io::Write;

/// A transfer syntax this crate can write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// Implicit VR little endian.
    ImplicitLe,
    /// Explicit VR little endian.
    ExplicitLe,
    /// Explicit VR big endian (retired).
    ExplicitBe,
    /// Deflated explicit VR little endian.
    Deflated,
    /// RLE lossless.
    Rle,
    /// JPEG baseline (process 1), 8 bits.
    JpegBaseline,
    /// MPEG-4 AVC/H.264 High Profile / Level 4.1: the data set is real, the stream is not.
    Mpeg4,
}

impl Syntax {
    /// The four that write pixels as they are.
    pub const NATIVE: [Self; 4] =
        [Self::ImplicitLe, Self::ExplicitLe, Self::ExplicitBe, Self::Deflated];

    /// The transfer syntax UID (PS3.6 table A-1).
    #[must_use]
    pub fn uid(self) -> &'static str {
        match self {
            Self::ImplicitLe => "1.2.840.10008.1.2",
            Self::ExplicitLe => "1.2.840.10008.1.2.1",
            Self::ExplicitBe => "1.2.840.10008.1.2.2",
            Self::Deflated => "1.2.840.10008.1.2.1.99",
            Self::Rle => "1.2.840.10008.1.2.5",
            Self::JpegBaseline => "1.2.840.10008.1.2.4.50",
            Self::Mpeg4 => "1.2.840.10008.1.2.4.102",
        }
    }

    /// A short name for test output and file names.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ImplicitLe => "implicit-le",
            Self::ExplicitLe => "explicit-le",
            Self::ExplicitBe => "explicit-be",
            Self::Deflated => "deflated",
            Self::Rle => "rle",
            Self::JpegBaseline => "jpeg-baseline",
            Self::Mpeg4 => "mpeg4",
        }
    }

    pub(crate) fn coding(self) -> Coding {
        match self {
            Self::ImplicitLe => Coding::IMPLICIT_LE,
            Self::ExplicitBe => Coding::EXPLICIT_BE,
            _ => Coding::EXPLICIT_LE,
        }
    }
}

/// Everything a Part-10 file is made of.
pub(crate) struct FileParts {
    pub(crate) preamble: [u8; 128],
    /// Group 0002 without its group length.
    pub(crate) meta: DataSet,
    pub(crate) data: DataSet,
    pub(crate) syntax: Syntax,
    pub(crate) lengths: Lengths,
    /// Bytes after the last element, before deflating.
    pub(crate) trailing: Vec<u8>,
    /// Bytes after everything, never deflated.
    pub(crate) after: Vec<u8>,
}

/// A file, and the part of it that can be searched as text: preamble, meta and the data set up to
/// Pixel Data, before deflating.
pub(crate) struct Encoded {
    pub(crate) bytes: Vec<u8>,
    pub(crate) readable: Vec<u8>,
}

/// File meta information as PS3.10 7.1 asks for it.
pub(crate) fn file_meta(class: &str, instance: &str, syntax: Syntax) -> DataSet {
    let mut meta = DataSet::new(crate::charset::Charset::Latin1);
    meta.bytes(0x0002_0001, Vr::Ob, [0, 1]);
    meta.text(0x0002_0002, Vr::Ui, class);
    meta.text(0x0002_0003, Vr::Ui, instance);
    meta.text(0x0002_0010, Vr::Ui, syntax.uid());
    meta.text(0x0002_0012, Vr::Ui, "1.2.826.0.1.3680043.10.9999.1");
    meta.text(0x0002_0013, Vr::Sh, "SYNTH_1");
    meta
}

impl FileParts {
    pub(crate) fn new(data: DataSet, class: &str, instance: &str, syntax: Syntax) -> Self {
        Self {
            preamble: [0; 128],
            meta: file_meta(class, instance, syntax),
            data,
            syntax,
            lengths: Lengths::Undefined,
            trailing: Vec::new(),
            after: Vec::new(),
        }
    }

    pub(crate) fn encode(self) -> Result<Encoded, SynthError> {
        let mut bytes = self.preamble.to_vec();
        bytes.extend(b"DICM");
        let mut meta = Vec::new();
        self.meta.encode(Coding::EXPLICIT_LE, Lengths::Defined, &mut meta);
        let mut length = DataSet::new(crate::charset::Charset::Latin1);
        length.ul(0x0002_0000, &[meta.len() as u32]);
        length.encode(Coding::EXPLICIT_LE, Lengths::Defined, &mut bytes);
        bytes.extend(meta);
        let data_set_at = bytes.len();
        let pixel_data_at = self.data.encode(self.syntax.coding(), self.lengths, &mut bytes);
        bytes.extend_from_slice(&self.trailing);
        let mut readable = bytes[..pixel_data_at].to_vec();
        readable.extend(&self.trailing);
        if self.syntax == Syntax::Deflated {
            let packed = deflate(&bytes[data_set_at..])?;
            bytes.truncate(data_set_at);
            bytes.extend(packed);
        }
        bytes.extend(self.after);
        Ok(Encoded { bytes, readable })
    }
}

/// PS3.5 A.5: the whole data set deflated (RFC 1951), padded to an even length with a null byte.
fn deflate(data: &[u8]) -> Result<Vec<u8>, SynthError> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).map_err(SynthError::io("deflating"))?;
    let mut packed = encoder.finish().map_err(SynthError::io("deflating"))?;
    packed.extend(std::iter::repeat_n(0, packed.len() % 2));
    Ok(packed)
}

/// Writes Image Pixel (PS3.3 C.7.6.3) and Pixel Data in the way the transfer syntax asks for.
pub(crate) fn put_pixels(
    data: &mut DataSet,
    frames: Frames,
    syntax: Syntax,
) -> Result<(), SynthError> {
    let jpeg_colour = syntax == Syntax::JpegBaseline && frames.samples == 3;
    data.us(0x0028_0002, &[frames.samples]);
    let photometric = match frames.samples {
        3 if jpeg_colour => "YBR_FULL_422",
        3 => "RGB",
        _ => "MONOCHROME2",
    };
    data.text(0x0028_0004, Vr::Cs, photometric);
    if frames.samples == 3 {
        data.us(0x0028_0006, &[0]);
    }
    data.us(0x0028_0010, &[frames.rows]);
    data.us(0x0028_0011, &[frames.columns]);
    data.us(0x0028_0100, &[frames.allocated]);
    data.us(0x0028_0101, &[frames.stored]);
    data.us(0x0028_0102, &[frames.stored - 1]);
    data.us(0x0028_0103, &[0]);
    let value = match syntax {
        Syntax::Rle => {
            let pack = |frame: &Vec<u8>| rle::encode_frame(frame, &frames);
            Value::Fragments(frames.frames.iter().map(pack).collect())
        }
        Syntax::JpegBaseline => {
            data.text(0x0028_2110, Vr::Cs, "01");
            data.text(0x0028_2112, Vr::Ds, "10");
            data.text(0x0028_2114, Vr::Cs, "ISO_10918_1");
            let pack = |frame: &Vec<u8>| jpeg(frame, &frames);
            Value::Fragments(frames.frames.iter().map(pack).collect::<Result<_, _>>()?)
        }
        Syntax::Mpeg4 => Value::Fragments(frames.frames),
        _ => Value::Bytes(frames.into_native()),
    };
    // PS3.5 A.1 and A.2: OW in implicit VR and above 8 bits, OB otherwise.
    let wide = syntax == Syntax::ImplicitLe || data_is_wide(&value, data);
    data.put(0x7fe0_0010, if wide { Vr::Ow } else { Vr::Ob }, value);
    Ok(())
}

fn data_is_wide(value: &Value, data: &DataSet) -> bool {
    matches!(value, Value::Bytes(_)) && data.word(0x0028_0100) == Some(16)
}

fn jpeg(frame: &[u8], frames: &Frames) -> Result<Vec<u8>, SynthError> {
    let colour = match frames.samples {
        3 => jpeg_encoder::ColorType::Rgb,
        _ => jpeg_encoder::ColorType::Luma,
    };
    let (columns, rows) = (frames.columns, frames.rows);
    let mut out = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut out, 90);
    encoder.encode(frame, columns, rows, colour).map_err(|_| SynthError::Jpeg { columns, rows })?;
    Ok(out)
}
