//! The daemon: one thread a model, one HTTP server, signals, reloads. The only place that owns the clock and the threads.
//!
//! A worker that dies ends the process: never a healthy-looking corpse.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::config;
use crate::http::{self, Shared};
use crate::report::Moment;
use crate::shutdown::{Heard, Signals};

mod board;
mod crew;

use board::Board;
use crew::Crew;

/// How often the config file is looked at for changes.
const CONFIG_LOOK: Duration = Duration::from_secs(2);

/// How long a stop may take before the process ends without its threads.
const GRACE: Duration = Duration::from_secs(10);

/// Why the daemon ended.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    #[error(
        "cannot listen on {address}; another program may hold the port, or `listen` names an address of another machine"
    )]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("the runtime did not start")]
    Runtime { source: std::io::Error },
    #[error("the worker of model `{model}` died; its last words are in the log above")]
    WorkerDied { model: String },
    #[error("not stopped within {} s: {late}", GRACE.as_secs())]
    Late { late: String },
}

/// The wall clock in microseconds since 1970.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}

/// A moment as people read it.
pub fn clock(moment: i64) -> String {
    let told = Moment(moment).to_string();
    told.get(11..19).unwrap_or(&told).to_string() + " UTC"
}

/// What is served, told once it listens.
pub type Started = Box<dyn FnOnce(SocketAddr) + Send>;

/// Runs until a signal ends it. `loaded` is what `config_file` said at the start.
pub fn run(config_file: PathBuf, loaded: config::Loaded, started: Started) -> Result<(), DaemonError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("http")
        .enable_all()
        .build()
        .map_err(|source| DaemonError::Runtime { source })?;
    let ended = runtime.block_on(serve(config_file, loaded, started));
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

async fn serve(config_file: PathBuf, loaded: config::Loaded, started: Started) -> Result<(), DaemonError> {
    let mut signals = Signals::new().map_err(|source| DaemonError::Runtime { source })?;
    let (reloads, mut reload_asked) = mpsc::channel(4);
    let shared = Arc::new(Shared::new(reloads));
    let board = Board::new(shared.clone());
    let (deaths, mut died) = mpsc::unbounded_channel();
    let mut crew = Crew::new(board.clone(), deaths);
    let mut site = Site::open(loaded.config.listen, shared.clone()).await?;
    follow(&loaded, &board, &mut crew, &shared);
    started(site.address);
    let mut file = ConfigFile::new(config_file);
    let mut look = tokio::time::interval(CONFIG_LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let ended = loop {
        let reply: Option<oneshot::Sender<Result<String, String>>> = tokio::select! {
            heard = signals.next() => match heard {
                Heard::Stop => break Ok(()),
                Heard::Reload => None,
            },
            Some(model) = died.recv() => break Err(DaemonError::WorkerDied { model }),
            Some(reply) = reload_asked.recv() => Some(reply),
            _ = look.tick() => {
                if !file.changed() {
                    continue;
                }
                None
            }
        };
        let outcome = reload(&mut file, &mut site, &board, &mut crew, &shared).await;
        match &outcome {
            Ok(said) => tracing::info!("{said}"),
            Err(said) => tracing::error!("config not reloaded; the old one stays in force\n{said}"),
        }
        if let Some(reply) = reply {
            let _ = reply.send(outcome);
        }
    };
    let late = crew.names().join(", ");
    let stopped = tokio::time::timeout(GRACE, tokio::task::spawn_blocking(move || crew.stop())).await;
    site.close().await;
    match stopped {
        Ok(_) => ended,
        Err(_) => ended.and(Err(DaemonError::Late { late: format!("models {late}") })),
    }
}

/// Puts a config into force: threads, the board, and what `/metrics` says of it.
fn follow(loaded: &config::Loaded, board: &Board, crew: &mut Crew, shared: &Shared) {
    let broken = loaded.broken.iter().map(|model| (model.name.clone(), model.problem.clone())).collect::<Vec<_>>();
    let mut order: Vec<String> = loaded.config.models.iter().map(|model| model.monitor.name.clone()).collect();
    order.extend(broken.iter().map(|(name, _)| name.clone()).filter(|name| !order.contains(name)).collect::<Vec<_>>());
    board.expect(order, broken);
    crew.follow(&loaded.config);
    shared.prometheus.store(loaded.config.prometheus_url.clone().map(Arc::new));
    shared.config_reloaded(true, now());
}

/// Takes the config file anew; a bad one changes nothing.
async fn reload(
    file: &mut ConfigFile,
    site: &mut Site,
    board: &Board,
    crew: &mut Crew,
    shared: &Arc<Shared>,
) -> Result<String, String> {
    // What is loaded now is what the next change is told from.
    file.changed();
    let taken = match config::load(&file.path) {
        Ok(loaded) if loaded.broken.is_empty() => {
            site.follow(loaded.config.listen, shared).await.map(|()| loaded).map_err(|error| crate::chain(&error))
        }
        Ok(loaded) => Err(loaded.problems.to_string()),
        Err(problems) => Err(problems.to_string()),
    };
    match taken {
        Ok(loaded) => {
            tokio::task::block_in_place(|| follow(&loaded, board, crew, shared));
            Ok(format!("config reloaded: {} models", loaded.config.models.len()))
        }
        Err(said) => {
            shared.config_reloaded(false, now());
            Err(said)
        }
    }
}

/// The config file, and what it held when last looked at: a rename, a symlink swap or an edit shows alike.
struct ConfigFile {
    path: PathBuf,
    seen: Option<Vec<u8>>,
}

impl ConfigFile {
    fn new(path: PathBuf) -> ConfigFile {
        let seen = std::fs::read(&path).ok();
        ConfigFile { path, seen }
    }

    fn changed(&mut self) -> bool {
        let Ok(content) = std::fs::read(&self.path) else {
            return false;
        };
        let changed = self.seen.as_ref() != Some(&content);
        self.seen = Some(content);
        changed
    }
}

/// The HTTP server on its address.
struct Site {
    address: SocketAddr,
    asked: SocketAddr,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

impl Site {
    async fn open(asked: SocketAddr, shared: Arc<Shared>) -> Result<Site, DaemonError> {
        let failed = |source| DaemonError::Listen { address: asked, source };
        let listener = TcpListener::bind(asked).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(http::serve(listener, shared, async {
            let _ = stopped.await;
        }));
        Ok(Site { address, asked, stop, task })
    }

    /// Moves to another address where the config names one; the old server answers until the new one listens.
    async fn follow(&mut self, asked: SocketAddr, shared: &Arc<Shared>) -> Result<(), DaemonError> {
        if asked != self.asked {
            let old = std::mem::replace(self, Site::open(asked, shared.clone()).await?);
            old.close().await;
        }
        Ok(())
    }

    async fn close(self) {
        let _ = self.stop.send(());
        let _ = tokio::time::timeout(GRACE, self.task).await;
    }
}
