//! Table E.1-1 of PS3.15, kept as data in `tables/`.

use scanveil_dataset::Tag;

/// The edition of the standard that the table was taken from.
pub const EDITION: &str = "2026c";

const TABLE: &str = include_str!("../tables/ps3.15-e1-1-2026c.csv");

/// An action code of Table E.1-1a; compound codes are kept whole and resolved by the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// Remove.
    X,
    /// Zero length, or a dummy.
    Z,
    /// Dummy.
    D,
    /// Keep.
    K,
    /// Clean.
    C,
    /// Replace by a consistent UID.
    U,
    /// X unless Z keeps the instance valid.
    XZ,
    /// X unless D keeps the instance valid.
    XD,
    /// X unless Z or D keeps the instance valid.
    XZD,
    /// Z unless D keeps the instance valid.
    ZD,
    /// X unless Z, or replacement of the contained UIDs, keeps the instance valid.
    XZU,
}

impl Code {
    /// The code as the table writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::X => "X",
            Self::Z => "Z",
            Self::D => "D",
            Self::K => "K",
            Self::C => "C",
            Self::U => "U",
            Self::XZ => "X/Z",
            Self::XD => "X/D",
            Self::XZD => "X/Z/D",
            Self::ZD => "Z/D",
            Self::XZU => "X/Z/U*",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "X" => Self::X,
            "Z" => Self::Z,
            "D" => Self::D,
            "K" => Self::K,
            "C" => Self::C,
            "U" => Self::U,
            "X/Z" => Self::XZ,
            "X/D" => Self::XD,
            "X/Z/D" => Self::XZD,
            "Z/D" => Self::ZD,
            "X/Z/U*" => Self::XZU,
            _ => return None,
        })
    }
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRow {
    /// The tag; `None` for the rows about groups (curves, overlays, private attributes).
    pub tag: Option<Tag>,
    /// The row's tag as written in the table, without punctuation.
    pub pattern: &'static str,
    /// Attribute name.
    pub name: &'static str,
    /// Code under the Basic Profile.
    pub basic: Code,
    /// Codes under options, by option name.
    pub options: Vec<(&'static str, Code)>,
}

/// The rows of the table. Lines that cannot be read are left out; a test counts them.
pub fn rows() -> impl Iterator<Item = TableRow> {
    TABLE.lines().skip(1).filter_map(parse_row)
}

fn parse_row(line: &'static str) -> Option<TableRow> {
    // The name may be quoted because it holds a comma; the other fields never are.
    let (pattern, rest) = line.split_once(',')?;
    let (rest, options) = rest.rsplit_once(',')?;
    let (name, basic) = rest.rsplit_once(',')?;
    let options = options
        .split_whitespace()
        .map(|pair| pair.split_once('=').and_then(|(name, code)| Some((name, Code::parse(code)?))))
        .collect::<Option<Vec<_>>>()?;
    Some(TableRow {
        tag: u32::from_str_radix(pattern, 16).ok().filter(|_| pattern.len() == 8).map(Tag),
        pattern,
        name: name.trim_matches('"'),
        basic: Code::parse(basic)?,
        options,
    })
}
