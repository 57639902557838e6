//! Which messages an incident's new events lead to, and whether one that waited is still worth sending. Edits inform, posts notify.

use std::time::Duration;

use crate::{
    id::{IncidentId, PageId},
    oncall::Recipient,
    time::{Timestamp, minutes},
};

use super::{AlertKey, Incident, IncidentEvent, PageReason, PageState, Phase, What};

/// Mere numbers are shown by an edit at most this often.
const EDIT_PACE: Duration = minutes(1);

/// A page that waited longer than this gives way to a newer one of its incident to the same recipient.
const STALE: Duration = minutes(5);

/// A message to be delivered, decided together with the events that lead to it. What it says is rendered at delivery from the stored incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its identity; a message with the same identity is the same message.
    pub id: PageId,
    /// Of which incident.
    pub incident: IncidentId,
    /// To whom.
    pub to: Recipient,
    /// What kind.
    pub kind: MessageKind,
    /// When it is due.
    pub due: Timestamp,
}

/// The kinds of messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageKind {
    /// The incident's first post in its team's channel, the root of its thread; a page.
    Root,
    /// A new post in the thread that also shows in the channel, with a mention: escalation, a member that joined, re-opening; a page.
    Again,
    /// A direct message to a person, or a post to a channel that is not the team's; a page.
    Direct,
    /// A timeline entry in the thread: the event with this position. Informs.
    Thread {
        /// Position of the event.
        seq: u32,
        /// True where it also shows in the channel, without a mention.
        broadcast: bool,
    },
    /// The root is rendered anew. Informs; one waits for all: its identity is constant per incident, and the earlier due time holds.
    Edit,
}

impl MessageKind {
    /// True for what must reach somebody: it is retried until it does.
    pub const fn is_page(&self) -> bool {
        match self {
            Self::Root | Self::Again | Self::Direct => true,
            Self::Thread { .. } | Self::Edit => false,
        }
    }
}

/// The messages that `events` lead to, in the order in which they should arrive; `incident` is the state after them. Call it once with all new
/// events of an incident and round, so that recoveries coalesce.
pub fn messages(incident: &Incident, events: &[IncidentEvent]) -> Vec<Message> {
    let Some(channel) = incident.root_page().map(|(_, root)| &root.to) else { return Vec::new() };
    let pages = events.iter().filter_map(|event| page(incident, channel, event));
    let turns = events.iter().filter(|event| matches!(event.what, What::Resolved { .. } | What::Recovered { .. })).map(|event| event.seq);
    let joins = events.iter().filter(|event| matches!(event.what, What::Joined { .. })).map(|event| event.seq);
    let posts = events.iter().any(|event| matches!(event.what, What::PageOwed { .. } | What::Reopened { .. }));
    let batch = Batch { events, last_turn: turns.max(), last_join: joins.max(), posts };
    let threads = events.iter().filter_map(|event| thread(incident, channel, event, batch));
    pages.chain(threads).chain(edit(incident, channel, events)).collect()
}

/// True where the thread's line of an event would be false by now: it says that something is over which has come back since.
pub fn is_outdated(events: &[IncidentEvent], seq: u32) -> bool {
    let since = || events.iter().filter(|event| event.seq > seq);
    match events.iter().find(|event| event.seq == seq).map(|event| &event.what) {
        Some(What::Resolved { .. }) => since().any(|event| matches!(event.what, What::Reopened { .. })),
        Some(What::Recovered { alert }) => {
            since().any(|event| matches!(&event.what, What::Joined { alert: joined, .. } if joined == alert))
        }
        Some(_) | None => false,
    }
}

/// An edit of the root because its numbers moved, a minute from now; several of them are one. `None` where nothing was posted or owed yet.
pub fn refresh(incident: &Incident, now: Timestamp) -> Option<Message> {
    incident.root_page().map(|(_, root)| edit_message(incident, &root.to, now.plus(EDIT_PACE)))
}

fn page(incident: &Incident, channel: &Recipient, event: &IncidentEvent) -> Option<Message> {
    let What::PageOwed { page, to, .. } = &event.what else { return None };
    let kind = match incident.root.as_ref() {
        Some(root) if root == page => MessageKind::Root,
        Some(_) if to == channel => MessageKind::Again,
        Some(_) | None => MessageKind::Direct,
    };
    Some(Message { id: page.clone(), incident: incident.id.clone(), to: to.clone(), kind, due: event.at })
}

fn thread(incident: &Incident, channel: &Recipient, event: &IncidentEvent, batch: Batch<'_>) -> Option<Message> {
    let broadcast = match voice(incident, channel, event, batch) {
        Voice::Silent => return None,
        Voice::Thread => false,
        Voice::Broadcast => true,
    };
    let (tenant, id) = incident.name();
    Some(Message {
        id: PageId::of(&[tenant.as_str(), id.as_str(), "thread", &event.seq.to_string()]),
        incident: id.clone(),
        to: channel.clone(),
        kind: MessageKind::Thread { seq: event.seq, broadcast },
        due: event.at,
    })
}

/// The events that messages are made for at once.
#[derive(Clone, Copy)]
struct Batch<'e> {
    events: &'e [IncidentEvent],
    /// Position of the last recovery or end: an earlier recovery need not be told, the sentence of that one says how many are left.
    last_turn: Option<u32>,
    /// Position of the last alert that joined.
    last_join: Option<u32>,
    /// Whether a new post tells of it all.
    posts: bool,
}

/// How loud the thread says it.
enum Voice {
    /// Not at all: another message tells it, or nobody needs to read it.
    Silent,
    /// In the thread.
    Thread,
    /// In the thread and the channel.
    Broadcast,
}

fn voice(incident: &Incident, channel: &Recipient, event: &IncidentEvent, batch: Batch<'_>) -> Voice {
    match &event.what {
        What::Opened { .. } | What::PageOwed { .. } | What::Delivered { .. } | What::EscalationDue { .. } => Voice::Silent,
        What::Joined { alert, .. } => voice_of_join(incident, alert, event, batch),
        // What nobody was told to be open again is told to be over where that was said.
        What::Resolved { .. } if incident.is_untold() => Voice::Thread,
        What::EscalationEnded | What::Resolved { .. } => Voice::Broadcast,
        What::Recovered { .. } if batch.last_turn > Some(event.seq) => Voice::Silent,
        What::Undeliverable { .. } if !incident.is_open() => Voice::Silent,
        What::Escalated { .. } | What::Reopened { .. } if pages_channel(channel, batch.events) => Voice::Silent,
        What::Acknowledged
        | What::Noted { .. }
        | What::Recovered { .. }
        | What::Undeliverable { .. }
        | What::Escalated { .. }
        | What::Reopened { .. } => Voice::Thread,
    }
}

/// What came back is said in the thread, where its recovery was, unless a new post says it; the last of several speaks for all.
fn voice_of_join(incident: &Incident, alert: &AlertKey, event: &IncidentEvent, batch: Batch<'_>) -> Voice {
    match incident.members.get(alert).and_then(|member| member.back) {
        Some(_) if !batch.posts && batch.last_join == Some(event.seq) => Voice::Thread,
        Some(_) | None => Voice::Silent,
    }
}

fn pages_channel(channel: &Recipient, batch: &[IncidentEvent]) -> bool {
    batch.iter().any(|event| matches!(&event.what, What::PageOwed { to, .. } if to == channel))
}

/// One edit for all of `events`: at once where somebody waits for it, in a minute for mere numbers, none where the root is only now being posted.
fn edit(incident: &Incident, channel: &Recipient, events: &[IncidentEvent]) -> Option<Message> {
    let opens = events.iter().any(|event| matches!(event.what, What::Opened { .. }));
    let due = events.iter().filter_map(|event| edit_due(incident, event)).min()?;
    (!opens).then(|| edit_message(incident, channel, due))
}

fn edit_due(incident: &Incident, event: &IncidentEvent) -> Option<Timestamp> {
    match &event.what {
        What::Acknowledged
        | What::Escalated { .. }
        | What::EscalationEnded
        | What::Resolved { .. }
        | What::Reopened { .. }
        | What::Joined { notify: Some(_), .. } => Some(event.at),
        // What went on although a person had resolved it is over.
        What::Recovered { .. } if incident.is_at_rest() => Some(event.at),
        What::Undeliverable { .. } if !incident.is_open() => None,
        What::Joined { notify: None, .. } | What::Recovered { .. } | What::Noted { .. } | What::Undeliverable { .. } => {
            Some(event.at.plus(EDIT_PACE))
        }
        What::Delivered { page, .. } => passed_by_the_state(incident, page).then_some(event.at),
        What::Opened { .. } | What::PageOwed { .. } | What::EscalationDue { .. } => None,
    }
}

/// True where a page beside the root was on its way while somebody took the incident, or while it ended: it may show the state before.
fn passed_by_the_state(incident: &Incident, page: &PageId) -> bool {
    let Some(decided_at) = incident.pages.get(page).map(|page| page.decided_at) else { return false };
    let beside_root = incident.root.as_ref() != Some(page);
    match &incident.phase {
        Phase::Open => false,
        Phase::Acknowledged { at, .. } | Phase::Resolved { at, .. } => beside_root && decided_at <= *at,
    }
}

fn edit_message(incident: &Incident, channel: &Recipient, due: Timestamp) -> Message {
    let (tenant, id) = incident.name();
    Message {
        id: PageId::of(&[tenant.as_str(), id.as_str(), "edit"]),
        incident: id.clone(),
        to: channel.clone(),
        kind: MessageKind::Edit,
        due,
    }
}

/// Whether a message that waited is still worth sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Send it as it was meant.
    Yes,
    /// Send it once so that the record is whole, without a mention: the incident is over.
    AsDigest,
    /// Do not send it; record the reason as `Command::Undeliverable`.
    No {
        /// Why, as the end of the sentence "not sent: ...".
        reason: &'static str,
    },
}

/// Whether a message is still worth sending, asked right before each attempt: a page must not wake anybody for what is over. What was attempted and
/// may have arrived is not asked again: its outcome is looked up first.
pub fn still_wanted(incident: &Incident, message: &Message, now: Timestamp) -> Wanted {
    match (&message.kind, &incident.phase) {
        (MessageKind::Thread { .. } | MessageKind::Edit, _) | (MessageKind::Root, Phase::Open | Phase::Acknowledged { .. }) => Wanted::Yes,
        (MessageKind::Root, Phase::Resolved { .. }) => Wanted::AsDigest,
        (MessageKind::Again | MessageKind::Direct, Phase::Resolved { .. }) => {
            Wanted::No { reason: "the incident was resolved before it could be delivered" }
        }
        (MessageKind::Again | MessageKind::Direct, Phase::Open | Phase::Acknowledged { .. }) => {
            incident.pages.get(&message.id).map_or(Wanted::Yes, |page| page_wanted(incident, page, message, now))
        }
    }
}

fn page_wanted(incident: &Incident, page: &PageState, message: &Message, now: Timestamp) -> Wanted {
    if taken_since(incident, page, &message.kind) {
        return Wanted::No { reason: "somebody acknowledged before it could be delivered" };
    }
    let newer = |other: &PageState| other.to == page.to && other.decided_at > page.decided_at;
    if now.since(page.decided_at) > STALE && incident.pages.values().any(newer) {
        return Wanted::No { reason: "a newer page to the same recipient says more" };
    }
    Wanted::Yes
}

/// True where the page would wake somebody for what somebody else has taken since: one that was only owed because nobody had, and any message to a person
/// that was decided before. Help that was asked for is wanted all the same, and a channel is told what happened.
fn taken_since(incident: &Incident, page: &PageState, kind: &MessageKind) -> bool {
    let Phase::Acknowledged { at, .. } = &incident.phase else { return false };
    match page.why {
        PageReason::HelpAsked => false,
        PageReason::NotAcknowledged | PageReason::Unreachable => *at >= page.decided_at,
        PageReason::Opened | PageReason::Joined(_) | PageReason::Reopened => {
            *kind == MessageKind::Direct && matches!(page.to, Recipient::Person(_)) && *at > page.decided_at
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        incident::{
            Standing,
            story::{Story, story, ticket_story},
        },
        time::hours,
    };

    use super::*;

    #[test]
    fn every_change_leads_to_its_messages() {
        let open = story().fires("acme").expect_messages(["root #pay", "direct ada"]);
        open.clone().delivers("ada").expect_messages([]);
        open.clone().acknowledged_by("ana").delivers("ada").expect_messages(["edit"]);
        open.clone().acknowledged_by("ana").delivers("#pay").expect_messages([]);
        open.clone().after(minutes(5)).ticks().expect_messages(["again #pay", "direct sam", "direct #leads", "edit"]);
        open.clone().fires("globex").expect_messages(["edit in 1 min"]);
        open.clone().after(minutes(1)).fires("latency/acme").expect_messages(["again #pay", "direct ada", "edit"]);
        open.clone().acknowledged_by("ana").expect_messages(["thread", "edit"]);
        open.clone().noted_by("ana", "rolling back").expect_messages(["thread", "edit in 1 min"]);
        open.clone().fails("ada").expect_messages(["thread", "edit in 1 min"]);
        open.clone().resolved_by("ana").expect_messages(["broadcast", "edit"]);
        open.clone().fires("globex").clears("acme").expect_messages(["thread", "edit in 1 min"]);
        open.clone().clears("acme").expect_messages(["broadcast", "edit"]).fires("acme").expect_messages([
            "again #pay",
            "direct ada",
            "edit",
        ]);
        let ended = (0..20)
            .map(|_| hours(1))
            .fold(open, |story, hour| if story.state().escalation.due.is_some() { story.after(hour).ticks() } else { story });
        ended.expect_messages(["broadcast", "edit"]);
    }

    #[test]
    fn a_ticket_is_one_post_and_comes_back_quietly() {
        ticket_story()
            .fires("acme")
            .expect_messages(["root #pay"])
            .clears("acme")
            .expect_messages(["broadcast", "edit"])
            .fires("acme")
            .expect_messages(["thread", "edit"]);
    }

    #[test]
    fn recoveries_of_one_round_are_one_message_and_none_beside_the_end() {
        let three = story().together().fires("a").fires("b").fires("c");
        let two = three.together().clears("a").clears("b").expect_messages(["thread", "edit in 1 min"]);
        two.clone().together().clears("c").expect_messages(["broadcast", "edit"]);
        assert_eq!(two.batch.last().map(|event| event.seq), threads(&two).first().copied());
    }

    fn threads(story: &Story) -> Vec<u32> {
        let thread = |message: Message| match message.kind {
            MessageKind::Thread { seq, .. } => Some(seq),
            MessageKind::Root | MessageKind::Again | MessageKind::Direct | MessageKind::Edit => None,
        };
        messages(story.state(), &story.batch).into_iter().filter_map(thread).collect()
    }

    #[test]
    fn a_line_that_says_an_end_is_outdated_once_it_came_back() {
        let over = story().fires("acme").fires("globex").after(minutes(2)).clears("globex").after(minutes(1)).clears("acme");
        let outdated = |story: &Story| {
            let events = story.events.iter().filter(|event| is_outdated(&story.events, event.seq));
            events.map(|event| if matches!(event.what, What::Resolved { .. }) { "resolved" } else { "recovered" }).collect::<Vec<_>>()
        };
        assert_eq!(outdated(&over), [""; 0]);
        assert_eq!(outdated(&over.after(minutes(1)).fires("acme")), ["recovered", "resolved"], "globex is over still");
    }

    #[test]
    fn a_channel_that_was_renamed_gets_a_post_of_its_own() {
        let mut story = story().fires("acme");
        "#payments".clone_into(&mut story.team.channel);
        story.after(minutes(5)).ticks().expect_messages(["direct #payments", "direct sam", "direct #leads", "thread", "edit"]);
    }

    #[test]
    fn all_edits_of_an_incident_are_one_message() {
        let taken = story().fires("acme").acknowledged_by("ana");
        let edit = |story: &Story| messages(story.state(), &story.batch).pop().map(|message| message.id);
        let ended = taken.clone().clears("acme");
        assert_eq!(edit(&taken), edit(&ended));
        assert_eq!(refresh(taken.state(), taken.now).map(|message| message.id), edit(&taken));
    }

    /// What the post to `who` says of the state, in the order in which they were owed.
    fn standings(story: &Story, who: &str) -> Vec<String> {
        let mut pages: Vec<_> = story.state().pages.iter().filter(|(_, page)| page.to.to_string() == who).collect();
        pages.sort_by_key(|(_, page)| page.decided_at);
        let word = |id| match story.state().standing_of(id) {
            Standing::Waits => "waits".to_owned(),
            Standing::Taken { by, .. } => format!("taken by {by}"),
            Standing::GoesOn { by, .. } => format!("goes on, resolved by {by}"),
            Standing::Over { at } => format!("over after {} min", at.since(story.state().opened_at).as_secs() / 60),
        };
        pages.into_iter().map(|(id, _)| word(id)).collect()
    }

    #[test]
    fn a_post_follows_the_state_until_what_it_called_for_is_over() {
        let first = story().fires("acme").after(minutes(1));
        assert_eq!(standings(&first, "ada"), ["waits"]);
        let taken = first.acknowledged_by("ana").after(minutes(1));
        assert_eq!(standings(&taken, "ada"), ["taken by ana"]);
        let resolved = taken.clone().resolved_by("ana").after(minutes(1));
        assert_eq!(standings(&resolved, "ada"), ["goes on, resolved by ana"]);
        assert_eq!(standings(&resolved.after(minutes(9)).ticks(), "ada"), ["waits", "waits"]);
        let over = taken.clears("acme").after(minutes(15));
        assert_eq!(standings(&over, "ada"), ["over after 2 min"]);
        let again = over.fires("acme");
        assert_eq!(standings(&again, "ada"), ["over after 2 min", "waits"], "what comes back has posts of its own");
        assert_eq!(standings(&again.after(minutes(3)).clears("acme"), "ada"), ["over after 2 min", "over after 20 min"]);
    }

    /// Asks whether the newest message to `who` is still wanted.
    fn check(story: &Story, who: &str, wanted: &str) {
        let word = match still_wanted(story.state(), &story.message_to(who), story.now) {
            Wanted::Yes => "yes",
            Wanted::AsDigest => "as digest",
            Wanted::No { reason } => reason,
        };
        assert!(word.contains(wanted), "{who}: {word}, not {wanted}");
    }

    #[test]
    fn what_is_over_wakes_nobody_late() {
        let over = story().fires("acme").after(minutes(30)).ticks().after(minutes(30)).clears("acme");
        check(&over, "ada", "resolved before");
        check(&over, "#leads", "resolved before");
        check(&over, "#pay", "resolved before");
        let short = story().fires("acme").after(minutes(1)).clears("acme");
        check(&short, "#pay", "as digest");
        let dropped = short.fails("ada").expect_facts(["undeliverable"]).expect_messages([]);
        assert_eq!(dropped.state().owed_pages().count(), 1);
    }

    #[test]
    fn an_acknowledgement_takes_back_what_would_wake_somebody_and_no_request_for_help() {
        let taken = story().fires("acme").after(minutes(5)).ticks().after(minutes(1)).acknowledged_by("ada");
        check(&taken, "sam", "acknowledged before");
        check(&taken, "ada", "acknowledged before");
        check(&story().fires("acme").acknowledged_by("ada").help_asked_by("ada"), "sam", "yes");
        check(&story().fires("acme").after(minutes(1)).acknowledged_by("ada"), "#pay", "yes");
    }

    #[test]
    fn after_an_outage_the_newest_page_to_each_recipient_is_enough() {
        let first = story().fires("acme");
        let message = first.message_to("ada");
        let joined = first.after(minutes(1)).fires("latency/acme");
        assert_eq!(still_wanted(joined.state(), &message, joined.now), Wanted::Yes, "not stale yet");
        let later = joined.after(minutes(5));
        assert!(matches!(still_wanted(later.state(), &message, later.now), Wanted::No { .. }));
        check(&later, "ada", "yes");
    }
}
