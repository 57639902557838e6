//! How budgets stand is made when somebody looks, as of the last round.

use std::{collections::BTreeMap, sync::Arc};

use burnward_core::{
    evaluate::BudgetStatus,
    id::{IncidentId, TenantId},
    incident::{Actor, Phase, Resolution},
    time::Timestamp,
};
use futures_util::future::join_all;

use super::house::House;
use crate::definition::Removals;

impl House {
    async fn standing(&self) -> Arc<Vec<BudgetStatus>> {
        self.daemon.handle.budgets(&main()).await.expect("it runs")
    }

    async fn tick(&self) {
        self.daemon.fast_forward(self.daemon.handle.config.tick).await;
    }
}

fn main() -> TenantId {
    TenantId::parse("main").expect("a name")
}

#[tokio::test]
async fn what_is_shown_is_of_the_last_round_whatever_came_since_and_whenever_somebody_looks() {
    let (looked, alone) = (House::on_fire().await, House::on_fire().await);
    let before = looked.standing().await;
    assert!(!before.is_empty());
    for house in [&looked, &alone] {
        house.exclude().await;
        house.daemon.handle.reload(Removals::Guarded).await.expect("it loads");
        assert_eq!(*house.standing().await, *before, "before the next round");
    }
    assert!(looked.standing().await.iter().all(|status| status.excluded.time.is_zero()));
    for house in [&looked, &alone] {
        house.tick().await;
    }
    assert_eq!(*looked.standing().await, *alone.standing().await);
    assert!(looked.standing().await.iter().any(|status| !status.excluded.time.is_zero()));
}

#[tokio::test]
async fn many_who_look_at_once_have_it_made_once_a_round() {
    let house = House::on_fire().await;
    let all = join_all((0..16).map(|_| house.standing())).await;
    assert!(all.iter().all(|one| Arc::ptr_eq(one, &all[0])));
    house.tick().await;
    let next = house.standing().await;
    let as_of = |all: &[BudgetStatus]| -> Timestamp { all[0].as_of };
    assert!(as_of(&next) > as_of(&all[0]) && next.iter().all(|status| status.as_of == as_of(&next)));
}

#[tokio::test]
async fn an_slo_alone_and_an_incident_show_what_all_show() {
    let house = House::on_fire().await;
    let handle = &house.daemon.handle;
    let slos: Vec<_> = handle.view.borrow().slos.keys().filter(|slo| slo.tenant == main()).cloned().collect();
    let mut alone = BTreeMap::new();
    for slo in &slos {
        alone.insert(slo, handle.budgets_of(slo).await.expect("it runs"));
    }
    let all = house.standing().await;
    for slo in &slos {
        let own: Vec<_> = all.iter().filter(|status| status.budget.slo == *slo).cloned().collect();
        assert_eq!(alone[slo], own, "{slo}");
        assert_eq!(handle.budgets_of(slo).await.expect("it runs"), own, "{slo}");
    }
    let at_hand = handle.view.borrow().at_hand[&main()].clone();
    assert!(!at_hand.budgets.is_empty());
    for (budget, status) in &*at_hand.budgets {
        assert_eq!(Some(status), all.iter().find(|status| status.budget == *budget), "{budget}");
    }
}

#[tokio::test]
async fn an_incident_that_is_over_for_long_shows_its_budgets_as_they_stand() {
    let house = House::on_fire().await;
    let handle = &house.daemon.handle;
    let id = IncidentId::from_text("checkout-burn-1");
    let mut incident = handle.store.incident(&main(), &id).await.expect("read").expect("it burns").incident;
    let at_hand = handle.budgets_in(&incident).await;
    incident.id = IncidentId::from_text("checkout-burn-99");
    incident.phase = Phase::Resolved { at: Timestamp::EPOCH, by: Actor::Daemon, how: Resolution::Recovered };
    let asked = handle.budgets_in(&incident).await;
    assert!(!at_hand.is_empty() && incident.members.len() > 1);
    for (budget, status) in &*at_hand {
        assert_eq!(asked.get(budget), Some(status), "{budget}");
    }
}
