//! The step that a crate's version takes between two manifests.

use semver::Version;
use spec_diff::Bump;

/// Two versions and the step between them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Declared {
    pub(crate) base: Version,
    pub(crate) head: Version,
    /// The largest change that the step allows.
    pub(crate) bump: Bump,
}

/// Reads the step from the `Cargo.toml` of a crate before and now.
pub(crate) fn declared(base: &str, head: &str) -> Result<Declared, String> {
    let (base, head) = (version(base)?, version(head)?);
    let bump = step(&base, &head)?;
    Ok(Declared { base, head, bump })
}

fn version(manifest: &str) -> Result<Version, String> {
    let text = crate::workspace::manifest::version(manifest)?.ok_or("package.version is not a string")?;
    Version::parse(&text).map_err(|error| format!("invalid package.version {text:?}: {error}"))
}

/// Returns the step by Cargo's rules of compatibility: the first number that is not zero makes the major step. Build metadata does not count.
fn step(base: &Version, head: &Version) -> Result<Bump, String> {
    let numbers = |version: &Version| [version.major, version.minor, version.patch];
    match base.cmp_precedence(head) {
        std::cmp::Ordering::Equal => return Ok(Bump::None),
        std::cmp::Ordering::Greater => return Err(format!("the version goes back from {base} to {head}")),
        std::cmp::Ordering::Less => {}
    }
    let (old, new) = (numbers(base), numbers(head));
    let first = old.iter().zip(&new).position(|(old, new)| old != new);
    let zeros = new.iter().take_while(|number| **number == 0).count();
    Ok(match first {
        // Steps between pre-releases promise nothing.
        _ if !base.pre.is_empty() => Bump::Major,
        Some(at) if at <= zeros => Bump::Major,
        // 0.x has no third step: what 1.x would call minor is a step of its last number.
        Some(1) => Bump::Minor,
        Some(_) if new[0] == 0 => Bump::Minor,
        _ => Bump::Patch,
    })
}

/// Returns the least version that declares a change.
pub(crate) fn next(base: &Version, bump: Bump) -> Version {
    let Version { major, minor, patch, .. } = *base;
    match (bump, major, minor) {
        (Bump::None, ..) => base.clone(),
        (Bump::Major, 0, 0) => Version::new(0, 0, patch + 1),
        (Bump::Major, 0, _) => Version::new(0, minor + 1, 0),
        (Bump::Major, ..) => Version::new(major + 1, 0, 0),
        (Bump::Minor, 1.., _) => Version::new(major, minor + 1, 0),
        (Bump::Minor | Bump::Patch, ..) => Version::new(major, minor, patch + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_version_declares_its_step() {
        for base in ["1.2.3", "0.9.9", "0.0.1"].map(|base| Version::parse(base).expect("it is a version")) {
            for bump in [Bump::None, Bump::Patch, Bump::Minor, Bump::Major] {
                let next = next(&base, bump);
                assert!(step(&base, &next).is_ok_and(|step| step >= bump), "{bump} from {base} to {next}");
            }
        }
    }

    fn between(base: &str, head: &str) -> Result<Bump, String> {
        let manifest = |version: &str| format!("[package]\nversion = \"{version}\"\n");
        declared(&manifest(base), &manifest(head)).map(|declared| declared.bump)
    }

    #[test]
    fn first_nonzero_number_is_the_major_one() {
        for (base, head, bump) in [
            ("1.2.3", "2.0.0", Bump::Major),
            ("1.2.3", "1.3.0", Bump::Minor),
            ("1.2.3", "1.2.4", Bump::Patch),
            ("0.9.9", "1.0.0", Bump::Major),
            ("0.1.0", "0.2.0", Bump::Major),
            ("0.1.0", "0.1.1", Bump::Minor),
            ("0.0.1", "0.0.2", Bump::Major),
            ("1.0.0-rc.1", "1.0.0-rc.2", Bump::Major),
            ("1.0.0-rc.1", "1.0.0", Bump::Major),
            ("1.2.3", "2.0.0-rc.1", Bump::Major),
            ("0.1.0+2026-11-21", "0.1.0+2026-11-22", Bump::None),
            ("0.1.0+2026-11-21", "0.1.1+2026-11-22", Bump::Minor),
        ] {
            assert_eq!(between(base, head), Ok(bump), "{base} to {head}");
        }
    }

    #[test]
    fn invalid_or_lower_version_is_an_error_of_one_line() {
        assert_eq!(between("0.2.0", "0.1.0"), Err("the version goes back from 0.2.0 to 0.1.0".to_owned()));
        assert!(between("0.2", "0.3.0").is_err_and(|error| error.starts_with("invalid package.version \"0.2\": ")));
        let inherited = "[package]\nversion.workspace = true\n";
        assert_eq!(declared(inherited, inherited), Err("package.version is not a string".to_owned()));
    }
}
