//! Another configuration for the running service: read, checked as a whole, recorded, and put in
//! force as a whole; or refused, and nothing has changed.

use super::receivers::Receivers;
use crate::cli::ServeArgs;
use crate::commands::subject::desk;
use crate::output::Failure;
use scanveil_govern::{Action, Actor, AuditLog, ErrorCode, Event, Office, Outcome};
use scanveil_ingest::show_counters;
use scanveil_model::{ErrorReport, HospitalId};
use scanveil_pipeline::{
    ChangeKind, Config, ConfigChange, ConfigPart, Settings, Severity, Site, changes, needs_restart,
    now_ms, preflight,
};
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;

/// What a reload did.
#[derive(Debug, Serialize)]
pub(crate) struct Reloaded {
    /// The file that was read.
    pub(crate) file: PathBuf,
    /// What is in force now and was not before.
    pub(crate) changes: Vec<ConfigChange>,
    /// Settings of the file that wait for a restart.
    pub(crate) needs_restart: Vec<String>,
    /// What somebody should look at.
    pub(crate) problems: Vec<ErrorReport>,
    /// What waits in the spool of hospitals that are not configured any more.
    pub(crate) waiting: Vec<WaitingOf>,
}

/// Instances that wait for their hospital.
#[derive(Debug, Serialize)]
pub(crate) struct WaitingOf {
    pub(crate) hospital: HospitalId,
    pub(crate) instances: u64,
}

/// Reads the configuration again for a running service.
pub(crate) struct Reloader {
    pub(crate) site: Arc<Site>,
    pub(crate) receivers: Arc<Receivers>,
    pub(crate) args: ServeArgs,
    pub(crate) file: PathBuf,
}

/// The configuration as the service is told it: by its file, its environment and its flags.
pub(crate) fn load(args: &ServeArgs) -> Result<Config, Failure> {
    let mut config = Config::load(&args.config.config)?;
    config.http.listen = args.http.unwrap_or(config.http.listen);
    config.dimse.listen = args.dimse.or(config.dimse.listen);
    // What counts is what is in force: a flag can open what the file keeps closed.
    config.check()?;
    Ok(config)
}

impl Reloader {
    /// Does it, and says in the log what came of it.
    pub(crate) fn reload(&self, who: &Actor) -> Result<Reloaded, Failure> {
        let done = self.try_reload(who);
        match &done {
            Ok(reloaded) => tell(reloaded, who),
            Err(Failure(report)) => {
                tracing::error!(
                    code = report.code, next_step = report.next_step, %who,
                    "configuration not reloaded, the one before stays in force: {}",
                    report.message
                );
                self.record_refusal(who, report);
            }
        }
        done
    }

    fn try_reload(&self, who: &Actor) -> Result<Reloaded, Failure> {
        let before = self.site.settings();
        let new = load(&self.args)?;
        let config = before.config.reloaded(&new);
        config.check()?;
        super::startable(&config)?;
        let settings = Settings::new(config)?;
        let changes = changes(&before, &settings);
        let needs_restart = needs_restart(&before.config, &new);
        let mut problems = useless(&settings.config);
        if !changes.is_empty() {
            let prepared = self.receivers.prepare(&settings.config)?;
            record(&self.log()?, who, &changes)?;
            show_counters(settings.config.hospitals.iter().map(|hospital| &hospital.id));
            self.site.adopt(settings);
            problems.extend(self.receivers.adopt(prepared));
        }
        let waiting = waiting(&self.site);
        Ok(Reloaded { file: self.file.clone(), changes, needs_restart, problems, waiting })
    }

    fn log(&self) -> Result<AuditLog, Failure> {
        Ok(Office::open(desk::folder(&self.site.config()))?.log())
    }

    fn record_refusal(&self, who: &Actor, report: &ErrorReport) {
        let event = Event {
            code: ErrorCode::parse(&report.code),
            ..Event::new(now_ms(), who.clone(), Action::CONFIG_RELOAD, Outcome::Refused)
        };
        let recorded = self.log().and_then(|log| Ok(log.append(&event)?));
        if let Err(Failure(report)) = recorded {
            tracing::error!(code = report.code, "not in the audit log: {}", report.message);
        }
    }
}

/// What waits in the spool of hospitals that are not configured.
pub(crate) fn waiting(site: &Site) -> Vec<WaitingOf> {
    let settings = site.settings();
    let all = site.spool().map(|spool| spool.waiting()).unwrap_or_default();
    all.into_iter()
        .filter(|(hospital, waiting)| waiting.instances > 0 && !settings.knows(hospital))
        .map(|(hospital, waiting)| WaitingOf { hospital, instances: waiting.instances })
        .collect()
}

/// What can be put in force and never works.
fn useless(config: &Config) -> Vec<ErrorReport> {
    let found = preflight(config).into_iter();
    let found = found.filter(|problem| problem.severity == Severity::Useless);
    found
        .map(|problem| ErrorReport {
            code: "SV-CLI-080".to_owned(),
            message: format!("{}: {}", problem.setting, problem.what),
            next_step: problem.next_step,
        })
        .collect()
}

/// Every change in the audit log, before it is in force.
fn record(log: &AuditLog, who: &Actor, changes: &[ConfigChange]) -> Result<(), Failure> {
    for ConfigChange { part, change, .. } in changes {
        let action = match (part, change) {
            (ConfigPart::Hospital(_), ChangeKind::Added) => Action::HOSPITAL_ADD,
            (ConfigPart::Hospital(_), ChangeKind::Removed) => Action::HOSPITAL_REMOVE,
            (ConfigPart::Hospital(_), ChangeKind::Changed) => Action::HOSPITAL_CHANGE,
            (ConfigPart::Project(_), ChangeKind::Added) => Action::PROJECT_ADD,
            (ConfigPart::Project(_), ChangeKind::Removed) => Action::PROJECT_REMOVE,
            (ConfigPart::Project(_), ChangeKind::Changed) => Action::PROJECT_CHANGE,
            (ConfigPart::OperatorToken, _) => Action::OPERATOR_TOKEN_CHANGE,
        };
        let mut event = Event::new(now_ms(), who.clone(), action, Outcome::Done);
        match part {
            ConfigPart::Hospital(id) => event.hospital = Some(id.clone()),
            ConfigPart::Project(name) => event.project = Some(name.clone()),
            ConfigPart::OperatorToken => {}
        }
        log.append(&event)?;
    }
    Ok(())
}

fn tell(reloaded: &Reloaded, who: &Actor) {
    for ConfigChange { part, change, details } in &reloaded.changes {
        tracing::info!(%part, %change, details = details.join("; "), "configuration changed");
    }
    for problem in &reloaded.problems {
        tracing::warn!(code = problem.code, next_step = problem.next_step, "{}", problem.message);
    }
    for WaitingOf { hospital, instances } in &reloaded.waiting {
        tracing::warn!(
            %hospital, instances, next_step = WAITING_STEP,
            "instances wait in the spool for a hospital that is not configured"
        );
    }
    if !reloaded.needs_restart.is_empty() {
        let settings = reloaded.needs_restart.join(", ");
        tracing::warn!(settings, "these settings changed and need a restart");
    }
    tracing::info!(changes = reloaded.changes.len(), %who, "configuration reloaded");
}

/// What ends the waiting.
pub(crate) const WAITING_STEP: &str = "configure the hospital again (without callers, tokens and \
    folder it receives nothing) until they are stored; they are kept meanwhile";
