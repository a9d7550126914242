//! Value representations (PS3.5 6.2).

use std::fmt;

/// By the first letter, the second letters as bits: this is asked for every element.
const fn set(of: &[Vr]) -> [u32; 26] {
    let mut set = [0; 26];
    let mut at = 0;
    while at < of.len() {
        let [first, second] = of[at].0;
        set[(first - b'A') as usize] |= 1 << (second - b'A');
        at += 1;
    }
    set
}

const KNOWN: [u32; 26] = set(Vr::ALL);
const LONG: [u32; 26] = set(&[
    Vr::OB,
    Vr::OD,
    Vr::OF,
    Vr::OL,
    Vr::OV,
    Vr::OW,
    Vr::SQ,
    Vr::SV,
    Vr::UC,
    Vr::UN,
    Vr::UR,
    Vr::UT,
    Vr::UV,
]);
/// Known, and not long.
const SHORT: [u32; 26] = {
    let mut set = KNOWN;
    let mut at = 0;
    while at < 26 {
        set[at] &= !LONG[at];
        at += 1;
    }
    set
};
const TEXT: [u32; 26] = set(&[Vr::LO, Vr::LT, Vr::PN, Vr::SH, Vr::ST, Vr::UC, Vr::UT]);

/// A value representation: its two letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Vr(pub [u8; 2]);

macro_rules! vrs {
    ($($name:ident)*) => {
        #[allow(missing_docs)]
        impl Vr {
            $(pub const $name: Self = {
                let b = stringify!($name).as_bytes();
                Self([b[0], b[1]])
            };)*
            /// Every value representation there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

vrs! {
    AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US
    UT UV
}

impl Vr {
    /// Whether the two letters are a value representation of PS3.5 6.2.
    #[must_use]
    pub fn is_known(self) -> bool {
        self.is_in(&KNOWN)
    }

    /// The same letters as capitals, where they are a value representation then.
    #[must_use]
    pub(crate) fn in_capitals(self) -> Option<Self> {
        let capitals = Self(self.0.map(|letter| letter.to_ascii_uppercase()));
        capitals.is_known().then_some(capitals)
    }

    /// Explicit VR: 2 reserved bytes and a 32-bit length (PS3.5 7.1.2) instead of a 16-bit one.
    #[must_use]
    pub fn has_long_length(self) -> bool {
        self.is_in(&LONG)
    }

    /// Explicit VR: a 16-bit length (PS3.5 7.1.2). Not so for letters that are no known VR.
    #[must_use]
    pub fn has_short_length(self) -> bool {
        self.is_in(&SHORT)
    }

    #[inline]
    fn is_in(self, set: &[u32; 26]) -> bool {
        let [first, second] = self.0.map(|letter| letter.wrapping_sub(b'A'));
        first < 26 && second < 26 && set[usize::from(first)] >> second & 1 == 1
    }

    /// Text in the character set of Specific Character Set (PS3.5 6.1.2.2).
    #[must_use]
    pub fn is_text(self) -> bool {
        self.is_in(&TEXT)
    }

    /// Any value made of characters, the default repertoire ones included.
    #[must_use]
    pub fn is_string(self) -> bool {
        self.is_text()
            || matches!(
                &self.0,
                b"AE" | b"AS" | b"CS" | b"DA" | b"DS" | b"DT" | b"IS" | b"TM" | b"UI" | b"UR"
            )
    }

    /// A date, a time, or both.
    #[must_use]
    pub fn is_date(self) -> bool {
        matches!(&self.0, b"DA" | b"DT" | b"TM")
    }

    /// The two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("??")
    }
}

impl fmt::Debug for Vr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
