//! Stories: what people live through, end to end, against a real Prometheus over a written history. The clock is moved by hand; nothing sleeps.

mod acknowledgement;
mod backtest;
mod backtest_downtime;
mod backtest_kinds;
mod blindness;
mod buckets;
mod downtime;
mod explained;
mod expressions;
mod fast_burn;
mod first_message;
mod init;
mod joined;
mod journey;
mod kills;
mod late_data;
mod ledger_backtest;
mod many_slos;
mod policies;
mod real_servers;
mod relabelled;
mod rename;
mod replicas;
mod report_to_slack;
mod restart;
mod saved_documents;
mod shadow;
mod slow_burn;
mod slow_source;
mod splits;
mod templates;
mod told;
mod versions;
mod victoria_metrics;
mod weekly_report;
mod wiped_source;
mod wrong_answers;

use burnward_core::time::{Timestamp, hours};
use burnward_integration_tests::history::History;

/// When every story's history begins: a whole hour, a day ago, so that Prometheus still keeps it.
fn beginning() -> Timestamp {
    burnward::clock::Clock::Wall.now().minus(hours(24)).floor(hours(1))
}

/// Six hours of a checkout with three tenants, all well.
fn checkout(from: Timestamp) -> History {
    History::of("checkout", from, from.plus(hours(6)))
}
