//! The crew: one thread a model, started, stopped and replaced one by one.

use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::board::Board;
use super::now;
use crate::config::{Config, Model};
use crate::source::scan::Place;
use crate::source::wake::{Wake, Waker, Woken};
use crate::worker::{Turn, Worker};

/// The models at work.
pub struct Crew {
    board: Board,
    posts: Vec<Post>,
    /// Names of models whose thread died.
    deaths: mpsc::UnboundedSender<String>,
}

struct Post {
    orders: Orders,
    waker: Waker,
    thread: JoinHandle<()>,
}

/// What a thread was started with: where any of it changes, the thread is replaced.
#[derive(Clone, PartialEq)]
struct Orders {
    model: Model,
    every: Duration,
    state_dir: Option<PathBuf>,
    notify: bool,
}

impl Crew {
    pub fn new(board: Board, deaths: mpsc::UnboundedSender<String>) -> Crew {
        Crew { board, posts: Vec::new(), deaths }
    }

    /// Brings the threads in line with the config: models that did not change work on undisturbed.
    pub fn follow(&mut self, config: &Config) {
        let wanted: Vec<Orders> = config
            .models
            .iter()
            .map(|model| Orders {
                model: model.clone(),
                every: config.evaluate_every,
                state_dir: config.state_dir.clone(),
                notify: config.notify,
            })
            .collect();
        let (kept, left): (Vec<Post>, Vec<Post>) = self.posts.drain(..).partition(|post| wanted.contains(&post.orders));
        self.posts = kept;
        dismiss(left);
        for orders in wanted {
            if !self.posts.iter().any(|post| post.orders == orders) {
                let post = self.start(orders);
                self.posts.push(post);
            }
        }
    }

    fn start(&self, orders: Orders) -> Post {
        let logs = std::iter::once(&orders.model.requests).chain(&orders.model.outcomes);
        let paths: Vec<PathBuf> = logs.map(|log| Place::new(&log.path).root().to_path_buf()).collect();
        let wake = Wake::new(&paths, orders.notify);
        let waker = wake.waker();
        let worker = Worker::new(orders.model.clone(), orders.state_dir.as_deref());
        let mark = DeathMark { model: worker.name().to_string(), deaths: self.deaths.clone() };
        let (board, every) = (self.board.clone(), orders.every);
        let body = move || {
            let _mark = mark;
            work(worker, &wake, every, &board);
        };
        let named = std::thread::Builder::new().name(orders.model.monitor.name.chars().take(15).collect());
        let thread = named.spawn(body).expect("the system gives a thread to each model");
        Post { orders, waker, thread }
    }

    /// Stops every thread at the end of its turn and waits for it; returns once all have saved their cursors.
    pub fn stop(self) {
        dismiss(self.posts);
    }

    pub fn names(&self) -> Vec<String> {
        self.posts.iter().map(|post| post.orders.model.monitor.name.clone()).collect()
    }
}

fn dismiss(posts: Vec<Post>) {
    posts.iter().for_each(|post| post.waker.stop());
    for post in posts {
        // A panic in the thread was told by its death mark.
        let _ = post.thread.join();
    }
}

/// Tells the daemon when a thread ends by a panic.
struct DeathMark {
    model: String,
    deaths: mpsc::UnboundedSender<String>,
}

impl Drop for DeathMark {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.deaths.send(self.model.clone());
        }
    }
}

/// What windows hold is kept at most once so often, and in no more than this part of the time.
const KEPT_EVERY: Duration = Duration::from_secs(60);
const KEPT_SHARE: u32 = 100;

/// Keeps what windows hold, and says when it is due again.
fn keep(worker: &mut Worker) -> Instant {
    let begun = Instant::now();
    worker.checkpoint();
    begun + KEPT_EVERY.max(begun.elapsed() * KEPT_SHARE)
}

/// Reads as soon as there is something to read, evaluates and keeps its state when it is due, until told to stop.
fn work(mut worker: Worker, wake: &Wake, every: Duration, board: &Board) {
    let mut due = Instant::now();
    let mut keep_due = Instant::now() + KEPT_EVERY;
    loop {
        while worker.turn(now()) == Turn::Busy {
            if wake.stopped() {
                break;
            }
            if Instant::now() >= keep_due {
                keep_due = keep(&mut worker);
            }
            if worker.caught_up() && Instant::now() >= due {
                evaluate(&mut worker, board);
                due = Instant::now() + every;
            }
        }
        if Instant::now() >= due && worker.caught_up() {
            evaluate(&mut worker, board);
            due = Instant::now() + every;
        }
        if Instant::now() >= keep_due {
            keep_due = keep(&mut worker);
        }
        match wake.sleep(due.saturating_duration_since(Instant::now())) {
            Woken::Stop => break,
            Woken::Hint | Woken::Timeout => {}
        }
    }
    worker.save();
    worker.checkpoint();
}

fn evaluate(worker: &mut Worker, board: &Board) {
    let started = Instant::now();
    let mut report = worker.report();
    report.evaluation_seconds = Some(started.elapsed().as_secs_f64());
    report.evaluated_at = Some(crate::report::Moment(now()));
    board.publish(report);
    worker.save();
}
