//! Alerts that come back while their incident is open: whoever read that they recovered must hear of it, however often they flap, and once in a while only.
//!
//! A return is told by a post with a mention. Another one of the same alert within ten minutes is told in the thread alone; if it still holds when they
//! are over, it gets its post then. What a post of the last two minutes shows anyway needs none.

use std::time::Duration;

use crate::{
    slo::Urgency,
    time::{Timestamp, minutes},
};

use super::{AlertKey, Incident, fold::GATHER};

/// At most one post with a mention for the returns of an alert within this time.
const FLAP: Duration = minutes(10);

impl Incident {
    /// True where an alert that fires at `now` comes back and needs a post: that of the last two minutes is older than its recovery. A ticket has none.
    pub(super) fn needs_post(&self, alert: &AlertKey, now: Timestamp) -> bool {
        let shown = |recovered: Timestamp| self.last_told.at >= recovered && now.since(self.last_told.at) <= GATHER;
        self.fault.urgency == Urgency::Page && self.recovered_before(alert).is_some_and(|recovered| !shown(recovered))
    }

    /// When what fires now was last said to have recovered: the alert itself, or else the last of its SLO's, where none of them holds. `None`: it is new.
    pub(super) fn recovered_before(&self, alert: &AlertKey) -> Option<Timestamp> {
        match self.members.get(alert) {
            Some(member) => member.recovered_at,
            None => self.members.recovered(alert.slo()?),
        }
    }

    /// When a return of an alert may be told by a post. One that was never in the incident waits for the last return that was told of its SLO.
    pub(super) fn return_due(&self, alert: &AlertKey) -> Timestamp {
        let last = match self.members.get(alert) {
            Some(member) => member.back.and_then(|back| back.told_at),
            None => alert.slo().and_then(|slo| self.members.return_told(slo)),
        };
        last.map_or(self.opened_at, |told| told.plus(FLAP))
    }

    /// The alert whose return was kept quiet, still holds, and is told next, and when.
    pub(super) fn quiet_return(&self) -> Option<(Timestamp, &AlertKey)> {
        self.members.quiet().iter().map(|alert| (self.return_due(alert), alert)).min()
    }
}

#[cfg(test)]
mod tests {
    use crate::incident::story::{Story, story};

    use super::*;

    /// acme and a journey burn, ana has it, acme has recovered.
    fn recovered() -> Story {
        story()
            .together()
            .fires("acme")
            .fires("journey/")
            .alone()
            .after(minutes(2))
            .acknowledged_by("ana")
            .after(minutes(1))
            .clears("acme")
            .expect_messages(["thread", "edit in 1 min"])
    }

    #[test]
    fn an_alert_that_recovered_and_fires_again_while_another_holds_pages_and_keeps_the_acknowledgement() {
        recovered()
            .after(minutes(1))
            .fires("acme")
            .expect_facts(["joined: came back", "page", "page"])
            .expect_pages(["#pay", "ada"])
            .expect_messages(["again #pay", "direct ada", "edit"])
            .expect_phase("acknowledged")
            .expect_due_in(None);
    }

    #[test]
    fn another_group_of_an_slo_that_had_recovered_pages() {
        recovered().after(minutes(5)).fires("globex").expect_facts(["joined: came back", "page", "page"]);
    }

    #[test]
    fn another_group_beside_one_that_holds_is_no_return() {
        story().fires("acme").acknowledged_by("ana").fires("globex").after(minutes(5)).fires("initech").expect_facts(["joined"]);
    }

    #[test]
    fn one_that_flaps_is_told_once_in_ten_minutes_and_the_thread_says_each_return() {
        let back = recovered().after(minutes(1)).fires("acme");
        let quiet = back.after(minutes(1)).clears("acme").after(minutes(1)).fires("acme");
        quiet
            .expect_facts(["joined"])
            .expect_messages(["thread", "edit in 1 min"])
            .expect_due_in(Some(minutes(8)))
            .after(minutes(8))
            .ticks()
            .expect_facts(["joined: came back", "page", "page"])
            .expect_due_in(None)
            .ticks()
            .expect_nothing();
    }

    #[test]
    fn one_that_flaps_each_minute_is_told_once_in_ten() {
        let flap = |story: Story| {
            let recovered = story.after(Duration::from_secs(30)).clears("acme");
            recovered.after(Duration::from_secs(30)).fires("acme")
        };
        let first = recovered().after(minutes(1)).fires("acme");
        let calls = first.state().escalation.calls;
        let flapped = (0..24).fold(first, |story, _| flap(story).ticks());
        assert_eq!(flapped.state().escalation.calls - calls, 2, "in 24 minutes");
    }

    #[test]
    fn a_quiet_return_that_recovers_before_it_is_due_stays_quiet() {
        let back = recovered().after(minutes(1)).fires("acme");
        let quiet = back.after(minutes(1)).clears("acme").after(minutes(1)).fires("acme").after(minutes(1)).clears("acme");
        quiet.expect_due_in(None).after(minutes(20)).ticks().expect_nothing();
    }

    #[test]
    fn forty_that_come_back_together_are_one_post() {
        let tenants: Vec<String> = (0..40).map(|n| format!("t{n}")).collect();
        let open = tenants.iter().fold(story().together().fires("journey/"), |story, name| story.fires(name));
        let over = tenants.iter().fold(open.after(minutes(5)), |story, name| story.clears(name)).alone();
        let back = tenants.iter().fold(over.after(minutes(5)).together(), |story, name| story.fires(name));
        back.expect_pages(["#pay", "ada"]).expect_messages(["again #pay", "direct ada", "edit"]);
    }

    #[test]
    fn while_nobody_has_it_a_return_pages_beside_the_timer_and_an_escalation_tells_a_quiet_one() {
        let open = story().together().fires("acme").fires("journey/").alone().after(minutes(3)).clears("acme").after(minutes(1));
        let back = open.fires("acme").expect_facts(["joined: came back", "page", "page"]).expect_due_in(Some(minutes(1)));
        let quiet = back.clears("acme").after(Duration::from_secs(1)).fires("acme").expect_facts(["joined"]);
        let told = quiet.after(minutes(1)).ticks().expect_facts(["escalated", "page", "page", "page", "timer"]);
        assert_eq!(told.state().quiet_return(), None);
    }
}
