//! The page: what people look at, live in a browser or as one file to send.
//!
//! Both are the same scripts over a Report as JSON: the live page asks for it again and again, the file carries it. Nothing is
//! fetched from elsewhere, and a policy lets no script run but ours. It knows `report` only, and what each method is about.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::report::Report;
use crate::stats::definition::Definition;

/// The chart library (MIT, see its LICENSE) before our own scripts, which share one scope.
const SCRIPTS: [&str; 7] = [
    include_str!("page/uplot/uPlot.iife.min.js"),
    include_str!("page/base.js"),
    include_str!("page/plots.js"),
    include_str!("page/column.js"),
    include_str!("page/columns.js"),
    include_str!("page/model.js"),
    include_str!("page/main.js"),
];

const STYLES: [&str; 2] = [include_str!("page/uplot/uPlot.min.css"), include_str!("page/style.css")];

static SCRIPT: LazyLock<String> = LazyLock::new(|| format!("\"use strict\";{}", SCRIPTS.join("\n")));
static STYLE: LazyLock<String> = LazyLock::new(|| STYLES.concat());

/// What a browser may do with the page: run this script, and ask its own server for numbers.
pub static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'",
        hash(&SCRIPT),
        hash(&STYLE),
    )
});

const LINKS: &str = "<a href=\"metrics\">metrics</a> <a href=\"api/v1/report\">report as JSON</a>";

#[derive(Serialize)]
struct Settings<'a> {
    live: bool,
    /// Prometheus' address, for links to its queries.
    prometheus: Option<&'a str>,
    /// What each method's score is, in a line.
    methods: BTreeMap<&'static str, &'static str>,
}

/// The live page, which asks for the Report itself.
pub fn live(prometheus: Option<&str>) -> String {
    let absent = "This page needs its script. The numbers are in <a href=\"api/v1/report\">the report</a> and on <a href=\"metrics\">/metrics</a> too.";
    page("", LINKS, &format!("<noscript><p>{absent}</p></noscript>"), &settings(prometheus, true))
}

/// The Report as one file that needs nothing else.
pub fn file(report: &Report) -> serde_json::Result<String> {
    let policy = format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">", *POLICY);
    let data = format!("{}{}", settings(None, false), json("report", report)?);
    Ok(page(&policy, "", "<noscript><p>This report needs its script.</p></noscript>", &data))
}

fn page(head: &str, links: &str, body: &str, data: &str) -> String {
    let (style, script) = (&*STYLE, &*SCRIPT);
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">{head}<title>drift-sidecar</title>\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><link rel=\"icon\" href=\"data:,\"><style>{style}</style></head>\
         <body><header><h1>drift-sidecar</h1>{links}</header><main>{body}</main>{data}<script>{script}</script></body></html>\n"
    )
}

fn settings(prometheus: Option<&str>, live: bool) -> String {
    let all = Definition::ALL.into_iter().rev().flat_map(|definition| definition.methods());
    let methods = all.map(|method| (method.name, method.about)).collect();
    json("settings", &Settings { live, prometheus, methods }).unwrap_or_default()
}

/// Data beside the script. No `<` is left in it that could end its element.
fn json(id: &str, value: &impl Serialize) -> serde_json::Result<String> {
    let text = serde_json::to_string(value)?.replace('<', "\\u003c");
    Ok(format!("<script type=\"application/json\" id=\"{id}\">{text}</script>"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::report::{ColumnReport, ModelReport, WindowReport};

    const HOSTILE: &str = "</script><script>alert('x')</script>\"&\u{202e}";

    fn report() -> Report {
        let column = ColumnReport { column: HOSTILE.to_string(), ..ColumnReport::default() };
        let window = WindowReport { window: HOSTILE.to_string(), columns: vec![column], ..WindowReport::default() };
        let model = ModelReport { model: HOSTILE.to_string(), windows: vec![window], ..ModelReport::default() };
        Report { models: vec![Arc::new(model)] }
    }

    /// What stands between `<script` and its end, element by element.
    fn scripts(page: &str) -> Vec<&str> {
        page.split("<script").skip(1).map(|part| part.split("</script>").next().unwrap()).collect()
    }

    #[test]
    fn the_live_page_is_small_and_whole() {
        let page = live(Some("http://localhost:9090"));
        assert!(page.len() < 300_000, "{} bytes", page.len());
        assert!(page.contains(r#""prometheus":"http://localhost:9090""#));
        assert!(page.contains(r#""wasserstein":"mean distance that values moved"#));
        for elsewhere in ["src=", "@import", "url(", "href=\"http"] {
            assert!(!page.contains(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn the_policy_lets_this_script_and_this_style_run_and_no_other() {
        let page = live(None);
        let script = scripts(&page).pop().unwrap().strip_prefix('>').unwrap();
        let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
        for (kind, text) in [("script", script), ("style", style)] {
            let hash = BASE64_STANDARD.encode(Sha256::digest(text));
            assert!(POLICY.contains(&format!("{kind}-src 'sha256-{hash}';")), "{kind}");
        }
        assert!(!POLICY.contains("unsafe") && POLICY.starts_with("default-src 'none'"));
    }

    #[test]
    fn a_file_carries_its_report_and_hostile_names_cannot_end_it() {
        let page = file(&report()).unwrap();
        let scripts = scripts(&page);
        assert_eq!(scripts.len(), 3, "settings, report and the script");
        let data = scripts[1].split_once('>').unwrap().1;
        let told: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(told["models"][0]["windows"][0]["columns"][0]["column"], HOSTILE);
        assert!(page.contains("<meta http-equiv=\"Content-Security-Policy\""));
    }
}
