//! `once` over a small day of logs, as a page that a person can read in review: `tests/golden/once.prom`.
//! `UPDATE_GOLDEN=1` writes it anew; numbers may differ in their last bits, names and lines may not.

#[path = "support/logs.rs"]
mod logs;

use std::fs;
use std::process::Command;

use logs::*;

#[test]
fn the_page_of_a_small_day_is_the_golden_one() {
    let day = Logs::new();
    write(&day.path("requests/1.parquet"), &[requests(0, 1500), requests(1500, 2500)]);
    // Twenty rows come again, and in the last hour prices rise and a fifth of the colors goes missing.
    let late = requests(2480, 4000);
    let prices = floats((2480..4000).map(|i| Some(1.5 * price(i) + 10.0)));
    let colors = texts((2480..4000).map(|i| (i % 5 != 0).then_some(["red", "green", "blue"][i % 3])));
    write(&day.path("requests/2.parquet"), &[with(&with(&late, "price", prices), "color", colors)]);
    write(&day.path("outcomes/1.parquet"), &[outcomes(0, 3000)]);
    fs::write(day.path("requests/broken.parquet"), b"PAR1").unwrap();
    let config = day.path("sidecar.yaml");
    let text = "models:\n  - name: small\n    requests: {path: requests}\n    outcomes: {path: outcomes}\n    reference: {path: reference.parquet}\n    windows: [1m, 1h]\n    panes: 30\n    drift: {numerical: [wasserstein, ks, psi], categorical: [jensen_shannon, chi_square]}\n";
    fs::write(&config, text).unwrap();
    let program = Command::new(env!("CARGO_BIN_EXE_drift-sidecar")).args(["once", "--config"]).arg(&config).output();
    let found = String::from_utf8(program.unwrap().stdout).unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/once.prom");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, &found).unwrap();
    }
    let golden = fs::read_to_string(path).unwrap();
    assert_eq!(
        found.lines().count(),
        golden.lines().count(),
        "another page than {path}: look at it with UPDATE_GOLDEN=1"
    );
    for (found, golden) in found.lines().zip(golden.lines()) {
        let number = |line: &str| {
            line.rsplit_once(' ').and_then(|(name, value)| Some((name.to_string(), value.parse::<f64>().ok()?)))
        };
        match (number(found), number(golden)) {
            (Some((name, value)), Some((expected_name, expected))) => {
                assert_eq!(name, expected_name);
                assert!((value - expected).abs() <= 1e-9 * expected.abs(), "{name}: {value} and not {expected}");
            }
            _ => assert_eq!(found, golden),
        }
    }
}
