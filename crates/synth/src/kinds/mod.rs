//! One file per family of objects: each makes drafts that a [`Study`] then writes.

mod documents;
mod enhanced;
mod images;
mod nuclear;
mod private;
mod references;
mod report;
mod slide;
mod ultrasound;
mod waveform;

pub(crate) use documents::encapsulated_pdf;
pub(crate) use enhanced::{enhanced_ct, enhanced_ct_header, enhanced_mr};
pub(crate) use images::{Slice, cr, ct, ct_header, mr, mr_header};
pub(crate) use nuclear::pet;
pub(crate) use private::{csa_header, ge_block, philips_block, siemens_block};
pub(crate) use references::{key_object, presentation_state, rt_structure_set};
pub(crate) use report::{Target, basic_text_sr, comprehensive_sr};
pub(crate) use slide::{slide_label, slide_volume};
pub(crate) use ultrasound::ultrasound;
pub(crate) use waveform::ecg;

use crate::key::Expect;
use crate::pixels::{Frames, Noise};
use crate::study::{Draft, Series, Study};
use crate::wire::DataSet;

/// SOP Class UIDs (PS3.4 table B.5-1).
pub(crate) mod class {
    pub(crate) const CR: &str = "1.2.840.10008.5.1.4.1.1.1";
    pub(crate) const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
    pub(crate) const ENHANCED_CT: &str = "1.2.840.10008.5.1.4.1.1.2.1";
    pub(crate) const US_MULTIFRAME: &str = "1.2.840.10008.5.1.4.1.1.3.1";
    pub(crate) const MR: &str = "1.2.840.10008.5.1.4.1.1.4";
    pub(crate) const ENHANCED_MR: &str = "1.2.840.10008.5.1.4.1.1.4.1";
    pub(crate) const ECG_12: &str = "1.2.840.10008.5.1.4.1.1.9.1.1";
    pub(crate) const GSPS: &str = "1.2.840.10008.5.1.4.1.1.11.1";
    pub(crate) const VIDEO_ENDOSCOPIC: &str = "1.2.840.10008.5.1.4.1.1.77.1.1.1";
    pub(crate) const SLIDE: &str = "1.2.840.10008.5.1.4.1.1.77.1.6";
    pub(crate) const BASIC_TEXT_SR: &str = "1.2.840.10008.5.1.4.1.1.88.11";
    pub(crate) const COMPREHENSIVE_SR: &str = "1.2.840.10008.5.1.4.1.1.88.33";
    pub(crate) const KEY_OBJECT: &str = "1.2.840.10008.5.1.4.1.1.88.59";
    pub(crate) const PDF: &str = "1.2.840.10008.5.1.4.1.1.104.1";
    pub(crate) const PET: &str = "1.2.840.10008.5.1.4.1.1.128";
    pub(crate) const RT_STRUCTURE_SET: &str = "1.2.840.10008.5.1.4.1.1.481.3";
}

/// What all drafts of one corpus share, and how large its images are.
pub(crate) struct Shop {
    pub(crate) noise: Noise,
    /// Columns and rows of CT, PET and slide images are divided by this.
    pub(crate) shrink: u16,
}

impl Study {
    /// Starts a draft: a fresh SOP Instance UID and the shared attributes.
    pub(crate) fn start(&self, class: &'static str, series: &Series, instance: usize) -> Draft {
        let uid = self.make_uid(&format!("instance {} {instance}", series.number));
        Draft {
            data: self.data_set(class, &uid, series, instance),
            class,
            uid,
            pixels: None,
            expected: Expect::Clean,
            own: vec![(crate::PlantedKind::Uid, series.uid.clone())],
        }
    }

    /// The SOP Instance UID that [`Study::start`] gives, for references from elsewhere.
    pub(crate) fn instance_uid(&self, series: &Series, instance: usize) -> String {
        self.make_uid(&format!("instance {} {instance}", series.number))
    }
}

impl Draft {
    pub(crate) fn with(mut self, fill: impl FnOnce(&mut DataSet)) -> Self {
        fill(&mut self.data);
        self
    }

    pub(crate) fn pixels(mut self, frames: Frames) -> Self {
        self.pixels = Some(frames);
        self
    }

    pub(crate) fn quarantined(mut self) -> Self {
        self.expected = Expect::Quarantine;
        self
    }

    pub(crate) fn planting(mut self, kind: crate::PlantedKind, value: &str) -> Self {
        self.own.push((kind, value.to_owned()));
        self
    }
}
