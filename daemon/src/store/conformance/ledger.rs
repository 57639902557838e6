//! Rounds, segments, images, and what a second reading leaves.

use burnward_core::ledger::{Compaction, Image, Late, Segment, SegmentKey};

use super::{at, empty, round_at, source, tenant};
use crate::store::{Behind, Commit, Round, Store};

pub(in crate::store) async fn rounds_are_compacted_into_segments(store: &Store) {
    let main = tenant("main");
    for n in 0..4_u8 {
        let state = (n == 1).then(|| vec![9]);
        let blob = (n != 2).then(|| vec![n; 3]);
        let round = Round { source: source(), settled: at(i64::from(n)), blob, state, behind: Behind::default(), late: None };
        store.commit(&Commit { round: Some(round), ..empty(&main, at(i64::from(n))) }).await.unwrap();
    }
    let ledger = store.ledger(&main, &source()).await.unwrap();
    assert_eq!((ledger.settled, ledger.state.as_deref()), (Some(at(3)), Some(&[9][..])), "a round without a state leaves it alone");
    assert_eq!(ledger.rounds.iter().map(|(_, blob)| blob[0]).collect::<Vec<_>>(), [0, 1, 3]);

    let segment =
        |stream, level_seconds, day, blob: &[u8]| Segment { key: SegmentKey { stream, level_seconds, day: at(day) }, blob: blob.to_vec() };
    let first = [segment(0, 10, 0, b"a"), segment(0, 60, 0, b""), segment(1, 10, 0, b"ccc"), segment(0, 10, 86_400, b"dd\0")];
    let through = Some(ledger.rounds[1].0);
    let kept = store.rounds_kept(&main, &source()).await.unwrap();
    assert_eq!(kept.iter().map(|(_, settled, bytes)| (*settled, *bytes)).collect::<Vec<_>>(), [(at(0), 3), (at(1), 3), (at(3), 3)]);
    assert_eq!(store.rounds_through(&main, &source(), kept[1].0).await.unwrap(), ledger.rounds[..2]);
    let compaction = Compaction { segments: first.to_vec(), drop_rounds_through: through, drop_segments: Vec::new() };
    store.compact(&main, &source(), &compaction).await.unwrap();
    let ledger = store.ledger(&main, &source()).await.unwrap();
    assert_eq!(ledger.rounds.iter().map(|(_, blob)| blob[0]).collect::<Vec<_>>(), [3]);
    assert_eq!(ledger.segments, [&first[0], &first[2], &first[1], &first[3]].map(Clone::clone), "oldest first, then by level and stream");
    assert_eq!(store.segment_keys(&main, &source()).await.unwrap().len(), 4);
    let some = store.segments(&main, &source(), &[first[3].key, first[1].key]).await.unwrap();
    assert_eq!(some.iter().map(|segment| segment.blob.as_slice()).collect::<Vec<_>>(), [&b"dd\0"[..], b""]);
    let days = store.ledger_days(&main, &source(), &[(0, at(0)), (1, at(86_400)), (7, at(0))]).await.unwrap();
    assert_eq!(days.segments, [first[0].clone(), first[1].clone()], "of both levels; the others are of another day or stream");
    assert_eq!(days.rounds, ledger.rounds);

    let second = vec![segment(0, 10, 86_400, b"new")];
    let dropped = vec![first[0].key, first[2].key, first[3].key];
    let compaction = Compaction { segments: second.clone(), drop_rounds_through: None, drop_segments: dropped };
    store.compact(&main, &source(), &compaction).await.unwrap();
    let left = store.ledger(&main, &source()).await.unwrap();
    assert_eq!((left.segments, left.rounds.len()), (vec![first[1].clone(), second[0].clone()], 1));
}

pub(in crate::store) async fn images_are_replaced_and_go_with_the_rounds_that_they_lack(store: &Store) {
    let main = tenant("main");
    assert_eq!(store.last_round().await.unwrap(), 0);
    for n in 0..4_u8 {
        let round = Round { blob: Some(vec![n]), state: Some(vec![9]), ..round_at(i64::from(n)) };
        store.commit(&Commit { round: Some(round), ..empty(&main, at(i64::from(n))) }).await.unwrap();
    }
    let last = store.last_round().await.unwrap();
    let image = |part, before_last, blob| Image { part, through: last - before_last, blob: vec![blob] };
    for (image, when) in [(image(0, 3, 1), 5), (image(2_147_483, 1, 2), 6), (image(0, 2, 3), 7)] {
        store.save_image(&main, &source(), image, at(when)).await.unwrap();
    }
    assert_eq!(store.images_kept(&main, &source()).await.unwrap(), [(0, last - 2, at(7)), (2_147_483, last - 1, at(6))]);
    let stored = store.ledger_images(&main, &source()).await.unwrap();
    assert_eq!(stored.images, [image(0, 2, 3), image(2_147_483, 1, 2)]);
    assert_eq!(stored.rounds.iter().map(|(_, blob)| blob[0]).collect::<Vec<_>>(), [2, 3], "what the oldest image does not hold");
    assert_eq!((stored.settled, stored.state, stored.segments), (Some(at(3)), Some(vec![9]), Vec::new()));
    assert_eq!(store.ledger_images(&tenant("other"), &source()).await.unwrap().images, []);

    for (dropped, left) in [(None, 2), (Some(last - 2), 2), (Some(last - 1), 1)] {
        let compaction = Compaction { drop_rounds_through: dropped, ..Compaction::default() };
        store.compact(&main, &source(), &compaction).await.unwrap();
        assert_eq!(store.images_kept(&main, &source()).await.unwrap().len(), left, "{dropped:?}");
    }
    assert_eq!(store.ledger_images(&main, &source()).await.unwrap().rounds.len(), 1);
    assert_eq!(store.last_round().await.unwrap(), last, "numbers are not given again");
}

pub(in crate::store) async fn what_a_second_reading_begins_with_is_replaced_and_what_it_found_stays(store: &Store) {
    let main = tenant("main");
    let blob = |byte: u8| Some(vec![byte]);
    let late = || Some(vec![1, 0, 0, 0]); // A packed round without entries.
    let rounds = [(Behind { seal: blob(1), log: None }, None), (Behind { seal: None, log: blob(2) }, late()), (Behind::default(), late())];
    for (n, (behind, late)) in (0..).zip(rounds) {
        let round = Round { source: source(), settled: at(n), blob: None, state: None, behind, late };
        store.commit(&Commit { round: Some(round), ..empty(&main, at(n)) }).await.unwrap();
    }
    let ledger = store.ledger(&main, &source()).await.unwrap();
    assert_eq!((ledger.seal, ledger.log), (blob(1), blob(2)));
    let found = |late: Vec<Late>| late.len();
    assert_eq!(found(store.late(&main, &source(), at(0)).await.unwrap()), 2);
    assert_eq!(found(store.late(&main, &source(), at(1)).await.unwrap()), 1, "what was recorded since");
    assert_eq!(found(store.late(&tenant("other"), &source(), at(0)).await.unwrap()), 0);
}
