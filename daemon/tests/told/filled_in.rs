//! What was filled in from history is held in longer slices, and what is told of it says so.

use burnward::report::words::utc;
use burnward_core::time::{hours, minutes};

use super::{NOW, Shop};

#[tokio::test(flavor = "multi_thread")]
async fn a_span_that_was_filled_in_is_told_by_the_slices_that_it_is_held_in() {
    let fault = NOW.minus(hours(9));
    let objective = "      - { target: 99%, window: 1d, alerting: { rows: [{ urgency: page, burn-rate: 14.4, long: 1h, short: 5m }] } }\n";
    let shop = Shop::of(objective, 12 * 60, |at| at > fault && at <= fault.plus(minutes(30))).await;

    let lived = |hours_back: u64, more: &[&str]| {
        let (from, to) = (utc(NOW.minus(hours(hours_back))), utc(NOW.minus(minutes(2))));
        shop.printed(&[&["backtest", "--ledger", "--from", &from, "--to", &to], more].concat())
    };
    let filled = lived(10, &[]);
    let said = "what the ledger keeps of shop/availability was filled in from history, in slices of 5 min: pages of that time may come up to 5 min later than they would have, and a row with a short lookback may not fire.";
    assert!(filled.contains(&format!("From {} to ", utc(NOW.minus(hours(10))))) && filled.contains(said), "{filled}");
    let json: serde_json::Value = serde_json::from_str(&lived(10, &["-o", "json"])).expect("JSON");
    let filled_in = &json["tenants"][0]["filled_in"];
    assert_eq!((&filled_in[0]["slice_seconds"], &filled_in[0]["slos"][0]), (&300.into(), &"shop/availability".into()), "{json}");
    let read = lived(4, &[]);
    assert!(!read.contains("filled in"), "{read}");

    let explained = |at: &str| shop.printed(&["explain", "shop/availability", "--at", at]);
    let in_filled = explained(&utc(fault.plus(minutes(7))));
    assert!(in_filled.contains("kept: good, bad and unseen by slices of 5 min, from which"), "{in_filled}");
    let in_read = explained(&utc(NOW.minus(hours(4)).plus(minutes(7))));
    assert!(in_read.contains("kept: good, bad and unseen by slices of 1 min, from which"), "{in_read}");
}
