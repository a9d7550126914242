//! The stem that a medical word has in every language of Europe: `subarachnoid`, `subaracnoidea`
//! and `subarachnoïdienne` are one term. The build makes the stems of the clinical lists with it.

/// Shortest stem that says something, in bytes.
pub(crate) const SHORTEST_STEM: usize = 6;

/// Endings, as the spelling of stems has them: of two that fit, the longer counts.
#[rustfmt::skip]
const ENDINGS: &[&str] = &[
    // Nouns of doing and of being.
    "ation", "ations", "ationen", "acion", "aciones", "acao", "acoes", "ition", "icion", "icao",
    "ion", "ions", "ionen", "iones", "oes", "ao", "ierung", "ierungen", "ung", "ungen", "amento",
    "amentos", "imento", "imentos", "amiento", "amientos", "imiento", "ement", "ements", "ment",
    "itat", "idad", "idades", "idade", "ite", "iti", "ites", "itis", "itide", "itides", "itiden",
    "ance", "ances", "ancia", "ancias", "anca", "ancas", "anc", "ence", "ences", "encia", "encias",
    "enca", "enc", "enci", "anci", "ismo", "isme", "ismus", "ism", "ista", "iste", "ist",
    // Who or what does.
    "ator", "ators", "atoren", "ateur", "ateurs", "ador", "adora", "adores", "adoras", "eur", "or",
    // What was done.
    "ado", "ada", "ados", "adas", "ate", "ated", "ato", "ato", "ata", "iert", "ierte", "ierter",
    "iertes", "ierten", "ierend", "isado", "isada", "ise", "isee", "ed", "ing", "e", "ee", "ees",
    "es", "er", "ir", "ar", "ieren", "ido", "ida", "idos", "idas", "ando", "endo", "iendo",
    // Of the kind of.
    "atif", "atifs", "ativ", "ative", "atives", "ativer", "ativen", "ativo", "ativa", "ativos",
    "ativas", "if", "ifs", "iv", "ive", "ives", "iver", "iven", "ivo", "iva", "ivos", "ivas",
    "ic", "ics", "ical", "icali", "ice", "ices", "ico", "ica", "icos", "icas", "isc", "isce",
    "iscer", "isces", "iscen", "al", "als", "ale", "aler", "ales", "alen", "alem", "aus", "aux",
    "ais", "el", "eis", "ele", "eles", "ar", "are", "ares", "arer", "aren", "aire", "aires",
    "ario", "aria", "arios", "arias", "ari", "eal", "eals", "eale", "eais", "eales", "eo", "ea",
    "eos", "eas", "een", "oid", "oide", "oides", "oids", "oidal", "oideo", "oidea", "oideia",
    "oideos", "oideas", "oiden", "oideu", "oidien", "oidiene", "oidien", "iano", "iana", "ianos",
    "ianas", "ien", "iene", "ienes", "ian", "eus", "eux", "euse", "euses", "oso", "osa", "osos",
    "osas", "ous", "os", "ose", "oser", "oses", "osen", "osis", "otic", "otico", "otica", "otice",
    "otisc", "otiscen", "otiscer", "able", "ables", "ible", "ibles", "abel", "avel", "ivel",
    "aveis", "iveis", "bar", "bare", "ant", "ante", "antes", "ants", "ent", "ente", "entes", "ents",
    // Nouns and their plurals.
    "oma", "omas", "ome", "omes", "om", "omen", "omata", "ia", "ias", "ie", "ies", "ien", "i",
    "is", "a", "as", "o", "s", "en", "n", "em", "um", "us", "io", "ios", "ium", "ius", "eia", "eias",
    "ement", "emente", "amente", "mente", "li", "esis", "ese", "esen", "esia", "esias", "esi",
];

/// The stem of a folded word: as every language spells it, without its ending; nothing when too
/// little is left.
pub(crate) fn stem(word: &str) -> Option<String> {
    let mut stem = spelled(word);
    let most = stem.len().saturating_sub(SHORTEST_STEM);
    let ending = ENDINGS
        .iter()
        .filter(|ending| ending.len() <= most && stem.ends_with(**ending))
        .map(|ending| ending.len())
        .max();
    stem.truncate(stem.len() - ending.unwrap_or(0));
    (stem.len() >= SHORTEST_STEM).then_some(stem)
}

/// The common spelling: `f` for `ph`, `c` for `k`, `z` and `qu`, no `h` behind a consonant, no
/// doubled letters, no `e` before `s` and a consonant.
fn spelled(word: &str) -> String {
    let bytes = word.as_bytes();
    let mut spelled = String::with_capacity(word.len());
    let before_s = bytes.starts_with(b"es")
        && bytes.get(2).is_some_and(|b| matches!(b, b'c' | b'p' | b't' | b'q' | b'f'));
    let mut at = usize::from(before_s);
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied().unwrap_or(b' ');
        let (letter, taken) = match (byte, next) {
            (b'p', b'h') => ('f', 2),
            (b't' | b'r', b'h') => (char::from(byte), 2),
            (b'c', b'h' | b'k') | (b'q', b'u') => ('c', 2),
            (b'a' | b'o', b'e') => ('e', 2),
            (b'k' | b'z', _) => ('c', 1),
            (b'y', _) => ('i', 1),
            (b'w', _) => ('v', 1),
            _ => (char::from(byte), 1),
        };
        if !spelled.ends_with(letter) {
            spelled.push(letter);
        }
        at += taken;
    }
    spelled
}
