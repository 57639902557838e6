//! SLOs that are split by other labels than before: what was counted stays as it was, and what is new is read as of a new SLO.

use super::*;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const EDIT: i64 = 4 * HOUR;
const END: i64 = 6 * HOUR;

/// Two instances that are scraped each minute, of which one fails more than the other.
fn traffic(from: i64, to: i64) -> Source {
    let mut source = Source::default();
    for minute in from / 60..=to / 60 {
        let served = u64::try_from(minute - from / 60).expect("after the start");
        source.scrape_of("a", at(minute * 60), &[("200", served * 500), ("500", served)]);
        source.scrape_of("b", at(minute * 60), &[("200", served * 200), ("500", served * 3)]);
    }
    source
}

fn split_by(per: &[&str]) -> Vec<Arc<Slo>> {
    let mut slo = (*fixture::availability_per("a", r#"m{job="x"}"#, &[("code", MatchOp::Regex, "5..")], per)).clone();
    let in_minutes = judged::in_slices(&slo.objectives[0], 1);
    slo.objectives.push(in_minutes);
    vec![Arc::new(slo)]
}

/// A daemon that filled in its history and then ran from hour 0 to the edit.
fn before_the_edit(per: &[&str], source: &Source) -> Daemon {
    let mut daemon = Daemon::start(split_by(per), at(0));
    daemon.tick(source, at(0));
    daemon.backfill(source, at(0));
    daemon.tick_every(source, 60, 60, EDIT);
    daemon
}

/// What is shown of the streams of an SLO split by these labels at moments before the edit, of events and of verdicts.
fn shown_before(daemon: &Daemon, per: &[&str]) -> BTreeMap<String, Vec<(Counts, Counts, Option<Timestamp>)>> {
    let per: Vec<String> = per.iter().map(|label| (*label).to_owned()).collect();
    let rule = daemon.slos[0].objectives[1].counted_in;
    let of = |stream: &Stream| {
        let moments = [-2 * DAY, -HOUR, 0, HOUR, EDIT - 10 * 60, EDIT - 120];
        let ledger = &daemon.ledger;
        let at_moment = |moment: i64| {
            let over = |stream: u32| ledger.past(stream, at(moment)).over(days(2));
            (over(stream.index), over(ledger.counted_in(stream.index, rule)), ledger.counted_from(stream.index))
        };
        moments.into_iter().map(at_moment).collect()
    };
    daemon.ledger.streams_split_by(&fixture::slo_id("a"), &per).map(|stream| (stream.group.to_string(), of(stream))).collect()
}

fn groups(daemon: &Daemon) -> Vec<String> {
    daemon.ledger.streams().map(|stream| stream.group.to_string()).collect()
}

/// What may happen between the edit and the end.
type Mishap = fn(&mut Daemon, i64);

const MISHAPS: [(&str, Mishap); 4] = [
    ("nothing", |_, _| ()),
    ("restart from rounds", |daemon, now| daemon.restart(at(now))),
    ("restart from what is rolled up", |daemon, now| {
        daemon.compact(at(now));
        daemon.restart(at(now));
    }),
    ("restart from images", |daemon, now| {
        for part in 0..daemon.ledger.image_parts().count() {
            daemon.keep_image(part);
        }
        assert!(daemon.restored_from_images(at(now)).is_some());
        daemon.restart(at(now));
    }),
];

#[test]
fn the_past_stays_as_it_was_and_the_new_groups_get_what_those_of_a_new_slo_get() {
    let source = traffic(-3 * DAY, END);
    for (before, after) in
        [(&[][..], &["instance"][..]), (&["instance"], &[]), (&["instance"], &["instance", "job"]), (&["job"], &["instance"])]
    {
        let original = before_the_edit(before, &source);
        let known = shown_before(&original, before);
        let told = |moments: &Vec<(Counts, Counts, _)>| moments.iter().all(|(events, ..)| events.bad > 0) && moments[5].1.total() > 0;
        assert!(known.values().all(told), "{known:?}");
        let mut fresh = Daemon::start(split_by(after), at(EDIT));
        fresh.tick_every(&source, 60, EDIT, END);
        fresh.backfill(&source, at(END));
        for (what, happens) in MISHAPS {
            let mut daemon = before_the_edit(before, &source);
            daemon.replace_slos(split_by(after), at(EDIT));
            assert_eq!(shown_before(&daemon, before), known, "{before:?} to {after:?}");
            assert!(!groups(&daemon).iter().any(|group| known.contains_key(group)), "no row of now");
            let new = Daemon::start(split_by(after), at(EDIT));
            assert_eq!(daemon.ledger.to_fill(at(EDIT)), new.ledger.to_fill(at(EDIT)), "its history is filled in as of a new one");
            daemon.tick_every(&source, 60, EDIT, EDIT + HOUR);
            happens(&mut daemon, EDIT + HOUR);
            daemon.tick_every(&source, 60, EDIT + HOUR + 60, END);
            daemon.backfill(&source, at(END));
            happens(&mut daemon, END);
            daemon.tick(&source, at(END));
            assert_eq!(shown_before(&daemon, before), known, "{before:?} to {after:?}, {what}");
            assert_eq!(groups(&daemon), groups(&fresh));
            assert_eq!(sums(&daemon, at(END)), sums(&fresh, at(END)), "{before:?} to {after:?}, {what}");
        }
    }
}

#[test]
fn who_is_split_as_before_again_goes_on_where_it_was_and_counts_nothing_twice() {
    let source = traffic(-3 * DAY, END);
    for (before, between) in [(&[][..], &["instance"][..]), (&["instance"], &[])] {
        let mut whole = before_the_edit(before, &source);
        whole.tick_every(&source, 60, EDIT, END);
        for (what, happens) in MISHAPS {
            let mut daemon = before_the_edit(before, &source);
            daemon.replace_slos(split_by(between), at(EDIT));
            daemon.tick_every(&source, 60, EDIT, EDIT + HOUR);
            daemon.backfill(&source, at(EDIT + HOUR));
            happens(&mut daemon, EDIT + HOUR);
            daemon.replace_slos(split_by(before), at(EDIT + HOUR));
            happens(&mut daemon, EDIT + HOUR);
            daemon.tick_every(&source, 60, EDIT + HOUR + 60, END);
            assert_agree(&daemon, &whole, at(END));
            assert_eq!(groups(&daemon), groups(&whole), "{what}");
            // And once more to the other one.
            daemon.replace_slos(split_by(between), at(END));
            daemon.tick(&source, at(END));
            let total = |daemon: &Daemon| {
                let streams = daemon.ledger.streams().map(|stream| daemon.ledger.between(stream.index, at(-DAY), at(END - 120)));
                streams.map(Counts::total).sum::<i64>()
            };
            assert_eq!(total(&daemon), total(&whole), "{what}");
        }
    }
}

#[test]
fn the_order_of_the_labels_ends_nothing() {
    let source = traffic(-DAY, END);
    let mut daemon = before_the_edit(&["instance", "job"], &source);
    let (known, groups_before) = (shown_before(&daemon, &["instance", "job"]), groups(&daemon));
    daemon.replace_slos(split_by(&["job", "instance"]), at(EDIT));
    daemon.tick(&source, at(EDIT + 60));
    assert_eq!((shown_before(&daemon, &["job", "instance"]), groups(&daemon)), (known, groups_before));
}

#[test]
fn what_a_stream_was_not_settled_for_when_it_ended_is_unseen() {
    let source = traffic(-DAY, END);
    let mut daemon = before_the_edit(&[], &source);
    let (whole, settled) = (daemon.index("a", ""), daemon.ledger.settled(&fixture::slo_id("a")).expect("it runs"));
    daemon.replace_slos(split_by(&["instance"]), at(EDIT));
    daemon.tick_every(&source, 60, EDIT, END);
    let unseen = |moment: Timestamp| daemon.ledger.past(whole, moment).over(hours(1)).unseen_millis;
    assert_eq!(
        (unseen(settled), unseen(at(EDIT + HOUR / 2))),
        (0, i64::try_from(at(EDIT + HOUR / 2).since(settled).as_millis()).expect("few"))
    );
    assert_eq!(daemon.ledger.settled_of(whole), Some(settled));
}

/// As where the only SLO is edited: the seal knows none of what is read now.
#[test]
fn what_comes_late_after_the_edit_is_found() {
    let mut source = traffic(-DAY, END);
    let late = source.series.values_mut().map(|samples| samples.split_off(&at(EDIT + HOUR))).collect::<Vec<_>>();
    let mut daemon = before_the_edit(&[], &source);
    let read = |daemon: &mut Daemon, source: &Source, from: i64, to: i64| {
        for now in (from..=to).step_by(60) {
            daemon.tick(source, at(now));
            while daemon.read_again(source, at(now)) {}
        }
    };
    daemon.replace_slos(split_by(&["instance"]), at(EDIT));
    read(&mut daemon, &source, EDIT, EDIT + HOUR + 600);
    for (samples, late) in source.series.values_mut().zip(late) {
        samples.extend(late);
    }
    read(&mut daemon, &source, EDIT + HOUR + 660, END);
    let mut calm = before_the_edit(&["instance"], &source);
    calm.tick_every(&source, 60, EDIT, END);
    let late = |daemon: &Daemon| daemon.ledger.between(daemon.index("a", "a"), at(EDIT + HOUR + 120), at(EDIT + HOUR + 420));
    assert_eq!((late(&daemon), late(&daemon).total() > 0), (late(&calm), true));
}

#[test]
fn a_source_without_history_begins_the_new_groups_at_the_edit() {
    let source = traffic(-DAY, END);
    let settings = Settings { settle: minutes(1), max_groups_per_slo: 1000, history: false };
    let mut daemon = Daemon::start_with(split_by(&[]), settings, at(0));
    daemon.tick_every(&source, 60, 0, EDIT);
    let known = daemon.ledger.between(daemon.index("a", ""), at(0), at(EDIT - 120));
    daemon.replace_slos(split_by(&["instance"]), at(EDIT));
    daemon.tick_every(&source, 60, EDIT, END);
    assert!(daemon.ledger.streams().all(|stream| stream.counted_from.is_some_and(|from| from >= at(EDIT - 60))));
    let whole = daemon.ledger.any_stream(&fixture::slo_id("a"), &Group::whole()).expect("it has ended").index;
    assert_eq!(daemon.ledger.between(whole, at(0), at(EDIT - 120)), known);
}
