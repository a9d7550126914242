//! Transfer syntaxes (PS3.5 section 10 and Annex A, PS3.6 Table A-1).

use crate::Encoding;

/// How the pixel data of a transfer syntax is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelCoding {
    /// Native, uncompressed.
    Native,
    /// RLE lossless (PS3.5 Annex G).
    Rle,
    /// A still-image code stream (JPEG, JPEG-LS, JPEG 2000, HTJ2K, JPEG XL, deflated frames).
    CodeStream,
    /// A video (MPEG-2, H.264, HEVC) or an external stream.
    Video,
}

/// A transfer syntax.
#[derive(Debug, PartialEq, Eq)]
pub struct TransferSyntax {
    /// UID.
    pub uid: &'static str,
    /// Explicit value representations.
    pub explicit: bool,
    /// Big endian.
    pub big_endian: bool,
    /// The data set is deflated (PS3.5 A.5).
    pub deflated: bool,
    /// Coding of pixel data.
    pub pixels: PixelCoding,
}

const fn native(uid: &'static str, explicit: bool, big: bool, deflated: bool) -> TransferSyntax {
    TransferSyntax { uid, explicit, big_endian: big, deflated, pixels: PixelCoding::Native }
}
const fn coded(uid: &'static str, pixels: PixelCoding) -> TransferSyntax {
    TransferSyntax { uid, explicit: true, big_endian: false, deflated: false, pixels }
}

use PixelCoding::{CodeStream, Rle, Video};

static SYNTAXES: &[TransferSyntax] = &[
    native("1.2.840.10008.1.2", false, false, false),
    native("1.2.840.10008.1.2.1", true, false, false),
    native("1.2.840.10008.1.2.1.99", true, false, true),
    native("1.2.840.10008.1.2.2", true, true, false),
    coded("1.2.840.10008.1.2.1.98", CodeStream),
    coded("1.2.840.10008.1.2.4.50", CodeStream),
    coded("1.2.840.10008.1.2.4.51", CodeStream),
    coded("1.2.840.10008.1.2.4.52", CodeStream),
    coded("1.2.840.10008.1.2.4.53", CodeStream),
    coded("1.2.840.10008.1.2.4.54", CodeStream),
    coded("1.2.840.10008.1.2.4.55", CodeStream),
    coded("1.2.840.10008.1.2.4.56", CodeStream),
    coded("1.2.840.10008.1.2.4.57", CodeStream),
    coded("1.2.840.10008.1.2.4.58", CodeStream),
    coded("1.2.840.10008.1.2.4.59", CodeStream),
    coded("1.2.840.10008.1.2.4.60", CodeStream),
    coded("1.2.840.10008.1.2.4.61", CodeStream),
    coded("1.2.840.10008.1.2.4.62", CodeStream),
    coded("1.2.840.10008.1.2.4.63", CodeStream),
    coded("1.2.840.10008.1.2.4.64", CodeStream),
    coded("1.2.840.10008.1.2.4.65", CodeStream),
    coded("1.2.840.10008.1.2.4.66", CodeStream),
    coded("1.2.840.10008.1.2.4.70", CodeStream),
    coded("1.2.840.10008.1.2.4.80", CodeStream),
    coded("1.2.840.10008.1.2.4.81", CodeStream),
    coded("1.2.840.10008.1.2.4.90", CodeStream),
    coded("1.2.840.10008.1.2.4.91", CodeStream),
    coded("1.2.840.10008.1.2.4.92", CodeStream),
    coded("1.2.840.10008.1.2.4.93", CodeStream),
    coded("1.2.840.10008.1.2.4.94", Video),
    coded("1.2.840.10008.1.2.4.95", Video),
    coded("1.2.840.10008.1.2.4.100", Video),
    coded("1.2.840.10008.1.2.4.100.1", Video),
    coded("1.2.840.10008.1.2.4.101", Video),
    coded("1.2.840.10008.1.2.4.101.1", Video),
    coded("1.2.840.10008.1.2.4.102", Video),
    coded("1.2.840.10008.1.2.4.102.1", Video),
    coded("1.2.840.10008.1.2.4.103", Video),
    coded("1.2.840.10008.1.2.4.103.1", Video),
    coded("1.2.840.10008.1.2.4.104", Video),
    coded("1.2.840.10008.1.2.4.104.1", Video),
    coded("1.2.840.10008.1.2.4.105", Video),
    coded("1.2.840.10008.1.2.4.105.1", Video),
    coded("1.2.840.10008.1.2.4.106", Video),
    coded("1.2.840.10008.1.2.4.106.1", Video),
    coded("1.2.840.10008.1.2.4.107", Video),
    coded("1.2.840.10008.1.2.4.108", Video),
    coded("1.2.840.10008.1.2.4.110", CodeStream),
    coded("1.2.840.10008.1.2.4.111", CodeStream),
    coded("1.2.840.10008.1.2.4.112", CodeStream),
    coded("1.2.840.10008.1.2.4.201", CodeStream),
    coded("1.2.840.10008.1.2.4.202", CodeStream),
    coded("1.2.840.10008.1.2.4.203", CodeStream),
    coded("1.2.840.10008.1.2.4.204", Video),
    coded("1.2.840.10008.1.2.4.205", Video),
    coded("1.2.840.10008.1.2.5", Rle),
    coded("1.2.840.10008.1.2.8.1", CodeStream),
];

impl TransferSyntax {
    /// Explicit VR little endian.
    pub const EXPLICIT_LITTLE: &'static str = "1.2.840.10008.1.2.1";
    /// Implicit VR little endian.
    pub const IMPLICIT_LITTLE: &'static str = "1.2.840.10008.1.2";

    /// Explicit VR big endian (retired).
    pub const EXPLICIT_BIG: &'static str = "1.2.840.10008.1.2.2";

    /// How elements are written.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        Encoding { explicit: self.explicit, big_endian: self.big_endian }
    }

    /// The transfer syntax with this UID, if it is known.
    #[must_use]
    pub fn find(uid: &str) -> Option<&'static Self> {
        SYNTAXES.iter().find(|s| s.uid == uid)
    }

    /// Every known transfer syntax.
    #[must_use]
    pub fn all() -> &'static [Self] {
        SYNTAXES
    }

    /// Pixel data is encapsulated in fragments (PS3.5 A.4).
    #[must_use]
    pub fn encapsulated(&self) -> bool {
        self.pixels != PixelCoding::Native
    }
}
