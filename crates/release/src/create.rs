//! Making a release.

use crate::certificates::{self, ManifestCertificate};
use crate::folder::{DATASHEET, Folder, LIST, MANIFEST, TABLES, hash_file, io_error};
use crate::line::{Line, series, studies};
use crate::lost::{lost, own_fault};
use crate::manifest::{Document, MANIFEST_VERSION};
use crate::plan::{Opener, Plan, plan};
use crate::table::{write_csv, write_parquet};
use crate::{
    ManifestInstance, Progress, ReleaseError, ReleaseManifest, ReleaseMode, ReleaseRequest,
    ReleaseSources, Totals, Unreadable, datasheet, tables,
};
use rayon::prelude::*;
use scanveil_catalog::{Catalog, ReleaseRecord, ReleasedStudy};
use scanveil_durable::{SHARED, TempFile, sync_file_system};
use scanveil_model::{Digest, Generation, HospitalId};
use scanveil_seal::{PackReader, SealError, StudyKey};
use scanveil_storage::StoredReader;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Makes a release of a project's current generation and records it in the catalogue.
///
/// Every instance is read from its sealed pack, checked against its digest and written under a
/// temporary name first. The manifest comes last: a folder without one is unfinished and can be
/// resumed. `progress` is called from several threads, after each instance.
///
/// # Errors
/// [`ReleaseError`]; what was written so far stays, for [`ReleaseMode::Resume`].
pub fn create(
    request: &ReleaseRequest,
    sources: &ReleaseSources<'_>,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<ReleaseManifest, ReleaseError> {
    let created_at = jiff::Timestamp::from_millisecond(request.created_at_ms)
        .map_err(|_| ReleaseError::Time)?
        .to_string();
    let threads = rayon::ThreadPoolBuilder::new()
        .num_threads(request.jobs)
        .build()
        .map_err(|source| ReleaseError::Threads { source: Box::new(source) })?;
    let folder = Folder::take(&request.out, request.mode, &request.release, &request.project)?;
    let opener = Opener { store: sources.store, keys: sources.keys };
    let mut plan = threads.install(|| plan(request, sources, &opener))?;
    write(request, &folder, &opener, &mut plan, &threads, progress)
        .map_err(|error| name_lost(error, sources, &plan))?;
    if plan.lines.is_empty() {
        folder.finish()?;
        let left_out = plan.left_out.iter().map(|left| left.instances).sum();
        return Err(ReleaseError::Empty { left_out });
    }
    let document = describe(request, created_at, &folder, &plan)?;
    record(request, &document, &plan, sources.catalog)?;
    folder.finish()?;
    Ok(ReleaseManifest(document))
}

/// Writes the instances and the certificates, and takes out of the plan what could not be read, if
/// that is allowed.
fn write(
    request: &ReleaseRequest,
    folder: &Folder,
    opener: &Opener<'_>,
    plan: &mut Plan,
    threads: &rayon::ThreadPool,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<(), ReleaseError> {
    certificates::keep_with(&mut plan.certificates, &plan.lines);
    keep_only(folder, plan)?;
    let writer = Writer {
        folder,
        opener,
        plan,
        mode: request.mode,
        unreadable: request.unreadable,
        lost: Mutex::new(BTreeSet::new()),
        progress: Mutex::new(Progress {
            instances_total: plan.lines.len() as u64,
            bytes_total: plan.lines.iter().map(|line| line.bytes).sum(),
            ..Progress::default()
        }),
        report: progress,
    };
    threads.install(|| writer.write_all())?;
    let lost = writer.lost.into_inner().unwrap_or_else(PoisonError::into_inner);
    if !lost.is_empty() {
        plan.leave_out_objects(&lost);
        certificates::keep_with(&mut plan.certificates, &plan.lines);
        keep_only(folder, plan)?;
    }
    certificates::write(&plan.certificates, folder)?;
    threads.install(|| make_durable(folder.root()))
}

/// An object that turned out damaged while it was read is named as those are that were met before.
fn name_lost(error: ReleaseError, sources: &ReleaseSources<'_>, plan: &Plan) -> ReleaseError {
    let id = match &error {
        ReleaseError::Object { object, .. } | ReleaseError::ObjectMismatch { object, .. } => {
            *object
        }
        _ => return error,
    };
    let Some(record) = plan.objects.iter().find(|record| record.object == id) else { return error };
    match own_fault(error) {
        Ok(what) => ReleaseError::Short { lost: vec![lost(sources, record, what)] },
        Err(error) => error,
    }
}

/// Removes what an interrupted run or an older generation left.
fn keep_only(folder: &Folder, plan: &Plan) -> Result<(), ReleaseError> {
    let Plan { lines, certificates, .. } = plan;
    let planned = |path: &str| {
        lines.binary_search_by(|line| line.path.as_str().cmp(path)).is_ok()
            || certificates.binary_search_by(|one| one.path.as_str().cmp(path)).is_ok()
    };
    folder.clear_data(planned)
}

/// Writes the instances.
struct Writer<'a> {
    folder: &'a Folder,
    opener: &'a Opener<'a>,
    plan: &'a Plan,
    mode: ReleaseMode,
    unreadable: Unreadable,
    /// Objects that turned out unreadable, where that is no reason to stop.
    lost: Mutex<BTreeSet<usize>>,
    progress: Mutex<Progress>,
    report: &'a (dyn Fn(Progress) + Sync),
}

impl Writer<'_> {
    fn write_all(&self) -> Result<(), ReleaseError> {
        let mut by_object: Vec<Vec<&Line>> = vec![Vec::new(); self.plan.objects.len()];
        for line in &self.plan.lines {
            by_object[line.object].push(line);
        }
        by_object
            .par_iter()
            .enumerate()
            .with_max_len(1)
            .filter(|(_, lines)| !lines.is_empty())
            .try_for_each(|(object, lines)| match self.write_object(object, lines) {
                Err(error) if self.unreadable == Unreadable::LeaveOut => {
                    own_fault(error)?;
                    self.lost.lock().unwrap_or_else(PoisonError::into_inner).insert(object);
                    Ok(())
                }
                result => result,
            })
    }

    fn write_object(&self, object: usize, lines: &[&Line]) -> Result<(), ReleaseError> {
        let mut pack = None;
        let mut made = BTreeSet::new();
        for line in lines {
            let path = self.folder.root().join(&line.path);
            if self.mode == ReleaseMode::Resume && is_right(&path, line) {
                self.count(line);
                continue;
            }
            let pack = match &pack {
                Some(pack) => pack,
                None => pack.insert(self.opener.open(&self.plan.objects[object])?),
            };
            let parent = path.parent().unwrap_or(self.folder.root());
            if made.insert(parent.to_owned()) {
                fs::create_dir_all(parent)
                    .map_err(|e| io_error("make a folder in", self.folder.root(), e))?;
            }
            self.write_instance(pack, object, line, &path)?;
            self.count(line);
        }
        Ok(())
    }

    fn write_instance(
        &self,
        pack: &PackReader<StoredReader>,
        object: usize,
        line: &Line,
        path: &Path,
    ) -> Result<(), ReleaseError> {
        let id = self.plan.objects[object].object;
        let failed = |source| ReleaseError::Object { object: id, source };
        let disk = |e| io_error("write a file in", self.folder.root(), e);
        let entry = pack
            .index()
            .entries
            .get(line.entry)
            .filter(|entry| entry.digest == line.digest && entry.length == line.bytes)
            .ok_or(ReleaseError::ObjectMismatch { object: id, what: "its index" })?;
        let mut temporary = TempFile::create(path, SHARED).map_err(disk)?;
        // The reader ends with an error unless the bytes have the entry's digest.
        let mut instance = pack.instance(entry).map_err(failed)?;
        let mut out = Guard { inner: temporary.file_mut(), failed: None };
        if let Err(error) = io::copy(&mut instance, &mut out) {
            return Err(match out.failed {
                Some(error) => disk(error),
                None => failed(SealError::from(error)),
            });
        }
        temporary.place().map_err(disk)?;
        Ok(())
    }

    fn count(&self, line: &Line) {
        // A poisoned lock only means that a report panicked; the numbers are still right.
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.instances += 1;
        progress.bytes += line.bytes;
        let now = *progress;
        drop(progress);
        (self.report)(now);
    }
}

/// Tells an error of the disk from one of the source.
struct Guard<'a, W> {
    inner: &'a mut W,
    failed: Option<io::Error>,
}

impl<W: Write> Write for Guard<'_, W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.inner.write(buf).map_err(|error| {
            let kind = error.kind();
            self.failed = Some(error);
            kind.into()
        })
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Whether an earlier run left the right file.
fn is_right(path: &Path, line: &Line) -> bool {
    let same_length =
        fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && found.len() == line.bytes);
    same_length && hash_file(path).is_ok_and(|(digest, _)| digest == line.digest)
}

/// Makes instances and certificates durable: one call instead of one for every file.
fn make_durable(root: &Path) -> Result<(), ReleaseError> {
    sync_file_system(root).map_err(|e| io_error("sync", root, e))
}

/// Writes tables, data sheet, list and manifest.
fn describe(
    request: &ReleaseRequest,
    created_at: String,
    folder: &Folder,
    plan: &Plan,
) -> Result<Document, ReleaseError> {
    let lines = &plan.lines;
    let mut list: Vec<(String, Digest)> =
        lines.iter().map(|line| (line.path.clone(), line.digest)).collect();
    list.extend(plan.certificates.iter().map(|one| (one.path.clone(), one.digest)));
    for (name, grid) in tables::all(lines) {
        let csv = format!("{TABLES}/{name}.csv");
        let (digest, _) = folder.write_file(&csv, |out| write_csv(&grid, out))?;
        list.push((csv, digest));
        let parquet = format!("{TABLES}/{name}.parquet");
        let (digest, _) = folder.write_file(&parquet, |out| write_parquet(&grid, out))?;
        list.push((parquet, digest));
    }
    let totals = totals(lines);
    let text = datasheet::datasheet(request, lines, &totals, &plan.left_out);
    let write = |out: &mut dyn Write| {
        out.write_all(text.as_bytes()).map_err(|e| io_error("write", folder.root(), e))
    };
    let (digest, _) = folder.write_file(DATASHEET, |out| write(out))?;
    list.push((DATASHEET.to_owned(), digest));
    list.sort();
    let (list_digest, _) = folder.write_file(LIST, |out| {
        list.iter().try_for_each(|(path, digest)| {
            writeln!(out, "{digest}  {path}").map_err(|e| io_error("write", folder.root(), e))
        })
    })?;
    let document = Document {
        version: MANIFEST_VERSION,
        release: request.release.clone(),
        project: request.project.clone(),
        created_at,
        engine: request.engine.clone(),
        profile: request.profile.clone(),
        list_digest,
        totals,
        left_out: plan.left_out.clone(),
        instances: lines.iter().map(ManifestInstance::of).collect(),
        certificates: plan.certificates.iter().map(ManifestCertificate::of).collect(),
    };
    folder.write_json(MANIFEST, &document)?;
    Ok(document)
}

fn totals(lines: &[Line]) -> Totals {
    let patients: BTreeSet<&str> = lines.iter().map(|line| &*line.patient).collect();
    Totals {
        patients: patients.len() as u64,
        studies: studies(lines).len() as u64,
        series: series(lines).len() as u64,
        instances: lines.len() as u64,
        bytes: lines.iter().map(|line| line.bytes).sum(),
    }
}

fn record(
    request: &ReleaseRequest,
    document: &Document,
    plan: &Plan,
    catalog: &Catalog,
) -> Result<(), ReleaseError> {
    let release = ReleaseRecord {
        release: document.release.clone(),
        project: document.project.clone(),
        created_at_ms: request.created_at_ms,
        engine: document.engine.clone(),
        instances: document.totals.instances,
        bytes: document.totals.bytes,
        list_digest: document.list_digest,
    };
    catalog.record_release(&release, &released_studies(plan))?;
    Ok(())
}

/// The studies of the lines, with the generation of each: the newest, and there is one only.
fn released_studies(plan: &Plan) -> Vec<ReleasedStudy> {
    let mut found: BTreeMap<(&HospitalId, StudyKey), ReleasedStudy> = BTreeMap::new();
    for object in plan.lines.iter().filter_map(|line| plan.objects.get(line.object)) {
        let study = found.entry((&object.hospital, object.study_key)).or_insert(ReleasedStudy {
            hospital: object.hospital.clone(),
            study_key: object.study_key,
            generation: object.generation.unwrap_or(Generation(0)),
            instances: 0,
        });
        study.instances += 1;
    }
    found.into_values().collect()
}
