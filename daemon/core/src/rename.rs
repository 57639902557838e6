//! Former names: what was written down of an SLO before it got another name belongs to it. Nothing that was written is changed; it is read by the name of
//! today. What another SLO that took the old name later wrote stays its own.

use std::collections::BTreeSet;

use crate::{
    exclusion::{Owner, Scope},
    id::{ServiceName, SloId, SloName},
    incident::{AlertKey, Facts, IncidentEvent, What},
    time::Timestamp,
};

/// An SLO got another name within its service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// When.
    pub at: Timestamp,
    /// Of which service.
    pub service: ServiceName,
    /// What it was called until then.
    pub from: SloName,
    /// What it is called since.
    pub to: SloName,
}

/// All renames of a tenant, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renames(Vec<Rename>);

impl Renames {
    /// These, oldest first.
    pub fn new(renames: Vec<Rename>) -> Self {
        Self(renames)
    }

    /// True where no SLO ever got another name.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the SLO is called today that was written down by this name at a moment.
    pub fn name_now(&self, service: &ServiceName, name: &SloName, written_at: Timestamp) -> SloName {
        let later = self.0.iter().filter(|rename| rename.at >= written_at && rename.service == *service);
        later.fold(name.clone(), |name, rename| if rename.from == name { rename.to.clone() } else { name })
    }

    /// The SLO with the name of today.
    pub fn slo(&self, id: &mut SloId, written_at: Timestamp) {
        id.name = self.name_now(&id.service, &id.name, written_at);
    }

    /// Every name that an SLO of today may have been written down by: its own, and those that it had before.
    pub fn names_of(&self, id: &SloId) -> BTreeSet<SloName> {
        let mut names = BTreeSet::from([id.name.clone()]);
        for rename in self.0.iter().rev().filter(|rename| rename.service == id.service) {
            if names.contains(&rename.to) {
                names.insert(rename.from.clone());
            }
        }
        names
    }

    /// The scope of an exclusion, by the names of today.
    pub fn scope(&self, scope: &mut Scope, written_at: Timestamp) {
        match &mut scope.of {
            Owner::Slo(service, name) | Owner::Objective(service, name, _) => *name = self.name_now(service, name, written_at),
            Owner::Tenant | Owner::Service(_) => {}
        }
    }

    /// An incident's event, by the names of today.
    #[must_use]
    pub fn event(&self, mut event: IncidentEvent) -> IncidentEvent {
        match &mut event.what {
            What::Opened { alert, facts, .. } | What::Joined { alert, facts, .. } => {
                self.alert(alert, event.at);
                self.facts(facts, event.at);
            }
            What::Recovered { alert } => self.alert(alert, event.at),
            What::PageOwed { .. }
            | What::Delivered { .. }
            | What::Undeliverable { .. }
            | What::Acknowledged
            | What::Escalated { .. }
            | What::EscalationDue { .. }
            | What::EscalationEnded
            | What::Noted { .. }
            | What::Resolved { .. }
            | What::Reopened { .. } => {}
        }
        event
    }

    fn alert(&self, alert: &mut AlertKey, written_at: Timestamp) {
        match alert {
            AlertKey::Budget(budget) => self.slo(&mut budget.slo, written_at),
            AlertKey::Slo(slo) => self.slo(slo, written_at),
            AlertKey::Source(_) | AlertKey::Test => {}
        }
    }

    fn facts(&self, facts: &mut Facts, written_at: Timestamp) {
        match facts {
            Facts::Burn(burn) => burn.members.iter_mut().for_each(|member| self.slo(&mut member.slo, written_at)),
            Facts::Blind(blind) => blind.hides.iter_mut().for_each(|slo| self.slo(slo, written_at)),
            Facts::Test(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::TenantId;

    fn name(text: &str) -> SloName {
        SloName::parse(text).expect("a name")
    }

    #[test]
    fn what_was_written_before_a_rename_is_read_by_the_name_of_today() {
        let service = ServiceName::parse("checkout").expect("a name");
        let at = Timestamp::from_seconds;
        let rename = |seconds, from, to| Rename { at: at(seconds), service: service.clone(), from: name(from), to: name(to) };
        // `paid` became `pay` and then `payments`; another SLO was called `paid` afterwards, and became `orders`.
        let renames = Renames::new(vec![rename(10, "paid", "pay"), rename(20, "pay", "payments"), rename(40, "paid", "orders")]);
        for (written, at_seconds, expected) in [
            ("paid", 5, "payments"),
            ("paid", 10, "payments"),
            ("pay", 15, "payments"),
            ("payments", 25, "payments"),
            ("paid", 30, "orders"),
            ("pay", 30, "pay"),
            ("paid", 50, "paid"),
        ] {
            assert_eq!(renames.name_now(&service, &name(written), at(at_seconds)), name(expected), "{written} at {at_seconds}");
        }
        let tenant = TenantId::parse("main").expect("a name");
        let names = |of: &str| renames.names_of(&SloId { tenant: tenant.clone(), service: service.clone(), name: name(of) });
        assert_eq!(names("payments"), [name("paid"), name("pay"), name("payments")].into());
        assert_eq!(names("orders"), [name("orders"), name("paid")].into());
        let other = ServiceName::parse("cart").expect("a name");
        assert_eq!(renames.name_now(&other, &name("paid"), at(5)), name("paid"), "names are of a service");
    }
}
