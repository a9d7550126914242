//! Scrubs the instances of one study.

pub(crate) mod documents;

use crate::decide::Context;
use crate::header::{Insert, Rewriter, is_inserted};
use crate::identity::StudyIdentity;
use crate::keyed::ProjectSecret;
use crate::outcome::{Decided, Outcome, Watch};
use crate::pixels::{self, PixelPlan};
use crate::plan::Plan;
use crate::prepared::Prepared;
use crate::profile::Circumstances;
use crate::reading::charset;
use crate::scrubbed::{Names, ScrubbedInstance};
use crate::sop::SopClass;
use crate::text::Texts;
use crate::values::DUMMIES;
use crate::vouched::Vouched;
use crate::{Profile, ProfileOption};
use scanveil_dataset::{Body, Encoding, Header, Tag, Vr, Writer, file_meta, tags};
use scanveil_model::{Action, Digest, Reason, ReasonCode, TagPath, Uid};
use scanveil_verify::Verifier;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// De-identification Method (0012,0063), and where a person has looked at the pixels.
const METHOD: &str = "scanveil, PS3.15 Annex E";
const METHOD_VOUCHED: &str = "scanveil, PS3.15 Annex E\\pixels vouched for by a person";

/// Studies and series whose new UIDs are remembered.
const MOST_GROUPS: usize = 8;

/// Everything that the instances of one study share: pseudonym, date offset, identifying values.
pub struct StudyScrubber<'p> {
    profile: &'p Profile,
    secret: &'p ProjectSecret,
    texts: Texts<'p>,
    verifier: Verifier,
    pseudonym: String,
    back: i64,
    tabled: bool,
    digested: bool,
    hospital: String,
    /// New UIDs of the study and of the series met last.
    uids: Mutex<Vec<(String, String)>>,
    /// The codes of what was done, by encoding.
    methods: [OnceLock<Vec<u8>>; 3],
}

/// What a mapping line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MappingKind {
    /// A UID.
    Uid,
    /// A patient identifier.
    Patient,
}

impl MappingKind {
    /// The word in the mapping file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Uid => "uid",
            Self::Patient => "patient",
        }
    }
}

/// Old and new identifier: identifying, for the hospital's own eyes. No `Debug`.
pub struct Mapping {
    /// What it is.
    pub kind: MappingKind,
    /// As received.
    pub old: String,
    /// As written.
    pub new: String,
}

/// The UIDs every instance must have.
struct Identity<'h> {
    class: &'h str,
    instance: &'h str,
    series: &'h str,
    study: &'h str,
}

/// What an instance is called, and the new UIDs of instance, series and study.
struct Named<'h> {
    identity: Identity<'h>,
    sop: SopClass,
    new: [String; 3],
}

fn required<'h>(header: &'h Header<'_>, tag: Tag) -> Result<&'h str, Reason> {
    let at = || TagPath(tag.to_string());
    let value = header.data.text(tag).filter(|value| !value.is_empty());
    let value =
        value.ok_or_else(|| Reason::at(ReasonCode::MissingAttribute, at(), "missing or empty"))?;
    let text = std::str::from_utf8(value).ok().filter(|_| is_uid(value));
    text.ok_or_else(|| Reason::at(ReasonCode::InvalidUid, at(), "not a UID"))
}

/// PS3.5 9.1: digits in components, none of which is empty. A UID kept by a profile can become a
/// path.
fn is_uid(value: &[u8]) -> bool {
    let whole = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    value.len() <= 64 && value.split(|byte| *byte == b'.').all(whole)
}

fn identity<'h>(header: &'h Header<'_>) -> Result<Identity<'h>, Reason> {
    if header.meta.sop_class_uid.as_deref() == Some(b"1.2.840.10008.1.3.10") {
        return Err(Reason::new(ReasonCode::NotAnInstance, "a media storage directory"));
    }
    let class = required(header, tags::SOP_CLASS_UID)?;
    let instance = required(header, tags::SOP_INSTANCE_UID)?;
    for (tag, meta, found) in [
        (tags::MEDIA_STORAGE_SOP_CLASS_UID, &header.meta.sop_class_uid, class),
        (tags::MEDIA_STORAGE_SOP_INSTANCE_UID, &header.meta.sop_instance_uid, instance),
    ] {
        if meta.as_deref().is_some_and(|meta| meta != found.as_bytes()) {
            let at = TagPath(tag.to_string());
            return Err(Reason::at(ReasonCode::MetaMismatch, at, "differs from the data set"));
        }
    }
    Ok(Identity {
        class,
        instance,
        series: required(header, tags::SERIES_INSTANCE_UID)?,
        study: required(header, tags::STUDY_INSTANCE_UID)?,
    })
}

fn sop_class(identity: &Identity<'_>) -> Result<SopClass, Reason> {
    SopClass::find(identity.class).ok_or_else(|| {
        let at = TagPath(tags::SOP_CLASS_UID.to_string());
        Reason::at(ReasonCode::UnknownSopClass, at, "not a storage SOP class of the standard")
    })
}

impl<'p> StudyScrubber<'p> {
    /// Prepares the scrubbing of a study whose every instance was shown to `identity`.
    ///
    /// # Errors
    /// [`ReasonCode::MixedPatients`] when the study is about more than one patient.
    pub fn new(
        profile: &'p Profile,
        secret: &'p ProjectSecret,
        identity: StudyIdentity,
    ) -> Result<Self, Reason> {
        let patient = identity.patient()?;
        let pseudonym = identity.pseudonym(secret)?;
        let document = profile.document();
        let dates = &document.dates;
        let back = secret.offset_days(&patient, dates.shift_min, dates.shift_max);
        let plan = profile.plan(&Circumstances::default());
        let known = identity.known(&plan, &profile.settings.rules, &document.text.remove)?;
        Ok(Self {
            profile,
            secret,
            texts: Texts::new(&profile.cleaner, known),
            verifier: identity.verifier(&plan, &profile.settings.rules)?,
            pseudonym,
            back,
            tabled: true,
            digested: true,
            hospital: String::new(),
            uids: Mutex::default(),
            methods: Default::default(),
        })
    }

    /// Names the hospital that the study came from, for rules that ask for it.
    #[must_use]
    pub fn of_hospital(self, hospital: &str) -> Self {
        Self { hospital: hospital.to_owned(), ..self }
    }

    /// Leaves [`ScrubbedInstance::attributes`] empty: for those who have no table to fill.
    #[must_use]
    pub fn without_attributes(self) -> Self {
        Self { tabled: false, ..self }
    }

    /// Leaves [`ScrubbedInstance::digest`] empty: for those who neither compare nor list outputs.
    #[must_use]
    pub fn without_digests(self) -> Self {
        Self { digested: false, ..self }
    }

    /// The patient's pseudonym in this project.
    #[must_use]
    pub fn pseudonym(&self) -> &str {
        &self.pseudonym
    }

    fn new_uid(&self, uid: &str) -> String {
        if self.profile.has(ProfileOption::RetainUids) {
            return uid.to_owned();
        }
        self.secret.uid(uid.as_bytes())
    }

    /// The new UID of a study or series: asked for by every instance of it.
    fn group_uid(&self, uid: &str) -> String {
        let mut known = self.uids.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, new)) = known.iter().find(|(old, _)| old == uid) {
            return new.clone();
        }
        let new = self.new_uid(uid);
        if known.len() == MOST_GROUPS {
            known.clear();
        }
        known.push((uid.to_owned(), new.clone()));
        new
    }

    /// Old and new identifiers of an instance: every UID in it that is replaced, and the patient's.
    ///
    /// # Errors
    /// The [`Reason`] to quarantine the instance.
    pub fn mapping(&self, header: &Header<'_>) -> Result<Vec<Mapping>, Reason> {
        let mut pairs = Vec::new();
        let mut look = |decided: &Decided<'_>| {
            let (Action::Remap, Some(new)) = (decided.action, decided.new) else { return };
            let old = header.data.value(decided.element).split(|&b| b == b'\\');
            pairs.extend(old.zip(new.split(|&b| b == b'\\')).filter_map(|(old, new)| {
                let text = |bytes| {
                    std::str::from_utf8(bytes)
                        .ok()
                        .map(|t: &str| t.trim_matches([' ', '\0']).to_owned())
                };
                Some(Mapping { kind: MappingKind::Uid, old: text(old)?, new: text(new)? })
            }));
        };
        let named = self.named(header)?;
        self.rewrite(header, &named, (None, None), &mut Vec::new(), Some(&mut look))?;
        if let Some(id) = header.data.text(tags::PATIENT_ID) {
            pairs.push(Mapping {
                kind: MappingKind::Patient,
                old: String::from_utf8_lossy(id).into_owned(),
                new: self.pseudonym.clone(),
            });
        }
        Ok(pairs)
    }

    /// Scrubs the header of one instance: the pixel data is still to be written, and looked into.
    ///
    /// # Errors
    /// The [`Reason`] to quarantine it.
    pub fn prepare<'s>(&'s self, header: &'s Header<'s>) -> Result<Prepared<'s>, Reason> {
        self.prepare_vouched(header, &Vouched::default())
    }

    /// As [`StudyScrubber::prepare`], where somebody vouches for the pixels.
    fn prepare_vouched<'s>(
        &'s self,
        header: &'s Header<'s>,
        vouched: &Vouched,
    ) -> Result<Prepared<'s>, Reason> {
        let named = self.named(header)?;
        let worth = self.profile.document().pixels.burned_in_annotation;
        let plan = pixels::plan(header, named.sop, worth, vouched)?;
        let document = self.document(header, named.sop)?;
        let uid = |text: &str| {
            Uid::parse(text).map_err(|_| Reason::new(ReasonCode::Internal, "a new UID is not one"))
        };
        let Named { identity, new, .. } = &named;
        let mut written = file_meta(identity.class, &new[0], header.syntax.uid);
        written.reserve(header.data.elements().len() * 24 + 4096);
        let meta_length = written.len();
        let outcome =
            self.rewrite(header, &named, (plan.as_ref(), document), &mut written, None)?;
        let ours = DUMMIES.iter().copied().chain([self.pseudonym.as_bytes()]);
        self.verifier.check(&written, &ours.collect::<Vec<_>>())?;
        let header_digest = Digest(*blake3::hash(&written).as_bytes());
        Ok(Prepared {
            header,
            plan,
            written,
            meta_length,
            header_digest,
            digested: self.digested,
            names: Names {
                sop_class: uid(identity.class)?,
                sop_instance: uid(&new[0])?,
                series: uid(&new[1])?,
                study: uid(&new[2])?,
            },
            patient_pseudonym: &self.pseudonym,
            outcome,
        })
    }

    /// What an instance is called, and will be called.
    fn named<'h>(&self, header: &'h Header<'_>) -> Result<Named<'h>, Reason> {
        let identity = identity(header)?;
        let new = [
            self.new_uid(identity.instance),
            self.group_uid(identity.series),
            self.group_uid(identity.study),
        ];
        Ok(Named { sop: sop_class(&identity)?, identity, new })
    }

    /// Writes the elements before the pixel data.
    fn rewrite(
        &self,
        header: &Header<'_>,
        Named { identity, sop, new }: &Named<'_>,
        (pixels, document): (Option<&PixelPlan>, Option<documents::NewDocument<'_>>),
        written: &mut Vec<u8>,
        watch: Option<Watch<'_>>,
    ) -> Result<Outcome, Reason> {
        let old = [identity.instance, identity.series, identity.study];
        let context = Context {
            rules: &self.profile.settings.rules,
            secret: self.secret,
            texts: &self.texts,
            pseudonym: &self.pseudonym,
            back: self.back,
            age_cap: self.profile.document().dates.age_cap,
            tabled: self.tabled,
            uids: std::array::from_fn(|at| (old[at].as_bytes(), new[at].as_bytes())),
        };
        let plan = self.plan(header, identity.class, *sop);
        let (charset, declared) = charset(header);
        let mut inserts = self.inserts(header, pixels);
        if let Some(term) = declared {
            let mut bytes = Vec::new();
            let tag = tags::SPECIFIC_CHARACTER_SET;
            Writer::new(&mut bytes).element(tag, Vr::CS, term.as_bytes(), encoding(header));
            inserts.insert(0, Insert { tag, bytes: bytes.into() });
        }
        let data = &header.data;
        document.iter().for_each(|document| document.insert(&mut inserts, encoding(header)));
        let outcome = Rewriter::rewrite(&context, &plan, data, charset, &inserts, written, watch)?;
        Ok(documents::counted(document, outcome))
    }

    fn plan(&self, header: &Header<'_>, class: &str, sop: SopClass) -> Arc<Plan> {
        let text = |tag| header.data.text(tag).unwrap_or(b"");
        self.profile.plan(&Circumstances {
            modality: text(tags::MODALITY),
            sop_class: class,
            iod: sop.iod,
            manufacturer: text(tags::MANUFACTURER),
            model: text(tags::MANUFACTURER_MODEL_NAME),
            hospital: &self.hospital,
        })
    }

    /// Scrubs one instance into `out`.
    ///
    /// # Errors
    /// The [`Reason`] to quarantine it. What was written to `out` must then be thrown away: it may
    /// hold pixels that turned out not to be clean.
    pub fn scrub<R: Read, W: Write>(
        &self,
        header: &Header<'_>,
        body: Body<'_, R>,
        out: W,
    ) -> Result<ScrubbedInstance, Reason> {
        self.prepare(header)?.write(body, out)
    }

    /// As [`StudyScrubber::scrub`], where somebody has looked at the pixels: reasons about them
    /// that `vouched` ends are none. Everything else, and the verification, is as ever.
    ///
    /// # Errors
    /// As [`StudyScrubber::scrub`].
    pub fn scrub_vouched<R: Read, W: Write>(
        &self,
        header: &Header<'_>,
        body: Body<'_, R>,
        out: W,
        vouched: &Vouched,
    ) -> Result<ScrubbedInstance, Reason> {
        self.prepare_vouched(header, vouched)?.write(body, out)
    }

    /// The attributes that say what was done (PS3.15 E.2, CID 7050), in order of their tags.
    fn inserts(&self, header: &Header<'_>, plan: Option<&PixelPlan>) -> Vec<Insert<'_>> {
        let encoding = encoding(header);
        let plain = |tag: Tag, vr: Vr, value: &str| {
            let mut bytes = Vec::new();
            Writer::new(&mut bytes).element(tag, vr, value.as_bytes(), encoding);
            Insert { tag, bytes: bytes.into() }
        };
        let dates = if self.profile.has(ProfileOption::FullDates) {
            "UNMODIFIED"
        } else if self.profile.has(ProfileOption::ModifiedDates) {
            "MODIFIED"
        } else {
            "REMOVED"
        };
        let vouched = plan.is_some_and(PixelPlan::is_vouched);
        let method = if vouched { METHOD_VOUCHED } else { METHOD };
        let mut inserts = vec![
            plain(tags::PATIENT_IDENTITY_REMOVED, Vr::CS, "YES"),
            plain(tags::DEIDENTIFICATION_METHOD, Vr::LO, method),
            self.method_codes(encoding),
        ];
        // What was not looked into was let through as it is: so is what it says of itself.
        let says_no = header.data.text(tags::BURNED_IN_ANNOTATION) == Some(b"NO");
        if plan.is_some_and(PixelPlan::looks) || says_no || vouched {
            inserts.push(plain(tags::BURNED_IN_ANNOTATION, Vr::CS, "NO"));
        }
        if may_show_a_face(header) {
            inserts.push(plain(tags::RECOGNIZABLE_VISUAL_FEATURES, Vr::CS, "YES"));
        }
        inserts.push(plain(tags::LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED, Vr::CS, dates));
        debug_assert!(inserts.iter().all(|insert| is_inserted(insert.tag)));
        inserts
    }

    /// The codes of what was done: the same in every instance of an encoding, written once.
    fn method_codes(&self, encoding: Encoding) -> Insert<'_> {
        let tag = tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE;
        let at = usize::from(encoding.explicit) + usize::from(encoding.big_endian);
        let bytes = self.methods[at].get_or_init(|| self.write_method_codes(tag, encoding));
        Insert { tag, bytes: bytes.as_slice().into() }
    }

    fn write_method_codes(&self, tag: Tag, encoding: Encoding) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes);
        let sequence = writer.open_sequence(tag, Vr::SQ, false, encoding);
        let basic = ("113100", "Basic Application Confidentiality Profile");
        // An option that is only declared was not applied: the codes must not say so.
        let done = self.profile.options().filter(|option| option.is_carried_out());
        for (value, meaning) in std::iter::once(basic).chain(done.map(ProfileOption::code)) {
            let item = writer.open_item(false, encoding);
            writer.element(Tag::new(8, 0x100), Vr::SH, value.as_bytes(), encoding);
            writer.element(Tag::new(8, 0x102), Vr::SH, b"DCM", encoding);
            writer.element(Tag::new(8, 0x104), Vr::LO, meaning.as_bytes(), encoding);
            writer.close_item(&item);
        }
        writer.close_sequence(&sequence);
        bytes
    }
}

pub(crate) fn encoding(header: &Header<'_>) -> Encoding {
    Encoding { explicit: header.syntax.explicit, big_endian: header.syntax.big_endian }
}

/// Cross-sections of a head, or of a part that nobody named: a face can be rendered from them.
fn may_show_a_face(header: &Header<'_>) -> bool {
    let modality = header.data.text(tags::MODALITY).unwrap_or(b"");
    let part = header.data.text(tags::BODY_PART_EXAMINED).unwrap_or(b"").to_ascii_uppercase();
    let head = part.is_empty()
        || [&b"HEAD"[..], b"BRAIN", b"FACE", b"SKULL", b"NECK", b"ORBIT"]
            .iter()
            .any(|name| part.windows(name.len()).any(|window| window == *name));
    matches!(modality, b"CT" | b"MR" | b"PT") && header.pixel.is_some() && head
}
