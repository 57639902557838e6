use super::*;
use crate::exclusion::{Exclusion, ExclusionId, Exclusions, Owner, Scope, whole_slices};
use crate::window::Interval;

/// A daemon that counted for two hours and kept its images in the middle.
fn daemon() -> Daemon {
    let mut source = Source::default();
    for (second, served) in (0..7_200).step_by(15).zip(1_u64..) {
        source.scrape(at(second), &[("200", served * 7), ("500", served / 9)]);
    }
    let mut daemon = Daemon::start(vec![fixture::availability("a", "m", &[("code", MatchOp::Equal, "500")])], at(0));
    daemon.tick_every(&source, 30, 0, 3_600);
    daemon.keep_image(0);
    daemon.tick_every(&source, 30, 3_630, 7_200);
    daemon
}

fn excluding(from: i64, to: i64) -> Arc<Exclusions> {
    let stretches = whole_slices(Interval { from: at(from), to: at(to) }, at(to)).into_iter().collect();
    let scope = Scope { of: Owner::Tenant, group: Group::whole() };
    Arc::new(Exclusions::new(vec![Exclusion { id: ExclusionId(1), scope, recorded_at: at(to), withdrawn_at: None, stretches }]))
}

#[test]
fn images_and_the_rounds_behind_them_are_the_ledger() {
    let daemon = daemon();
    let whole = SourceLedger::restore(Plan::new(&daemon.slos), daemon.settings, &daemon.stored(), at(7_200)).expect("own blobs");
    let from_images = daemon.restored_from_images(at(7_200)).expect("they suffice");
    assert_hold_the_same(&from_images, &whole, at(7_200));
    assert!(whole.streams[0].slices.over(hours(6), at(7_200)).1.good > 3_000);
}

#[test]
fn without_the_image_of_a_part_all_that_is_stored_is_needed() {
    let mut daemon = daemon();
    daemon.images.clear();
    let none = SourceLedger::restore_from_images(Plan::new(&daemon.slos), daemon.settings, &daemon.stored(), at(7_200));
    assert!(none.expect("own blobs").is_none());
}

#[test]
fn an_slo_that_needs_more_of_the_past_needs_all_that_is_stored() {
    let mut daemon = daemon();
    let mut longer = (*daemon.slos[0]).clone();
    longer.objectives[0].rows[0].long = hours(24 * 80);
    daemon.slos = vec![Arc::new(longer)];
    assert!(daemon.restored_from_images(at(7_200)).is_none());
}

#[test]
fn a_damaged_image_is_told() {
    let mut daemon = daemon();
    for image in daemon.images.values_mut() {
        image.blob.truncate(image.blob.len() - 1);
    }
    let stored = Stored { images: daemon.images.values().cloned().collect(), ..daemon.stored() };
    let told = SourceLedger::restore_from_images(Plan::new(&daemon.slos), daemon.settings, &stored, at(7_200));
    assert_eq!(told.expect_err("it ends early").what, "image");
}

#[test]
fn the_edges_of_an_exclusion_are_taken_over_where_the_image_has_them() {
    let mut daemon = daemon();
    let stored = daemon.stored();
    daemon.ledger.set_exclusions(excluding(1_234, 2_345), Some(&stored), at(7_200)).expect("own blobs");
    daemon.keep_image(0);
    let mut restored = daemon.restored_from_images(at(7_200)).expect("they suffice");
    assert!(!restored.carry_exclusions(excluding(1_200, 2_345), at(7_200)), "what lies before the other edge is not known");
    assert!(restored.carry_exclusions(excluding(1_234, 2_345), at(7_200)));
    assert_eq!(restored.streams[0].slices.marks(), daemon.ledger.streams[0].slices.marks());
    assert!(restored.carry_exclusions(excluding(90_000, 99_999), at(7_200)), "an edge ahead has nothing before it yet");
}
