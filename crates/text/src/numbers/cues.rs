//! Words that say what the number after them is.

use super::ages::{Says, is};
use crate::kind::Kind;

/// What a cue says of the number that follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cue {
    pub(super) kind: Kind,
    pub(super) rule: &'static str,
    /// Fewest digits that the number then has.
    pub(super) digits: usize,
}

const fn cue(kind: Kind, rule: &'static str, digits: usize) -> Cue {
    Cue { kind, rule, digits }
}

const RECORD: Cue = cue(Kind::RecordNumber, "record-cue", 1);
const DOUBTFUL: Cue = cue(Kind::RecordNumber, "number-cue", 4);
const NATIONAL: Cue = cue(Kind::NationalIdentifier, "national-identifier-cue", 5);
const PASSPORT: Cue = cue(Kind::Passport, "passport-cue", 4);
const TELEPHONE: Cue = cue(Kind::Telephone, "telephone-cue", 5);
const EXTENSION: Cue = cue(Kind::Telephone, "extension-cue", 3);
const POSTCODE: Cue = cue(Kind::Address, "postcode-cue", 3);
const CARD: Cue = cue(Kind::CreditCard, "credit-card-cue", 8);

/// Cues by their last word, folded; a cue of several words needs them all.
const LATIN: &[(&str, Cue)] = &[
    ("mrn", RECORD),
    ("mr#", RECORD),
    ("medical record", RECORD),
    ("record", DOUBTFUL),
    ("hospital", DOUBTFUL),
    ("hospital id", RECORD),
    ("patient id", RECORD),
    ("pt id", RECORD),
    ("pat id", RECORD),
    ("patientid", RECORD),
    ("pid", RECORD),
    ("id", DOUBTFUL),
    ("id#", RECORD),
    ("acc#", RECORD),
    ("acc", DOUBTFUL),
    ("accession", RECORD),
    ("hn", DOUBTFUL),
    ("case", DOUBTFUL),
    ("case#", RECORD),
    ("chart", DOUBTFUL),
    ("chart#", RECORD),
    ("account", DOUBTFUL),
    ("acct", DOUBTFUL),
    ("acct#", RECORD),
    ("encounter", DOUBTFUL),
    ("visit", DOUBTFUL),
    ("visit#", RECORD),
    ("order", DOUBTFUL),
    ("order#", RECORD),
    ("requisition", DOUBTFUL),
    ("req#", RECORD),
    ("csn", DOUBTFUL),
    ("uhid", RECORD),
    ("urn", DOUBTFUL),
    ("chi", DOUBTFUL),
    ("ref#", RECORD),
    ("ref", DOUBTFUL),
    ("reference", DOUBTFUL),
    ("specimen", DOUBTFUL),
    ("policy", DOUBTFUL),
    ("insurance", DOUBTFUL),
    ("license", DOUBTFUL),
    ("licence", DOUBTFUL),
    ("serial", DOUBTFUL),
    ("sn", DOUBTFUL),
    ("s/n", RECORD),
    ("badge", DOUBTFUL),
    ("study id", DOUBTFUL),
    ("subject", DOUBTFUL),
    ("ssn", NATIONAL),
    ("social security", NATIONAL),
    ("nhs", NATIONAL),
    ("sin", NATIONAL),
    ("hkid", NATIONAL),
    ("nric", NATIONAL),
    ("fin", NATIONAL),
    ("national id", NATIONAL),
    ("passport", PASSPORT),
    ("passport#", PASSPORT),
    ("reisepass", PASSPORT),
    ("passeport", PASSPORT),
    ("pasaporte", PASSPORT),
    ("passaporte", PASSPORT),
    ("patientennr", RECORD),
    ("patientennummer", RECORD),
    ("patnr", RECORD),
    ("pat nr", RECORD),
    ("fallnr", RECORD),
    ("fallnummer", RECORD),
    ("fall nr", RECORD),
    ("aufnahmenummer", RECORD),
    ("aufnahmenr", RECORD),
    ("auftragsnummer", RECORD),
    ("auftragsnr", RECORD),
    ("kvnr", NATIONAL),
    ("versichertennummer", NATIONAL),
    ("versichertennr", NATIONAL),
    ("svnr", NATIONAL),
    ("steuer id", NATIONAL),
    ("steuer-id", NATIONAL),
    ("personalausweis", NATIONAL),
    ("ipp", RECORD),
    ("nip", RECORD),
    ("nda", DOUBTFUL),
    ("dossier", RECORD),
    ("nss", NATIONAL),
    ("nir", NATIONAL),
    ("secu", NATIONAL),
    ("securite sociale", NATIONAL),
    ("nhc", RECORD),
    ("historia clinica", RECORD),
    ("historia", DOUBTFUL),
    ("expediente", RECORD),
    ("hc", DOUBTFUL),
    ("dni", NATIONAL),
    ("nie", NATIONAL),
    ("nif", NATIONAL),
    ("cip", DOUBTFUL),
    ("nuhsa", RECORD),
    ("episodio", DOUBTFUL),
    ("curp", NATIONAL),
    ("rut", NATIONAL),
    ("prontuario", RECORD),
    ("cns", DOUBTFUL),
    ("sus", DOUBTFUL),
    ("cpf", NATIONAL),
    ("rg", DOUBTFUL),
    ("utente", RECORD),
    ("processo", RECORD),
    ("matricula", RECORD),
    ("registro", DOUBTFUL),
    ("atendimento", DOUBTFUL),
    ("tel", TELEPHONE),
    ("telephone", TELEPHONE),
    ("phone", TELEPHONE),
    ("ph:", TELEPHONE),
    ("fax", TELEPHONE),
    ("call", TELEPHONE),
    ("mobile", TELEPHONE),
    ("cell", TELEPHONE),
    ("contact", TELEPHONE),
    ("whatsapp", TELEPHONE),
    ("telefon", TELEPHONE),
    ("handy", TELEPHONE),
    ("rueckruf", TELEPHONE),
    ("ruckruf", TELEPHONE),
    ("mobil", TELEPHONE),
    ("telefax", TELEPHONE),
    ("telefono", TELEPHONE),
    ("movil", TELEPHONE),
    ("telefone", TELEPHONE),
    ("celular", TELEPHONE),
    ("telemovel", TELEPHONE),
    ("ligar", TELEPHONE),
    ("dect", EXTENSION),
    ("pager", EXTENSION),
    ("beeper", EXTENSION),
    ("bleep", EXTENSION),
    ("ext", EXTENSION),
    ("extension", EXTENSION),
    ("piepser", EXTENSION),
    ("durchwahl", EXTENSION),
    ("dw", EXTENSION),
    ("ramal", EXTENSION),
    ("poste", EXTENSION),
    ("bip", EXTENSION),
    ("zip", POSTCODE),
    ("postcode", POSTCODE),
    ("postal code", POSTCODE),
    ("plz", POSTCODE),
    ("cep", POSTCODE),
    ("code postal", POSTCODE),
    ("codigo postal", POSTCODE),
    ("card", CARD),
    ("visa", CARD),
    ("mastercard", CARD),
    ("credit card", CARD),
];

/// Cues in scripts without spaces: the text before the number ends so, folded.
const EASTERN: &[(&str, Cue)] = &[
    ("病历号", RECORD),
    ("病案号", RECORD),
    ("住院号", RECORD),
    ("门诊号", RECORD),
    ("检查号", RECORD),
    ("影像号", RECORD),
    ("就诊卡号", RECORD),
    ("登记号", RECORD),
    ("条码号", RECORD),
    ("编号", RECORD),
    ("床号", RECORD),
    ("医保号", NATIONAL),
    ("身份证号", NATIONAL),
    ("身份证号码", NATIONAL),
    ("身份证", NATIONAL),
    ("护照号", PASSPORT),
    ("护照", PASSPORT),
    ("护照号码", PASSPORT),
    ("电话", TELEPHONE),
    ("手机", TELEPHONE),
    ("手机号", TELEPHONE),
    ("传真", TELEPHONE),
    ("联系电话", TELEPHONE),
    ("邮编", POSTCODE),
    ("患者番号", RECORD),
    ("患者id", RECORD),
    ("受付番号", RECORD),
    ("カルテ番号", RECORD),
    ("诊察券番号", RECORD),
    ("検査番号", RECORD),
    ("登録番号", RECORD),
    ("保険证番号", NATIONAL),
    ("保険者番号", NATIONAL),
    ("番号", DOUBTFUL),
    ("パスポート", PASSPORT),
    ("旅券番号", PASSPORT),
    ("旅券", PASSPORT),
    ("電话", TELEPHONE),
    ("携帯", TELEPHONE),
    ("内线", EXTENSION),
    ("内線", EXTENSION),
    ("郵便番号", POSTCODE),
    ("〒", POSTCODE),
    ("個人番号", NATIONAL),
    ("マイナンバー", NATIONAL),
    ("등록번호", RECORD),
    ("환자번호", RECORD),
    ("병록번호", RECORD),
    ("접수번호", RECORD),
    ("검사번호", RECORD),
    ("차트번호", RECORD),
    ("처방번호", RECORD),
    ("주민등록번호", NATIONAL),
    ("주민번호", NATIONAL),
    ("여권번호", PASSPORT),
    ("여권", PASSPORT),
    ("전화번호", TELEPHONE),
    ("전화", TELEPHONE),
    ("연락처", TELEPHONE),
    ("휴대폰", TELEPHONE),
    ("핸드폰", TELEPHONE),
    ("팩스", TELEPHONE),
    ("내선", EXTENSION),
    ("우편번호", POSTCODE),
];

/// Longest piece before a number that a cue is looked for in, in bytes.
const REACH: usize = 48;

/// The cue that stands right before a place of the folded text.
pub(super) fn cue_before(text: &str, start: usize) -> Option<Cue> {
    let mut from = start.saturating_sub(REACH);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = &text[from..start];
    let bare = before.trim_end_matches([' ', '\t', '=', '-', '(', '[', '.', '+', '_']);
    if bare.len() == before.len()
        && !bare.ends_with([':', '#', '/'])
        && bare.ends_with(|c: char| c.is_ascii_alphanumeric())
    {
        // Written together: only the cues of records are taken (`MRN0621936`).
        return latin(bare).filter(|cue| matches!(cue.kind, Kind::RecordNumber) && cue.digits == 1);
    }
    let plain = without_number_words(bare);
    let marked =
        bare.ends_with([':', '#']) || plain.len() < bare.trim_end_matches([':', '#']).len();
    let found = eastern(plain).or_else(|| latin(plain)).or_else(|| latin(bare))?;
    let strengthened = marked && found == DOUBTFUL;
    Some(if strengthened { Cue { digits: 2, ..found } } else { found })
}

/// Without `number`, `no.`, `#` and their like at the end.
fn without_number_words(text: &str) -> &str {
    const NUMBER: [&str; 13] = [
        "number", "numero", "nummer", "num", "no", "nr", "nº", "n°", "n", "code", "numbers", "o",
        "is",
    ];
    let marks = [' ', '\t', ':', '#', '.', '=', '-', '(', 'º', '°', '_'];
    let mut plain = text.trim_end_matches(marks);
    for word in NUMBER {
        let Some(rest) = plain.strip_suffix(word) else { continue };
        if rest.ends_with(marks) {
            plain = rest.trim_end_matches(marks);
        }
    }
    plain
}

fn eastern(text: &str) -> Option<Cue> {
    if text.is_ascii() {
        return None;
    }
    let found = EASTERN.iter().filter(|(words, _)| text.ends_with(words));
    found.max_by_key(|(words, _)| words.len()).map(|&(_, cue)| cue)
}

/// Words that lead to a date, and go with it.
const BEFORE_DATES: &[&str] = &[
    "dob",
    "born",
    "birth",
    "date",
    "dated",
    "on",
    "geb",
    "geboren",
    "geburtsdatum",
    "datum",
    "am",
    "vom",
    "ne",
    "nee",
    "le",
    "du",
    "nacido",
    "nacida",
    "fecha",
    "nascido",
    "nascida",
    "data",
    "em",
    "el",
    "at",
    "d",
    "o",
    "b",
    "of",
    "de",
    "nacimiento",
    "nascimento",
    "naissance",
    "d.o.b",
];
const BEFORE_EASTERN_DATES: &[&str] =
    &["出生日期", "出生", "日期", "生年月日", "生于", "생년월일", "날짜", "일자", "检查日期"];
/// Cues that say something of the examination as well, and stay.
const CLINICAL: &[&str] = &["cell", "hospital", "specimen", "subject", "card"];
const BEFORE_NAMES: &[&str] = &["姓名", "氏名", "성명", "이름", "患者名", "患者姓名"];

/// The length of the cue that a folded text ends with, its marks included, when it leads to what
/// was found and says nothing else.
pub(crate) fn introduction(text: &str, kind: Kind) -> usize {
    let bare = text.trim_end_matches([' ', '\t', ':', '#', '=', '.', '-', '(', '+', 'º', '°', '_']);
    let ends = |words: &[&str]| {
        let eastern = |w: &&&str| bare.ends_with(**w) && (!w.is_ascii());
        let whole = |w: &&&str| {
            bare.strip_suffix(**w)
                .is_some_and(|rest| !rest.ends_with(|c: char| c.is_alphanumeric() || c == '/'))
        };
        words.iter().filter(|w| eastern(w) || whole(w)).map(|w| w.len()).max()
    };
    // The last word, where it leads to an age or a year of birth.
    let of = |says: Says| {
        let start = bare.trim_end_matches(char::is_alphabetic).len();
        let word = &bare[start..];
        is(says, word).then_some(word.len())
    };
    // A cue goes only with the number that it leads to.
    let fits = |cue: Cue| match cue.kind {
        Kind::Telephone => matches!(kind, Kind::Telephone | Kind::KnownIdentifier),
        _ => kind != Kind::Telephone,
    };
    let cued = || {
        let fitting = LATIN.iter().filter(|(words, cue)| fits(*cue) && !CLINICAL.contains(words));
        let latin = fitting.filter(|(words, _)| ends(&[words]).is_some());
        let eastern = EASTERN.iter().filter(|(words, _)| bare.ends_with(words));
        latin.chain(eastern).map(|(words, _)| words.len()).max()
    };
    let number = ["no", "nr", "number", "num", "numero", "nummer", "n", "patient", "pt"];
    let found = match kind {
        Kind::Date | Kind::KnownDate => {
            ends(BEFORE_DATES).or_else(|| ends(BEFORE_EASTERN_DATES)).or_else(|| of(Says::BORN))
        }
        _ if kind.is_name() => ends(BEFORE_NAMES),
        Kind::UnknownWord => ends(BEFORE_NAMES),
        Kind::Age => of(Says::BEFORE),
        Kind::Telephone | Kind::Email => {
            cued().or_else(|| ends(&["on", "at", "under", "unter", "no", "nr", "number", "mail"]))
        }
        _ => cued().or_else(|| ends(&number)),
    };
    found.map_or(0, |length| length + text.len() - bare.len())
}

fn latin(text: &str) -> Option<Cue> {
    // Few cues end as the text does, and only those are compared.
    let last = text.as_bytes().last();
    let whole = |words: &&(&str, Cue)| {
        words.0.as_bytes().last() == last
            && text
                .strip_suffix(words.0)
                .is_some_and(|rest| !rest.ends_with(|c: char| c.is_ascii_alphanumeric()))
    };
    LATIN.iter().filter(whole).max_by_key(|(words, _)| words.len()).map(|&(_, cue)| cue)
}
