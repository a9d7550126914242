//! Storage SOP classes (PS3.4 Annex B) and what their pixels may hold.

use std::collections::HashMap;
use std::sync::LazyLock;

/// How much is known of the pixels of a SOP class before looking at them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelClass {
    /// Made by the modality itself: text is the exception.
    Low,
    /// Often carries burned-in text: screens, ultrasound, photographs.
    Risk,
    /// An encapsulated document.
    Document,
    /// A recorded voice.
    Voice,
    /// A video.
    Video,
    /// A whole-slide image: volume tiles, but also labels.
    Slide,
}

/// A storage SOP class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SopClass {
    /// UID.
    pub uid: &'static str,
    /// The information object definition, in kebab case.
    pub iod: &'static str,
    /// What its pixels may hold.
    pub pixels: PixelClass,
}

static BY_UID: LazyLock<HashMap<&'static str, SopClass>> = LazyLock::new(|| {
    const TABLE: &str = include_str!("../tables/sop-classes.csv");
    TABLE.lines().skip(1).filter_map(parse).map(|class| (class.uid, class)).collect()
});

fn parse(line: &'static str) -> Option<SopClass> {
    let (uid, rest) = line.split_once(',')?;
    let (iod, pixels) = rest.split_once(',')?;
    let pixels = match pixels {
        "low" => PixelClass::Low,
        "document" => PixelClass::Document,
        "voice" => PixelClass::Voice,
        "video" => PixelClass::Video,
        "slide" => PixelClass::Slide,
        _ => PixelClass::Risk,
    };
    Some(SopClass { uid, iod, pixels })
}

impl SopClass {
    /// The storage SOP class with this UID; `None` for private and unknown ones.
    #[must_use]
    pub fn find(uid: &str) -> Option<Self> {
        BY_UID.get(uid).copied()
    }
}
