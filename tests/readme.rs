//! The README's table of metrics is the catalogue. `UPDATE_GOLDEN=1` writes it anew.

use std::fmt::Write;

use drift_sidecar::metrics::{CATALOGUE, Kind};

const BEGIN: &str = "<!-- metrics:begin -->\n";
const END: &str = "<!-- metrics:end -->";

fn table() -> String {
    let mut table = String::from("| name | kind | labels | |\n|---|---|---|---|\n");
    for family in CATALOGUE {
        let kind = match family.kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
            Kind::Histogram => "histogram",
        };
        let labels: Vec<String> = family.labels.iter().map(|label| format!("`{label}`")).collect();
        let _ = writeln!(table, "| `{}` | {kind} | {} | {} |", family.name, labels.join(" "), family.help);
    }
    table
}

#[test]
fn the_readme_lists_every_metric_as_the_catalogue_has_it() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let begin = readme.find(BEGIN).expect("a line that begins the table") + BEGIN.len();
    let end = begin + readme[begin..].find(END).expect("a line that ends the table");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, format!("{}{}{}", &readme[..begin], table(), &readme[end..])).unwrap();
        return;
    }
    assert!(
        readme[begin..end] == table(),
        "README.md is behind the catalogue: run `UPDATE_GOLDEN=1 cargo test --test readme`"
    );
}
