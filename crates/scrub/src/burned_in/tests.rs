use super::*;
use std::collections::BTreeSet;

/// Letters of 5 x 7 pixels: E, H, L, T, O, X.
const LETTERS_5X7: [[u8; 7]; 6] = [
    [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f],
    [0x11, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11],
    [0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1f],
    [0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04],
    [0x0e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e],
    [0x11, 0x11, 0x0a, 0x04, 0x0a, 0x11, 0x11],
];
const WIDTH: usize = 96;
const ROWS: usize = 64;

/// Noise between 100 and 140, the same each time.
fn noise() -> Vec<u16> {
    let mut state = 7u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        100 + (state >> 24) as u16 % 40
    };
    (0..WIDTH * ROWS).map(next).collect()
}

fn write(frame: &mut [u16], letters: usize, scale: usize, ink: u16) {
    for (n, letter) in LETTERS_5X7.iter().cycle().take(letters).enumerate() {
        for y in 0..7 * scale {
            for x in 0..5 * scale {
                if letter[y / scale] >> (4 - x / scale) & 1 == 1 {
                    frame[(5 + y) * WIDTH + 3 + n * 6 * scale + x] = ink;
                }
            }
        }
    }
}

fn encode(frame: &[u16], words: Words) -> Vec<u8> {
    let flip = |v: u16| match (words.signed, words.allocated) {
        (false, _) => v,
        (true, 8) => v ^ 0x80,
        (true, _) => v ^ 0x8000,
    };
    let frame = frame.iter().map(|&v| flip(v));
    match (words.allocated, words.big_endian) {
        (8, _) => frame.map(|v| v as u8).collect(),
        (_, true) => frame.flat_map(u16::to_be_bytes).collect(),
        (_, false) => frame.flat_map(u16::to_le_bytes).collect(),
    }
}

/// In pieces that end anywhere but within a word.
fn has_text(band: &[u8], width: usize, words: Words) -> bool {
    let mut scan = Scan::new(words, band.len());
    band.chunks(usize::from(words.allocated / 8) * 777).for_each(|piece| scan.add(piece));
    scan.finds_text(width)
}

#[test]
fn letters_are_found_in_every_layout_and_noise_is_not() {
    for allocated in [8, 16] {
        for signed in [false, true] {
            for big_endian in [false, true] {
                let words = Words { allocated, signed, big_endian };
                let plain = noise();
                assert!(!has_text(&encode(&plain, words), WIDTH, words), "{words:?}");
                for (letters, scale, ink) in [(6, 1, 250), (6, 1, 3), (5, 2, 250), (4, 3, 3)] {
                    let mut frame = plain.clone();
                    write(&mut frame, letters, scale, ink);
                    assert!(has_text(&encode(&frame, words), WIDTH, words), "{words:?} {scale}");
                }
                let mut few = plain.clone();
                write(&mut few, 3, 3, 250);
                assert!(!has_text(&encode(&few, words), WIDTH, words), "{words:?}");
            }
        }
    }
}

/// Shapes by flooding, pixel by pixel: slow and plain.
fn flooded(frame: &[u16], ink: u16) -> BTreeSet<(usize, usize, usize, usize, usize)> {
    let mut left: BTreeSet<usize> =
        frame.iter().enumerate().filter(|&(_, &v)| v == ink).map(|(at, _)| at).collect();
    let mut found = BTreeSet::new();
    while let Some(start) = left.pop_first() {
        let mut shape = (WIDTH, 0, ROWS, 0, 0);
        let mut stack = vec![start];
        while let Some(at) = stack.pop() {
            let (x, y) = (at % WIDTH, at / WIDTH);
            shape = (shape.0.min(x), shape.1.max(x), shape.2.min(y), shape.3.max(y), shape.4 + 1);
            for ny in y.saturating_sub(1)..=y + 1 {
                for nx in x.saturating_sub(1)..=(x + 1).min(WIDTH - 1) {
                    if left.remove(&(ny * WIDTH + nx)) {
                        stack.push(ny * WIDTH + nx);
                    }
                }
            }
        }
        found.insert(shape);
    }
    found
}

#[test]
fn shapes_are_those_of_a_flood() {
    for share in [2u16, 3, 5, 9] {
        let frame: Vec<u16> = noise().iter().map(|v| u16::from(v % share == 0)).collect();
        let places = frame.iter().enumerate().filter(|(_, value)| **value == 1);
        let places: Vec<u32> = places.map(|(at, _)| at as u32).collect();
        let found = shapes(&places, WIDTH);
        let found: BTreeSet<_> =
            found.iter().map(|s| (s.left, s.right, s.top, s.bottom, s.pixels)).collect();
        assert_eq!(found, flooded(&frame, 1));
    }
}
