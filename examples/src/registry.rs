//! The model in force: `REGISTRY/current` is a link to a version's folder. When it points elsewhere, or the file behind
//! it changes, the new model takes over between two requests; a file that is no model leaves the old one in force.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use arc_swap::ArcSwapOption;

use crate::model::Model;

/// What makes a file another one: where it really is, when it was written, its size.
type Stamp = (PathBuf, SystemTime, u64);

/// A registry, and what it gave last.
#[derive(Debug)]
pub struct Registry {
    folder: PathBuf,
    /// `None` until a model could be loaded.
    pub model: ArcSwapOption<Model>,
    /// Files that could not be loaded, each counted once.
    pub failures: AtomicU64,
    looked_at: std::sync::Mutex<Option<Stamp>>,
}

impl Registry {
    pub fn new(folder: PathBuf) -> Registry {
        Registry { folder, model: ArcSwapOption::empty(), failures: AtomicU64::new(0), looked_at: Default::default() }
    }

    /// Looks whether there is another model, and loads it. `true` when one took over. Blocks: it reads files.
    pub fn refresh(&self) -> bool {
        let path = self.folder.join("current").join("model.json");
        let stamp = path.canonicalize().and_then(|real| {
            let about = real.metadata()?;
            Ok((real, about.modified()?, about.len()))
        });
        // Nothing there yet, or gone for a moment: what is loaded goes on.
        let Ok(stamp) = stamp else { return false };
        let mut looked_at = self.looked_at.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if looked_at.as_ref() == Some(&stamp) {
            return false;
        }
        let loaded = Model::load(&stamp.0);
        *looked_at = Some(stamp);
        match loaded {
            Ok(model) => {
                tracing::info!(version = model.version, trained_at = model.trained_at, "model loaded");
                self.model.store(Some(Arc::new(model)));
                true
            }
            Err(error) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                tracing::error!(%error, "model not loaded; the one in force goes on");
                false
            }
        }
    }
}
