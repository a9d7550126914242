//! Which character set bytes are in, where nothing declares it or the declaration is wrong.

use super::CharacterSets;
use super::common::{CHINESE, KOREAN};
use super::repertoire::{ESCAPE, IR_6, IR_13, REPERTOIRES, Set, is_gb2312};

/// Every repertoire may be designated: what was, is counted.
const ANY: u32 = (1 << REPERTOIRES.len()) - 1;

/// Characters of one reading, over all values.
#[derive(Clone, Copy)]
struct Reading {
    /// Every value so far can be read this way.
    whole: bool,
    /// Characters beyond ASCII.
    characters: usize,
    /// Of them, those that such text is mostly made of.
    common: usize,
    /// Of them, those that it seldom holds.
    rare: usize,
}

impl Reading {
    const NEW: Self = Self { whole: true, characters: 0, common: 0, rare: 0 };

    /// Two characters at least, half of them common, not more than a quarter rare.
    fn convinces(&self) -> bool {
        self.whole
            && self.characters >= 2
            && self.common * 2 >= self.characters
            && self.rare * 4 <= self.characters
    }
}

/// What the values of an instance speak for.
struct Evidence {
    /// A value that is not ASCII, or with an escape, was seen.
    any: bool,
    escapes: bool,
    /// Bits of [`REPERTOIRES`] that escapes designate.
    designated: u32,
    /// ISO 2022 with nothing, or with the katakana of JIS X 0201, in the upper half at first.
    plain: bool,
    katakana: bool,
    /// Valid UTF-8; a character of three bytes or more was seen.
    utf8: bool,
    long: bool,
    chinese: Reading,
    korean: Reading,
    japanese: Reading,
    latin: Reading,
}

impl CharacterSets {
    /// Decides by the text values of an instance which set they are in, for files that declare
    /// none or a wrong one. Values that are plain ASCII say nothing; when all are, the default
    /// repertoire it is. `None` when the evidence does not decide.
    ///
    /// - Escapes: ISO 2022 with the sets that they designate, if every value fits.
    /// - Valid UTF-8 with a character of three bytes or more; or of two, unless the bytes are
    ///   also convincing Chinese or Korean.
    /// - Exactly one of: GB 18030, EUC-KR (half of the characters common ones), Shift JIS (kana
    ///   seen), Latin-1 (accented letters one or two at a time beside plain ones).
    pub fn evidence(values: &mut dyn Iterator<Item = &[u8]>) -> Option<Self> {
        let mut seen = Evidence::new();
        values.for_each(|value| seen.observe(value));
        seen.verdict()
    }
}

impl Evidence {
    fn new() -> Self {
        Self {
            any: false,
            escapes: false,
            designated: 0,
            plain: true,
            katakana: true,
            utf8: true,
            long: false,
            chinese: Reading::NEW,
            korean: Reading::NEW,
            japanese: Reading::NEW,
            latin: Reading::NEW,
        }
    }

    fn observe(&mut self, value: &[u8]) {
        if value.is_ascii() && !value.contains(&ESCAPE) {
            return;
        }
        self.any = true;
        self.escaped(value);
        match std::str::from_utf8(value) {
            Ok(text) => self.long |= text.chars().any(|c| c.len_utf8() > 2),
            Err(_) => self.utf8 = false,
        }
        self.chinese.read(Set::Gb18030, value, |c, code| match *code {
            _ if CHINESE.contains(c) => Weight::Common,
            // Kana speak for Japanese in EUC-JP; what GBK and GB 18030 add is seldom needed.
            _ if ('ぁ'..='ヺ').contains(&c) => Weight::Rare,
            [a, b] if is_gb2312([a, b]) => Weight::Plain,
            _ => Weight::Rare,
        });
        self.korean.read(Set::EucKr, value, |c, _| match c {
            c if KOREAN.contains(c) => Weight::Common,
            // Single letters of the script: where other sets have their kana.
            'ㄱ'..='ㆎ' => Weight::Rare,
            _ => Weight::Plain,
        });
        self.japanese.read(Set::ShiftJis, value, |c, _| match c {
            'ぁ'..='ヺ' => Weight::Common,
            '\u{e000}'..='\u{f8ff}' => Weight::Rare,
            _ => Weight::Plain,
        });
        self.latin_1(value);
    }

    fn escaped(&mut self, value: &[u8]) {
        for at in (0..value.len()).filter(|&at| value[at] == ESCAPE) {
            self.escapes = true;
            let rest = &value[at + 1..];
            let named = |half: Option<(&[u8], Set)>| {
                half.is_some_and(|(escape, _)| rest.starts_with(escape))
            };
            let row = REPERTOIRES.iter().position(|row| named(row.low) || named(row.high));
            if let Some(row) = row {
                self.designated |= 1 << row;
            } else if rest.starts_with(b"$@") {
                self.designated |= super::JAPANESE & !(1 << IR_13);
            }
        }
        let reads = |initial| {
            let sets = CharacterSets { initial, extended: true, declared: ANY, term: None };
            sets.decode(value).is_ok()
        };
        self.plain = self.plain && reads(Set::Ascii);
        self.katakana = self.katakana && reads(Set::Katakana);
    }

    /// Accented letters beside plain ones, and a few signs of measurement.
    fn latin_1(&mut self, value: &[u8]) {
        let letter = |at: Option<usize>| {
            at.and_then(|at| value.get(at)).is_some_and(u8::is_ascii_alphabetic)
        };
        let mut at = 0;
        while at < value.len() {
            let run = value[at..].iter().take_while(|byte| **byte >= 0x80).count();
            if run == 0 {
                at += 1;
                continue;
            }
            let beside = letter(at.checked_sub(1)) || letter(Some(at + run));
            let letters = value[at..at + run].iter().all(|&b| b >= 0xc0 && b != 0xd7 && b != 0xf7);
            // Non-breaking space, degree, squares and cubes, micro.
            let sign = run == 1 && matches!(value[at], 0xa0 | 0xb0 | 0xb2 | 0xb3 | 0xb5);
            self.latin.characters += run;
            self.latin.common += if letters { run } else { 0 };
            self.latin.whole &= sign || (letters && beside && run <= 2);
            at += run;
        }
    }

    fn verdict(&self) -> Option<CharacterSets> {
        if !self.any {
            return Some(CharacterSets::DEFAULT);
        }
        if self.escapes {
            return self.iso_2022();
        }
        let chinese = self.chinese.convinces();
        let korean = self.korean.convinces();
        if self.utf8 {
            return (self.long || !(chinese || korean)).then_some(CharacterSets::UTF8);
        }
        let found = [
            (chinese, CharacterSets::alone(Set::Gb18030, Some("GB18030"))),
            (korean, CharacterSets::alone(Set::EucKr, None)),
            (self.japanese.convinces_with_kana(), CharacterSets::alone(Set::ShiftJis, None)),
            (self.latin.whole && self.latin.common > 0, CharacterSets::parse(b"ISO_IR 100").ok()?),
        ];
        let mut convincing = found.into_iter().filter(|(convinces, _)| *convinces);
        let (_, first) = convincing.next()?;
        convincing.next().is_none().then_some(first)
    }

    fn iso_2022(&self) -> Option<CharacterSets> {
        let katakana = !self.plain;
        let japanese = self.designated & super::JAPANESE != 0;
        if katakana && !(self.katakana && japanese) {
            return None;
        }
        let first = if katakana || self.designated & !(1 << IR_6) == 1 << IR_13 {
            "ISO 2022 IR 13"
        } else if self.designated == 1 << IR_6 {
            "ISO 2022 IR 6"
        } else {
            ""
        };
        let mut term = first.to_owned();
        for (row, repertoire) in REPERTOIRES.iter().enumerate() {
            let named = row == IR_6 || (row == IR_13 && first.ends_with("13"));
            if self.designated >> row & 1 == 1 && !named {
                term.push_str("\\ISO 2022 IR ");
                term.push_str(repertoire.number);
            }
        }
        CharacterSets::parse(term.as_bytes()).ok()
    }
}

enum Weight {
    Common,
    Plain,
    Rare,
}

impl Reading {
    fn read(&mut self, set: Set, value: &[u8], weigh: impl Fn(char, &[u8]) -> Weight) {
        let mut text = String::new();
        self.whole =
            self.whole && !value.contains(&ESCAPE) && set.decode(value, &mut text).is_some();
        if !self.whole {
            return;
        }
        let mut before = None;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if !c.is_ascii() {
                self.characters += 1;
                // One alone beside a letter: an accented letter that was misread.
                let letter = |at: Option<&char>| at.is_some_and(char::is_ascii_alphabetic);
                let plain = |at: Option<&char>| at.is_none_or(char::is_ascii);
                let (last, next) = (before.as_ref(), chars.peek());
                let misread = plain(last) && plain(next) && (letter(last) || letter(next));
                let code = set.code(c).filter(|_| !misread);
                match code.map_or(Weight::Rare, |code| weigh(c, code.as_slice())) {
                    Weight::Common => self.common += 1,
                    Weight::Plain => {}
                    Weight::Rare => self.rare += 1,
                }
            }
            before = Some(c);
        }
    }

    /// Japanese names are written with their reading: kana were seen, and little that is odd.
    fn convinces_with_kana(&self) -> bool {
        self.whole && self.common >= 2 && self.rare == 0
    }
}
