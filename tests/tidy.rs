//! The fences of the house, read from the source as text: who may name whom, which crate stands in which room, how
//! long things may be. A rule that matters is a test; the reason stands beside it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Who may name whom; all else is forbidden. A room is a file of `src/` with the folder of its name.
const ROOMS: &[(&str, &[&str])] = &[
    (
        "main",
        &[
            "cli", "config", "daemon", "demo", "http", "metrics", "once", "page", "report", "retrain", "shutdown",
            "table", "worker",
        ],
    ),
    ("cli", &["config", "stats"]), // the methods that --help lists, and the nearest name to a wrong one
    ("config", &["batch", "report", "settings", "source", "stats"]), // the parts' settings
    ("daemon", &["config", "http", "report", "shutdown", "source", "worker"]), // of source only what sleeps and where
    ("once", &["batch", "config", "monitor", "progress", "reference", "report", "settings", "source", "worker"]),
    ("worker", &["batch", "config", "frame", "monitor", "reference", "report", "source"]),
    ("http", &["history", "metrics", "page", "report"]),
    ("history", &["report"]),
    ("metrics", &["report"]),
    ("page", &["report", "stats"]),
    ("table", &["batch", "plan", "report", "settings", "stats"]),
    ("source", &["batch", "frame"]),
    (
        "monitor",
        &[
            "batch",
            "estimate",
            "frame",
            "label",
            "pair",
            "pane",
            "profile",
            "recent",
            "reference",
            "report",
            "sample",
            "settings",
            "stats",
            "verdict",
            "window",
        ],
    ),
    ("estimate", &["batch", "report", "stats"]),
    ("reference", &["batch", "estimate", "grid", "label", "plan", "profile", "report", "sample", "settings", "stats"]),
    ("plan", &["batch", "report", "sample", "settings", "stats"]),
    ("window", &["estimate", "frame", "pane", "reference", "settings"]),
    ("pane", &["estimate", "profile", "reference", "sample", "stats"]),
    ("sample", &["stats"]),
    ("settings", &["report", "stats"]),
    ("verdict", &["report", "stats"]),
    ("label", &["batch", "report", "stats"]),
    ("profile", &["grid", "stats"]),
    ("grid", &[]),
    ("pair", &["frame"]),
    ("recent", &["frame"]),
    ("frame", &[]),
    ("report", &[]),
    ("batch", &[]),
    ("stats", &[]),
    ("progress", &[]),
    ("shutdown", &[]),
    ("retrain", &["http", "metrics"]), // of metrics only how a page is written
    ("demo", &[]),                     // a service of its own, that knows nothing of who reads it
    ("lib", &[]),
];

/// Crates, and the only places that may name them: one file to change when a crate does.
const CRATES: &[(&str, &[&str])] = &[
    ("parquet", &["source/parquet.rs", "demo.rs"]),
    ("notify", &["source/wake.rs"]),
    ("walkdir", &["source/scan.rs"]),
    ("globset", &["source/scan.rs"]),
    ("postcard", &["frame.rs"]),
    ("prometheus", &["metrics.rs", "metrics/", "retrain/metrics.rs"]),
    ("hyper", &["http.rs", "http/", "retrain.rs"]),
    ("hyper_util", &["http.rs", "http/"]),
    ("http_body_util", &["http.rs", "http/", "retrain.rs"]),
    ("form_urlencoded", &["http.rs", "http/"]),
    ("sha2", &["page.rs"]),
    ("ureq", &["retrain/airflow.rs"]),
    ("clap", &["cli.rs", "cli/"]),
    ("clap_complete", &["cli.rs", "cli/"]),
    ("clap_mangen", &["cli/papers.rs"]),
    ("serde_saphyr", &["config/raw.rs"]),
    ("forust_ml", &["estimate/losses.rs"]),
    ("comfy_table", &["table.rs", "table/"]),
    ("indicatif", &["progress.rs"]),
    ("tracing_subscriber", &["main.rs"]),
];

/// Ground and heart: deterministic, no I/O, nothing that can fail.
const HEART: &[&str] = &[
    "stats",
    "batch",
    "settings",
    "frame",
    "grid",
    "profile",
    "label",
    "estimate",
    "pane",
    "sample",
    "window",
    "pair",
    "recent",
    "plan",
    "reference",
    "verdict",
    "monitor",
    "report",
    "history",
];

/// What the heart never names.
const OUTSIDE: &[&str] =
    &["std::fs", "std::path", "std::net", "std::thread", "SystemTime", "Instant", "tokio", "tracing", "std::env"];

/// Time is an argument everywhere but here.
const CLOCKS: &[&str] = &["daemon.rs", "daemon/crew.rs", "progress.rs", "retrain.rs", "retrain/metrics.rs"];

/// More than this before the tests is more than one idea.
const LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;

/// Never in finished code.
const BANNED: &[&str] = &[
    "todo!(",
    "unimplemented!(",
    "dbg!(",
    "#[ignore",
    "unsafe ",
    "#[allow(dead_code)]",
    ".unwrap()",
    "thread::sleep",
    "FIXME",
    "XXX",
];

struct File {
    /// Below `src/`, with `/`.
    name: String,
    /// Without its tests.
    code: String,
}

impl File {
    fn new(name: &str, text: &str) -> File {
        File { name: name.to_string(), code: without_tests(text) }
    }

    fn room(&self) -> &str {
        self.name.split(['/', '.']).next().unwrap_or_default()
    }

    /// Lines without comments.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.code.lines().enumerate().map(|(i, line)| (i + 1, line.trim()));
        lines.filter(|(_, line)| !line.starts_with("//"))
    }

    /// The line that names a crate. In a file that has a module of the same name, the bare word means the module.
    fn names(&self, word: &str) -> Option<usize> {
        let shadowed = self.lines().any(|(_, line)| {
            let line = line.trim_start_matches("pub ");
            line == format!("mod {word};")
                || line == format!("use super::{word};")
                || line.starts_with(&format!("use super::{word}::{{self"))
        });
        self.lines().find(|(_, line)| names_crate(line, word, shadowed)).map(|(line, _)| line)
    }
}

/// The text with its lines in place, but those of items under `#[cfg(test)]` emptied, wherever they stand.
fn without_tests(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line != "#[cfg(test)]" {
            code.push_str(line);
            code.push('\n');
            continue;
        }
        let item = lines.by_ref().inspect(|_| code.push('\n')).find(|line| !line.starts_with('#'));
        code.push('\n');
        if item.is_some_and(|item| item.ends_with('{')) {
            lines.by_ref().inspect(|_| code.push('\n')).find(|line| *line == "}");
        }
    }
    code.truncate(code.trim_end().len());
    code
}

/// Whether a path in this line begins with the word, or an import ends with it; not as a part of another name or path.
fn names_crate(line: &str, word: &str, shadowed: bool) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '"';
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        let rooted = before.strip_suffix("::");
        let starts = match rooted {
            Some(before) => !before.ends_with(part) && !before.ends_with('>'),
            None => !shadowed && !before.ends_with(part),
        };
        let imported = line.trim_start_matches("pub ").starts_with("use ") && !after.starts_with(part);
        starts && (after.starts_with("::") || imported)
    })
}

/// Rooms that a file names, with the line: by `crate::room`, by as many `super::` as lead there, or, in main, by
/// `drift_sidecar::room`.
fn rooms_named(file: &File) -> BTreeSet<(usize, String)> {
    let mut found = BTreeSet::new();
    let mut text = String::new();
    let mut starts = Vec::new();
    for (line, code) in file.lines() {
        starts.push((text.len(), line));
        text.push_str(code);
        text.push(' ');
    }
    let climb = "super::".repeat(file.name.split('/').count());
    for root in ["crate::", "drift_sidecar::", &climb] {
        for (at, _) in text.match_indices(root) {
            let line = starts[starts.partition_point(|(start, _)| *start <= at) - 1].1;
            found.extend(heads(&text[at + root.len()..]).into_iter().map(|head| (line, head)));
        }
    }
    found
}

/// The first word of a path, or of each path of a group; groups may hold groups.
fn heads(path: &str) -> Vec<String> {
    let head = |path: &str| path.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let Some(group) = path.strip_prefix('{') else {
        return vec![head(path)];
    };
    let mut found = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                found.push(head(&group[start..at]));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
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
        let begins = words.split_once("fn ").is_some_and(|(before, _)| {
            before
                .split_whitespace()
                .all(|word| word.starts_with("pub") || ["const", "async", "extern"].contains(&word))
        });
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
            // A trait's function without a body.
            Some((_, depth, _)) if indent == *depth && words.starts_with(')') && words.ends_with(';') => open = None,
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

/// Files below a folder, in order; none where there is no folder.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            found.extend(files(&path, endings));
        } else if path.extension().and_then(|ending| ending.to_str()).is_some_and(|ending| endings.contains(&ending)) {
            found.push(path);
        }
    }
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_house_keeps_its_fences() {
    let source = root().join("src");
    let mut paths = files(&source, &["rs"]);
    // Modules that are tests as a whole.
    paths.retain(|path| !path.ends_with("tests.rs") && !path.ends_with("table/sample.rs"));
    assert!(paths.len() > 40, "only {} files seen", paths.len());
    let mut faults = Vec::new();
    for path in paths {
        let name = path.strip_prefix(&source).unwrap().to_string_lossy().replace('\\', "/");
        faults.extend(check(&File::new(&name, &fs::read_to_string(&path).unwrap())));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What a test or a bench may not do: be without a goal, be skipped, or depend on one machine.
fn check_test(name: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if !text.starts_with("//! ") {
        faults.push(format!("{name}:1: begin with `//!`: what is shown, and how"));
    }
    let homes = ["home", "root", "work", "tmp"].map(|folder| format!("\"/{folder}/"));
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    for (i, line) in lines.iter().enumerate() {
        if line.starts_with("#[ignore") {
            faults.push(format!("{name}:{}: a test that is skipped shows nothing", i + 1));
        }
        let polls = || lines[i.saturating_sub(8)..=i].iter().any(|before| before.contains("deadline"));
        if line.contains("thread::sleep(") && !polls() {
            faults.push(format!("{name}:{}: a test sleeps only while it asks again, until a deadline", i + 1));
        }
        if homes.iter().any(|home| line.contains(home)) {
            faults.push(format!("{name}:{}: a path of one machine; take a temporary folder", i + 1));
        }
    }
    faults
}

#[test]
fn every_test_has_a_goal_and_runs_anywhere() {
    let paths: Vec<PathBuf> =
        ["tests", "benches"].iter().flat_map(|folder| files(&root().join(folder), &["rs"])).collect();
    assert!(paths.len() > 10, "only {} files seen", paths.len());
    let mut faults = Vec::new();
    for path in paths {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        faults.extend(check_test(&name, &fs::read_to_string(&path).unwrap()));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Words of ours that are shaped like a metric: reasons, as label values; jobs; dashboards; columns.
const WORDS: &[&str] = &[
    "prediction_missing",
    "prediction_without_outcome",
    "prediction_evicted",
    "drift_sidecar",
    "prediction_service",
    "retrain_webhook",
    "drift_and_f1_dashboard",
    "prediction_performance_dashboard",
];

/// What the example services show on their own pages: names in quotes, as they are registered.
fn names_of_examples() -> String {
    let sources = files(&root().join("examples"), &["rs", "py"]);
    sources.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// Words of a text that are shaped like a metric of ours and are none.
fn strange_metrics<'t>(text: &'t str, examples: &str) -> BTreeSet<&'t str> {
    let prefixes = ["retrain_webhook_", "drift_", "data_drift_", "prediction_", "column_", "window_", "reference_rows"];
    let of_part = |word: &'t str| ["version_", "segment_"].iter().find_map(|part| word.strip_prefix(part));
    let divided = |word: &'t str| {
        of_part(word).is_some_and(|name| {
            drift_sidecar::metrics::CATALOGUE.iter().any(|family| family.name == name && family.is_divided())
        })
    };
    let known = |word: &str| {
        let histogram = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| word.strip_suffix(suffix));
        let foreign =
            |name: &str| drift_sidecar::retrain::NAMES.contains(&name) || examples.contains(&format!("\"{name}\""));
        foreign(word)
            || histogram.is_some_and(foreign)
            || drift_sidecar::metrics::CATALOGUE.iter().any(|family| {
                family.name == word
                    || (family.kind == drift_sidecar::metrics::Kind::Histogram && Some(family.name) == histogram)
            })
    };
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| prefixes.iter().any(|prefix| of_part(word).unwrap_or(word).starts_with(prefix)))
        .filter(|word| !WORDS.contains(word) && !known(word) && !divided(word))
        .collect()
}

/// A metric is named once, in the catalogue; whoever names one elsewhere means one that is there.
#[test]
fn papers_rules_and_dashboards_name_only_metrics_that_exist() {
    let mut papers = vec![root().join("README.md"), root().join("CHANGELOG.md")];
    papers.extend(files(&root().join("docs"), &["md"]));
    papers.extend(files(&root().join("monitoring"), &["md", "yml", "yaml", "json"]));
    let mut faults = Vec::new();
    let examples = names_of_examples();
    for paper in papers {
        let text = fs::read_to_string(&paper).unwrap();
        let strange = strange_metrics(&text, &examples);
        faults
            .extend(strange.iter().map(|name| format!("{}: `{name}` is no metric of the catalogue", paper.display())));
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
    seen("page.rs", "use super::metrics;", "`page` may not name `metrics`");
    seen("http/health.rs", "fn f() { super::super::worker::run(); }", "`http` may not name `worker`");
    seen("page.rs", "use crate::{report::{Report, Kind},\n    http};", "`page` may not name `http`");
    seen("page.rs", "#[cfg(test)]\nmod sample;\n\nuse crate::http;", "`page` may not name `http`");
    seen("attic.rs", "", "no room of the house");
    seen("grid.rs", "use std::time::Instant;", "the heart never names `Instant`");
    seen("worker.rs", "let t = Instant::now();", "time is an argument");
    seen("worker.rs", "use notify::Watcher;", "the crate `notify` stands in");
    seen("source/cursor.rs", "let x = parquet::file::open();", "the crate `parquet` stands in");
    seen("source.rs", "mod parquet;\nuse ::parquet::file::Reader;", "the crate `parquet` stands in");
    seen("worker.rs", "use notify as n;", "the crate `notify` stands in");
    seen("worker.rs", "use {notify, walkdir};", "the crate `walkdir` stands in");
    seen("pair.rs", "fn f() { todo!() }", "not for finished code");
    seen("pair.rs", &"//\n".repeat(500), "is it still one idea");
    seen("pair.rs", &format!("fn long() {{\n{}}}", "    x();\n".repeat(80)), "82 lines, at most 70: fn long");
    seen(
        "pair.rs",
        &format!(
            "trait T {{\n    fn a(\n        x: u8,\n    );\n    pub const fn b() {{\n{}    }}\n}}",
            "        x();\n".repeat(80)
        ),
        "82 lines, at most 70: pub const fn b",
    );
    seen("pair.rs", "fn f() { x.unwrap() }", "not for finished code");
    seen("pair.rs", "unsafe impl Send for X {}", "not for finished code");
    assert!(faults("pair.rs", "no doc").contains("begin with `//!`"));
    let allowed = [
        ("source/cursor.rs", "use super::parquet::Failure;\nuse crate::batch::Log;"),
        ("source.rs", "mod parquet;\nfn f() { parquet::open(); }"),
        ("source/look.rs", "use super::parquet::{self, Failure};\nfn f() { parquet::open(); }"),
        ("page.rs", "use crate::report::Report;\n#[cfg(test)]\nmod tests {\n    use crate::http::x;\n}"),
        (
            "page.rs",
            "#[cfg(test)]\n#[path = \"x.rs\"]\nmod tests {\n    const TEXT: &str = \"\n};\n\";\n    use crate::http;\n}",
        ),
        ("pair.rs", "/// As `crate::http` does.\nfn f() { let notify = my::notify::x(); }"),
    ];
    for (name, text) in allowed {
        assert_eq!(faults(name, &format!("//! About.\n{text}\n")), "", "{name}");
    }
}

#[test]
fn a_test_that_is_pointless_or_skipped_or_bound_to_a_machine_or_asleep_is_seen() {
    let text =
        format!("fn f() {{}}\n#[{}]\nfn g() {{ open(\"/{}/x\") }}\nstd::thread::{}(x);\n", "ignore", "tmp", "sleep");
    let faults = check_test("tests/x.rs", &text).join("\n");
    let seen = [
        "x.rs:1: begin with `//!`",
        "x.rs:2: a test that is skipped",
        "x.rs:3: a path of one machine",
        "x.rs:4: a test sleeps only",
    ];
    for words in seen {
        assert!(faults.contains(words), "{words}: {faults}");
    }
    let polling = "//! A test.\nwhile now() < deadline {\n    std::thread::sleep(x);\n}\n";
    assert_eq!(check_test("tests/x.rs", polling), Vec::<String>::new());
}

#[test]
fn a_metric_that_is_not_in_the_catalogue_is_seen() {
    let text = "`window_rows`, `prediction_f1{model=\"m\"}`, rate(prediction_label_delay_seconds_bucket[5m]), \
        window_rows_sum, model:drift_score:max, drift_sidecar, column_missing_ratio < 1, drift_scores, prediction_feedback_total, retrain_webhook_airflow_up";
    assert_eq!(
        strange_metrics(text, "\"prediction_feedback_total\""),
        BTreeSet::from(["drift_scores", "prediction_f1", "window_rows_sum"])
    );
}
