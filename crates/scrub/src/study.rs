//! Scrubs the instances of one study.

pub(crate) mod documents;
mod named;

use crate::dates::Move;
use crate::days::StudyDays;
use crate::decide::Context;
use crate::header::{Insert, Rewriter, is_inserted};
use crate::identity::StudyIdentity;
use crate::kept::kept;
use crate::keyed::ProjectSecret;
use crate::noticed::Noticed;
use crate::outcome::{Decided, Outcome, Watch};
use crate::pixels::{self, PixelPlan};
use crate::plan::{Place, Plan};
use crate::prepared::Prepared;
use crate::profile::Circumstances;
use crate::reading::charset;
use crate::scrubbed::{Names, ScrubbedInstance};
use crate::sop::SopClass;
use crate::text::Texts;
use crate::treatment::Treatment;
use crate::values::DUMMIES;
use crate::vouched::Vouched;
use crate::{Profile, ProfileOption};
pub(crate) use named::is_uid;
pub use named::study_of;
use named::{Named, identity, sop_class};
use scanveil_dataset::{Body, Encoding, Header, Tag, Vr, Writer, file_meta, tags};
use scanveil_model::{Action, Digest, Reason, ReasonCode, Uid};
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
    days: StudyDays,
    tabled: bool,
    digested: bool,
    hospital: String,
    /// New UIDs of the study and of the series met last.
    uids: Mutex<Vec<(Vec<u8>, String)>>,
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

/// What of an instance does not come from its header alone.
#[derive(Clone, Copy, Default)]
struct Parts<'p> {
    pixels: Option<&'p PixelPlan>,
    document: Option<&'p documents::NewDocument<'p>>,
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
        let rules = &profile.settings.rules;
        let known = |open| {
            identity.known(&plan, rules, &document.text.remove, open, document.dates.age_cap)
        };
        let open = identity.keeps_personal(&plan, rules).then(|| known(true)).transpose()?;
        let known = known(false)?;
        let (verifier, days) = identity.into_parts(&plan, rules)?;
        Ok(Self {
            profile,
            secret,
            texts: Texts::new(&profile.cleaner, known, open),
            verifier,
            pseudonym,
            back,
            days,
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

    /// How dates move.
    pub(crate) fn by(&self) -> Move<'_> {
        Move { back: self.back, days: &self.days }
    }

    /// The new UID for one, or for what one is derived from. What is none cannot be retained.
    fn new_uid(&self, uid: &[u8], derived: bool) -> String {
        let retained = self.profile.has(ProfileOption::RetainUids) && !derived && is_uid(uid);
        match std::str::from_utf8(uid) {
            // One of the standard's own is the same everywhere, and stays in the data set too.
            Ok(text) if retained || crate::decide::is_registered(uid) => text.to_owned(),
            _ => self.secret.uid(uid),
        }
    }

    /// The new UID for one of a document, which may be a UUID.
    fn document_uid(&self, uid: &str) -> String {
        if self.profile.has(ProfileOption::RetainUids) {
            return uid.to_owned();
        }
        self.secret.uid(uid.as_bytes())
    }

    /// The new UID of a study or series: asked for by every instance of it.
    fn group_uid(&self, uid: &[u8], derived: bool) -> String {
        let mut known = self.uids.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, new)) = known.iter().find(|(old, _)| old == uid) {
            return new.clone();
        }
        let new = self.new_uid(uid, derived);
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
        self.rewrite(header, &named, Parts::default(), &mut Vec::new(), Some(&mut look))?;
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
        let mut written = file_meta(&identity.class, &new[0], header.syntax.uid);
        written.reserve(room(header));
        let meta_length = written.len();
        let parts = Parts { pixels: plan.as_ref(), document: document.as_ref() };
        let outcome = self.rewrite(header, &named, parts, &mut written, None)?;
        self.verify(header, &named, parts, &written, meta_length)?;
        let outcome = documents::counted(document, outcome);
        let header_digest = Digest(*blake3::hash(&written).as_bytes());
        Ok(Prepared {
            header,
            plan,
            written,
            meta_length,
            header_digest,
            digested: self.digested,
            names: Names {
                sop_class: uid(&identity.class)?,
                sop_instance: uid(&new[0])?,
                series: uid(&new[1])?,
                study: uid(&new[2])?,
            },
            patient_pseudonym: &self.pseudonym,
            outcome,
        })
    }

    /// Lets the verification look. Where it objects, it is told what is kept on purpose in
    /// which element: most instances never ask.
    fn verify(
        &self,
        header: &Header<'_>,
        named: &Named<'_>,
        parts: Parts<'_>,
        written: &[u8],
        meta_length: usize,
    ) -> Result<(), Reason> {
        let ours: Vec<&[u8]> = DUMMIES.iter().copied().chain([self.pseudonym.as_bytes()]).collect();
        if self.verifier.check(written, &ours, &[]).is_ok() {
            return Ok(());
        }
        let mut told = Vec::new();
        let mut look = |decided: &Decided<'_>| {
            told.extend(kept(&self.texts, decided, header.data.value(decided.element)));
        };
        let mut again = written[..meta_length].to_vec();
        self.rewrite(header, named, parts, &mut again, Some(&mut look))?;
        if again != written {
            return Err(Reason::new(ReasonCode::Internal, "written twice, and not the same"));
        }
        self.verifier.check(written, &ours, &told)
    }

    /// What an instance is called, and will be called.
    fn named<'h>(&self, header: &'h Header<'_>) -> Result<Named<'h>, Reason> {
        let identity = identity(header)?;
        let new = [
            self.new_uid(&identity.instance, false),
            self.group_uid(&identity.series.uid, identity.series.derived),
            self.group_uid(&identity.study.uid, identity.study.derived),
        ];
        Ok(Named { sop: sop_class(&identity)?, identity, new })
    }

    /// Writes the elements before the pixel data.
    fn rewrite(
        &self,
        header: &Header<'_>,
        Named { identity, sop, new }: &Named<'_>,
        Parts { pixels, document }: Parts<'_>,
        written: &mut Vec<u8>,
        watch: Option<Watch<'_>>,
    ) -> Result<Outcome, Reason> {
        let old = [&*identity.instance, &*identity.series.uid, &*identity.study.uid];
        let context = Context {
            rules: &self.profile.settings.rules,
            secret: self.secret,
            texts: &self.texts,
            pseudonym: &self.pseudonym,
            by: self.by(),
            full_dates: self.profile.has(ProfileOption::FullDates),
            full_uids: self.profile.has(ProfileOption::RetainUids),
            age_cap: self.profile.document().dates.age_cap,
            tabled: self.tabled,
            uids: std::array::from_fn(|at| (old[at], new[at].as_bytes())),
        };
        let plan = self.plan(header, &identity.class, *sop);
        let (charset, declared) = charset(header);
        let data = &header.data;
        let mut inserts = self.inserts(header, pixels);
        let mut missing = |tag: Tag, vr: Vr, value: &str| {
            let mut bytes = Vec::new();
            Writer::new(&mut bytes).element(tag, vr, value.as_bytes(), encoding(header));
            let at = inserts.partition_point(|insert| insert.tag < tag);
            inserts.insert(at, Insert { tag, bytes: bytes.into() });
        };
        if let Some(term) = declared.filter(|term| !term.is_empty()) {
            missing(tags::SPECIFIC_CHARACTER_SET, Vr::CS, &term);
        }
        for (tag, value) in identity.missing(new) {
            missing(tag, Vr::UI, value);
        }
        let nobody = data.find(tags::PATIENT_ID).is_none() && self.pseudonymizes(&plan);
        if nobody {
            missing(tags::PATIENT_ID, Vr::LO, &self.pseudonym);
        }
        document.iter().for_each(|document| document.insert(&mut inserts, encoding(header)));
        let mut outcome =
            Rewriter::rewrite(&context, &plan, data, charset, &inserts, written, watch)?;
        identity.notice(header, &mut outcome);
        if nobody {
            outcome.notice(Noticed::PatientIdAdded);
        }
        Ok(outcome)
    }

    /// Whether the patient of an instance that names none gets the pseudonym of the study's.
    fn pseudonymizes(&self, plan: &Plan) -> bool {
        let place = Place { path: &[], creator: None, value: &[] };
        let (rules, tag) = (&self.profile.settings.rules, tags::PATIENT_ID);
        plan.treatment(rules, tag, (Vr::LO, Vr::LO), &place).0 == Treatment::Pseudonym
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

/// Bytes that what is written of a header will take, about: what grows beyond its room is copied,
/// and a long one would be in memory twice meanwhile.
fn room(header: &Header<'_>) -> usize {
    const LONG: usize = 1 << 20;
    let elements = header.data.elements();
    let end = elements.last().map_or(0, |last| last.start as usize + last.length as usize);
    let values = if end > LONG { end } else { elements.len() * 24 };
    values + 4096
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
