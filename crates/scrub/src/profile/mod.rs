//! Profiles: which options of PS3.15 apply and which rules go before them, written in TOML.

mod document;
mod error;
mod explain;
mod rule;

pub use document::{
    CdaRule, Coarseness, Condition, DateSettings, Declaration, DocumentSettings, PdfRule,
    PixelSettings, ProfileDocument, RuleAction, RuleDocument, TextSettings, Unlisted,
};
pub use error::ProfileError;
pub use explain::{Case, Explanation, IdleRule};
pub(crate) use rule::{Circumstances, Rule, Subject};

use crate::options::ProfileOption;
use crate::plan::Plan;
use scanveil_documents::DocumentReader;
use scanveil_model::Digest;
use scanveil_text::Cleaner;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// Rules in one profile: an imported list of private elements has some thousands.
const MOST_RULES: usize = 20_000;

/// Compiled plans that are kept; there are some two hundred definitions.
const MOST_PLANS: usize = 1024;

/// What plans are compiled from.
pub(crate) struct Settings {
    pub(crate) options: BTreeSet<ProfileOption>,
    pub(crate) rules: Vec<Rule>,
    /// Numbers of the rules that have conditions.
    conditional: Vec<u16>,
    pub(crate) unlisted: Unlisted,
}

impl Settings {
    /// Options alone.
    pub(crate) fn of_options(options: BTreeSet<ProfileOption>) -> Self {
        let (rules, conditional) = (Vec::new(), Vec::new());
        Self { options, rules, conditional, unlisted: Unlisted::default() }
    }
}

/// Plans by the rules whose conditions do not hold, and by object definition.
type Plans = HashMap<Vec<u16>, HashMap<String, Arc<Plan>>>;

/// A compiled profile.
pub struct Profile {
    document: ProfileDocument,
    digest: Digest,
    pub(crate) settings: Settings,
    pub(crate) cleaner: Cleaner,
    /// Where documents are read whose parsers are not trusted with this process.
    pub(crate) reader: Option<Arc<dyn DocumentReader>>,
    plans: Mutex<Plans>,
}

const BUILTIN: &[(&str, &str)] = &[
    ("basic", include_str!("../../../../pipelines/profiles/basic.toml")),
    ("research", include_str!("../../../../pipelines/profiles/research.toml")),
    ("strict", include_str!("../../../../pipelines/profiles/strict.toml")),
    ("full-dates", include_str!("../../../../pipelines/profiles/full-dates.toml")),
    ("internal-quality", include_str!("../../../../pipelines/profiles/internal-quality.toml")),
    ("longitudinal", include_str!("../../../../pipelines/profiles/longitudinal.toml")),
];

impl Profile {
    /// A profile that comes with scanveil.
    #[must_use]
    pub fn builtin(name: &str) -> Option<Self> {
        Self::from_toml(Self::builtin_text(name)?).ok()
    }

    /// The text of a profile that comes with scanveil.
    #[must_use]
    pub fn builtin_text(name: &str) -> Option<&'static str> {
        BUILTIN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// Names of the profiles that come with scanveil.
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|(name, _)| *name)
    }

    /// Compiles a profile from its text.
    ///
    /// # Errors
    /// [`ProfileError`] with the place and the reason.
    pub fn from_toml(text: &str) -> Result<Self, ProfileError> {
        let document: ProfileDocument =
            toml::from_str(text).map_err(|error| ProfileError::Syntax(error.to_string()))?;
        let digest = digest(text);
        Self::compile(document, digest)
    }

    fn compile(document: ProfileDocument, digest: Digest) -> Result<Self, ProfileError> {
        if !matches!(document.format, 1 | 2) {
            return Err(ProfileError::Format(document.format));
        }
        let options = options(&document.options)?;
        let dates = &document.dates;
        if dates.shift_min == 0 || dates.shift_min > dates.shift_max || dates.shift_max > 36_500 {
            return Err(ProfileError::Contradiction("dates.shift-min and dates.shift-max"));
        }
        if !(18..=120).contains(&dates.age_cap) {
            return Err(ProfileError::Contradiction("dates.age-cap is not between 18 and 120"));
        }
        if document.rules.len() > MOST_RULES {
            let why = format!("a profile has at most {MOST_RULES} rules");
            return Err(ProfileError::Rule { number: MOST_RULES + 1, why });
        }
        let cleans = |option| options.contains(&option);
        if document.documents.cda == CdaRule::Clean
            && !(cleans(ProfileOption::CleanDescriptors)
                && cleans(ProfileOption::CleanStructuredContent))
        {
            let what = "documents.cda without clean-descriptors and clean-structured-content";
            return Err(ProfileError::Contradiction(what));
        }
        let rules = document.rules.iter().cloned().enumerate().map(|(at, rule)| {
            Rule::compile(rule, at).map_err(|why| ProfileError::Rule { number: at + 1, why })
        });
        let rules: Vec<Rule> = rules.collect::<Result<_, _>>()?;
        let conditional = (0u16..)
            .zip(&rules)
            .filter(|(_, rule)| rule.when != Condition::default())
            .map(|(number, _)| number)
            .collect();
        Ok(Self {
            settings: Settings { options, rules, conditional, unlisted: document.unlisted },
            cleaner: Cleaner::new(&document.text.keep),
            digest,
            document,
            reader: None,
            plans: Mutex::default(),
        })
    }

    /// Gives documents of formats with parsers of their own to a reader; without one they are held
    /// back.
    #[must_use]
    pub fn with_reader(self, reader: Arc<dyn DocumentReader>) -> Self {
        Self { reader: Some(reader), ..self }
    }

    /// The profile as its author wrote it.
    #[must_use]
    pub fn document(&self) -> &ProfileDocument {
        &self.document
    }

    /// Name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.document.name.as_str()
    }

    /// Version, as the profile's author counts.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.document.version
    }

    /// Digest of the profile's text and of the code and tables that apply it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// `name@digest`, the digest cut to 16 hex digits: how tags and manifests name the profile.
    #[must_use]
    pub fn label(&self) -> String {
        let digest = self.digest.to_string();
        format!("{}@{}", self.name(), &digest[..16])
    }

    /// The options in force.
    pub fn options(&self) -> impl Iterator<Item = ProfileOption> {
        self.settings.options.iter().copied()
    }

    pub(crate) fn has(&self, option: ProfileOption) -> bool {
        self.settings.options.contains(&option)
    }

    /// The plan for instances in these circumstances.
    pub(crate) fn plan(&self, found: &Circumstances<'_>) -> Arc<Plan> {
        let settings = &self.settings;
        let failing: Vec<u16> = settings
            .conditional
            .iter()
            .copied()
            .filter(|number| !rule::holds(&settings.rules[usize::from(*number)].when, found))
            .collect();
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = plans.get(&failing).and_then(|plans| plans.get(found.iod)) {
            return Arc::clone(plan);
        }
        if plans.values().map(HashMap::len).sum::<usize>() >= MOST_PLANS {
            plans.clear();
        }
        let plan = Arc::new(Plan::compile(settings, found.iod, &failing));
        let of_rules = plans.entry(failing).or_default();
        of_rules.insert(found.iod.to_owned(), Arc::clone(&plan));
        plan
    }
}

fn options(names: &[String]) -> Result<BTreeSet<ProfileOption>, ProfileError> {
    let mut options = BTreeSet::new();
    for name in names {
        let option = ProfileOption::find(name).ok_or_else(|| ProfileError::UnknownOption {
            name: name.clone(),
            known: ProfileOption::names().collect::<Vec<_>>().join(", "),
        })?;
        options.insert(option);
    }
    let both = [ProfileOption::FullDates, ProfileOption::ModifiedDates];
    if both.iter().all(|option| options.contains(option)) {
        return Err(ProfileError::Contradiction("full-dates and modified-dates"));
    }
    Ok(options)
}

/// Digest of the code, the tables and the libraries that decide (`build.rs`): what was made by
/// others is outdated, and batches find it.
pub(crate) static RULES: &[u8; 32] = include_bytes!(concat!(env!("OUT_DIR"), "/rules.digest"));

fn digest(text: &str) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(text.as_bytes());
    hasher.update(RULES);
    Digest(*hasher.finalize().as_bytes())
}
