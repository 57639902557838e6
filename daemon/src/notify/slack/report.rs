//! A report as Slack's blocks: a headline, a section per budget, so that a phone folds none of them, and a line below with the link.

use burnward_core::id::PageId;

use super::blocks::{Body, context, repeat_mark, section};
use crate::render::{ReportTexts, SlackMrkdwn};

/// Longest headline as a notification, in characters.
const MAX_TEXT: usize = 3_000;

/// What a report is put together from.
#[derive(Debug, Clone)]
pub struct ReportParts {
    /// Its texts.
    pub texts: ReportTexts,
    /// Where the whole of it is.
    pub link: Option<url::Url>,
    /// True where it may be a repeat: then it says so.
    pub repeat: bool,
    /// The message's identity.
    pub page: PageId,
}

/// The message of a report.
pub fn report(parts: ReportParts) -> Body {
    let ReportParts { texts: ReportTexts { headline, rows, footer }, link, repeat, page } = parts;
    let headline = if repeat { repeat_mark(&page).then(&headline) } else { headline };
    let footer =
        link.iter().fold(footer, |text, link| text.then(&SlackMrkdwn::literal(" · ")).then(&SlackMrkdwn::link(link, "Open the report")));
    let head = section(&headline.clone().bold());
    let blocks = [head].into_iter().chain(rows.iter().map(section)).chain([context(&footer)]).collect();
    Body { text: headline.cut(MAX_TEXT), blocks, page }
}

#[cfg(test)]
mod tests {
    use burnward_core::time::{Timestamp, days};

    use super::*;
    use crate::render::{Faults, Moment, Renderer, ReportPostContext, ReportPostRow};

    fn row(icon: &str, verdict: &str, group: Option<&str>, left: &str) -> ReportPostRow {
        ReportPostRow {
            icon: icon.into(),
            verdict: verdict.into(),
            slo: "checkout/availability".into(),
            group: group.map(str::to_owned),
            objective: "99.9 % over 30d".into(),
            left: left.into(),
            change: None,
            ate: None,
            members: None,
            seen: None,
            because: None,
        }
    }

    fn context(rows: Vec<ReportPostRow>) -> ReportPostContext {
        ReportPostContext {
            whose: "payments".into(),
            name: "2026-W47".into(),
            week: "2026-W47, Mon 16 Nov to Sun 22 Nov (Europe/Berlin)".into(),
            verdicts: "1 FREEZE, 1 CANNOT SAY, 9 SHIP".into(),
            rows,
            more: 0,
            more_verdicts: String::new(),
            load: None,
            corrected: None,
            false_positives: Vec::new(),
            late: None,
            missed: 0,
        }
    }

    /// The texts of the blocks, a line between two of them.
    fn shown(context: &ReportPostContext, repeat: bool) -> String {
        let texts = Renderer::load(None, Faults::default()).report_post(context);
        let link = url::Url::parse("https://burnward.example/reports/week?team=payments&week=2026-W47").ok();
        let body = report(ReportParts { texts, link, repeat, page: PageId::from_text("P-1") });
        let text = |block: &serde_json::Value| {
            let text = if block["type"] == "context" { &block["elements"][0]["text"] } else { &block["text"]["text"] };
            text.as_str().expect("a text").to_owned()
        };
        body.blocks.iter().map(text).collect::<Vec<_>>().join("\n--\n")
    }

    #[test]
    fn the_worst_stand_first_and_say_what_ate_them() {
        let spent = ReportPostRow {
            change: Some("-18.0 %, -7 m 46 s".into()),
            ate: Some("checkout-burn-1 13.4 %".into()),
            ..row("■", "FREEZE", Some("<!channel>"), "24 % overspent (10 m 22 s beyond 43 m 12 s)")
        };
        let unseen = ReportPostRow { because: Some("prom-eu does not answer".into()), ..row("?", "CANNOT SAY", None, "not seen") };
        let context = ReportPostContext {
            more: 9,
            more_verdicts: "9 SHIP".into(),
            load: Some("5 pages (2 at night), 3 incidents, 0 tickets".into()),
            corrected: Some("2 budgets with excluded time (X-1, X-2), 1 budget with samples that came late".into()),
            false_positives: vec!["checkout-burn-2".into(), "checkout-burn-5".into()],
            ..context(vec![spent, unseen])
        };
        insta::assert_snapshot!("worst", shown(&context, false));
    }

    #[test]
    fn one_that_is_late_or_may_be_a_repeat_says_so() {
        let due = Timestamp::from_seconds(1_795_420_800);
        let late = Some(Moment::at(due, due.plus(days(2))));
        let context =
            ReportPostContext { late, missed: 2, ..context(vec![row("●", "SHIP", None, "71 % left (30 m 40 s of 43 m 12 s)")]) };
        insta::assert_snapshot!("late", shown(&context, true));
    }

    #[test]
    fn without_slos_it_is_said_in_a_line() {
        let empty = ReportPostContext { verdicts: "no SLOs".into(), ..context(Vec::new()) };
        assert!(shown(&empty, false).starts_with("*Error budgets of payments, 2026-W47: no SLOs*\n--\n"), "{}", shown(&empty, false));
    }
}
