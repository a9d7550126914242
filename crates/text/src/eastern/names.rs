//! Names in Chinese, Japanese and Korean that words of the vocabulary make up: what leads to them,
//! what stands behind them, and the houses of the sick.

use super::{Known, Piece, TITLES, is_family, is_hangul, pair_of_family, starts_with_family};
use crate::fold::fold;
use crate::kind::Kind;
use crate::lists::EASTERN as WORDS;
use crate::table::TERM;
use crate::words::QuickMap;
use crate::words::words;
use std::ops::Range;
use std::sync::LazyLock;

/// Most characters of a name of a house of the sick.
const HOUSE: usize = 10;
/// Most characters of a name that a cue leads to.
const NAME: usize = 4;

/// How sure what stands before makes a name of what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leads {
    /// `患者`: a finding may follow as well.
    Perhaps,
    /// `보호자`, `姓名`: nothing but a name follows.
    Surely,
}

words! { super::EASTERN_WORDS;
    /// What only a name follows: who is to be called, who asked, who belongs to the patient.
    SURELY "surely";
    /// What a name follows, or what is said of somebody.
    PERHAPS "perhaps";
    /// Trades of doctors that begin with a family name.
    TRADES "trade";
    /// Houses of the sick.
    HOUSES "house";
    /// What stands before the name of a house and is no part of it.
    BEFORE_HOUSES "before-house";
}

/// The cues and titles, folded as the texts are.
static FOLDED: LazyLock<[Vec<String>; 5]> = LazyLock::new(|| {
    [&TITLES, &SURELY, &PERHAPS, &HOUSES, &BEFORE_HOUSES]
        .map(|words| words.iter().map(|word| fold(word)).collect())
});

fn titles() -> &'static [String] {
    &FOLDED[0]
}

/// The titles by their first character, and the cues by their last: most characters begin and end
/// none.
static TITLES_BY_FIRST: LazyLock<QuickMap<char, Vec<&'static str>>> = LazyLock::new(|| {
    let mut map: QuickMap<char, Vec<&'static str>> = QuickMap::default();
    for title in titles() {
        map.entry(title.chars().next().unwrap_or_default()).or_default().push(title);
    }
    map
});
static CUES_BY_LAST: LazyLock<QuickMap<char, Vec<(&'static str, Leads)>>> = LazyLock::new(|| {
    let mut map: QuickMap<char, Vec<(&'static str, Leads)>> = QuickMap::default();
    for (cues, leads) in [(&FOLDED[1], Leads::Surely), (&FOLDED[2], Leads::Perhaps)] {
        for cue in cues {
            let last = cue.chars().next_back().unwrap_or_default();
            map.entry(last).or_default().push((cue, leads));
        }
    }
    map
});

/// How a folded run leads to a name, when it ends with what does.
pub(super) fn leads(text: &str) -> Option<Leads> {
    let cues = CUES_BY_LAST.get(&text.chars().next_back()?)?;
    let ends = cues.iter().filter(|(cue, _)| text.ends_with(cue));
    ends.map(|&(_, leads)| leads).max_by_key(|leads| *leads == Leads::Surely)
}

/// Whether an eastern run of the folded text ends with what leads to a name.
pub(crate) fn leads_to_name(text: &str) -> bool {
    leads(text).is_some()
}

/// Whether an eastern run of the folded text begins with a title.
pub(crate) fn title_of_page(text: &str) -> bool {
    titles().iter().any(|title| text.starts_with(title.as_str()))
}

/// What stands beside a run.
#[derive(Clone, Copy, Default)]
pub(super) struct Beside {
    /// How what stands before it leads to a name.
    pub(super) cue: Option<Leads>,
    /// Whether a title stands behind it.
    pub(super) title: bool,
}

/// Whether it is a trade of doctors that begins as names do: `康复医师`, and no whole name.
fn is_trade(word: &str) -> bool {
    word.chars().count() > NAME - 1 || TRADES.contains(word)
}

type Found = Vec<(Range<usize>, Kind, &'static str)>;

/// Finds the names of a run that its pieces alone would leave.
pub(super) fn find(text: &str, pieces: &[Piece], beside: Beside, found: &mut Found) {
    let run = Run { text, pieces };
    run.before_titles(found);
    if beside.title {
        run.before_title_apart(found);
    }
    let mut leads_here = beside.cue;
    for at in 0..pieces.len() {
        if let Some(cue) = leads_here
            && let Some(range) = run.led_to(at, cue)
        {
            found.push((range, Kind::NameByContext, "eastern-cue-before-name"));
        } else if let Some(range) = run.titled(at).or_else(|| run.whole(at)) {
            found.push((range, Kind::NameByContext, "name-before-title"));
        } else if let Some(range) = run.house(at) {
            found.push((range, Kind::Address, "house-name"));
        }
        leads_here = leads(run.piece(at));
    }
}

/// A run of eastern characters, cut into pieces.
struct Run<'t> {
    text: &'t str,
    pieces: &'t [Piece],
}

impl Run<'_> {
    fn piece(&self, at: usize) -> &str {
        self.pieces.get(at).map_or("", |piece| &self.text[piece.start..piece.end])
    }

    fn from(&self, at: usize) -> &str {
        let end = self.pieces.last().map_or(0, |piece| piece.end);
        self.pieces.get(at).map_or("", |piece| &self.text[piece.start..end])
    }

    fn is_title(&self, at: usize) -> bool {
        titles().iter().any(|title| title == self.piece(at))
    }

    fn is_long_term(&self, at: usize) -> bool {
        self.pieces.get(at).is_some_and(|piece| piece.term && piece.chars > 1)
    }

    /// The end of so many characters from a place, cut short before a title.
    fn name_end(&self, start: usize, most: usize) -> usize {
        let end = self.pieces.last().map_or(start, |piece| piece.end);
        let rest = &self.text[start..end];
        let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8()).take(most);
        let titled = |at: &usize| titles().iter().any(|t| rest[*at..].starts_with(t.as_str()));
        let (mut last, mut found) = (0, None);
        for at in ends {
            last = at;
            found = found.or(Some(at).filter(titled));
        }
        start + found.unwrap_or(last)
    }

    /// `보호자 장지연`, `联系高明`: a family name behind a cue, with the characters of a given name
    /// behind it, whatever words they make.
    fn led_to(&self, at: usize, cue: Leads) -> Option<Range<usize>> {
        let rest = self.from(at);
        let start = self.pieces[at].start;
        let chars = rest.chars().take(NAME + 1).count();
        // `家属周荣`: a word of two characters that ends the run, the first of them a family name.
        let pair = chars == 2 && at > 0 && !is_hangul(rest);
        let named = self.is_hangul_name(at) || self.is_title(at + 1) || pair;
        let term = self.is_long_term(at) && !(cue == Leads::Surely && named)
            || cue == Leads::Perhaps && (at..at + 3).any(|next| self.is_long_term(next));
        if chars < 2 || term || !starts_with_family(rest) {
            return None;
        }
        let most = match (is_hangul(rest), pair_of_family(rest)) {
            (true, _) if chars <= NAME => NAME,
            (_, true) => NAME,
            _ => NAME - 1,
        };
        let mut end = self.name_end(start, most);
        // A longer word behind a name of two characters is no part of it.
        let word = (at + 1..=at + NAME).find(|&next| self.is_long_term(next));
        if let Some(word) = word.filter(|_| !is_hangul(rest))
            && self.pieces[word].start < end
            && self.pieces[word].start > start
        {
            end = self.pieces[word].start;
        }
        Some(start..end)
    }

    /// `정지은`: three syllables that begin with a family name and are no one word. A particle that
    /// ends no given name makes them a word with its particle.
    fn is_hangul_name(&self, at: usize) -> bool {
        let rest = self.from(at);
        let particle = rest.ends_with(['는', '를', '의', '에', '와', '과']);
        is_hangul(rest)
            && rest.chars().count() == 3
            && self.pieces[at].chars < 3
            && starts_with_family(rest)
            && !particle
    }

    /// `장시우 선생님`: a whole run of Hangul that begins with a family name, before a title.
    fn before_title_apart(&self, found: &mut Found) {
        let (Some(first), Some(last)) = (self.pieces.first(), self.pieces.last()) else { return };
        let chars: usize = self.pieces.iter().map(|piece| piece.chars).sum();
        let rest = self.from(0);
        if is_hangul(rest)
            && (2..=NAME).contains(&chars)
            && self.pieces.len() > 1
            && starts_with_family(rest)
        {
            found.push((first.start..last.end, Kind::NameByContext, "name-before-title"));
        }
    }

    /// `高橋様`, `原先生`: a family name right before a title, however the run is cut, and whatever
    /// begins with one and fills the run.
    fn before_titles(&self, found: &mut Found) {
        let (Some(first), Some(last)) = (self.pieces.first(), self.pieces.last()) else { return };
        let run = &self.text[first.start..last.end];
        for (at, c) in run.char_indices() {
            let Some(titles) = TITLES_BY_FIRST.get(&c) else { continue };
            if !titles.iter().any(|title| run[at..].starts_with(title)) {
                continue;
            }
            let place = first.start + at;
            let cut = |place: usize| self.pieces.binary_search_by_key(&place, |p| p.start).is_ok();
            let long = titles.iter().any(|t| t.len() > c.len_utf8() && run[at..].starts_with(t));
            if !long && !cut(place) {
                continue;
            }
            found.extend(
                self.apart(&run[..at])
                    .map(|range| (range, Kind::NameByContext, "name-before-title")),
            );
            let starts = run[..at].char_indices().rev().take(NAME).map(|(start, _)| start);
            let name =
                starts.filter(|&start| start == 0 || cut(first.start + start)).filter(|&s| {
                    let name = &run[s..at];
                    let whole = s == 0 && name.chars().count() > 1 && starts_with_family(name);
                    // `钱雷医生`: what fills the run is a name, whatever else it is.
                    let term = WORDS.get(name) & TERM != 0 && (!whole || is_trade(name));
                    !term && (is_family(name) || whole)
                });
            if let Some(start) = name.last() {
                let range = first.start + start..place;
                found.push((range, Kind::NameByContext, "name-before-title"));
            }
        }
    }

    /// `高橋 修平医師`: a family name of its own before what stands between the run's beginning and
    /// a title, when that can be a given name.
    fn apart(&self, given: &str) -> Option<Range<usize>> {
        let start = self.pieces.first()?.start;
        let before = self.text[..start].strip_suffix([' ', '\u{3000}'])?;
        let family = before.rsplit(|c: char| !c.is_alphanumeric()).next()?;
        let fits = (1..=NAME).contains(&given.chars().count()) && WORDS.get(given) & TERM == 0;
        let range = before.len() - family.len()..before.len();
        // `左 中川先生`: a word of medicine before a whole name.
        let word = WORDS.get(family) & TERM != 0 && starts_with_family(given);
        (fits && is_family(family) && !word).then_some(range)
    }

    /// A family name right before a title, with the given name between them: `高医生`, `白兰医生`.
    fn titled(&self, at: usize) -> Option<Range<usize>> {
        let piece = &self.pieces[at];
        if piece.known == Known::No || !is_family(self.piece(at)) {
            return None;
        }
        let given = self.pieces.get(at + 1).is_some_and(|p| p.chars <= 2 && !p.term);
        if self.is_title(at + 1) && piece.known == Known::Single {
            return Some(piece.start..piece.end);
        }
        (given && self.is_title(at + 2)).then(|| piece.start..self.pieces[at + 1].end)
    }

    /// `张美丽` alone: a family name of one character and an ordinary word of two, and nothing
    /// besides; or behind a family name that is no word.
    fn whole(&self, at: usize) -> Option<Range<usize>> {
        let (family, given) = (&self.pieces[at], self.pieces.get(at + 1)?);
        let ordinary = given.known != Known::No && !given.term && given.chars <= 2;
        if family.chars != 1 || !ordinary || !is_family(self.piece(at)) {
            return None;
        }
        let alone = self.pieces.len() == 2 && given.chars == 2;
        let strange = family.known == Known::No && given.chars == 2;
        (alone || strange).then_some(family.start..given.end)
    }

    /// `桔梗総合病院`: everything before a house of the sick, to what is no part of its name.
    fn house(&self, at: usize) -> Option<Range<usize>> {
        let house = |piece: &str| FOLDED[3].iter().any(|h| piece.ends_with(h.as_str()));
        if !house(self.piece(at)) {
            return None;
        }
        let (mut first, mut chars) = (at, 0);
        while first > 0 && chars < HOUSE {
            let before = self.piece(first - 1);
            let apart = FOLDED[4].iter().any(|word| word == before) || house(before);
            if apart {
                break;
            }
            first -= 1;
            chars += self.pieces[first].chars;
        }
        let named = (first..at).any(|piece| !self.pieces[piece].term);
        let own = self.pieces[at].chars > 2 && !self.pieces[at].term;
        (named || own).then(|| self.pieces[first].start..self.pieces[at].end)
    }
}
