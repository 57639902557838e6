//! `burnward explain --coverage`: what the alert rows of an SLO see of a steady burn, when, and what is spent by then.

use std::{fmt::Write as _, time::Duration};

use burnward_core::{window::CALENDAR_PACE, words};

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
    let long = words::lookback(Duration::from_secs(objective.window_seconds));
    let calendar = objective.timezone.as_ref().map(|zone| (objective.window.trim_start_matches("calendar "), zone));
    let window = calendar.map_or_else(|| long.clone(), |(period, zone)| format!("a calendar {period} in {zone}, of {long} now"));
    let mut text = format!("objective {}: {} % over {window}\n", objective.objective, objective.target_percent);
    let mut line = |line: String| writeln!(text, "{line}").expect("writing to a String cannot fail");
    let rows = if objective.rows.rows.is_empty() { String::new() } else { format!(": {}", objective.rows.rows.join(", ")) };
    line(format!("  rows     {}{rows}", objective.rows.from));
    for left_out in &objective.rows.left_out {
        line(format!("  left out {left_out}"));
    }
    if let Some((period, _)) = calendar {
        let pace = words::lookback(CALENDAR_PACE);
        line(format!("  paced by {pace}, as every window of the calendar; times and shares below are of this {period}, of {long}"));
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
    use std::{path::PathBuf, sync::Arc};

    use burnward_core::{
        id::{SourceName, TenantId},
        slo::{Objective, Slo},
        time::days,
        window::{Grain, Period, Window, Zone},
    };

    use super::*;
    use crate::definition::{self, Context};

    const EVENTS: &str = "events: { bad: 'failed_total', total: 'all_total' }";

    /// Of an SLO with one objective, over a window of so many days.
    fn slo(sli: &str, objective: &str, window_days: u64) -> Arc<Slo> {
        let text = format!(
            "version: burnward/v1\nservice: shop\nteam: shop\nslos:\n  - name: availability\n    sli: {{ {sli} }}\n    objectives: [{{ name: main, window: {window_days}d, {objective}\n"
        );
        let context = Context::unchecked(TenantId::parse("main").expect("a name"), SourceName::parse("prom").expect("a name"));
        let loaded = definition::read_texts([(PathBuf::from("shop.yaml"), text)], &context);
        assert_eq!(loaded.count().0, 0, "{:?}", loaded.faults);
        loaded.slos[0].clone()
    }

    fn detection(sli: &str, objective: &str, window_days: u64) -> ObjectiveDetection {
        let slo = slo(sli, objective, window_days);
        ObjectiveDetection::of(&slo, &slo.objectives[0], days(window_days))
    }

    fn of(target: &str, window_days: u64) -> String {
        of_objective(&detection(EVENTS, &format!("target: {target} }}]"), window_days))
    }

    #[test]
    fn the_curve_of_thirty_days_reads_well() {
        insta::assert_snapshot!(of("99.9%", 30));
    }

    #[test]
    fn a_window_of_the_calendar_is_told_as_one() {
        let month = Window::Calendar { period: Period::Month, zone: Zone::parse("Europe/Berlin", Grain::Hour).expect("a zone") };
        let slo = slo(EVENTS, "target: 99.5% }]", 30);
        let objective = Objective { window: month, ..slo.objectives[0].clone() };
        let text = of_objective(&ObjectiveDetection::of(&slo, &objective, days(31)));
        assert!(text.starts_with("objective main: 99.5 % over a calendar month in Europe/Berlin, of 31d now\n"), "{text}");
        let paced = "\n  paced by 30d, as every window of the calendar; times and shares below are of this month, of 31d\n";
        assert!(text.contains(paced), "{text}");
        assert!(!of("99.5%", 30).contains("paced by"));
    }

    #[test]
    fn what_no_row_sees_is_said() {
        let quarter = of("99.9%", 90);
        assert!(quarter.contains("no row sees burns above 1x and up to 3x"), "{quarter}");
        let low = of("90%", 30);
        assert!(low.contains("left out page 14.4x 1h/5m can never fire: at a target of 90% a total outage burns at 10x"), "{low}");
    }

    #[test]
    fn what_few_events_change_is_said_only_where_they_do() {
        let said = |sli: &str, objective: &str| {
            let detection = detection(sli, objective, 30);
            let json = serde_json::to_value(&detection).expect("JSON");
            assert_eq!(json.get("low_traffic").is_some(), detection.says.iter().any(|says| says.starts_with("low-traffic: exact")));
            detection.says.join("\n")
        };
        let off = said(EVENTS, "target: 99.9% }]\n    low-traffic: off");
        let tickets = said(EVENTS, "target: 99.9%, alerting: ticket }]");
        assert!(!off.contains("with few events") && off.contains("\nat most 5 % of the budget is spent when somebody is paged\n"), "{off}");
        assert!(!tickets.contains("low-traffic"), "{tickets}");
        let slices = said(EVENTS, "target: 99.9%, counted-in: { slices: 1m, good-if-at-least: 99% } }]");
        assert!(
            slices.contains(
                "14.4x 1h/5m, which pages at 3 of its 60 slices of 1 min, 6x 6h/30m, which pages at 5 of its 360 slices of 1 min"
            ),
            "{slices}"
        );
        let window = said("window: { expr: 'max(age)', is: '<=', threshold: 60, slice: 5m }", "target: 99.9% }]");
        assert!(window.contains("14.4x 1h/5m, which pages at 2 of its 12 slices of 5 min"), "{window}");
    }
}
