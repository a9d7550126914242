//! National identifiers, cards and their check digits.

use crate::kind::Kind;

fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|c| c.to_digit(10)).collect()
}

fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(d, w)| d * w).sum()
}

fn is_date(year_and_rest: &[u32]) -> bool {
    let two = |at: usize| year_and_rest[at] * 10 + year_and_rest[at + 1];
    (1..=12).contains(&two(0)) && (1..=31).contains(&two(2))
}

/// Digits alone, separators removed, with the lengths of their groups as written.
pub(super) fn of_digits(text: &str, groups: &[usize]) -> Option<(Kind, &'static str)> {
    let d = digits(text);
    let national = |rule| Some((Kind::NationalIdentifier, rule));
    let grouped = groups.len() > 1;
    match d.len() {
        9 if groups == [3, 2, 4] && us_ssn(&d) => national("us-ssn"),
        9 if pt_nif(&d) && (!grouped || groups == [3, 3, 3]) => national("pt-nif"),
        10 if uk_nhs(&d) && (!grouped || groups == [3, 3, 4]) => national("uk-nhs"),
        11 if br_cpf(&d) => national("br-cpf"),
        11 if de_steuer_id(&d) => national("de-steuer-id"),
        12 if jp_my_number(&d) && (!grouped || groups == [4, 4, 4]) => national("jp-my-number"),
        13 if groups == [6, 7] && kr_rrn(&d) => national("kr-rrn"),
        13 if !grouped && kr_rrn(&d) && kr_check(&d) => national("kr-rrn"),
        15 if fr_nir(&d) => national("fr-nir"),
        13 if groups == [1, 2, 2, 2, 3, 3] => national("fr-nir"),
        18 if cn_resident(text) => national("cn-resident-identity"),
        13..=19 if luhn(&d) => Some((Kind::CreditCard, "credit-card-luhn")),
        _ => None,
    }
}

/// Letters and digits without separators, folded.
pub(super) fn of_mixed(text: &str) -> Option<(Kind, &'static str)> {
    if !text.is_ascii() {
        return None;
    }
    let rule = match text.len() {
        18 if cn_resident(text) => "cn-resident-identity",
        8 | 9 if hk_identity(text) => "hk-identity-card",
        9 if sg_nric(text) => "sg-nric",
        9 if es_dni(text) => "es-dni",
        _ => return None,
    };
    Some((Kind::NationalIdentifier, rule))
}

pub(super) fn luhn(d: &[u32]) -> bool {
    let doubled = |n: u32| if n * 2 > 9 { n * 2 - 9 } else { n * 2 };
    let odd = d.len() % 2;
    let sum: u32 =
        d.iter().enumerate().map(|(at, &n)| if at % 2 == odd { doubled(n) } else { n }).sum();
    sum.is_multiple_of(10) && d.iter().any(|&n| n != d[0])
}

/// GB 11643: weights 2^(17-i) modulo 11; the last place may be X.
fn cn_resident(text: &str) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let Some(body) = text.get(..17).filter(|b| b.bytes().all(|c| c.is_ascii_digit())) else {
        return false;
    };
    let d = digits(body);
    let check = b"10x98765432"[(weighted(&d, &WEIGHTS) % 11) as usize];
    is_date(&d[10..14]) && text.as_bytes().get(17) == Some(&check)
}

/// Area, group and serial as the Social Security Administration gives them out.
fn us_ssn(d: &[u32]) -> bool {
    let area = d[0] * 100 + d[1] * 10 + d[2];
    area != 0 && area != 666 && area < 900 && d[3] + d[4] > 0 && d[5..].iter().sum::<u32>() > 0
}

fn uk_nhs(d: &[u32]) -> bool {
    let check = 11 - weighted(&d[..9], &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    check != 10 && d[9] == check % 11
}

fn kr_rrn(d: &[u32]) -> bool {
    is_date(&d[2..6]) && (1..=8).contains(&d[6])
}

fn kr_check(d: &[u32]) -> bool {
    let sum = weighted(&d[..12], &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]);
    d[12] == (11 - sum % 11) % 10
}

fn jp_my_number(d: &[u32]) -> bool {
    let sum = weighted(&d[..11], &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]);
    let rest = sum % 11;
    d[11] == if rest <= 1 { 0 } else { 11 - rest }
}

/// ISO 7064, MOD 11,10.
fn de_steuer_id(d: &[u32]) -> bool {
    let product = d[..10].iter().fold(10, |product, n| {
        let sum = (n + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    d[0] != 0 && d[10] == (11 - product) % 10
}

/// Sex, year, month, department, commune, order, and a key modulo 97.
fn fr_nir(d: &[u32]) -> bool {
    let number = |part: &[u32]| part.iter().fold(0_u64, |n, &d| n * 10 + u64::from(d));
    matches!(d[0], 1 | 2) && number(&d[13..]) == 97 - number(&d[..13]) % 97
}

fn pt_nif(d: &[u32]) -> bool {
    let rest = weighted(&d[..8], &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    matches!(d[0], 1..=3 | 5 | 6 | 8 | 9) && d[8] == if rest < 2 { 0 } else { 11 - rest }
}

fn br_cpf(d: &[u32]) -> bool {
    let check = |length: usize| {
        let weights: Vec<u32> = (2..=10 + 1).rev().skip(10 - length).collect();
        let rest = weighted(&d[..length], &weights) * 10 % 11;
        rest % 10
    };
    d.iter().any(|&n| n != d[0]) && d[9] == check(9) && d[10] == check(10)
}

/// One or two letters, six digits, a check digit or A.
fn hk_identity(text: &str) -> bool {
    let letters = text.len() - 7;
    let value = |c: u8| match c {
        b'0'..=b'9' => u32::from(c - b'0'),
        _ => u32::from(c - b'a') + 10,
    };
    let (head, tail) = text.split_at(letters);
    let shaped = head.bytes().all(|c| c.is_ascii_lowercase())
        && tail.bytes().take(6).all(|c| c.is_ascii_digit())
        && tail.bytes().last().is_some_and(|c| c.is_ascii_digit() || c == b'a');
    if !shaped {
        return false;
    }
    let padded = if letters == 1 { 36 * 9 } else { 0 };
    let weights = (1..=9_u32).rev().skip(2 - letters);
    let sum: u32 = text.bytes().zip(weights).map(|(c, w)| value(c) * w).sum();
    (sum + padded).is_multiple_of(11)
}

/// S, T, F, G or M, seven digits and a letter.
fn sg_nric(text: &str) -> bool {
    let bytes = text.as_bytes();
    let d = digits(&text[1..8]);
    if d.len() != 7 || !bytes[8].is_ascii_lowercase() {
        return false;
    }
    let sum = weighted(&d, &[2, 7, 6, 5, 4, 3, 2]);
    let (offset, table): (u32, &[u8; 11]) = match bytes[0] {
        b's' => (0, b"jzihgfedcba"),
        b't' => (4, b"jzihgfedcba"),
        b'f' => (0, b"xwutrqpnmlk"),
        b'g' => (4, b"xwutrqpnmlk"),
        b'm' => (3, b"xwutrqpnjlk"),
        _ => return false,
    };
    let place = (sum + offset) % 11;
    let place = if bytes[0] == b'm' { 10 - place } else { place };
    table.get(place as usize) == Some(&bytes[8])
}

/// Eight digits (or X, Y, Z and seven) and the letter of their remainder by 23.
fn es_dni(text: &str) -> bool {
    let first = match text.as_bytes()[0] {
        b'x' => "0",
        b'y' => "1",
        b'z' => "2",
        _ => &text[..1],
    };
    let number = format!("{first}{}", &text[1..8]);
    let letter = number.parse::<usize>().ok().map(|n| b"trwagmyfpdxbnjzsqvhlcke"[n % 23]);
    letter.is_some() && letter == text.bytes().last()
}
