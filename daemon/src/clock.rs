//! The clock: the only place that reads the time, so that stories can move it by hand.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use burnward_core::time::Timestamp;

/// The wall clock, or one that is moved by hand.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    Wall,
    /// A clock that stands still until it is moved.
    ByHand(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `at`.
    pub fn by_hand(at: Timestamp) -> Self {
        Self::ByHand(Arc::new(AtomicI64::new(at.millis())))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Wall => {
                let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
            }
            Self::ByHand(at) => Timestamp::from_millis(at.load(Ordering::SeqCst)),
        }
    }

    /// Moves a clock that is moved by hand; the machine's clock stays as it is.
    pub fn advance(&self, by: Duration) {
        if let Self::ByHand(at) = self {
            at.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }
}
