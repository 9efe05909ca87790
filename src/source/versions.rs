//! Versions: the files of a path in which one part is the name of a model's version. Directory reads; no file is opened here.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::scan::Stamp;

/// What stands in the path for the name of a version.
pub const VERSION: &str = "{version}";

/// The files that are there, by version. A version's name is text without `/`; names with a dot before them are of files that are being
/// written. `Err`: why the folder cannot be listed; one that is not there has no files.
pub fn versions(path: &Path) -> Result<BTreeMap<String, (PathBuf, Stamp)>, String> {
    let mut found = BTreeMap::new();
    let parts: Vec<Component> = path.components().collect();
    let named = |part: &Component| part.as_os_str().to_string_lossy().contains(VERSION);
    let Some(at) = parts.iter().position(named) else {
        return Ok(found);
    };
    let part = parts[at].as_os_str().to_string_lossy();
    let Some((before, behind)) = part.split_once(VERSION) else {
        return Ok(found);
    };
    let folder: PathBuf = parts[..at].iter().collect();
    let below: PathBuf = parts[at + 1..].iter().collect();
    let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(format!("{} cannot be listed: {error}", folder.display())),
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let version = name.to_str().and_then(|name| name.strip_prefix(before)?.strip_suffix(behind));
        let Some(version) = version.filter(|version| !version.is_empty() && !version.starts_with('.')) else {
            continue;
        };
        let file = if below.as_os_str().is_empty() { entry.path() } else { entry.path().join(&below) };
        let stamp = std::fs::metadata(&file).ok().filter(std::fs::Metadata::is_file).map(|there| Stamp::of(&there));
        found.extend(stamp.map(|stamp| (version.to_string(), (file, stamp))));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_what_stands_between_the_two_ends_of_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let names =
            ["ref-1.parquet", "ref-v2.5.parquet", "ref-.parquet", "ref-3.tmp", "other.parquet", "ref-.x.parquet"];
        names.iter().for_each(|name| std::fs::write(root.join(name), name).unwrap());
        std::fs::create_dir_all(root.join("ref-folder.parquet")).unwrap();
        let of = |path: &str| versions(&root.join(path)).unwrap().into_keys().collect::<Vec<_>>();
        assert_eq!(of("ref-{version}.parquet"), ["1", "v2.5"]);
        assert_eq!(of("nowhere/{version}.parquet"), [""; 0]);

        for version in ["2025-01", "2025-02"] {
            std::fs::create_dir_all(root.join(version)).unwrap();
        }
        std::fs::write(root.join("2025-02/reference.parquet"), "").unwrap();
        let found = versions(&root.join("{version}/reference.parquet")).unwrap();
        assert_eq!(
            found.into_iter().map(|(version, (path, _))| (version, path)).collect::<Vec<_>>(),
            [("2025-02".to_string(), root.join("2025-02/reference.parquet"))]
        );
    }
}
