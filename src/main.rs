//! temporary
fn main() {
    let args: Vec<String> = std::env::args().collect();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    if args[1] == "once" {
        let loaded = drift_sidecar::config::load(args[2].as_ref()).unwrap_or_else(|p| {
            eprintln!("{p}");
            std::process::exit(78)
        });
        let report = drift_sidecar::once::once(&loaded.config, drift_sidecar::daemon::now());
        if args.len() > 3 {
            println!("{}", serde_json::to_string_pretty(&report).unwrap());
        } else {
            print!(
                "{}",
                drift_sidecar::metrics::render(std::sync::Arc::new(report), &Default::default())
            );
        }
    } else {
        let loaded = drift_sidecar::config::load(args[2].as_ref()).unwrap();
        drift_sidecar::daemon::run(
            args[2].clone().into(),
            loaded,
            Box::new(|a| eprintln!("listening {a}")),
        )
        .unwrap();
    }
}
