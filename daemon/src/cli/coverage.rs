//! `burnward explain --coverage`: what the alert rows of an SLO see of a steady burn, when, and what is spent by then.

use std::{fmt::Write as _, time::Duration};

use burnward_core::words;

use super::table::Table;
use crate::web::api::wire::{DetectionPoint, ObjectiveDetection, SeenBy, SloDetection};

/// For people.
pub(super) fn text(detection: &SloDetection) -> String {
    let mut text = format!("{}/{}  {}\n", detection.service, detection.name, detection.title);
    for objective in &detection.objectives {
        text.push('\n');
        text.push_str(&of_objective(objective));
    }
    text
}

fn of_objective(objective: &ObjectiveDetection) -> String {
    let window = words::lookback(Duration::from_secs(objective.window_seconds));
    let mut text = format!("objective {}: {} % over {window}\n", objective.objective, objective.target_percent);
    let mut line = |line: String| writeln!(text, "{line}").expect("writing to a String cannot fail");
    let rows = if objective.rows.rows.is_empty() { String::new() } else { format!(": {}", objective.rows.rows.join(", ")) };
    line(format!("  rows     {}{rows}", objective.rows.from));
    for left_out in &objective.rows.left_out {
        line(format!("  left out {left_out}"));
    }
    for says in &objective.says {
        line(format!("  {says}"));
    }
    line(String::new());
    let mut table = Table::new(&["BURN RATE", "FAILING", "PAGE", "TICKET", "BUDGET GONE"]);
    for point in &objective.curve {
        table.row(row(point));
    }
    text + &table.to_string()
}

fn row(point: &DetectionPoint) -> Vec<String> {
    vec![
        rate(point.burn),
        words::percent(point.failing_ratio),
        seen(point.page.as_ref()),
        seen(point.ticket.as_ref()),
        format!("after {}", span(point.gone_after_seconds)),
    ]
}

/// `after 52 s, 2 % spent, by 14.4x 1h/5m`.
fn seen(by: Option<&SeenBy>) -> String {
    let Some(by) = by else { return "never".to_owned() };
    let lookback = |seconds| words::lookback(Duration::from_secs(seconds));
    format!(
        "after {}, {} spent, by {} {}/{}",
        span(by.after_seconds.unwrap_or_default()),
        words::whole_percent(by.spent_ratio),
        rate(by.factor),
        lookback(by.long_seconds),
        lookback(by.short_seconds)
    )
}

/// With at most four decimals: `14.4x`.
fn rate(burn: f64) -> String {
    let rounded = format!("{burn:.4}");
    format!("{}x", rounded.trim_end_matches('0').trim_end_matches('.'))
}

fn span(seconds: f64) -> String {
    words::duration(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests {
    use burnward_core::{
        alert_rows::default_rows,
        id::ObjectiveName,
        slo::{CountedIn, Objective},
        time::days,
        units::Target,
        window::Window,
    };

    use super::*;

    fn of(percent: &str, window: Duration) -> String {
        let target = Target::percent(percent).expect("a target");
        let rows = default_rows(target, window).rows;
        let name = ObjectiveName::parse("main").expect("a name");
        let objective = Objective { name, target, window: Window::Rolling(window), counted_in: CountedIn::Events, rows };
        of_objective(&ObjectiveDetection::of(&objective, window))
    }

    #[test]
    fn the_curve_of_thirty_days_reads_well() {
        insta::assert_snapshot!(of("99.9%", days(30)));
    }

    #[test]
    fn what_no_row_sees_is_said() {
        let quarter = of("99.9%", days(90));
        assert!(quarter.contains("no row sees burns above 1x and up to 3x"), "{quarter}");
        let low = of("90%", days(30));
        assert!(low.contains("left out page 14.4x 1h/5m can never fire: at a target of 90% a total outage burns at 10x"), "{low}");
    }
}
