//! An incident in one line, for lists and headings: who is hit now, and once nobody is any more, who was. What was true when it opened is the title of its
//! postmortem.

use std::collections::BTreeMap;

use crate::{
    id::{Group, SloId},
    ledger::Reason,
    words,
};

use super::{BurnFacts, Facts, Incident, Kind, Symptom};

/// Groups that are named.
const NAMES: usize = 3;

impl Incident {
    /// What it is in a line, as things stand: `checkout: up to 15.2 % of requests failing for acme, globex when they fired`. The share is that of the group
    /// that was worst when its alert last fired.
    pub fn one_line(&self) -> String {
        let subject = &self.fault.subject;
        match self.fault.kind {
            Kind::Burn => format!("{subject}: {}", self.burn_in_words()),
            Kind::CannotSee => format!("{subject}: {}", self.blindness_in_words()),
            Kind::Test => "TEST: the way of a page is tried, nothing is at fault".to_owned(),
        }
    }

    /// True where data comes, and nothing happens in it.
    pub(crate) fn is_silent(&self) -> bool {
        self.members.values().all(|member| match &member.facts {
            Facts::Blind(blind) => blind.unknown.reason == Reason::NoTraffic,
            Facts::Burn(_) | Facts::Test(_) => false,
        })
    }

    fn blindness_in_words(&self) -> &'static str {
        match (self.is_silent(), self.is_at_rest()) {
            (true, false) => "no traffic",
            (true, true) => "traffic again",
            (false, false) => "cannot see",
            (false, true) => "sees again",
        }
    }

    fn burn_in_words(&self) -> String {
        let burning = self.burning();
        let over = if self.is_at_rest() { "burns no more; it was " } else { "" };
        match burning.split_first() {
            Some((worst, others)) => format!("{over}{}{}", worst.in_words(), beside(worst, others)),
            None => format!("{over}an error budget that burns too fast"),
        }
    }

    /// The SLOs of which an alert holds, and once none does, all whose alerts ever did; the worst first.
    fn burning(&self) -> Vec<Burning<'_>> {
        let mut slos: BTreeMap<&SloId, Burning<'_>> = BTreeMap::new();
        for (alert, member) in self.hit_members() {
            if let (Some(budget), Facts::Burn(facts)) = (alert.budget(), &member.facts) {
                let new = || Burning { symptom: facts.symptom, shares: BTreeMap::new() };
                slos.entry(&budget.slo).or_insert_with(new).add(&budget.group, share(facts));
            }
        }
        let mut burning: Vec<Burning<'_>> = slos.into_values().collect();
        burning.sort_by(|a, b| b.worst().total_cmp(&a.worst()));
        burning
    }
}

/// An SLO that burns, with the share of bad events of each of its groups when its alert fired.
struct Burning<'a> {
    symptom: Symptom,
    shares: BTreeMap<&'a Group, f64>,
}

impl<'a> Burning<'a> {
    fn add(&mut self, group: &'a Group, share: f64) {
        self.shares.entry(group).and_modify(|worst| *worst = worst.max(share)).or_insert(share);
    }

    fn worst(&self) -> f64 {
        self.shares.values().copied().fold(0.0, f64::max)
    }

    /// The groups, the worst first; none where the SLO is not split.
    fn groups(&self) -> Vec<&'a Group> {
        let mut groups: Vec<(&Group, f64)> = self.shares.iter().map(|(group, share)| (*group, *share)).collect();
        groups.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        groups.into_iter().map(|(group, _)| group).filter(|group| !group.is_whole()).collect()
    }

    fn in_words(&self) -> String {
        let (up_to, fired) = if self.shares.len() > 1 { ("up to ", "they fired") } else { ("", "it fired") };
        let (share, symptom) = (words::percent(self.worst()), words::symptom(self.symptom));
        format!("{up_to}{share} {symptom}{} when {fired}", whom(&self.groups()))
    }
}

/// What burns beside the worst SLO, with the groups that it does not name: `, and 1 more SLO for initech`.
fn beside(worst: &Burning<'_>, others: &[Burning<'_>]) -> String {
    if others.is_empty() {
        return String::new();
    }
    let mut groups: Vec<&Group> = Vec::new();
    for group in others.iter().flat_map(Burning::groups) {
        if !worst.shares.contains_key(group) && !groups.contains(&group) {
            groups.push(group);
        }
    }
    format!(", and {}{}", words::plural(others.len(), "more SLO"), whom(&groups))
}

fn whom(groups: &[&Group]) -> String {
    let names: Vec<String> = groups.iter().map(|group| group.values()).collect();
    if names.is_empty() { String::new() } else { format!(" for {}", words::list(&names, NAMES)) }
}

/// Share of bad events over the short lookback, tolerated ones half, when the alert fired.
fn share(facts: &BurnFacts) -> f64 {
    let short = facts.fired.short;
    let bad = (short.bad as f64 + short.tolerated as f64 / 2.0).max(0.0);
    if short.total() > 0 { bad / short.total() as f64 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use crate::{
        incident::story::{Story, story},
        time::minutes,
    };

    #[track_caller]
    fn check(story: &Story, line: &str) {
        assert_eq!(story.state().one_line(), line);
    }

    #[test]
    fn it_names_who_burns_now() {
        let a = story().fires("a").after(minutes(5));
        check(&a, "checkout: 15.2 % of requests failing for a when it fired");
        let both = a.fires_at("b", 490_995);
        check(&both, "checkout: up to 45.0 % of requests failing for b, a when they fired");
        let b = both.after(minutes(5)).clears("a");
        check(&b, "checkout: 45.0 % of requests failing for b when it fired");
        let c = b.after(minutes(1)).fires_at("c", 829_236).clears("b");
        check(&c, "checkout: 76.0 % of requests failing for c when it fired");
        check(&c.clears("c"), "checkout: burns no more; it was up to 76.0 % of requests failing for c, b, a when they fired");
    }

    #[test]
    fn many_groups_and_other_slos_are_told_in_few_words() {
        let many = ["a", "b", "c", "d", "e"].iter().fold(story().together(), |story, name| story.fires(name));
        check(&many, "checkout: up to 15.2 % of requests failing for a, b, c and 2 more when they fired");
        let slow = story().fires("a").fires_at("latency/a", 54_555).fires_at("latency/f", 54_555);
        check(&slow, "checkout: 15.2 % of requests failing for a when it fired, and 1 more SLO for f");
        check(&story().fires("export/"), "checkout: 15.2 % of requests failing when it fired");
    }

    #[test]
    fn what_a_person_resolved_away_burns_on_and_what_is_seen_again_says_so() {
        let resolved = story().fires("a").after(minutes(1)).fires("b").resolved_by("ana").clears("a");
        check(&resolved, "checkout: 15.2 % of requests failing for b when it fired");
        check(&story().goes_blind(), "prom-eu: cannot see");
        check(&story().goes_blind().sees_again(), "prom-eu: sees again");
    }
}
