//! The fold: events in, state out. It is total: every event folds in any order, because what is stored must always load again.

use std::time::Duration;

use crate::{
    id::{PageId, TenantId},
    time::{Timestamp, minutes},
};

use super::{
    AlertKey, Back, Escalation, EscalationReason, Facts, Incident, IncidentEvent, JoinReason, LastTold, Member, Note, PageOutcome,
    PageState, Phase, Spell, What,
};

/// How long a post counts as new: groups that join in this time are shown by an edit of it and need no post of their own, so that a failure that
/// reaches ten tenants within two minutes pages once.
pub(super) const GATHER: Duration = minutes(2);

impl Incident {
    /// The incident that an `Opened` event begins; `None` for any other event.
    pub fn opened(tenant: &TenantId, ordinal: u64, event: &IncidentEvent) -> Option<Self> {
        let What::Opened { fault, team, alert, facts } = &event.what else { return None };
        let member = Member::new(event.at, facts.clone());
        Some(Self {
            tenant: tenant.clone(),
            id: fault.incident(ordinal),
            ordinal,
            fault: fault.clone(),
            team: team.clone(),
            opened_at: event.at,
            began: facts.began().min(event.at),
            phase: Phase::Open,
            waiting_since: event.at,
            spells: vec![Spell { from: facts.began().min(event.at), to: None }],
            members: [(alert.clone(), member)].into_iter().collect(),
            first: [(alert.clone(), facts.clone())].into(),
            escalation: Escalation { step: 0, round: 0, calls: 0, due: None },
            pages: [].into(),
            root: None,
            last_told: LastTold { at: event.at, groups: 1 },
            last_acknowledged: None,
            last_help: None,
            last_note: None,
            last_seq: event.seq,
        })
    }

    /// The state after all of `events`; `None` where they do not begin with an `Opened` event.
    pub fn replay(tenant: &TenantId, ordinal: u64, events: &[IncidentEvent]) -> Option<Self> {
        let (first, rest) = events.split_first()?;
        let mut incident = Self::opened(tenant, ordinal, first)?;
        for event in rest {
            incident.apply(event);
        }
        Some(incident)
    }

    /// The state after one more event.
    pub fn apply(&mut self, event: &IncidentEvent) {
        let at = event.at;
        self.last_seq = self.last_seq.max(event.seq);
        match &event.what {
            What::Opened { alert, facts, .. } => self.join(alert, facts, None, at),
            What::Joined { alert, facts, notify } => self.join(alert, facts, *notify, at),
            What::Recovered { alert } => {
                self.members.recover(alert, at);
                self.end_pages(at);
            }
            What::PageOwed { page, to, step, round: _, why } => {
                let state = PageState { to: to.clone(), decided_at: at, step: *step, why: *why, outcome: PageOutcome::Owed, over: None };
                self.owe(page, state);
            }
            What::Delivered { page, at: message, .. } => {
                self.set_outcome(page, PageOutcome::Delivered { at, message: message.clone() });
            }
            What::Undeliverable { page, reason } => self.set_outcome(page, PageOutcome::Undeliverable { at, reason: reason.clone() }),
            What::Acknowledged => self.acknowledge(event),
            What::Escalated { step, round, why } => self.escalate(*step, *round, *why, event),
            What::EscalationDue { at } => self.set_due(*at),
            What::EscalationEnded => self.escalation.due = None,
            What::Noted { text } => self.last_note = Some(Note { at, by: event.by.clone(), text: text.clone() }),
            What::Resolved { how } => {
                self.phase = Phase::Resolved { at, by: event.by.clone(), how: *how };
                self.escalation.due = None;
                self.end_pages(at);
            }
            What::Reopened { .. } => {
                self.call_anew(at);
                self.goes_on_again(at);
            }
        }
    }

    /// Another spell begins, unless the last one goes on.
    fn goes_on_again(&mut self, at: Timestamp) {
        if self.spells.last().is_none_or(|spell| spell.to.is_some()) {
            self.spells.push(Spell { from: at, to: None });
        }
    }

    /// Dates the spell that goes on by the beginning of one of its alerts, not into the spell before; the first of them dates the incident.
    fn date(&mut self, began: Timestamp) {
        let before = self.spells.iter().rev().nth(1).and_then(|spell| spell.to);
        if let Some(spell) = self.spells.last_mut().filter(|spell| spell.to.is_none()) {
            spell.from = spell.from.min(before.map_or(began, |before| before.max(began)));
        }
        self.began = self.began.min(began);
    }

    fn join(&mut self, alert: &AlertKey, facts: &Facts, notify: Option<JoinReason>, at: Timestamp) {
        self.date(facts.began());
        self.put(alert, facts, at);
        if at == self.opened_at {
            self.first.entry(alert.clone()).or_insert_with(|| facts.clone());
        }
        match notify {
            None if self.gathers(at) => self.last_told.groups = self.last_told.groups.max(self.count_groups_hit()),
            None => {}
            Some(JoinReason::NewSlo | JoinReason::Doubled | JoinReason::CameBack) => self.escalation.calls += 1,
            Some(JoinReason::OldAcknowledgement) => self.call_anew(at),
        }
    }

    /// True while the last post is still new: what joins is shown by an edit and counts as told. Whoever acknowledges has read the post as it was then, so
    /// that it is new no longer.
    pub(super) fn gathers(&self, now: Timestamp) -> bool {
        let read = self.last_acknowledged.as_ref().is_some_and(|(at, _)| *at > self.last_told.at);
        !read && now.since(self.last_told.at) <= GATHER
    }

    /// One that holds already keeps what it fired with.
    fn put(&mut self, alert: &AlertKey, facts: &Facts, at: Timestamp) {
        if self.holds(alert) {
            return;
        }
        let before = self.members.get(alert).and_then(|member| member.back);
        let returns = |_| Back {
            told_at: before.and_then(|back| back.told_at),
            quiet: self.needs_post(alert, at),
            itself: self.members.contains_key(alert),
            times: self.returns(alert, at),
        };
        let back = self.recovered_before(alert).map(returns);
        self.members.join(alert, Member { back, ..Member::new(at, facts.clone()) });
    }

    fn owe(&mut self, page: &PageId, state: PageState) {
        self.last_told = LastTold { at: state.decided_at, groups: self.count_groups_hit().max(1) };
        self.root.get_or_insert_with(|| page.clone());
        self.members.tell(state.decided_at);
        self.pages.entry(page.clone()).or_insert(state);
    }

    /// Once nothing goes on, its spell and what every page so far called for are over.
    fn end_pages(&mut self, at: Timestamp) {
        if self.is_at_rest() {
            if let Some(spell) = self.spells.last_mut() {
                spell.to.get_or_insert(at);
            }
            for page in self.pages.values_mut() {
                page.over.get_or_insert(at);
            }
        }
    }

    fn set_outcome(&mut self, page: &PageId, outcome: PageOutcome) {
        if let Some(state) = self.pages.get_mut(page)
            && !matches!(state.outcome, PageOutcome::Delivered { .. })
        {
            state.outcome = outcome;
        }
    }

    fn acknowledge(&mut self, event: &IncidentEvent) {
        self.last_acknowledged = Some((event.at, event.by.clone()));
        self.escalation.due = None;
        self.members.know();
        match self.phase {
            Phase::Open | Phase::Acknowledged { .. } => self.phase = Phase::Acknowledged { at: event.at, by: event.by.clone() },
            Phase::Resolved { .. } => {}
        }
    }

    fn escalate(&mut self, step: u32, round: u32, why: EscalationReason, event: &IncidentEvent) {
        self.escalation = Escalation { step, round, due: None, ..self.escalation };
        match why {
            EscalationReason::HelpAsked => {
                self.escalation.calls += 1;
                self.last_help = Some((event.at, event.by.clone()));
            }
            EscalationReason::NotAcknowledged | EscalationReason::Unreachable => {}
        }
    }

    fn set_due(&mut self, due: Timestamp) {
        match self.phase {
            Phase::Open => self.escalation.due = Some(due),
            Phase::Acknowledged { .. } | Phase::Resolved { .. } => {}
        }
    }

    /// It waits for somebody from here on, beginning with the first step.
    fn call_anew(&mut self, at: Timestamp) {
        self.phase = Phase::Open;
        self.waiting_since = at;
        self.escalation = Escalation { step: 0, round: 0, calls: self.escalation.calls + 1, due: None };
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Duration};

    use proptest::prelude::*;

    use crate::{
        incident::{
            Actor, Command, EscalationReason, MessageKind, Resolution, messages, next_due,
            story::{Story, alert, facts, message_ref, person, story, tenant, ticket_story},
        },
        postmortem, timeline,
    };

    use super::*;

    /// One thing that happens in a random story.
    #[derive(Debug, Clone)]
    enum Act {
        Fires(&'static str),
        Clears(&'static str),
        Acknowledges(&'static str),
        AsksForHelp(&'static str),
        Notes(&'static str),
        Resolves(&'static str),
        Ticks,
        Arrives(prop::sample::Index),
        Fails(prop::sample::Index),
    }

    fn act() -> impl Strategy<Value = Act> {
        let alert = || prop::sample::select(vec!["acme", "globex", "initech", "latency/acme", "latency/globex", "export/"]);
        let name = || prop::sample::select(vec!["ana", "sam"]);
        prop_oneof![
            4 => alert().prop_map(Act::Fires),
            4 => alert().prop_map(Act::Clears),
            1 => name().prop_map(Act::Acknowledges),
            1 => name().prop_map(Act::AsksForHelp),
            1 => name().prop_map(Act::Notes),
            1 => name().prop_map(Act::Resolves),
            4 => Just(Act::Ticks),
            2 => any::<prop::sample::Index>().prop_map(Act::Arrives),
            1 => any::<prop::sample::Index>().prop_map(Act::Fails),
        ]
    }

    fn acts() -> impl Strategy<Value = Vec<(u64, Act)>> {
        let wait = prop_oneof![3 => Just(0), 5 => 1..120_u64, 3 => 120..900_u64, 1 => 900..9000_u64];
        prop::collection::vec((wait, act()), 1..80)
    }

    /// What an act asks for, and who; `None` for the outcome of a page where there is none yet.
    fn command(story: &Story, act: &Act) -> Option<(Command, Actor)> {
        let page = |index: &prop::sample::Index| {
            let pages: Vec<&PageId> = story.incident.iter().flat_map(|incident| incident.pages.keys()).collect();
            (!pages.is_empty()).then(|| (*index.get(&pages)).clone())
        };
        Some(match act {
            Act::Fires(name) => (Command::Fire { fault: story.fault(), alert: alert(name), facts: facts(story.now) }, Actor::Daemon),
            Act::Clears(name) => (Command::Clear { alert: alert(name) }, Actor::Daemon),
            Act::Acknowledges(name) => (Command::Acknowledge, person(name)),
            Act::AsksForHelp(name) => (Command::Escalate, person(name)),
            Act::Notes(name) => (Command::Note { text: "rolling back".to_owned() }, person(name)),
            Act::Resolves(name) => (Command::Resolve, person(name)),
            Act::Ticks => (Command::Tick, Actor::Daemon),
            Act::Arrives(index) => (Command::Delivered { page: page(index)?, at: message_ref(), maybe_repeat: false }, Actor::Daemon),
            Act::Fails(index) => (Command::Undeliverable { page: page(index)?, reason: "gone".to_owned() }, Actor::Daemon),
        })
    }

    fn check_state(story: &Story) {
        let Some(incident) = &story.incident else { return };
        let replayed = Incident::replay(&tenant(), incident.ordinal, &story.events);
        assert_eq!(replayed.as_ref(), Some(incident), "the fold of the events is the state");
        let seqs: Vec<u32> = story.events.iter().map(|event| event.seq).collect();
        assert_eq!(seqs, (1..).take(seqs.len()).collect::<Vec<u32>>(), "positions have no gaps");
        let pages: Vec<&PageId> = story.events.iter().filter_map(page).collect();
        assert_eq!(pages.iter().collect::<BTreeSet<_>>().len(), pages.len(), "page ids are unique");
        let roots = messages(incident, &story.events).into_iter().filter(|message| message.kind == MessageKind::Root).count();
        assert_eq!(roots, 1, "one root");
        if !matches!(incident.phase, Phase::Open) {
            assert_eq!(incident.escalation.due, None, "no timer runs where nobody is waited for");
        }
        if let Phase::Resolved { how: Resolution::Recovered, .. } = incident.phase {
            assert_eq!(incident.open_members().count(), 0, "nothing resolves itself while an alert holds");
        }
        if incident.is_open() {
            assert!(incident.open_members().next().is_some(), "nothing stays open without an alert");
        }
    }

    fn page(event: &IncidentEvent) -> Option<&PageId> {
        match &event.what {
            What::PageOwed { page, .. } => Some(page),
            _ => None,
        }
    }

    /// What one act may do, given the state before it.
    fn check_step(before: &Story, act: &Act, after: &Story) {
        let by_timer =
            after.batch.iter().filter(|event| matches!(event.what, What::Escalated { why: EscalationReason::NotAcknowledged, .. }));
        let due = before.incident.as_ref().and_then(|incident| incident.escalation.due).is_some_and(|due| due <= after.now);
        assert!(by_timer.count() <= usize::from(due && matches!(act, Act::Ticks)), "one step for one due timer");
        let acknowledged = before.incident.as_ref().is_some_and(|incident| matches!(incident.phase, Phase::Acknowledged { .. }));
        let new = |event: &IncidentEvent| {
            matches!(event.what, What::Joined { notify: Some(_), .. } | What::Escalated { why: EscalationReason::HelpAsked, .. })
        };
        if acknowledged && after.batch.iter().any(|event| page(event).is_some()) {
            assert!(after.batch.iter().any(new), "after an acknowledgement only something new pages: {:?}", after.batch);
        }
        if after.batch.iter().any(|event| matches!(event.what, What::Resolved { how: Resolution::ByPerson })) {
            assert!(matches!(act, Act::Resolves(_)));
        }
    }

    fn check_story(mut story: Story, acts: &[(u64, Act)]) {
        for (wait, act) in acts {
            let before = story.after(Duration::from_secs(*wait));
            let Some((command, by)) = command(&before, act) else {
                story = before;
                continue;
            };
            let after = before.clone().does(&command, &by);
            check_state(&after);
            check_step(&before, act, &after);
            assert_eq!(after.clone().does(&command, &by).incident, after.incident, "a repeated {act:?} changes nothing");
            story = after;
        }
    }

    /// The story after all acts.
    fn tell(story: Story, acts: &[(u64, Act)]) -> Story {
        acts.iter().fold(story, |story, (wait, act)| {
            let story = story.after(Duration::from_secs(*wait));
            match command(&story, act) {
                Some((command, by)) => story.does(&command, &by),
                None => story,
            }
        })
    }

    proptest! {
        #[test]
        fn random_stories_keep_the_rules(acts in acts()) {
            check_story(story(), &acts);
            check_story(ticket_story(), &acts);
        }

        #[test]
        fn a_silent_team_is_paged_until_escalation_ends(waits in prop::collection::vec(1..1200_u64, 30..60)) {
            let mut told = story().fires("acme");
            for wait in waits {
                let before = told.after(Duration::from_secs(wait));
                let due = next_due(before.state()).is_some_and(|due| due <= before.now);
                told = before.ticks();
                prop_assert_eq!(!told.batch.is_empty(), due);
            }
            prop_assert!(told.state().escalation.round < crate::escalation::ROUNDS);
        }

        #[test]
        fn every_stored_event_folds_in_any_order(acts in acts(), order in prop::collection::vec(any::<prop::sample::Index>(), 1..40)) {
            let told = tell(story().fires("acme"), &acts);
            let mut incident = Incident::opened(&tenant(), 1, &told.events[0]).unwrap();
            for index in order {
                incident.apply(index.get(&told.events));
            }
            prop_assert_eq!(timeline::entries(&incident, &told.events).len(), told.events.len());
        }

        #[test]
        fn a_postmortem_can_be_drafted_at_any_moment_and_its_milestones_are_in_order(acts in acts()) {
            let told = tell(story().fires("acme"), &acts);
            let draft = postmortem::draft(told.state(), &told.events, Vec::new());
            let milestones = draft.milestones;
            let order: Vec<Timestamp> = [Some(milestones.began), Some(milestones.detected), milestones.paged, milestones.acknowledged, milestones.resolved]
                .into_iter()
                .flatten()
                .collect();
            prop_assert!(order.is_sorted(), "{:?}", milestones);
        }
    }
}
