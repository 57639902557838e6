//! What a post calls for: its first line is about what joined, not about what somebody was called for before.

use std::collections::BTreeSet;

use crate::{id::PageId, time::Timestamp};

use super::{AlertKey, Incident, PageReason};

impl Incident {
    /// The alerts that a post is owed for because they fired: all that joined since the post before it, until the one after it, which tells of what came
    /// later. Empty where it calls for the incident as a whole, as the first one and an escalation do, and where all of them have joined again since.
    pub fn called_for(&self, page: &PageId) -> BTreeSet<&AlertKey> {
        let Some(page) = self.pages.get(page) else { return BTreeSet::new() };
        match page.why {
            PageReason::Joined(_) | PageReason::Reopened => self.joined_between(page.decided_at),
            PageReason::Opened | PageReason::NotAcknowledged | PageReason::HelpAsked | PageReason::Unreachable => BTreeSet::new(),
        }
    }

    /// The alerts that joined after the last post before `told` and before the first one after it.
    fn joined_between(&self, told: Timestamp) -> BTreeSet<&AlertKey> {
        let posts = || self.pages.values().map(|page| page.decided_at);
        let (before, after) = (posts().filter(|at| *at < told).max(), posts().filter(|at| *at > told).min());
        let between = |at: Timestamp| before.is_none_or(|before| before < at) && after.is_none_or(|after| at < after);
        self.members.iter().filter(|(_, member)| between(member.joined_at)).map(|(alert, _)| alert).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        id::Group,
        incident::{
            AlertKey,
            story::{Story, story},
        },
        time::minutes,
    };

    /// Of which groups the newest post to ada is, in order.
    fn called(story: &Story) -> Vec<String> {
        let page = story.page_to("ada");
        story.state().called_for(&page).into_iter().filter_map(AlertKey::group).map(Group::values).collect()
    }

    #[test]
    fn the_first_post_and_an_escalation_call_for_the_whole_incident() {
        let first = story().together().fires("a").fires("b").alone();
        assert_eq!(called(&first), [""; 0]);
        let help = first.after(minutes(1)).help_asked_by("ana");
        let sam = help.page_to("sam");
        assert!(help.state().called_for(&sam).is_empty());
    }

    #[test]
    fn a_post_calls_for_what_joined_since_the_post_before_it() {
        let one = story().fires("a").after(minutes(1)).acknowledged_by("ana").after(minutes(1)).fires("b");
        assert_eq!(called(&one), ["b"]);
        let two = one.after(minutes(3)).fires("c").after(minutes(1)).fires("d");
        assert_eq!(called(&two), ["c", "d"], "the doubling is told of both");
        let both = story().fires("a").after(minutes(5)).together().fires("b").fires("c");
        assert_eq!(called(&both), ["b", "c"], "of one round");
    }

    #[test]
    fn what_fires_again_after_the_end_is_what_its_post_calls_for() {
        let over = story().together().fires("a").fires("b").alone().after(minutes(5)).clears("a").clears("b");
        assert_eq!(called(&over.after(minutes(5)).fires("b")), ["b"]);
        let resolved = story().fires("a").after(minutes(5)).resolved_by("ana");
        assert_eq!(called(&resolved.clone().after(minutes(1)).fires("b")), ["b"]);
        assert_eq!(called(&resolved.after(minutes(10)).ticks()), [""; 0], "nothing joined: it still holds");
    }
}
