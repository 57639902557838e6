//! The failure switches: what is wrong with which tenant.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// The longest delay that can be switched on.
const LONGEST: Duration = Duration::from_secs(30);

/// What is wrong with one tenant.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Ailment {
    /// The share of requests that fails, 0 to 1.
    pub(super) fail_share: f64,
    /// What is added to each request's time.
    pub(super) slower_by: Duration,
}

impl Ailment {
    pub(super) fn is_well(self) -> bool {
        self == Self::default()
    }
}

/// All switches. The tenants are fixed at start.
#[derive(Debug)]
pub(super) struct Trouble(Mutex<BTreeMap<String, Ailment>>);

impl Trouble {
    pub(super) fn none(tenants: impl IntoIterator<Item = String>) -> Self {
        Self(Mutex::new(tenants.into_iter().map(|tenant| (tenant, Ailment::default())).collect()))
    }

    pub(super) fn fail<'a>(&self, tenants: impl IntoIterator<Item = &'a str>, share: f64) {
        let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
        self.change(tenants, |ailment| ailment.fail_share = share);
    }

    pub(super) fn slow<'a>(&self, tenants: impl IntoIterator<Item = &'a str>, by: Duration) {
        self.change(tenants, |ailment| ailment.slower_by = by.min(LONGEST));
    }

    pub(super) fn recover(&self) {
        self.locked().values_mut().for_each(|ailment| *ailment = Ailment::default());
    }

    /// `None` for a name that is no tenant.
    pub(super) fn of(&self, tenant: &str) -> Option<Ailment> {
        self.locked().get(tenant).copied()
    }

    pub(super) fn all(&self) -> BTreeMap<String, Ailment> {
        self.locked().clone()
    }

    fn change<'a>(&self, tenants: impl IntoIterator<Item = &'a str>, change: impl Fn(&mut Ailment)) {
        let mut all = self.locked();
        for tenant in tenants {
            if let Some(ailment) = all.get_mut(tenant) {
                change(ailment);
            } else {
                tracing::warn!(tenant, "the shop has no such tenant");
            }
        }
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Ailment>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Ailment, Trouble};

    #[test]
    fn a_switch_reaches_the_named_tenants_until_recovery() {
        let trouble = Trouble::none(["a".to_owned(), "b".to_owned()]);
        trouble.fail(["a", "nobody"], 7.0);
        trouble.slow(["a"], Duration::from_mins(10));
        assert_eq!(trouble.of("a"), Some(Ailment { fail_share: 1.0, slower_by: Duration::from_secs(30) }));
        assert_eq!(trouble.of("b"), Some(Ailment::default()));
        assert_eq!(trouble.of("nobody"), None);
        trouble.fail(["b"], f64::NAN);
        assert!(trouble.of("b").is_some_and(Ailment::is_well));
        trouble.recover();
        assert!(trouble.all().values().all(|ailment| ailment.is_well()));
    }
}
