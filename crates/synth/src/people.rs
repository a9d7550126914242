//! Invented hospitals, patients and staff. None of the names is a real person's, and none is a
//! word that de-identified data would hold by chance.

use crate::charset::Charset;
use crate::rng::Rng;

/// An invented hospital.
#[derive(Debug, Clone, Copy)]
pub struct HospitalInfo {
    /// Its identifier, as configuration, object keys and tags name it.
    pub id: &'static str,
    /// The AE title that selects it.
    pub called_ae: &'static str,
    /// The AE title its archive calls from.
    pub calling_ae: &'static str,
    pub(crate) names: &'static [(Charset, &'static str, &'static str)],
}

/// The two hospitals of every corpus: one with Latin names, one with mixed scripts.
pub const HOSPITALS: [HospitalInfo; 2] = [
    HospitalInfo {
        id: "st-wystan",
        called_ae: "WYSTAN",
        calling_ae: "WYSTANPACS",
        names: &[
            (Charset::Latin1, "St Wystan Infirmary", "1 Abbey Garth, Hollowdene HD3 7QX"),
            (Charset::Utf8, "St Wystan Infirmary", "1 Abbey Garth, Hollowdene HD3 7QX"),
        ],
    },
    HospitalInfo {
        id: "kikyo-general",
        called_ae: "KIKYO",
        calling_ae: "KIKYOPACS",
        names: &[
            (Charset::Gb18030, "桔梗综合医院", "江宁路88号"),
            (Charset::Iso2022Jp, "桔梗総合病院", "桔梗市若葉町三丁目1番"),
            (Charset::Iso2022Kr, "도라지종합병원", "도라지로 27길 5"),
            (Charset::Utf8, "桔梗総合病院", "桔梗市若葉町三丁目1番"),
        ],
    },
];

impl HospitalInfo {
    /// Name and address in the given character set.
    pub(crate) fn name(&self, charset: Charset) -> (&'static str, &'static str) {
        let own = self.names.iter().find(|n| n.0 == charset).unwrap_or(&self.names[0]);
        (own.1, own.2)
    }
}

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day {
    pub(crate) year: u16,
    pub(crate) month: u8,
    pub(crate) day: u8,
}

impl Day {
    /// `YYYYMMDD`, as VR DA writes it.
    pub(crate) fn da(self) -> String {
        format!("{:04}{:02}{:02}", self.year, self.month, self.day)
    }

    pub(crate) fn dotted(self) -> String {
        format!("{:02}.{:02}.{:04}", self.day, self.month, self.year)
    }

    pub(crate) fn iso(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    pub(crate) fn us_slashes(self) -> String {
        format!("{:02}/{:02}/{:04}", self.month, self.day, self.year)
    }

    pub(crate) fn years_until(self, later: Self) -> u16 {
        let before_birthday = (later.month, later.day) < (self.month, self.day);
        later.year - self.year - u16::from(before_birthday)
    }
}

const FAMILIES: [&str; 16] = [
    "Dunmorrow",
    "Quillfeather",
    "Thistlewood",
    "Grünewäldt",
    "Bramblehurst",
    "Penhalligon",
    "Peñarandez",
    "Hollowmere",
    "Larkmeadow",
    "Brønstedgård",
    "Marchbankson",
    "Osterlindt",
    "Wetherspring",
    "Lefèvriaux",
    "Cobblethwaite",
    "Ravenscroftby",
];
const GIVEN: [&str; 16] = [
    "Philippa",
    "Cornelius",
    "Wilhelmina",
    "Jörgen",
    "Barnaby",
    "Theodosia",
    "Íñigo",
    "Leopold",
    "Ottoline",
    "Ambrose",
    "Göran",
    "Araminta",
    "Peregrine",
    "Lucinda",
    "Tobias",
    "Henrietta",
];
const STAFF: [&str; 6] = [
    "Fennimore^Clementine^^Dr",
    "Goldsworthy^Rupert^^Prof",
    "Haverstock^Isadora",
    "Ingleborough^Benedict^^^MD",
    "Jessamyn^Octavian",
    "Kettlewell^Rosalind^^Dr",
];
const CHINESE: [&str; 4] = [
    "Zhuge^Mingyue=诸葛^明月",
    "Ouyang^Ruoxi=欧阳^若曦",
    "Shangguan^Wanqing=上官^婉清",
    "Murong^Yunfei=慕容^云飞",
];
const CHINESE_STAFF: [&str; 2] = ["Linghu^Wenyuan=令狐^文远", "Duanmu^Zhaoyang=端木^朝阳"];
const JAPANESE: [&str; 4] = [
    "Kobayakawa^Shizuka=小早川^静香=こばやかわ^しずか",
    "Saionji^Haruto=西園寺^陽翔=さいおんじ^はると",
    "Ayanokoji^Misaki=綾小路^美咲=あやのこうじ^みさき",
    "Mushanokoji^Kaede=武者小路^楓子=むしゃのこうじ^かえでこ",
];
const JAPANESE_STAFF: [&str; 2] = [
    "Takanashi^Rintaro=小鳥遊^凛太郎=たかなし^りんたろう",
    "Hanabusa^Tomonori=花房^智則=はなぶさ^とものり",
];
const KOREAN: [&str; 4] = [
    "Hwangbo^Seoyeong=皇甫^瑞英=황보^서영",
    "Namgung^Minjun=南宮^民俊=남궁^민준",
    "Jegal^Doyun=諸葛^道允=제갈^도윤",
    "Dokgo^Areum=獨孤^雅凜=독고^아름",
];
const KOREAN_STAFF: [&str; 2] =
    ["Seonu^Haeun=鮮于^夏恩=선우^하은", "Sagong^Junseo=司空^俊瑞=사공^준서"];
const STREETS: [&str; 6] = [
    "Larkspur Mews",
    "Cuckoo Bridge Lane",
    "Old Tannery Row",
    "Samphire Walk",
    "Gallowgreen Close",
    "Peppermill Yard",
];

/// An invented patient.
pub(crate) struct Patient {
    /// As VR PN writes it, with every representation.
    pub(crate) name: String,
    pub(crate) maiden_name: String,
    pub(crate) mother: String,
    pub(crate) mrn: String,
    pub(crate) other_id: String,
    pub(crate) birth: Day,
    pub(crate) female: bool,
    pub(crate) address: String,
    pub(crate) phone: String,
}

impl Patient {
    /// Patient `index` of a hospital; his name is in `charset`.
    pub(crate) fn invent(seed: u64, hospital: usize, index: usize, charset: Charset) -> Self {
        let mut rng = Rng::new(seed, &format!("patient {hospital} {index}"));
        // One shuffle for the whole corpus, so that no two patients share a name by chance.
        let turn = Rng::new(seed, "names").below(16) as usize;
        let mut name = patient_name(charset, hospital, index, turn);
        let turn = turn + index;
        if hospital == 0 && index.is_multiple_of(3) {
            name.push_str("^Josephina Millicent");
        }
        let street = rng.pick(&STREETS).to_string();
        let address = match charset {
            Charset::Latin1 | Charset::Utf8 => format!("{} {street}, Ashcombe", 11 + rng.below(80)),
            _ => format!("{} {}", HOSPITALS[hospital].name(charset).1, 100 + rng.below(900)),
        };
        Self {
            name,
            maiden_name: format!("{}^{}", FAMILIES[(turn + 7) % 16], GIVEN[(turn + 9) % 16]),
            mother: format!("{}^{}", FAMILIES[(turn + 11) % 16], GIVEN[(turn + 5) % 16]),
            mrn: format!("{}{}", ["MRN0", "KG-"][hospital.min(1)], rng.digits(7)),
            other_id: format!("NHI{}", rng.digits(8)),
            birth: invent_birth(&mut rng, index),
            female: rng.below(2) == 0,
            address,
            phone: format!("0{} {} {}", 161 + rng.below(700), 496, rng.digits(4)),
        }
    }

    /// Family and given name of the first representation.
    pub(crate) fn latin(&self) -> (&str, &str) {
        let first = self.name.split('=').next().unwrap_or_default();
        let mut parts = first.split('^');
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
    }

    /// Family and given name as the hospital's own script writes them, if it has one.
    pub(crate) fn native(&self) -> Option<String> {
        self.name.split('=').nth(1).map(|name| name.replace('^', ""))
    }
}

/// Name `index` of the hospital's patients. Patients of one script sit at different places of its
/// table, two after two, so that no two of the corpus share a name.
fn patient_name(charset: Charset, hospital: usize, index: usize, turn: usize) -> String {
    let native = (turn + index / 2) % 4;
    match charset {
        Charset::Utf8 if hospital == 1 => JAPANESE[native].to_owned(),
        Charset::Latin1 | Charset::Utf8 => {
            let at = turn + index;
            format!("{}^{}", FAMILIES[at % 16], GIVEN[(at * 5 + 3) % 16])
        }
        Charset::Gb18030 => CHINESE[native].to_owned(),
        Charset::Iso2022Jp => JAPANESE[native].to_owned(),
        Charset::Iso2022Kr => KOREAN[native].to_owned(),
    }
}

/// Births lie in one month of four years, far apart: a date shift of more than a month and less
/// than nineteen years can then never turn one planted birth date into another. The study dates
/// do the same within one month.
fn invent_birth(rng: &mut Rng, index: usize) -> Day {
    let year = [1951, 1971, 1931, 1991, 1911][index % 5];
    Day { year, month: 11, day: 1 + rng.below(28) as u8 }
}

/// Members of staff `n` and on, in a script that the character set can write.
pub(crate) fn staff(charset: Charset, hospital: usize, n: usize) -> &'static str {
    let own: &[&str] = match charset {
        Charset::Latin1 => &STAFF,
        Charset::Utf8 if hospital == 0 => &STAFF,
        Charset::Gb18030 => &CHINESE_STAFF,
        Charset::Iso2022Jp => &JAPANESE_STAFF,
        Charset::Iso2022Kr | Charset::Utf8 => &KOREAN_STAFF,
    };
    own[n % own.len()]
}

/// The name without its marks, as a system that knows only ASCII writes it; characters of other
/// scripts are left out.
pub(crate) fn fold(text: &str) -> String {
    let base = |c| match c {
        'ä' | 'å' | 'á' | 'à' => Some('a'),
        'Ä' | 'Å' => Some('A'),
        'è' | 'é' => Some('e'),
        'í' => Some('i'),
        'Í' => Some('I'),
        'ñ' => Some('n'),
        'ö' | 'ø' | 'ó' => Some('o'),
        'Ö' | 'Ø' => Some('O'),
        'ü' | 'ú' => Some('u'),
        'Ü' => Some('U'),
        c => c.is_ascii().then_some(c),
    };
    text.chars().filter_map(base).collect()
}
