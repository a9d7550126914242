//! What an instance is called: as it says, or by what the rest of it says.

use crate::noticed::Noticed;
use crate::outcome::Outcome;
use crate::sop::SopClass;
use scanveil_dataset::{Header, Tag, tags};
use scanveil_model::{Reason, ReasonCode, TagPath};
use std::borrow::Cow;

/// Longest UID (PS3.5 9.1).
const LONGEST: usize = 64;

/// The UID of a study or series, or what stands for one that is missing.
pub(super) struct Group<'h> {
    pub(super) uid: Cow<'h, [u8]>,
    /// It is derived from other values, because the instance has none.
    pub(super) derived: bool,
}

/// The UIDs every instance must have.
pub(super) struct Identity<'h> {
    pub(super) class: Cow<'h, str>,
    pub(super) instance: Cow<'h, [u8]>,
    pub(super) series: Group<'h>,
    pub(super) study: Group<'h>,
}

/// What an instance is called, and the new UIDs of instance, series and study.
pub(super) struct Named<'h> {
    pub(super) identity: Identity<'h>,
    pub(super) sop: SopClass,
    pub(super) new: [String; 3],
}

/// PS3.5 9.1: digits in components, none of which is empty. A UID kept by a profile can become a
/// path.
pub(crate) fn is_uid(value: &[u8]) -> bool {
    has_components(value) && value.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
}

/// Components of which none is empty, not longer than UIDs are.
fn has_components(value: &[u8]) -> bool {
    value.len() <= LONGEST && value.split(|byte| *byte == b'.').all(|part| !part.is_empty())
}

/// What the data set must say itself: without it, it is no instance.
fn required<'h>(header: &'h Header<'_>, tag: Tag) -> Result<Cow<'h, [u8]>, Reason> {
    said(header, tag).map(Cow::Borrowed).ok_or_else(|| {
        Reason::at(ReasonCode::MissingAttribute, TagPath(tag.to_string()), "missing or empty")
    })
}

/// What an instance says it is called. The data set decides: the file meta information is written
/// anew.
pub(super) fn identity<'h>(header: &'h Header<'_>) -> Result<Identity<'h>, Reason> {
    let meta = &header.meta;
    if meta.sop_class_uid.as_deref() == Some(b"1.2.840.10008.1.3.10") {
        return Err(Reason::new(ReasonCode::NotAnInstance, "a media storage directory"));
    }
    let class = required(header, tags::SOP_CLASS_UID)?;
    let instance = required(header, tags::SOP_INSTANCE_UID)?;
    let not_one =
        |tag: Tag| Reason::at(ReasonCode::InvalidUid, TagPath(tag.to_string()), "not a UID");
    // What no network could have asked for by its name names nothing.
    if !has_components(&instance) {
        return Err(not_one(tags::SOP_INSTANCE_UID));
    }
    let class = match class {
        Cow::Borrowed(class) => std::str::from_utf8(class).ok().map(Cow::Borrowed),
        Cow::Owned(class) => String::from_utf8(class).ok().map(Cow::Owned),
    };
    let class = class.filter(|class| is_uid(class.as_bytes()));
    let class = class.ok_or_else(|| not_one(tags::SOP_CLASS_UID))?;
    let study = study(header, &instance);
    let series = series(header, &study.uid);
    Ok(Identity { class, instance, series, study })
}

fn said<'h>(header: &'h Header<'_>, tag: Tag) -> Option<&'h [u8]> {
    header.data.text(tag).filter(|value| !value.is_empty())
}

/// Values that stand for a UID: with their purpose, so that they are no other's.
fn standing_for(purpose: &str, values: &[&[u8]]) -> Vec<u8> {
    let mut all = purpose.as_bytes().to_vec();
    for value in values {
        all.push(0);
        all.extend_from_slice(value);
    }
    all
}

/// The study of an instance: its UID, or what stands for one that is missing. Instances of one
/// study have the same.
#[must_use]
pub fn study_of(header: &Header<'_>) -> Vec<u8> {
    study(header, said(header, tags::SOP_INSTANCE_UID).unwrap_or_default()).uid.into_owned()
}

/// The study: where the instance does not say, that of its series; else what was asked for of whom
/// on which day; else its own.
fn study<'h>(header: &'h Header<'_>, instance: &[u8]) -> Group<'h> {
    if let Some(uid) = said(header, tags::STUDY_INSTANCE_UID) {
        return Group { uid: uid.into(), derived: false };
    }
    let value = |tag| said(header, tag).unwrap_or_default();
    let (accession, id) = (value(ACCESSION_NUMBER), value(STUDY_ID));
    let uid = if let Some(series) = said(header, tags::SERIES_INSTANCE_UID) {
        standing_for("study of a series", &[series])
    } else if !(accession.is_empty() && id.is_empty()) {
        let who = [value(tags::PATIENT_ID), value(tags::PATIENT_NAME)];
        let when = value(tags::STUDY_DATE);
        standing_for("study of an order", &[who[0], who[1], when, accession, id])
    } else {
        standing_for("study of an instance", &[instance])
    };
    Group { uid: uid.into(), derived: true }
}

/// The series: where the instance does not say, all of its study of one modality and number.
fn series<'h>(header: &'h Header<'_>, study: &[u8]) -> Group<'h> {
    if let Some(uid) = said(header, tags::SERIES_INSTANCE_UID) {
        return Group { uid: uid.into(), derived: false };
    }
    let value = |tag| said(header, tag).unwrap_or_default();
    let (modality, number) = (value(tags::MODALITY), value(SERIES_NUMBER));
    let uid = standing_for("series of a study", &[study, modality, number]);
    Group { uid: uid.into(), derived: true }
}

const ACCESSION_NUMBER: Tag = Tag::new(0x8, 0x50);
const STUDY_ID: Tag = Tag::new(0x20, 0x10);
const SERIES_NUMBER: Tag = Tag::new(0x20, 0x11);

/// The class, where it is a storage class of the standard.
pub(super) fn sop_class(identity: &Identity<'_>) -> Result<SopClass, Reason> {
    SopClass::find(&identity.class).ok_or_else(|| {
        let at = TagPath(tags::SOP_CLASS_UID.to_string());
        Reason::at(ReasonCode::UnknownSopClass, at, "not a storage SOP class of the standard")
    })
}

impl Identity<'_> {
    /// UIDs that the data set has not, and that are written into it.
    pub(super) fn missing<'n>(
        &'n self,
        [_, series, study]: &'n [String; 3],
    ) -> impl Iterator<Item = (Tag, &'n str)> {
        [
            (self.study.derived, tags::STUDY_INSTANCE_UID, study),
            (self.series.derived, tags::SERIES_INSTANCE_UID, series),
        ]
        .into_iter()
        .filter_map(|(missing, tag, value)| missing.then_some((tag, value.as_str())))
    }

    /// Notices what was accepted by evidence.
    pub(super) fn notice(&self, header: &Header<'_>, outcome: &mut Outcome) {
        let meta = &header.meta;
        let differs =
            |said: &Option<Vec<u8>>, own: &[u8]| said.as_deref().is_some_and(|said| said != own);
        let odd = |uid: &[u8]| !is_uid(uid);
        for (noticed, is) in [
            (Noticed::FileMetaMissing, meta.is_missing()),
            (Noticed::FileMetaImplicit, meta.implicit),
            (Noticed::TransferSyntaxByEvidence, meta.by_evidence),
            (
                Noticed::FileMetaDiffers,
                differs(&meta.sop_class_uid, self.class.as_bytes())
                    || differs(&meta.sop_instance_uid, &self.instance),
            ),
            (Noticed::StudyUidDerived, self.study.derived),
            (Noticed::SeriesUidDerived, self.series.derived),
            (
                Noticed::InvalidUid,
                odd(&self.instance)
                    || !self.study.derived && odd(&self.study.uid)
                    || !self.series.derived && odd(&self.series.uid),
            ),
        ] {
            if is {
                outcome.notice(noticed);
            }
        }
    }
}
