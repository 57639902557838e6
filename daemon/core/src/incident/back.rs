//! Alerts that come back while their incident is open: whoever read that they recovered must hear of it, however often they flap, and once in a while only.
//!
//! A return is told by a post with a mention. Another one of the same alert within ten minutes is told in the thread alone; if it still holds when they
//! are over, it gets its post then. What a post of the last two minutes shows anyway needs none, unless somebody has acknowledged since. So it is, too, where the return opens the incident again.

use std::time::Duration;

use crate::{
    slo::Urgency,
    time::{Timestamp, minutes},
};

use super::{AlertKey, Incident, Phase};

/// At most one post with a mention for the returns of an alert within this time.
const FLAP: Duration = minutes(10);

/// An alert flaps where it came back at least so often, each time within an hour of the time before, and the last time within the last hour.
const FLAPS_FROM: u32 = 2;

/// The hour.
const FLAPPING: Duration = minutes(60);

impl Incident {
    /// True where an alert that fires at `now` comes back and needs a post: that of the last two minutes is older than its recovery, or somebody has
    /// acknowledged since. A ticket has none.
    pub(super) fn needs_post(&self, alert: &AlertKey, now: Timestamp) -> bool {
        let shown = |recovered: Timestamp| self.last_told.at >= recovered && self.gathers(now);
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

    /// True where a return opened it again, the last time that it was opened, and no post has told so.
    pub(super) fn is_untold(&self) -> bool {
        self.fault.urgency == Urgency::Page && self.last_told.at < self.waiting_since
    }

    /// The same while nobody has it: nobody is paged for it yet.
    pub(super) fn is_open_untold(&self) -> bool {
        self.phase == Phase::Open && self.is_untold()
    }

    /// When the first step is paged for a return that opened it again and was kept quiet, where it still holds then.
    pub fn told_later(&self) -> Option<Timestamp> {
        self.quiet_return().map(|(due, _)| due).filter(|_| self.is_open_untold())
    }

    /// How often an alert comes back for the last time at `now`, counting those before as long as each came within an hour of the one before.
    pub(super) fn returns(&self, alert: &AlertKey, now: Timestamp) -> u32 {
        let before = self.members.get(alert).and_then(|member| Some((member.joined_at, member.back?.times)));
        before.filter(|(at, _)| now.since(*at) <= FLAPPING).map_or(1, |(_, times)| times.saturating_add(1))
    }

    /// The alert that came back most often, and how often, where it flaps at `now`. What is over for an hour flaps no more.
    pub fn flaps(&self, now: Timestamp) -> Option<(&AlertKey, u32)> {
        let often = self.members.iter().filter_map(|(alert, member)| {
            let times = member.back.map(|back| back.times).filter(|_| now.since(member.joined_at) <= FLAPPING)?;
            (times >= FLAPS_FROM).then_some((alert, times))
        });
        often.max_by(|(a, often), (b, more)| often.cmp(more).then_with(|| b.cmp(a)))
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

    /// One alert alone: each of its ends is the incident's.
    fn alone() -> Story {
        story().fires("acme").after(minutes(1)).acknowledged_by("ana").after(minutes(1)).clears("acme").after(minutes(1))
    }

    /// It clears and fires again, half a minute each.
    fn flap(story: Story) -> Story {
        story.after(Duration::from_secs(30)).clears("acme").after(Duration::from_secs(30)).fires("acme")
    }

    #[test]
    fn a_single_alert_that_flaps_opens_its_incident_again_quietly_and_pages_once_the_ten_minutes_are_over() {
        let first = alone().fires("acme").expect_facts(["open again: fired", "joined", "page", "page", "timer"]);
        let quiet = flap(first).expect_facts(["open again: fired", "joined"]).expect_messages(["thread", "edit"]);
        let quiet = quiet.expect_phase("open").expect_due_in(Some(minutes(9)));
        quiet
            .after(minutes(9))
            .ticks()
            .expect_facts(["joined: came back", "page", "page", "timer"])
            .expect_pages(["#pay", "ada"])
            .expect_due_in(Some(minutes(5)))
            .after(minutes(5))
            .ticks()
            .expect_pages(["#pay", "sam", "#leads"]);
    }

    #[test]
    fn a_single_alert_that_flaps_each_minute_pages_once_in_ten_and_its_ends_are_said_in_the_thread() {
        let first = alone().fires("acme");
        let calls = first.state().pages.len();
        let flapped = (0..59).fold(first, |story, _| flap(story).ticks());
        assert_eq!(flapped.state().pages.len() - calls, 5 * 2, "five times the channel and a person in not quite an hour");
        let quiet = flap(flap(flapped));
        quiet
            .after(Duration::from_secs(30))
            .clears("acme")
            .expect_facts(["recovered", "resolved: recovered"])
            .expect_messages(["thread", "edit"]);
    }

    #[test]
    fn what_joins_one_that_is_open_again_quietly_pages_with_a_timer() {
        let quiet = flap(alone().fires("acme"));
        quiet
            .after(minutes(1))
            .fires("latency/acme")
            .expect_facts(["joined: new SLO", "page", "page", "timer"])
            .expect_due_in(Some(minutes(5)));
    }

    #[test]
    fn whoever_takes_it_while_its_return_is_quiet_knows_of_it() {
        flap(alone().fires("acme")).after(minutes(1)).acknowledged_by("ana").expect_due_in(None);
    }

    #[test]
    fn one_that_comes_back_again_and_again_flaps_until_an_hour_without_a_return() {
        let flaps = |story: &Story| story.state().flaps(story.now).map(|(alert, times)| (alert.group().expect("a budget").values(), times));
        let once = alone().fires("acme");
        assert_eq!(flaps(&once), None, "once is no flapping");
        let thrice = flap(flap(once));
        assert_eq!(flaps(&thrice), Some(("acme".to_owned(), 3)));
        assert_eq!(flaps(&thrice.clone().after(minutes(60))), Some(("acme".to_owned(), 3)));
        assert_eq!(flaps(&thrice.clone().after(minutes(61))), None);
        let later = thrice.after(minutes(50)).clears("acme").after(minutes(20)).fires("acme");
        assert_eq!(flaps(&later), None, "70 minutes after the time before, it is the first of its own");
    }
}
