//! Definitions that were saved are loaded without anybody asking. A change is taken once it has stayed the same between two looks: an editor may write a
//! file in several steps, and a volume of Kubernetes is swapped under a walk. What does not load stays as it was, and is told once: the same files are
//! not read again.

use burnward_core::words;
use tracing::{info, warn};

use crate::{
    app::Handle,
    definition::{Removals, looks::Looks},
};

/// So many changed files are named.
const NAMED: usize = 3;

/// What was seen at the last look.
#[derive(Debug, Default)]
pub struct Follow {
    last: Option<Looks>,
}

impl Follow {
    /// Looks at the files, and loads them where they were changed and have stopped changing.
    pub async fn tick(&mut self, handle: &Handle) {
        let Some(now) = handle.files().await else { return };
        let is_still = self.last.as_ref() == Some(&now);
        let changed = if is_still { now.differences(&handle.loaded.borrow()) } else { Vec::new() };
        self.last = Some(now);
        if changed.is_empty() {
            return;
        }
        let files = words::list(&changed, NAMED);
        match handle.reload(Removals::Guarded).await {
            Ok(sentence) => info!(files, "the definitions were saved and are loaded: {sentence}"),
            Err(error) => warn!(files, %error, "the definitions were not loaded; the last good ones run on"),
        }
    }
}
