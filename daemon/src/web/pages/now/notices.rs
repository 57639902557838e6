//! What somebody should know before any number: blind sources, pages that did not arrive, files that do not load.

use burnward_core::words;
use jiff::Timestamp as Instant;

use super::super::{figures::Mark, frame::Links, when::ago};
use crate::{
    render::visible,
    web::api::wire::{Fault, HeldVersion, Outbox, SourceState, Status, Undelivered},
};

/// Undelivered pages that are told one by one.
const LISTED: usize = 10;

/// Something that somebody should know.
pub(super) struct Notice {
    pub(super) mark: Mark,
    pub(super) text: String,
    /// What holds all the same, or what to do.
    pub(super) but: &'static str,
    /// Further lines: what, and where it leads.
    pub(super) lines: Vec<(String, Option<String>)>,
    /// Text of many lines.
    pub(super) text_block: Option<String>,
}

impl Notice {
    fn new(mark: Mark, text: String, but: &'static str) -> Self {
        Self { mark, text, but, lines: Vec::new(), text_block: None }
    }
}

pub(super) fn notices(status: &Status, links: &Links, now: Instant) -> Vec<Notice> {
    let sources = &status.sources;
    let mut notices: Vec<Notice> = sources.iter().filter_map(|source| blind(source, now)).collect();
    notices.extend(undelivered(&status.outbox, links, now));
    notices.extend(sources.iter().filter_map(|source| lost(source, now)));
    notices.extend(sources.iter().filter_map(clock_off));
    notices.extend(sources.iter().filter_map(catching_up));
    notices.extend(sources.iter().filter_map(|source| switched(source, now)));
    notices.extend(status.held.iter().map(|held| runs_on(held, links)));
    notices.extend(status.definition_faults.iter().map(does_not_load));
    notices.extend(status.text_faults.iter().map(|fault| text_fault(fault)));
    notices
}

fn blind(source: &SourceState, now: Instant) -> Option<Notice> {
    let (since, why) = (source.blind_since?, source.blind.as_ref()?);
    let circuit = if source.circuit == "open" { ". It is asked one small question a tick until it answers" } else { "" };
    let text =
        format!("Source {} does not answer (noticed {}): {} ({}){circuit}", source.name, ago(since, now), visible(&why.detail), why.reason);
    Some(Notice::new(
        Mark::of("?", "CANNOT SEE"),
        text,
        "This is not proof of an outage. Until it answers, nothing is resolved and nothing counts as good; then what was missed is read.",
    ))
}

fn undelivered(outbox: &Outbox, links: &Links, now: Instant) -> Option<Notice> {
    let pages = &outbox.undelivered;
    let count = if pages.is_empty() { return None } else { words::plural(pages.len(), "page") };
    let mark = Mark { class: "state-spent".to_owned(), ..Mark::of("!", "NOT DELIVERED") };
    let text = format!("{count} did not reach anybody");
    let line = |page: &Undelivered| (one_page(page, now), Some(links.to(&format!("/incidents/{}", page.incident))));
    let mut lines: Vec<_> = pages.iter().take(LISTED).map(line).collect();
    if pages.len() > LISTED {
        lines.push((format!("and {} more", pages.len() - LISTED), None));
    }
    Some(Notice {
        lines,
        ..Notice::new(mark, text, "Tell the people yourself if it burns. Pages that wait are tried again; nothing of them is lost.")
    })
}

fn one_page(page: &Undelivered, now: Instant) -> String {
    let why = page.last_error.as_deref().map_or_else(|| "not tried yet".to_owned(), visible);
    let state = if page.given_up { "cannot arrive" } else { "waits" };
    let tries = words::plural(page.attempts as usize, "attempt");
    format!("{} to {}, decided {}, {state} after {tries}: {why}", page.page, visible(&page.to), ago(page.decided_at, now))
}

fn lost(source: &SourceState, now: Instant) -> Option<Notice> {
    let sentence = source.lost_sentence(|at| ago(at, now))?;
    let text = visible(&format!("{}{}", sentence[..1].to_uppercase(), &sentence[1..]));
    let mark = Mark { class: "state-spent".to_owned(), ..Mark::of("!", "SAMPLES LOST") };
    Some(Notice::new(
        mark,
        text,
        "What was counted of them stays. Look whether its data was wiped: what it still holds cannot be counted again from it.",
    ))
}

fn clock_off(source: &SourceState) -> Option<Notice> {
    let sentence = source.skew_sentence()?;
    let text = visible(&format!("{}{}", sentence[..1].to_uppercase(), &sentence[1..]));
    let mark = Mark { class: "state-spent".to_owned(), ..Mark::of("!", "CLOCK OFF") };
    Some(Notice::new(mark, text, "Budgets go by the times of its samples, pages may be late. Synchronise both clocks."))
}

fn catching_up(source: &SourceState) -> Option<Notice> {
    source.catching_up.then(|| {
        let text = format!("Source {} is being caught up", source.name);
        Notice::new(Mark::of("…", "BACK-FILLING"), text, "Nothing is decided for what is not yet read.")
    })
}

/// A source that is read from another replica than at the start.
fn switched(source: &SourceState, now: Instant) -> Option<Notice> {
    let replica = source.replica.as_ref().filter(|replica| replica.switched_at.is_some())?;
    let sentence = source.replica_sentence(|at| ago(at, now))?;
    let text = visible(&format!("{}{}", sentence[..1].to_uppercase(), &sentence[1..]));
    let but = "Counting began anew there: nothing is counted across, nothing twice.";
    let mark = Mark { class: "state-back-filling".to_owned(), ..Mark::of("·", &format!("REPLICA {}", replica.number)) };
    Some(Notice::new(mark, text, but))
}

/// An SLO that was changed or removed while its alert holds.
fn runs_on(held: &HeldVersion, links: &Links) -> Notice {
    let mark = Mark { class: "state-back-filling".to_owned(), ..Mark::of("·", "RUNS ON") };
    let page = links.to(&format!("/slos/{}/{}", held.service, held.slo));
    let line = (format!("{}/{}", held.service, held.slo), Some(page));
    Notice { lines: vec![line], ..Notice::new(mark, visible(&held.sentence()), "No edit silences an alert that fires.") }
}

fn does_not_load(fault: &Fault) -> Notice {
    let mark =
        Mark { class: "state-spent".to_owned(), ..Mark::of("!", if fault.removal_refused { "REMOVAL REFUSED" } else { "DOES NOT LOAD" }) };
    let notice = Notice::new(mark, visible(&fault.file), fault.what_runs());
    Notice { text_block: Some(fault.text.clone()), ..notice }
}

fn text_fault(fault: &str) -> Notice {
    let mark = Mark { class: "state-spent".to_owned(), ..Mark::of("!", "TEXT NOT USED") };
    Notice::new(mark, visible(fault), "The built-in text is used instead.")
}
