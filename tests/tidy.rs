//! The fences of the house, read from the source as text: who may name whom, which crate stands in which room, how
//! long things may be. A rule that matters is a test; the reason stands beside it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Who may name whom; all else is forbidden. A room is a file of `src/` with the folder of its name.
const ROOMS: &[(&str, &[&str])] = &[
    ("main", &["cli", "config", "daemon", "demo", "http", "metrics", "once", "report", "table", "worker"]),
    ("cli", &["config", "stats"]), // the methods that --help lists, and the nearest name to a wrong one
    ("config", &["batch", "monitor", "report", "source", "stats"]), // the parts' settings
    ("daemon", &["config", "http", "report", "shutdown", "source", "worker"]), // of source only what sleeps and where
    ("once", &["batch", "config", "monitor", "progress", "reference", "report", "source", "worker"]),
    ("worker", &["batch", "config", "monitor", "reference", "report", "source"]),
    ("http", &["metrics", "page", "report"]),
    ("metrics", &["report"]),
    ("page", &["report"]),
    ("table", &["batch", "monitor", "plan", "report", "stats"]),
    ("source", &["batch"]),
    ("monitor", &["batch", "label", "pair", "pane", "profile", "reference", "report", "stats", "verdict", "window"]),
    ("reference", &["batch", "grid", "label", "monitor", "plan", "profile", "report", "stats"]),
    ("plan", &["batch", "monitor", "report", "stats"]),
    ("window", &["monitor", "pane", "reference", "stats"]), // of monitor only the shape of a window
    ("pane", &["profile", "reference", "stats"]),
    ("verdict", &["report", "stats"]),
    ("label", &["batch", "report", "stats"]),
    ("profile", &["grid", "stats"]),
    ("grid", &["profile"]), // the cell that both count in
    ("pair", &[]),
    ("report", &[]),
    ("batch", &[]),
    ("stats", &[]),
    ("progress", &[]),
    ("shutdown", &[]),
    ("demo", &[]), // a service of its own, that knows nothing of who reads it
    ("lib", &[]),
];

/// Crates, and the only places that may name them: one file to change when a crate does.
const CRATES: &[(&str, &[&str])] = &[
    ("parquet", &["source/parquet.rs", "source.rs", "source/look.rs", "source/table.rs", "demo.rs"]), // three of them mean the file of that name
    ("notify", &["source/wake.rs"]),
    ("walkdir", &["source/scan.rs"]),
    ("globset", &["source/scan.rs"]),
    ("prometheus", &["metrics.rs", "metrics/"]),
    ("hyper", &["http.rs", "http/"]),
    ("hyper_util", &["http.rs", "http/"]),
    ("http_body_util", &["http.rs", "http/"]),
    ("clap", &["cli.rs"]),
    ("serde_saphyr", &["config/raw.rs"]),
    ("comfy_table", &["table.rs", "table/"]),
    ("indicatif", &["progress.rs"]),
    ("tracing_subscriber", &["main.rs"]),
];

/// Ground and heart: deterministic, no I/O, nothing that can fail.
const HEART: &[&str] = &[
    "stats",
    "batch",
    "grid",
    "profile",
    "label",
    "pane",
    "window",
    "pair",
    "plan",
    "reference",
    "verdict",
    "monitor",
    "report",
];

/// What the heart never names.
const OUTSIDE: &[&str] =
    &["std::fs", "std::path", "std::net", "std::thread", "SystemTime", "Instant", "tokio", "tracing", "std::env"];

/// Time is an argument everywhere but here.
const CLOCKS: &[&str] = &["daemon.rs", "daemon/crew.rs", "progress.rs"];

/// More than this before the tests is more than one idea.
const LINES_MAX: usize = 420;
const FUNCTION_LINES_MAX: usize = 70;

/// Never in finished code.
const BANNED: &[&str] = &["todo!(", "unimplemented!(", "dbg!(", "#[ignore", "unsafe {", "unsafe fn", "FIXME", "XXX"];

struct File {
    /// Below `src/`, with `/`.
    name: String,
    /// Without its tests.
    code: String,
}

impl File {
    fn new(name: &str, text: &str) -> File {
        let code = text.split("\n#[cfg(test)]\n").next().unwrap_or_default();
        File { name: name.to_string(), code: code.to_string() }
    }

    fn room(&self) -> &str {
        self.name.split(['/', '.']).next().unwrap_or_default()
    }

    /// Lines without comments.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.code.lines().enumerate().map(|(i, line)| (i + 1, line.trim()));
        lines.filter(|(_, line)| !line.starts_with("//"))
    }

    fn names(&self, word: &str) -> Option<usize> {
        self.lines().find(|(_, line)| has_word(line, word)).map(|(line, _)| line)
    }
}

/// Whether a path begins with this word: `word::`, not as a part of another name or path.
fn has_word(line: &str, word: &str) -> bool {
    let mut rest = line;
    while let Some(at) = rest.find(word) {
        let before = rest[..at].chars().next_back();
        let after = &rest[at + word.len()..];
        let joined = before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '"')
            || rest[..at].ends_with("self::")
            || rest[..at].ends_with("super::");
        let inner = rest[..at].ends_with("::") && !rest[..at].ends_with(" ::");
        if !joined && !inner && (after.starts_with("::") || (line.starts_with("use ") && after.starts_with(';'))) {
            return true;
        }
        rest = after;
    }
    false
}

/// Rooms that a file names, by `crate::room` or, in main, `drift_sidecar::room`.
fn rooms_named(file: &File) -> BTreeSet<(usize, String)> {
    let mut found = BTreeSet::new();
    let mut text = String::new();
    let mut starts = Vec::new();
    for (line, code) in file.lines() {
        starts.push((text.len(), line));
        text.push_str(code);
        text.push(' ');
    }
    for root in ["crate::", "drift_sidecar::"] {
        for (at, _) in text.match_indices(root) {
            let line = starts[starts.partition_point(|(start, _)| *start <= at) - 1].1;
            let rest = &text[at + root.len()..];
            let group = rest.strip_prefix('{').and_then(|rest| rest.split('}').next());
            for path in group.unwrap_or(rest).split(if group.is_some() { ',' } else { '\n' }) {
                let word: String = path.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                found.insert((line, word));
            }
        }
    }
    found
}

fn check_rooms(file: &File, faults: &mut Vec<String>) {
    let Some((_, may)) = ROOMS.iter().find(|(room, _)| *room == file.room()) else {
        return faults.push(format!(
            "src/{}: `{}` is no room of the house: give it its place in ROOMS",
            file.name,
            file.room()
        ));
    };
    for (line, room) in rooms_named(file) {
        let known = ROOMS.iter().any(|(known, _)| *known == room);
        if known && room != file.room() && !may.contains(&room.as_str()) {
            faults.push(format!(
                "src/{}:{line}: `{}` may not name `{room}`: pass a value, or move the code",
                file.name,
                file.room()
            ));
        }
    }
}

fn check_crates(file: &File, faults: &mut Vec<String>) {
    for (name, places) in CRATES {
        let at_home =
            places.iter().any(|place| file.name == *place || (place.ends_with('/') && file.name.starts_with(place)));
        if let Some(line) = file.names(name).filter(|_| !at_home) {
            faults.push(format!("src/{}:{line}: the crate `{name}` stands in {places:?} alone", file.name));
        }
    }
    if HEART.contains(&file.room()) {
        for word in OUTSIDE {
            if let Some((line, _)) = file.lines().find(|(_, line)| line.contains(word)) {
                faults
                    .push(format!("src/{}:{line}: the heart never names `{word}`: take it as an argument", file.name));
            }
        }
    }
    let asks = ["SystemTime::now", "Instant::now"];
    if let Some((line, _)) = file.lines().find(|(_, line)| asks.iter().any(|ask| line.contains(ask)))
        && !CLOCKS.contains(&file.name.as_str())
    {
        faults.push(format!("src/{}:{line}: time is an argument; only {CLOCKS:?} ask the clock", file.name));
    }
}

fn check_shape(file: &File, faults: &mut Vec<String>) {
    if !file.code.starts_with("//! ") {
        faults.push(format!("src/{}:1: begin with `//!`: what it is for, and what it must not know", file.name));
    }
    let lines = file.code.lines().count();
    if lines > LINES_MAX {
        faults.push(format!("src/{}: {lines} lines, at most {LINES_MAX}: is it still one idea?", file.name));
    }
    for word in BANNED {
        if let Some((line, _)) = file.lines().find(|(_, line)| line.contains(word)) {
            faults.push(format!("src/{}:{line}: `{word}` is not for finished code", file.name));
        }
    }
    check_functions(file, faults);
}

/// A function ends where its brace's indentation comes back.
fn check_functions(file: &File, faults: &mut Vec<String>) {
    let mut open: Option<(usize, usize, String)> = None;
    for (i, line) in file.code.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let words = line.trim_start();
        let begins = ["fn ", "pub fn ", "pub(super) fn ", "pub(crate) fn ", "async fn ", "pub async fn "]
            .iter()
            .any(|start| words.starts_with(start));
        match &open {
            None if begins && !words.ends_with(';') && !words.ends_with('}') => {
                open = Some((i, indent, words.to_string()))
            }
            Some((start, depth, name)) if indent == *depth && words == "}" => {
                if i - start + 1 > FUNCTION_LINES_MAX {
                    let name = name.split('(').next().unwrap_or_default().to_string();
                    faults.push(format!(
                        "src/{}:{}: {} lines, at most {FUNCTION_LINES_MAX}: {name}",
                        file.name,
                        start + 1,
                        i - start + 1
                    ));
                }
                open = None;
            }
            _ => {}
        }
    }
}

fn check(file: &File) -> Vec<String> {
    let mut faults = Vec::new();
    check_rooms(file, &mut faults);
    check_crates(file, &mut faults);
    check_shape(file, &mut faults);
    faults
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs")
            && !path.ends_with("tests.rs")
            && !path.ends_with("sample.rs")
        {
            files.push(path);
        }
    }
}

#[test]
fn the_house_keeps_its_fences() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    assert!(paths.len() > 40, "only {} files seen", paths.len());
    let mut faults = Vec::new();
    for path in paths {
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        faults.extend(check(&File::new(&name, &fs::read_to_string(&path).unwrap())));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A metric is named once, in the catalogue; whoever names one elsewhere means one that is there.
#[test]
fn papers_name_only_metrics_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let families: BTreeSet<&str> = drift_sidecar::metrics::CATALOGUE.iter().map(|family| family.name).collect();
    let prefixes = ["drift_sidecar_", "prediction_", "data_drift_", "drift_", "column_", "window_", "reference_rows"];
    let mut faults = Vec::new();
    let mut papers = vec![root.join("README.md"), root.join("CHANGELOG.md")];
    papers.extend(fs::read_dir(root.join("docs")).into_iter().flatten().map(|entry| entry.unwrap().path()));
    for paper in papers {
        let text = fs::read_to_string(&paper).unwrap();
        for quoted in text.split('`').skip(1).step_by(2) {
            let name: String =
                quoted.chars().take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_').collect();
            let is_series = quoted.len() == name.len() || quoted[name.len()..].starts_with('{');
            if is_series
                && name.matches('_').count() > 1
                && prefixes.iter().any(|prefix| name.starts_with(prefix))
                && !families.contains(name.as_str())
            {
                faults.push(format!("{}: `{name}` is no metric of the catalogue", paper.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_broken_fence_is_seen() {
    let faults = |name: &str, text: &str| check(&File::new(name, text)).join("\n");
    let seen = |name: &str, text: &str, words: &str| {
        let found = faults(name, &format!("//! About.\n{text}\n"));
        assert!(found.contains(words), "{name}: {found:?}");
    };
    seen("stats.rs", "use crate::report::Report;", "`stats` may not name `report`");
    seen("page.rs", "use crate::{metrics, report};", "`page` may not name `metrics`");
    seen("worker.rs", "fn f() { crate::http::serve(); }", "`worker` may not name `http`");
    seen("attic.rs", "", "no room of the house");
    seen("grid.rs", "use std::time::Instant;", "the heart never names `Instant`");
    seen("worker.rs", "let t = Instant::now();", "time is an argument");
    seen("worker.rs", "use notify::Watcher;", "the crate `notify` stands in");
    seen("source/cursor.rs", "let x = parquet::file::open();", "the crate `parquet` stands in");
    seen("pair.rs", "fn f() { todo!() }", "not for finished code");
    seen("pair.rs", &"//\n".repeat(500), "is it still one idea");
    seen("pair.rs", &format!("fn long() {{\n{}}}", "    x();\n".repeat(80)), "82 lines, at most 70: fn long");
    assert!(faults("pair.rs", "no doc").contains("begin with `//!`"));
    assert_eq!(
        faults(
            "source/cursor.rs",
            "//! About.\nuse super::parquet::Failure;\nuse crate::batch::Log;\n#[cfg(test)]\nmod tests { use crate::http::x; }\n"
        ),
        ""
    );
}
