//! What systems, viewers and people leave beside instances, by its name.

use std::collections::HashSet;
use std::sync::LazyLock;

/// The names, one a line below the heading of their kind.
const LIST: &str = include_str!("clutter.txt");

#[derive(Default)]
struct Names {
    folders: HashSet<&'static str>,
    files: HashSet<&'static str>,
    endings: HashSet<&'static str>,
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let mut names = Names::default();
    let mut kind = "";
    for line in LIST.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match (line.strip_prefix('['), kind) {
            (Some(heading), _) => kind = heading.trim_end_matches(']'),
            (None, "folders") => drop(names.folders.insert(line)),
            (None, "files") => drop(names.files.insert(line)),
            (None, "endings") => drop(names.endings.insert(line)),
            // Lines before the first heading are comments.
            (None, _) => {}
        }
    }
    names
});

/// Whether a path, with either kind of slashes, names such a file or leads through such a folder.
pub(super) fn is_path(path: &str) -> bool {
    let mut parts = path.rsplit(['/', '\\']);
    let is_file = parts.next().is_some_and(is_name);
    is_file || parts.any(|folder| NAMES.folders.contains(folder.to_ascii_lowercase().as_str()))
}

fn is_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let (stem, ending) = name.rsplit_once('.').unwrap_or((&name, ""));
    name.starts_with('.')
        || NAMES.files.contains(name.as_str())
        || NAMES.files.contains(stem)
        || NAMES.endings.contains(ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clutter_is_told_from_instances_by_whole_names_and_endings() {
        for path in [
            "README",
            "readme.TXT",
            "a/LICENSE",
            "a/License.md",
            "DICOMDIR",
            "._IM00001",
            "a\\Thumbs.db",
            "desktop.ini",
            ".DS_Store",
            "__MACOSX/DICOM/x",
            "VIEWER/run.EXE",
            "INDEX.HTM",
            "autorun.inf",
            "SHA256SUMS",
            "md5sums.md5",
            "x/@eaDir/IM1@SynoThumb",
        ] {
            assert!(is_path(path), "{path}");
        }
        for path in [
            "IM00001",
            "1.2.840.113619.2.1",
            "a.dcm",
            "scan.IMA",
            "readme/IM1",
            "viewer/IM00001",
            "report.pdf",
            "letter.docx",
            "notes",
            "dicom",
            "x.txt/IM1",
            "",
        ] {
            assert!(!is_path(path), "{path}");
        }
        assert!(!NAMES.folders.is_empty() && !NAMES.files.is_empty());
    }
}
