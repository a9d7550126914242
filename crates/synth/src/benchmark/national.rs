//! National numbers of identity with right check digits. The numbers are invented; their form is
//! each country's own.

use super::words::Culture;
use crate::people::Day;
use crate::rng::Rng;

/// A number of the kind that people of this culture have.
pub(super) fn invent(rng: &mut Rng, culture: Culture, birth: Day, female: bool) -> String {
    match culture {
        Culture::American => social_security(rng),
        Culture::British => nhs(rng),
        Culture::German => steuer_id(rng),
        Culture::French => nir(rng, birth, female),
        Culture::Spanish => dni(rng),
        Culture::Portuguese => nif(rng),
        Culture::Chinese => match rng.below(5) {
            0 => hong_kong(rng),
            1 => singapore(rng),
            _ => resident_id(rng, birth, female),
        },
        Culture::Japanese => my_number(rng),
        Culture::Korean => rrn(rng, birth, female),
    }
}

fn values(digits: &str) -> impl DoubleEndedIterator<Item = u32> + ExactSizeIterator + '_ {
    digits.as_bytes().iter().map(|&b| u32::from(b.wrapping_sub(b'0')))
}

fn weighted(digits: &str, weights: &[u32]) -> u32 {
    values(digits).zip(weights).map(|(value, weight)| value * weight).sum()
}

/// Area 001 to 665, group 01 to 99, serial 0001 to 9999.
fn social_security(rng: &mut Rng) -> String {
    format!("{:03}-{:02}-{:04}", 1 + rng.below(665), 1 + rng.below(99), 1 + rng.below(9999))
}

/// Ten digits, the last by weights 10 to 2 modulo 11; 10 is never given out.
fn nhs(rng: &mut Rng) -> String {
    loop {
        let body = rng.digits(9);
        let check = 11 - weighted(&body, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
        if check != 10 {
            return format!("{} {} {}{}", &body[..3], &body[3..6], &body[6..], check % 11);
        }
    }
}

/// Eleven digits, the last by ISO 7064 mod 11,10; among the first ten one digit stands twice.
fn steuer_id(rng: &mut Rng) -> String {
    let mut pool: Vec<u32> = (0..10).collect();
    for at in (1..pool.len()).rev() {
        pool.swap(at, rng.below(at as u32 + 1) as usize);
    }
    pool[9] = pool[0];
    if pool[0] == 0 {
        pool.swap(0, 1);
    }
    let mut product = 10;
    for digit in &pool {
        let sum = (digit + product) % 10;
        product = (if sum == 0 { 10 } else { sum }) * 2 % 11;
    }
    let body: String = pool.iter().map(u32::to_string).collect();
    let check = (11 - product) % 10;
    format!("{} {} {} {}{check}", &body[..2], &body[2..5], &body[5..8], &body[8..])
}

/// Sex, year, month, department, commune, order; the key is 97 minus the rest by 97.
fn nir(rng: &mut Rng, birth: Day, female: bool) -> String {
    let body = format!(
        "{}{:02}{:02}{:02}{:03}{:03}",
        if female { 2 } else { 1 },
        birth.year % 100,
        birth.month,
        1 + rng.below(95),
        1 + rng.below(990),
        1 + rng.below(999)
    );
    let key = 97 - body.parse::<u64>().unwrap_or_default() % 97;
    format!("{body}{key:02}")
}

/// Eight digits and a letter by the rest of 23.
fn dni(rng: &mut Rng) -> String {
    let body = rng.digits(8);
    let rest = body.parse::<usize>().unwrap_or_default() % 23;
    format!("{body}{}", &"TRWAGMYFPDXBNJZSQVHLCKE"[rest..=rest])
}

/// Nine digits, the last by weights 9 to 2 modulo 11.
fn nif(rng: &mut Rng) -> String {
    let body = format!("2{}", rng.digits(7));
    let rest = weighted(&body, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    let check = if rest < 2 { 0 } else { 11 - rest };
    format!("{body}{check}")
}

/// GB 11643: region, birth, order, check character by ISO 7064 mod 11-2.
fn resident_id(rng: &mut Rng, birth: Day, female: bool) -> String {
    let region = rng.word(&["110101", "310104", "440305", "330106", "510107", "420106", "610113"]);
    let order = 2 * rng.below(499) + u32::from(!female);
    let body = format!("{region}{}{order:03}", birth.da());
    let sum = weighted(&body, &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    let at = (sum % 11) as usize;
    format!("{body}{}", &"10X98765432"[at..=at])
}

/// A letter, six digits, a check character in brackets: weights 8 to 2 modulo 11.
fn hong_kong(rng: &mut Rng) -> String {
    let letter = b'A' + rng.below(26) as u8;
    let body = rng.digits(6);
    let sum = 36 * 9 + u32::from(letter - b'A' + 10) * 8 + weighted(&body, &[7, 6, 5, 4, 3, 2]);
    let check = match (11 - sum % 11) % 11 {
        10 => "A".to_owned(),
        digit => digit.to_string(),
    };
    format!("{}{body}({check})", char::from(letter))
}

/// S or T, seven digits, a check letter: weights 2, 7, 6, 5, 4, 3, 2 modulo 11.
fn singapore(rng: &mut Rng) -> String {
    let born_later = rng.below(2);
    let body = rng.digits(7);
    let sum = weighted(&body, &[2, 7, 6, 5, 4, 3, 2]) + 4 * born_later;
    let at = (sum % 11) as usize;
    format!("{}{body}{}", ["S", "T"][born_later as usize], &"JZIHGFEDCBA"[at..=at])
}

/// Twelve digits, the last by weights 2 to 7, twice, from the right.
fn my_number(rng: &mut Rng) -> String {
    let body = rng.digits(11);
    let weights = [2, 3, 4, 5, 6, 7, 2, 3, 4, 5, 6];
    let sum: u32 = values(&body).rev().zip(weights).map(|(value, weight)| value * weight).sum();
    let rest = sum % 11;
    let check = if rest < 2 { 0 } else { 11 - rest };
    format!("{} {} {}{check}", &body[..4], &body[4..8], &body[8..])
}

/// Birth, century and sex, region and order, check digit modulo 11.
fn rrn(rng: &mut Rng, birth: Day, female: bool) -> String {
    let century = if birth.year >= 2000 { 3 } else { 1 };
    let body = format!(
        "{}{}{}",
        &birth.da()[2..],
        century + u32::from(female),
        format_args!("{:05}", rng.below(95_000))
    );
    let sum = weighted(&body, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]);
    format!("{}-{}{}", &body[..6], &body[6..], (11 - sum % 11) % 10)
}
