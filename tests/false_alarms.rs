//! measuring

mod support;
use std::collections::BTreeMap;
use support::drawn::*;

#[test]
fn measure() {
    let of = |name: &str, default: usize| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
    let study = Study {
        settings: every_method(),
        reference: shapes(),
        current: shapes(),
        reference_rows: of("N", 10_000),
        rows: of("M", 100),
        references: of("R", 20) as u32,
        windows: of("W", 100) as u32,
    };
    let started = std::time::Instant::now();
    let mut found: BTreeMap<(&str, String), [u32; 5]> = BTreeMap::new();
    study.run(|window| {
        for column in &window.columns {
            for test in &column.tests {
                let counts = found.entry((test.method, column.column.clone())).or_default();
                counts[0] += 1;
                counts[1] += u32::from(test.noise.is_some_and(|noise| test.score > noise));
                counts[2] += u32::from(test.p_value.is_some_and(|p| p < 0.05));
                counts[3] += u32::from(test.p_value.is_some_and(|p| p < 0.05) && test.noise.is_some_and(|noise| test.score > noise));
                counts[4] += u32::from(test.drifted);
            }
        }
    });
    let mut last = "";
    for ((method, column), c) in &found {
        if *method != last { println!(); }
        last = method;
        let pc = |i: usize| 100.0 * f64::from(c[i]) / f64::from(c[0]);
        println!("{method:18} {column:40} {:6} above {:5.2}  p<.05 {:5.2}  both {:5.2} drifted {:5.2}", c[0], pc(1), pc(2), pc(3), pc(4));
    }
    println!("{:?}", started.elapsed());
}
