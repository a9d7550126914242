//! Data element tags (PS3.5 7.1).

use std::fmt;

/// A data element tag: group in the upper, element in the lower half.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u32);

impl Tag {
    /// The tag of a group and an element number.
    #[must_use]
    pub const fn new(group: u16, element: u16) -> Self {
        Self((group as u32) << 16 | element as u32)
    }
    /// Group number.
    #[must_use]
    pub const fn group(self) -> u16 {
        (self.0 >> 16) as u16
    }
    /// Element number.
    #[must_use]
    pub const fn element(self) -> u16 {
        self.0 as u16
    }
    /// Private: odd group (PS3.5 7.8).
    #[must_use]
    pub const fn is_private(self) -> bool {
        self.group() & 1 == 1
    }
    /// A private creator element, (gggg,0010-00FF) (PS3.5 7.8.1).
    #[must_use]
    pub const fn is_private_creator(self) -> bool {
        self.is_private() && self.element() >= 0x10 && self.element() <= 0xff
    }
    /// A group length element (PS3.5 7.2), retired outside groups 0000, 0002 and 0004.
    #[must_use]
    pub const fn is_group_length(self) -> bool {
        self.element() == 0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({:04X},{:04X})", self.group(), self.element())
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The tags that code here and in the stages above names.
#[allow(missing_docs)]
pub mod tags {
    use super::Tag;
    pub const TRANSFER_SYNTAX_UID: Tag = Tag::new(0x0002, 0x0010);
    pub const MEDIA_STORAGE_SOP_CLASS_UID: Tag = Tag::new(0x0002, 0x0002);
    pub const MEDIA_STORAGE_SOP_INSTANCE_UID: Tag = Tag::new(0x0002, 0x0003);
    pub const SPECIFIC_CHARACTER_SET: Tag = Tag::new(0x0008, 0x0005);
    pub const IMAGE_TYPE: Tag = Tag::new(0x0008, 0x0008);
    pub const SOP_CLASS_UID: Tag = Tag::new(0x0008, 0x0016);
    pub const SOP_INSTANCE_UID: Tag = Tag::new(0x0008, 0x0018);
    pub const STUDY_DATE: Tag = Tag::new(0x0008, 0x0020);
    pub const ACCESSION_NUMBER: Tag = Tag::new(0x0008, 0x0050);
    pub const MODALITY: Tag = Tag::new(0x0008, 0x0060);
    pub const MANUFACTURER: Tag = Tag::new(0x0008, 0x0070);
    pub const MANUFACTURER_MODEL_NAME: Tag = Tag::new(0x0008, 0x1090);
    pub const PATIENT_ID: Tag = Tag::new(0x0010, 0x0020);
    pub const ISSUER_OF_PATIENT_ID: Tag = Tag::new(0x0010, 0x0021);
    pub const PATIENT_NAME: Tag = Tag::new(0x0010, 0x0010);
    pub const PATIENT_BIRTH_DATE: Tag = Tag::new(0x0010, 0x0030);
    pub const PATIENT_SEX: Tag = Tag::new(0x0010, 0x0040);
    pub const PATIENT_IDENTITY_REMOVED: Tag = Tag::new(0x0012, 0x0062);
    pub const DEIDENTIFICATION_METHOD: Tag = Tag::new(0x0012, 0x0063);
    pub const DEIDENTIFICATION_METHOD_CODE_SEQUENCE: Tag = Tag::new(0x0012, 0x0064);
    pub const BODY_PART_EXAMINED: Tag = Tag::new(0x0018, 0x0015);
    pub const STUDY_INSTANCE_UID: Tag = Tag::new(0x0020, 0x000d);
    pub const SERIES_INSTANCE_UID: Tag = Tag::new(0x0020, 0x000e);
    pub const SAMPLES_PER_PIXEL: Tag = Tag::new(0x0028, 0x0002);
    pub const PHOTOMETRIC_INTERPRETATION: Tag = Tag::new(0x0028, 0x0004);
    pub const NUMBER_OF_FRAMES: Tag = Tag::new(0x0028, 0x0008);
    pub const ROWS: Tag = Tag::new(0x0028, 0x0010);
    pub const COLUMNS: Tag = Tag::new(0x0028, 0x0011);
    pub const BITS_ALLOCATED: Tag = Tag::new(0x0028, 0x0100);
    pub const BITS_STORED: Tag = Tag::new(0x0028, 0x0101);
    pub const HIGH_BIT: Tag = Tag::new(0x0028, 0x0102);
    pub const PIXEL_REPRESENTATION: Tag = Tag::new(0x0028, 0x0103);
    pub const BURNED_IN_ANNOTATION: Tag = Tag::new(0x0028, 0x0301);
    pub const RECOGNIZABLE_VISUAL_FEATURES: Tag = Tag::new(0x0028, 0x0302);
    pub const LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED: Tag = Tag::new(0x0028, 0x0303);
    pub const FLOAT_PIXEL_DATA: Tag = Tag::new(0x7fe0, 0x0008);
    pub const DOUBLE_FLOAT_PIXEL_DATA: Tag = Tag::new(0x7fe0, 0x0009);
    pub const PIXEL_DATA: Tag = Tag::new(0x7fe0, 0x0010);
    pub const DATA_SET_TRAILING_PADDING: Tag = Tag::new(0xfffc, 0xfffc);
    pub const ITEM: Tag = Tag::new(0xfffe, 0xe000);
    pub const ITEM_DELIMITATION: Tag = Tag::new(0xfffe, 0xe00d);
    pub const SEQUENCE_DELIMITATION: Tag = Tag::new(0xfffe, 0xe0dd);
}
