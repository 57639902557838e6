//! What samples come to by the rules that users are told, kind by kind.

use super::*;

/// What happened, each at a moment, and for which stretches nobody could see.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    events: Vec<(Timestamp, Counts)>,
    unseen: Vec<(Timestamp, Timestamp)>,
    /// From when on it is known.
    pub(super) from: Option<Timestamp>,
    /// The newest moment of which something is known.
    pub(super) newest: Option<Timestamp>,
    /// Since when nothing is seen now.
    pub(super) silent_since: Option<Timestamp>,
}

impl Told {
    /// What lies in a lookback that ends at `now`.
    pub(super) fn over(&self, lookback: Duration, now: Timestamp) -> Counts {
        let slice = match lookback.as_secs() {
            0..=3_600 => 10,
            3_601..=21_600 => 60,
            21_601..=259_200 => 300,
            _ => 3_600,
        };
        let start = now.minus(lookback).floor(Duration::from_secs(slice));
        let mut counts: Counts = self.events.iter().filter(|(at, _)| *at > start).map(|(_, counts)| *counts).sum();
        let unseen = self.unseen.iter().map(|(from, to)| to.since((*from).max(start))).sum::<Duration>();
        counts.unseen_millis += millis(unseen);
        counts
    }

    /// What users see of a stretch of which nobody knows, from when on something was known.
    fn hide(&mut self, from: Timestamp, to: Timestamp) {
        let from = self.from.map_or(to, |known| known.max(from));
        if from < to {
            self.unseen.push((from, to));
        }
    }
}

pub(super) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).expect("short")
}

/// The samples of one series, in order.
fn series(shown: &[Shown], instance: &str, what: What) -> Vec<(Timestamp, f64)> {
    let mut samples: Vec<_> =
        shown.iter().filter(|one| one.instance == instance && one.what == what).map(|one| (one.at, one.value)).collect();
    samples.sort_by_key(|(at, _)| *at);
    samples
}

/// The same, apart for each set of labels that relabelling gave it.
fn runs(shown: &[Shown], instance: &str, what: What) -> Vec<Vec<(Timestamp, f64)>> {
    let mut samples: Vec<_> = shown.iter().filter(|one| one.instance == instance && one.what == what).collect();
    samples.sort_by_key(|one| one.at);
    let runs = samples.chunk_by(|one, next| one.worn == next.worn);
    runs.map(|run| run.iter().map(|one| (one.at, one.value)).collect()).collect()
}

/// The increases of a counter through all of its labels: under new ones it goes on from what it stood at under the last ones, if its target was scraped
/// just before, as a first value counts.
fn grown(shown: &[Shown], instance: &str, what: What) -> Vec<(Timestamp, i64)> {
    let (runs, standstills) = (runs(shown, instance, what), standstills(shown));
    let over = |pair: &[Vec<(Timestamp, f64)>]| {
        let ((_, was), (at, is)) = (*pair[0].last()?, *pair[1].first()?);
        Some((first(shown, instance, at)?, whole(if is < was { is } else { is - was })))
    };
    let within = runs.iter().flat_map(|run| increases(run, &standstills));
    within.chain(runs.windows(2).filter_map(over)).collect()
}

/// The first value of a counter, where that counts: not where its target got another label in that very scrape, which may have hidden what it was before.
fn born(shown: &[Shown], instance: &str, what: What) -> Option<(Timestamp, i64)> {
    let (at, value) = *series(shown, instance, what).first()?;
    let label = |at: Timestamp| shown.iter().rfind(|one| one.instance == instance && one.at == at).and_then(|one| one.worn.target);
    let before = moments(shown, instance, What::Up).into_iter().rfind(|up| *up < at)?;
    let moment = first(shown, instance, at)?;
    (label(before) == label(at)).then(|| (moment, whole(value)))
}

fn moments(shown: &[Shown], instance: &str, what: What) -> Vec<Timestamp> {
    series(shown, instance, what).into_iter().map(|(at, _)| at).collect()
}

/// How far samples were usually apart at the last of these moments: the median of the last three spacings, as far as they lie within five minutes; two
/// minutes at most.
fn usual(moments: &[Timestamp]) -> Option<Duration> {
    let last = moments.last()?;
    let pairs = moments.windows(2).rev().take(3).take_while(|pair| last.since(pair[0]) <= minutes(5));
    let mut spacings: Vec<Duration> = pairs.map(|pair| pair[1].since(pair[0])).collect();
    spacings.sort();
    spacings.get(spacings.len() / 2).map(|usual| (*usual).min(minutes(2)))
}

fn usual_or_a_minute(moments: &[Timestamp]) -> Duration {
    usual(moments).unwrap_or(minutes(1))
}

fn is_gap(spacing: Duration, usual: Duration) -> bool {
    spacing * 2 > usual * 5
}

/// The increases of a counter: a fall counts from zero, and what happened in a gap lies right behind the sample before it. One that was missing for an
/// hour in which something was scraped begins anew.
fn increases(samples: &[(Timestamp, f64)], standstills: &[(Timestamp, Timestamp)]) -> Vec<(Timestamp, i64)> {
    let is_kept = |pair: &&[(Timestamp, f64)]| {
        let (from, to) = (pair[0].0, pair[1].0);
        let still = standstills.iter().map(|(begin, end)| (*end).min(to).since((*begin).max(from))).sum::<Duration>();
        to.since(from).saturating_sub(still) <= hours(1)
    };
    let moments: Vec<Timestamp> = samples.iter().map(|(at, _)| *at).collect();
    let increase = |(before, pair): (usize, &[(Timestamp, f64)])| {
        let [(earlier, was), (at, is)] = [pair[0], pair[1]];
        let fell = is < was;
        let gap = is_gap(at.since(earlier), usual_or_a_minute(&moments[..=before]));
        let moment = if gap && !fell { earlier.plus(Duration::from_millis(1)) } else { at };
        (moment, whole(if fell { is } else { is - was }))
    };
    samples.windows(2).enumerate().filter(|(_, pair)| is_kept(pair)).map(increase).collect()
}

fn whole(value: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "few, and whole")]
    let whole = value as i64;
    whole
}

/// The targets of the SLOs, and all that there are.
const OWN: [&str; 2] = ["a", "b"];
const ALL: [&str; 3] = ["a", "b", "z"];

/// When any of these was scraped, each with what was usual there; of two at a moment the slower.
fn scrapes(shown: &[Shown], targets: &[&str]) -> Vec<(Timestamp, Duration)> {
    let of = |instance| {
        let moments = moments(shown, instance, What::Up);
        (0..moments.len()).map(|last| (moments[last], usual_or_a_minute(&moments[..=last]))).collect::<Vec<_>>()
    };
    let all: BTreeSet<(Timestamp, Duration)> = targets.iter().copied().flat_map(of).collect();
    let slowest: BTreeMap<Timestamp, Duration> = all.into_iter().collect();
    slowest.into_iter().collect()
}

/// When nothing was scraped at all.
fn standstills(shown: &[Shown]) -> Vec<(Timestamp, Timestamp)> {
    let scrapes = scrapes(shown, &ALL);
    let gaps = scrapes.windows(2).filter(|pair| is_gap(pair[1].0.since(pair[0].0), pair[0].1));
    gaps.map(|pair| (pair[0].0, pair[1].0)).collect()
}

/// What is counted from a total on, with what nobody saw of it: while none of its targets was scraped.
fn counted(shown: &[Shown], total: What, events: Vec<(Timestamp, Counts)>, now: Timestamp) -> Told {
    let from = OWN.into_iter().filter_map(|instance| moments(shown, instance, total).first().copied()).min();
    let mut told = Told { events, from, ..Told::default() };
    let scrapes = scrapes(shown, &OWN);
    // Whichever target is awaited for longest.
    let awaited = |until: usize, at: Timestamp| scrapes[..until].iter().any(|(scrape, usual)| !is_gap(at.since(*scrape), *usual));
    for (_, pair) in scrapes.windows(2).enumerate().filter(|(before, pair)| !awaited(before + 1, pair[1].0)) {
        told.hide(pair[0].0, pair[1].0);
    }
    if let Some((last, _)) = scrapes.last().filter(|_| !awaited(scrapes.len(), now)) {
        told.hide(*last, now);
        told.silent_since = Some(*last);
    }
    told.newest = scrapes.last().map(|(last, _)| *last);
    told
}

/// When a counter that is first shown at a moment began, as far as is known: at its target's scrape before, where that is no longer ago than usual but for
/// the last time that nothing was scraped at all, shortly before. Gives back where its events lie.
fn first(shown: &[Shown], instance: &str, at: Timestamp) -> Option<Timestamp> {
    let standstill = standstills(shown).into_iter().rfind(|(_, to)| *to <= at && at.since(*to) <= minutes(5));
    let own = moments(shown, instance, What::Up);
    let before = &own[..own.partition_point(|up| *up < at)];
    let last = *before.last()?;
    let within = standstill.filter(|(from, _)| last <= *from);
    let spacing = at.since(last).saturating_sub(within.map_or(Duration::ZERO, |(from, to)| to.since(from)));
    let is_known = spacing <= minutes(5) && !is_gap(spacing, usual_or_a_minute(before));
    is_known.then(|| within.map_or(at, |_| last.plus(Duration::from_millis(1))))
}

/// Requests: those that failed are shown from the first one on.
pub(super) fn requests(shown: &[Shown], now: Timestamp) -> Told {
    let mut told = Vec::new();
    for instance in OWN {
        let good = grown(shown, instance, What::Requests("200"));
        let bad = born(shown, instance, What::Requests("500")).into_iter().chain(grown(shown, instance, What::Requests("500")));
        told.extend(good.into_iter().map(|(at, good)| (at, Counts { good, ..Counts::default() })));
        told.extend(bad.map(|(at, bad)| (at, Counts { bad, ..Counts::default() })));
    }
    counted(shown, What::Requests("200"), told, now)
}

/// Good within 0.1 s, tolerated within 1 s, else bad: each bucket holds those below it, too.
pub(super) fn latency(shown: &[Shown], now: Timestamp) -> Told {
    let mut told = Vec::new();
    let of = |instance, le| grown(shown, instance, What::Bucket(le));
    for instance in OWN {
        told.extend(of(instance, "0.1").into_iter().map(|(at, n)| (at, Counts { good: n, tolerated: -n, ..Counts::default() })));
        told.extend(of(instance, "1").into_iter().map(|(at, n)| (at, Counts { tolerated: n, bad: -n, ..Counts::default() })));
        told.extend(of(instance, "+Inf").into_iter().map(|(at, n)| (at, Counts { bad: n, ..Counts::default() })));
    }
    counted(shown, What::Bucket("+Inf"), told, now)
}

/// Minutes in which something existed: good while its last sample is younger than a minute, or than 2.5 scrapes of its target; bad where it is not and
/// scrapes of any target left no hole from before the minute to its end; else nobody knows.
pub(super) fn presence(shown: &[Shown], now: Timestamp) -> Told {
    let slice = minutes(1);
    let mut there: Vec<(Timestamp, Timestamp)> = Vec::new();
    for instance in OWN {
        let (own, ups) = (moments(shown, instance, What::Exists), moments(shown, instance, What::Up));
        for (nth, at) in own.iter().enumerate() {
            let (before, after) = ups.split_at(ups.partition_point(|up| up <= at));
            let soon = after.first().map(|next| next.since(*at)).filter(|spacing| *spacing <= minutes(1));
            let pace = usual(before).or(soon).unwrap_or_else(|| usual_or_a_minute(&own[..=nth]));
            there.push((*at, at.plus(slice.max(pace * 5 / 2))));
        }
    }
    let scrapes = scrapes(shown, &ALL);
    let is_seen = |end: Timestamp| {
        let until = scrapes.partition_point(|(at, _)| *at <= end);
        let Some(pace) = scrapes[..until].iter().filter(|(at, _)| *at > end.minus(minutes(5))).map(|(_, usual)| *usual).min() else {
            return false;
        };
        let Some(before) = scrapes[..until].iter().rposition(|(at, _)| *at <= end.minus(slice)) else { return false };
        let moments: Vec<Timestamp> = scrapes[before..until].iter().map(|(at, _)| *at).chain([end]).collect();
        moments.len() > 2 && moments.windows(2).all(|pair| pair[1].since(pair[0]) <= (slice / 2).max(pace * 5 / 2))
    };
    let mut told = Told { from: there.iter().map(|(at, _)| *at).min(), ..Told::default() };
    let ends = told.from.into_iter().flat_map(|from| (1..).map(move |nth| from.floor(slice).plus(slice * nth)));
    for end in ends.take_while(|end| *end <= now).filter(|end| told.from.is_some_and(|from| *end > from)) {
        let is_there = there.iter().any(|(at, until)| *at <= end && end < *until);
        let counts = match (is_there, is_seen(end)) {
            (true, _) => events(1, 0),
            (false, true) => events(0, 1),
            (false, false) => Counts { unseen_millis: millis(slice), ..Counts::default() },
        };
        if counts.unseen_millis == 0 {
            told.newest = Some(end);
        }
        told.events.push((end, counts));
    }
    told
}

/// Minutes whose value stands at their end; the others nobody knows, once one was known.
fn stepped(values: Vec<(Timestamp, Counts)>, now: Timestamp) -> Told {
    let (step, mut told) = (minutes(1), Told::default());
    for (at, _) in &values {
        told.from = told.from.or(Some(at.minus(step)));
        if let Some(last) = told.newest {
            told.hide(last, at.minus(step));
        }
        told.newest = Some(*at);
    }
    if let Some(last) = told.newest {
        told.hide(last, now.floor(step));
    }
    Told { events: values, ..told }
}

/// Good while `v` is at most 2.
pub(super) fn window(shown: &[Shown], now: Timestamp) -> Told {
    let judged = |(at, value)| (at, if value <= 2.0 { events(1, 0) } else { events(0, 1) });
    stepped(series(shown, "", What::Value("v")).into_iter().map(judged).collect(), now)
}

/// Of `t` events `b` are bad, and none where there is no `b`; in millionths, so that eighths are whole.
pub(super) fn query(shown: &[Shown], now: Timestamp) -> Told {
    let bad: BTreeMap<Timestamp, f64> = series(shown, "", What::Value("b")).into_iter().collect();
    let eighths = |value: f64| whole(value * 8.0) * 125_000;
    let judged = |(at, total)| {
        let (total, bad) = (eighths(total), eighths(bad.get(&at).copied().unwrap_or(0.0)));
        (at, events(total - bad, bad))
    };
    stepped(series(shown, "", What::Value("t")).into_iter().map(judged).collect(), now)
}
