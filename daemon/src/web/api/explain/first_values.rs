//! How the first values of a budget's counters were taken, row by row: the words for what the ledger remembers of it.

use burnward_core::{
    evaluate::BudgetStatus,
    ledger::{Counts, FirstValueRule, FirstValuesTaken, FirstValuesWithin},
    slo::{NewSeries, Slo},
    time::Timestamp,
    window::Interval,
    words,
};

use super::reading::Begun;
use crate::{
    app::Handle,
    web::api::wire::{self, ExplainedRow, instant},
};

/// What is known of a row's long lookback.
pub(super) struct OfRow {
    /// As it is told: `1h`.
    long: String,
    /// How many series the source shows that were not there when it began, where it was asked.
    begun: usize,
    within: FirstValuesWithin,
}

impl OfRow {
    /// Since when it is known how first values were taken, where the lookback begins before.
    pub(super) const fn known_since(&self) -> Option<Timestamp> {
        self.within.known_since
    }
}

/// Of each row that was decided, in their order; none of an SLO without counters.
pub(super) async fn of(handle: &Handle, slo: &Slo, status: &BudgetStatus, begun: &Begun) -> Vec<OfRow> {
    if !slo.sli.counts_counters() || status.rows.is_empty() {
        return Vec::new();
    }
    let longs = || status.rows.iter().map(|burn| burn.row.long);
    let over = longs().map(|long| Interval { from: status.as_of.minus(long), to: status.as_of }).collect();
    let within = handle.first_values(&status.budget, over).await;
    let of_row = |(long, within)| OfRow { long: words::lookback(long), begun: begun.get(&long).copied().unwrap_or_default(), within };
    longs().zip(within).map(of_row).collect()
}

/// Says it of each row within whose long lookback a counter began.
pub(super) fn note_in_rows(rows: &mut [ExplainedRow], slo: &Slo, first_values: &[OfRow]) {
    for (row, known) in rows.iter_mut().zip(first_values) {
        row.first_values = told(known, slo.new_series);
        if row.first_values.is_some() {
            row.first_values_taken = known.within.taken.iter().map(on_the_wire).collect();
            row.first_values_known_since = known.within.known_since.map(instant);
        }
    }
}

fn told(OfRow { long, begun, within }: &OfRow, policy: NewSeries) -> Option<String> {
    let policy = policy.word();
    let remembered: usize = within.taken.iter().map(|taken| taken.counters).sum();
    let began = match within.known_since {
        Some(_) => remembered.max(*begun),
        None if remembered == 0 => *begun,
        None => remembered,
    };
    let counters = (began > 0).then(|| format!("{} of it began within {long}", words::plural(began, "counter")))?;
    let taken: Vec<String> = within.taken.iter().map(taken_words).collect();
    Some(match (taken.as_slice(), within.known_since) {
        ([], None) => format!("{counters}: none was new when it was read, so that `new-series: {policy}` had nothing to decide about"),
        ([], Some(since)) => {
            format!("{counters}: how `new-series: {policy}` took their first values is not known of what began before {}", instant(since))
        }
        (taken, None) => format!("{counters}: `new-series: {policy}` took {}", taken.join("; ")),
        (taken, Some(since)) => {
            format!("{counters}: `new-series: {policy}` took {}; not known of what began before {}", taken.join("; "), instant(since))
        }
    })
}

/// `2 first values for 7 events (1 good, 6 bad), ...` or `1 for where counting begins, ...`.
fn taken_words(taken: &FirstValuesTaken) -> String {
    let first_values = words::plural(taken.counters, "first value");
    let why = why(taken.rule);
    if taken.rule.takes_for_events() {
        format!("{first_values} for {}: {why}", events(taken.counts))
    } else {
        format!("{first_values} for where counting begins: {why}")
    }
}

fn events(counts: Counts) -> String {
    let counts = of_counters(counts);
    let total = if counts.total() == 1 { "1 event".to_owned() } else { format!("{} events", words::grouped(counts.total())) };
    let kinds = [(counts.good, "good"), (counts.tolerated, "tolerated"), (counts.bad, "bad")].into_iter().filter(|(number, _)| *number > 0);
    let kinds: Vec<String> = kinds.map(|(number, kind)| format!("{} {kind}", words::grouped(number))).collect();
    if kinds.is_empty() { total } else { format!("{total} ({})", kinds.join(", ")) }
}

/// What the counters showed: a first failure beside a total that was there already takes what it adds to the bad from the good, where the total books it.
fn of_counters(Counts { good, tolerated, bad, unseen_millis }: Counts) -> Counts {
    Counts { good: good.max(0), tolerated: tolerated.max(0), bad: bad.max(0), unseen_millis }
}

const fn why(rule: FirstValueRule) -> &'static str {
    match rule {
        FirstValueRule::TargetSeen => "the target was seen one scrape before without the counter",
        FirstValueRule::TargetStarted => "the target's process started since it was last seen",
        FirstValueRule::SourceSeen => "the target was new, and the source was scraped just before",
        FirstValueRule::WentOn => "the counter went on from one that had other labels, and what it added counts",
        FirstValueRule::Policy => "no first value is events by this policy",
        FirstValueRule::NotSeen => "the target was not seen just before, and tells of no start since",
        FirstValueRule::OriginUnclear => "the target's labels changed in that scrape, and nothing tells which counter went on",
        FirstValueRule::OtherBuckets => "the histogram was there before with other buckets",
        FirstValueRule::NoBuckets => "the buckets of the threshold were not there yet",
    }
}

const fn word(rule: FirstValueRule) -> &'static str {
    match rule {
        FirstValueRule::TargetSeen => "target-seen",
        FirstValueRule::TargetStarted => "target-started",
        FirstValueRule::SourceSeen => "source-seen",
        FirstValueRule::WentOn => "went-on",
        FirstValueRule::Policy => "policy",
        FirstValueRule::NotSeen => "not-seen",
        FirstValueRule::OriginUnclear => "origin-unclear",
        FirstValueRule::OtherBuckets => "other-buckets",
        FirstValueRule::NoBuckets => "no-buckets",
    }
}

fn on_the_wire(taken: &FirstValuesTaken) -> wire::FirstValuesTaken {
    let Counts { good, tolerated, bad, .. } = of_counters(taken.counts);
    wire::FirstValuesTaken {
        rule: word(taken.rule).to_owned(),
        taken_for: if taken.rule.takes_for_events() { "events" } else { "baseline" }.to_owned(),
        counters: taken.counters,
        good,
        tolerated,
        bad,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SINCE: Timestamp = Timestamp::from_millis(1_764_288_000_000);

    fn taken(rule: FirstValueRule, counters: usize, good: i64, bad: i64) -> FirstValuesTaken {
        FirstValuesTaken { rule, counters, counts: Counts { good, bad, ..Counts::default() } }
    }

    #[track_caller]
    fn check(begun: usize, taken: Vec<FirstValuesTaken>, known_since: Option<Timestamp>, expected: Option<&str>) {
        let row = OfRow { long: "1h".to_owned(), begun, within: FirstValuesWithin { taken, known_since } };
        assert_eq!(told(&row, NewSeries::Auto).as_deref(), expected);
    }

    #[test]
    fn a_row_tells_how_first_values_were_taken_and_by_which_rule() {
        let both = vec![taken(FirstValueRule::TargetSeen, 2, -7, 7), taken(FirstValueRule::NotSeen, 1, 0, 0)];
        check(
            2,
            both,
            None,
            Some(
                "3 counters of it began within 1h: `new-series: auto` took 2 first values for 7 events (7 bad): the target was seen one scrape before without the \
                 counter; 1 first value for where counting begins: the target was not seen just before, and tells of no start since",
            ),
        );
    }

    #[test]
    fn what_began_before_the_memory_does_is_told_as_not_known() {
        let one = vec![taken(FirstValueRule::TargetStarted, 1, 1, 0)];
        check(
            4,
            one,
            Some(SINCE),
            Some(
                "4 counters of it began within 1h: `new-series: auto` took 1 first value for 1 event (1 good): the target's process started since it was last \
                 seen; not known of what began before 2025-11-28T00:00:00Z",
            ),
        );
        check(
            1,
            Vec::new(),
            Some(SINCE),
            Some(
                "1 counter of it began within 1h: how `new-series: auto` took their first values is not known of what began before 2025-11-28T00:00:00Z",
            ),
        );
    }

    #[test]
    fn where_nothing_began_nothing_is_told() {
        check(0, Vec::new(), None, None);
        check(0, Vec::new(), Some(SINCE), None);
    }

    #[test]
    fn what_the_source_shows_as_new_and_was_known_is_told_as_such() {
        let told =
            "2 counters of it began within 1h: none was new when it was read, so that `new-series: auto` had nothing to decide about";
        check(2, Vec::new(), None, Some(told));
    }
}
