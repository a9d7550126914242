//! Invented people: names in every spelling, addresses, telephones, numbers of identity.

use super::national;
use super::words::Culture;
use crate::people::{Day, fold};
use crate::rng::Rng;

/// A name as its owner's country writes it.
#[derive(Clone)]
pub(super) struct Name {
    pub(super) culture: Culture,
    /// Family and given name in the country's own script.
    pub(super) own: (String, String),
    /// The same in Latin letters.
    pub(super) latin: (String, String),
    /// The same in kana, for Japanese names.
    kana: Option<(String, String)>,
}

impl Name {
    pub(super) fn invent(rng: &mut Rng, culture: Culture, female: bool) -> Self {
        let family = culture.pick(rng, "family");
        Self::with_family(rng, culture, female, family)
    }

    fn with_family(rng: &mut Rng, culture: Culture, female: bool, family: &str) -> Self {
        let given = culture.pick(rng, if female { "female" } else { "male" });
        let spelling = |name: &str, n: usize| name.split('=').nth(n).map(str::to_owned);
        let own = |name: &str| spelling(name, 0).unwrap_or_default();
        let latin = |name: &str| spelling(name, 1).unwrap_or_else(|| own(name));
        let kana = spelling(family, 2).zip(spelling(given, 2));
        let mut own_family = own(family);
        let mut latin_family = latin(family);
        // Two family names are usual there.
        if matches!(culture, Culture::Spanish | Culture::Portuguese) && rng.below(2) == 0 {
            let second = culture.pick(rng, "family");
            own_family = format!("{own_family} {second}");
            latin_family.clone_from(&own_family);
        }
        Self { culture, own: (own_family, own(given)), latin: (latin_family, latin(given)), kana }
    }

    /// A relative: the same family name, another given name.
    pub(super) fn relative(&self, rng: &mut Rng, female: bool) -> Self {
        let mut other = Self::invent(rng, self.culture, female);
        other.own.0.clone_from(&self.own.0);
        other.latin.0.clone_from(&self.latin.0);
        other.kana = None;
        other
    }

    /// As VR PN writes it (PS3.5 6.2.1), with all the representations there are.
    pub(super) fn pn(&self) -> String {
        let (family, given) = &self.latin;
        let (own_family, own_given) = &self.own;
        match (&self.kana, self.culture) {
            (Some((f, g)), _) => format!("{family}^{given}={own_family}^{own_given}={f}^{g}"),
            (None, Culture::Korean) => format!("{family}^{given}=={own_family}^{own_given}"),
            (None, c) if c.own_script() => format!("{family}^{given}={own_family}^{own_given}"),
            _ => format!("{family}^{given}"),
        }
    }

    /// As someone types it into a free text.
    pub(super) fn typed(&self, rng: &mut Rng) -> String {
        let (family, given) = &self.own;
        let (latin_family, latin_given) = &self.latin;
        let pick = rng.below(10);
        match self.culture {
            c if c.own_script() => match pick {
                0..2 => format!("{latin_family} {latin_given}"),
                2..5 if c == Culture::Japanese => format!("{family} {given}"),
                _ => format!("{family}{given}"),
            },
            _ => match pick {
                0..5 => format!("{given} {family}"),
                5..7 => format!("{family}, {given}"),
                7 => format!("{} {given}", family.to_uppercase()),
                8 => format!("{family}^{given}"),
                _ => format!("{given} {}", family.to_uppercase()),
            },
        }
    }
}

/// An invented patient.
pub(super) struct Patient {
    pub(super) name: Name,
    pub(super) mother: Name,
    pub(super) female: bool,
    pub(super) birth: Day,
    pub(super) mrn: String,
    pub(super) other_id: String,
    pub(super) national: String,
    pub(super) address: String,
    pub(super) phone: String,
    pub(super) mail: String,
}

impl Patient {
    /// A patient of a hospital, whose record numbers look like `mrn`.
    pub(super) fn invent(rng: &mut Rng, culture: Culture, mrn: String) -> Self {
        let female = rng.below(2) == 0;
        // One in five hospitals' patients comes from elsewhere, as far as the script allows.
        let roots = match culture {
            Culture::American | Culture::British if rng.below(5) == 0 => {
                *rng.pick(&[Culture::German, Culture::Spanish, Culture::French])
            }
            culture => culture,
        };
        let name = Name::invent(rng, roots, female);
        let birth = birth(rng);
        Self {
            mother: Name::invent(rng, roots, true),
            other_id: format!("{}{}", rng.word(&["NHI", "X", "P-", "EXT"]), rng.digits(7)),
            national: national::invent(rng, culture, birth, female),
            address: address(rng, culture),
            phone: phone(rng, culture),
            mail: mail(rng, &name),
            name,
            female,
            birth,
            mrn,
        }
    }
}

/// Adults mostly, some of them older than the 89 years that may be told.
fn birth(rng: &mut Rng) -> Day {
    let year = match rng.below(20) {
        0 => 1912 + rng.below(10),
        1 => 2002 + rng.below(4),
        _ => 1932 + rng.below(66),
    };
    Day { year: year as u16, month: 1 + rng.below(12) as u8, day: 1 + rng.below(28) as u8 }
}

/// A postal address as the country writes it, within 64 characters.
pub(super) fn address(rng: &mut Rng, culture: Culture) -> String {
    let street = culture.pick(rng, "street");
    let form = culture.pick(rng, "streetform");
    let city = culture.pick(rng, "city");
    let number = 10 + rng.below(1900);
    let house = 1 + rng.below(140);
    let post = rng.digits(5);
    match culture {
        Culture::American => {
            let state = rng.word(&["AR", "OH", "TX", "CA", "NY", "FL", "WA", "IL", "GA", "MN"]);
            format!("{number} {street} {form}, {city}, {state} {post}")
        }
        Culture::British => {
            let area = rng.word(&["HD", "LS", "BS", "CF", "NR", "YO", "EX"]);
            format!("{house} {street} {form}, {city} {area}{} {}QX", 1 + house % 9, 1 + number % 9)
        }
        Culture::German => format!("{street}{form} {house}, {post} {city}"),
        Culture::French => format!("{house} {form} {street}, {post} {city}"),
        Culture::Spanish => format!("{form} {street} {house}, {post} {city}"),
        Culture::Portuguese => format!("{form} {street}, {house}, {}-{} {city}", &post[..4], 105),
        Culture::Chinese => format!("{city}{street}{form}{house}号{}室", 101 + number % 1900),
        Culture::Japanese => format!("{city}{street}{form}{house}番{}号", 1 + number % 40),
        Culture::Korean => format!("{city} {street} {form} {house}"),
    }
}

/// A telephone number as the country writes it.
pub(super) fn phone(rng: &mut Rng, culture: Culture) -> String {
    let (a, b, c) = (rng.digits(3), rng.digits(3), rng.digits(4));
    match culture {
        Culture::American => match rng.below(3) {
            0 => format!("({a}) {b}-{c}"),
            1 => format!("{a}-{b}-{c}"),
            _ => format!("{a}.{b}.{c}"),
        },
        Culture::British => format!("0{a} {b} {c}"),
        Culture::German => format!("0{a}/{b}{c}"),
        Culture::French => format!("06 {} {} {} {}", &a[..2], &b[..2], &c[..2], &c[2..]),
        Culture::Spanish => format!("6{} {b} {a}", &c[..2]),
        Culture::Portuguese => format!("91{} {b} {a}", &c[..1]),
        Culture::Chinese => format!("13{}{c}{c}", &a[..1], c = c),
        Culture::Japanese => format!("090-{c}-{a}{}", &b[..1]),
        Culture::Korean => format!("010-{c}-{a}{}", &b[..1]),
    }
}

fn mail(rng: &mut Rng, name: &Name) -> String {
    let word = |part: &str| fold(part).replace(' ', "").to_lowercase();
    let (family, given) = (word(&name.latin.0), word(&name.latin.1));
    let domain = rng.word(&["mailbox.example", "post.example", "inbox.example", "web.example.org"]);
    match rng.below(3) {
        0 => format!("{given}.{family}@{domain}"),
        1 => format!("{family}{}@{domain}", 10 + rng.below(90)),
        _ => format!("{given}_{family}@{domain}"),
    }
}
