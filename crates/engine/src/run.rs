//! A run over files: the first look at everything, then the second, study by study.

use crate::EngineError;
use crate::inputs::Input;
use crate::journal::circumstances;
use crate::mappings::{Mappings, Pairs};
use crate::plan::Plan;
use crate::secret::Secrets;
use crate::staging::Staging;
use crate::watch::Watch;
use crate::work::{Done, Scrubbing};
use scanveil_scrub::Profile;
use std::collections::HashMap;
use std::path::PathBuf;

/// What a run does.
#[derive(Clone, Copy)]
pub struct Settings<'p> {
    /// The rules.
    pub profile: &'p Profile,
    /// What pseudonyms hang on.
    pub secrets: &'p Secrets,
    /// Whether somebody lists what came of each input, with digests.
    pub reported: bool,
    /// Whether old and new identifiers are gathered.
    pub mapped: bool,
}

/// What came of a run.
pub struct Results<'p> {
    plan: Plan<'p>,
    outcomes: Vec<Done>,
    pairs: Option<Pairs>,
}

impl Results<'_> {
    /// What came of each input: of the files as they were found, then of the members of archives.
    #[must_use]
    pub fn outcomes(&self) -> &[Done] {
        &self.outcomes
    }

    /// How many studies there are.
    #[must_use]
    pub fn studies(&self) -> usize {
        self.plan.studies.len()
    }

    /// Old and new identifiers, where they were asked for.
    #[must_use]
    pub fn pairs(&self) -> Option<&Pairs> {
        self.pairs.as_ref()
    }

    /// The file that an input is, and the member where it is an archive: for its owner's eyes only.
    #[must_use]
    pub fn name(&self, at: usize) -> Option<(PathBuf, Option<String>)> {
        Some(self.plan.jobs.get(at)?.input.name())
    }
}

/// Scrubs files: in a thread pool, if it is called within one. Without a place for outputs nothing
/// is written. Studies that an earlier run has finished, which was stopped, are not done again.
///
/// # Errors
/// [`EngineError::NoDicom`], and when an output cannot be written.
pub fn scrub<'p>(
    inputs: Vec<Input>,
    mut staging: Option<&mut Staging>,
    settings: &Settings<'p>,
    watch: &Watch<'_>,
) -> Result<Results<'p>, EngineError> {
    let plan = Plan::make(inputs, watch);
    plan.has_something_to_do()?;
    let finished = match staging.as_deref_mut().filter(|_| !watch.is_stopped()) {
        Some(staging) => {
            let same = circumstances(&settings.profile.digest(), settings.reported);
            let marks = plan.mark(&settings.secrets.marks, &same);
            plan.finished(&staging.take_over(&marks)?)
        }
        None => HashMap::new(),
    };
    let mappings = settings.mapped.then(Mappings::default);
    let scrubbing = Scrubbing {
        settings,
        plan: &plan,
        staging: staging.as_deref(),
        mappings: mappings.as_ref(),
        finished,
        watch,
    };
    let outcomes = scrubbing.run()?;
    Ok(Results { plan, outcomes, pairs: mappings.map(Mappings::into_pairs) })
}
