//! The README's table of metrics is the catalogue. `UPDATE_GOLDEN=1` writes it anew.

use std::fmt::Write;

use drift_sidecar::metrics::{CATALOGUE, Kind, Part};

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
    let divided = CATALOGUE.iter().filter(|family| family.is_divided());
    let (first, count) = (divided.clone().next().expect("versions and segments have numbers"), divided.count());
    let named = [Part::Version, Part::Segment].map(|part| {
        let labels = format!("`{}`", first.labels_of(part).join("`, `"));
        format!("`{}` ({labels})", first.name_of(part))
    });
    let _ = writeln!(
        table,
        "\nThe {count} families that tell of a window or of the reference (those with the label `window` but `window_main`, those that end in \
         `_reference`, and `reference_rows`) are there once more for each version and for each segment, under names of their own: {} and so on.",
        named.join(", ")
    );
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
