//! Wake: sleep until something may have happened. The only file that names `notify`.
//!
//! A hint shortens the sleep and says nothing else: the scan decides what happened, and all is well without any hint.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

/// A hint waits so long for more of its kind: whoever writes bit by bit is not listed at each bit.
const GATHER: Duration = Duration::from_millis(200);

/// Why the sleep ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    Hint,
    Timeout,
    Stop,
}

/// Something to sleep on.
#[derive(Debug)]
pub struct Wake {
    hints: Receiver<()>,
    stops: Receiver<()>,
    waker: Waker,
    roots: Vec<PathBuf>,
    /// `None`: hints are off, or cannot be had.
    watcher: Mutex<Option<Watching>>,
}

#[derive(Debug)]
struct Watching {
    watcher: RecommendedWatcher,
    /// For each root the folder watched in its place: itself, or the nearest one that is there.
    watched: Vec<Option<PathBuf>>,
}

/// Ends the sleep from another thread.
#[derive(Debug, Clone)]
pub struct Waker {
    hint: SyncSender<()>,
    stop: SyncSender<()>,
    stopped: Arc<AtomicBool>,
}

impl Waker {
    pub fn wake(&self) {
        // A full channel holds a hint already.
        let _ = self.hint.try_send(());
    }

    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        let _ = self.stop.try_send(());
        self.wake();
    }
}

impl Wake {
    /// `roots`: files or folders to watch, `notify` false: sleep by the clock alone.
    pub fn new(roots: &[PathBuf], notify: bool) -> Wake {
        let (hint, hints) = sync_channel(1);
        let (stop, stops) = sync_channel(1);
        let waker = Waker { hint, stop, stopped: Arc::new(AtomicBool::new(false)) };
        let watcher = if notify { Watching::start(waker.clone(), roots.len()) } else { None };
        let wake = Wake { hints, stops, waker, roots: roots.to_vec(), watcher: Mutex::new(watcher) };
        wake.watch();
        wake
    }

    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    pub fn stopped(&self) -> bool {
        self.waker.stopped.load(Ordering::Acquire)
    }

    /// Sleeps until a hint comes, the time is over, or somebody says stop.
    pub fn sleep(&self, at_most: Duration) -> Woken {
        self.watch();
        let woken = self.hints.recv_timeout(at_most);
        if woken.is_ok() && !self.stopped() {
            let _ = self.stops.recv_timeout(GATHER.min(at_most));
            let _ = self.hints.try_recv();
        }
        if self.stopped() {
            return Woken::Stop;
        }
        match woken {
            Ok(()) => Woken::Hint,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Woken::Timeout,
        }
    }

    /// Watches every root, or the nearest folder above it that is there until it is.
    fn watch(&self) {
        let mut watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(watching) = watcher.as_mut() else {
            return;
        };
        for (i, root) in self.roots.iter().enumerate() {
            match watching.follow(i, root) {
                // The root has come or gone: that is news, and what happened to it before it was watched told nobody.
                Ok(true) => self.waker.wake(),
                Ok(false) => {}
                Err(error) => {
                    let path = root.display();
                    tracing::warn!(%path, %error, "folder cannot be watched; it is listed at each evaluation all the same");
                    *watcher = None;
                    return;
                }
            }
        }
    }
}

impl Watching {
    fn start(waker: Waker, roots: usize) -> Option<Watching> {
        let heard = move |event: notify::Result<notify::Event>| {
            if event.map_or(true, |event| event.need_rescan() || matters(event.kind)) {
                waker.wake();
            }
        };
        match notify::recommended_watcher(heard) {
            Ok(watcher) => Some(Watching { watcher, watched: vec![None; roots] }),
            Err(error) => {
                tracing::warn!(%error, "no change notifications to be had; folders are listed at each evaluation all the same");
                None
            }
        }
    }

    /// True: another folder than before is watched now.
    fn follow(&mut self, i: usize, root: &Path) -> notify::Result<bool> {
        let there = root.ancestors().find(|path| path.exists()).map(Path::to_path_buf);
        if there == self.watched[i] {
            return Ok(false);
        }
        let moved = self.watched[i].is_some();
        if let Some(old) = self.watched[i].take()
            && !self.watched.iter().flatten().any(|other| *other == old)
        {
            // It may be gone, and its watch with it.
            let _ = self.watcher.unwatch(&old);
        }
        if let Some(path) = &there {
            let depth = if path == root { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
            self.watcher.watch(path, depth)?;
        }
        self.watched[i] = there;
        Ok(moved)
    }
}

/// Our own reading opens files: that is no news.
fn matters(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(30);
    const SHORT: Duration = Duration::from_millis(300);

    #[test]
    fn a_new_file_ends_the_sleep_and_reading_it_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let wake = Wake::new(&[folder.path().to_path_buf()], true);
        let path = folder.path().join("x.parquet");
        std::fs::write(&path, "rows").unwrap();
        assert_eq!(wake.sleep(LONG), Woken::Hint);
        while wake.sleep(SHORT) == Woken::Hint {}
        std::fs::read(&path).unwrap();
        assert_eq!(wake.sleep(SHORT), Woken::Timeout);
    }

    #[test]
    fn a_file_in_a_folder_that_came_later_ends_the_sleep() {
        let folder = tempfile::tempdir().unwrap();
        let wake = Wake::new(&[folder.path().join("logs/requests")], true);
        std::fs::create_dir_all(folder.path().join("logs/requests")).unwrap();
        assert_eq!(wake.sleep(LONG), Woken::Hint);
        while wake.sleep(SHORT) == Woken::Hint {}
        std::fs::write(folder.path().join("logs/requests/x.parquet"), "rows").unwrap();
        assert_eq!(wake.sleep(LONG), Woken::Hint);
    }

    #[test]
    fn without_notifications_only_time_and_a_word_end_the_sleep() {
        let folder = tempfile::tempdir().unwrap();
        let wake = Wake::new(&[folder.path().to_path_buf()], false);
        std::fs::write(folder.path().join("x.parquet"), "rows").unwrap();
        assert_eq!(wake.sleep(SHORT), Woken::Timeout);
        wake.waker().wake();
        assert_eq!(wake.sleep(LONG), Woken::Hint);
        wake.waker().stop();
        assert_eq!(wake.sleep(LONG), Woken::Stop);
        assert!(wake.stopped());
    }
}
