//! How generations and packs are labelled: by the profile, and by the version of the hospital's
//! secret where it is not the first. What bears another label is outdated.

use scanveil_scrub::Profile;

/// What stands between the profile's label and the number of the secret.
const SECRET: &str = ".s";

/// `research@0123456789abcdef`, and from the second version of the secret on
/// `research@0123456789abcdef.s2`.
pub(crate) fn label(profile: &Profile, secret_version: u32) -> String {
    let label = profile.label();
    if secret_version > 1 { format!("{label}{SECRET}{secret_version}") } else { label }
}

/// The version of the secret under which something with this label was made.
pub(crate) fn secret_version(label: &str) -> u32 {
    let after = label.rsplit_once('@').and_then(|(_, digest)| digest.split_once(SECRET));
    after.and_then(|(_, number)| number.parse().ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_as_written() {
        let profile = Profile::builtin("basic").unwrap();
        assert_eq!(label(&profile, 1), profile.label());
        for version in [1, 2, 10, 100] {
            assert_eq!(secret_version(&label(&profile, version)), version);
        }
        assert_eq!(secret_version("a.s7@0123456789abcdef"), 1);
        assert_eq!(secret_version("none"), 1);
    }
}
