//! Detection: what the alert rows of an objective see of a steady burn, when, and what is spent by then.
//!
//! A burn of `b` from a clean start, with constant traffic, lifts the long lookback of a row above its factor `f` after `f x long / b`, if `b` is above
//! `f`; the short lookback is above it sooner. By then `f x long / window` of the budget is spent, whatever `b`. What burns faster than allowed and at most at
//! the lowest factor drains the whole budget, and no row sees it:
//! ```
//! use burnward_core::{alert_rows::default_rows, detection::Detection, time::days, units::Target};
//! let target = Target::percent("99.9%").unwrap();
//! let quarter = Detection::of(&default_rows(target, days(90)).rows, target, days(90));
//! assert_eq!(quarter.unseen_up_to().map(|factor| factor.to_string()).as_deref(), Some("3"));
//! assert_eq!(quarter.worst_page().map(|spent| spent.as_f64()), Some(0.05));
//! ```
//! A burn that comes and goes can spend more before a row sees it, and with few events page rows wait for more than burn rates: see [`crate::few_events`].

use std::time::Duration;

use crate::{
    alert_rows::burn_of_total_outage,
    few_events::FewEvents,
    slo::{AlertRow, Urgency},
    units::{Factor, Ratio, Target},
    words,
};

/// What the rows of an objective see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detection {
    window: Duration,
    /// The allowed share.
    allowed: Ratio,
    /// From the slowest burn above the allowed rate to that of a total outage, without a gap.
    pub bands: Vec<Band>,
}

/// Burn rates that the same rows see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band {
    /// Faster than this.
    pub above: Factor,
    /// Up to and with this.
    pub up_to: Factor,
    /// The first row that pages.
    pub page: Option<Seen>,
    /// The first row that opens a ticket.
    pub ticket: Option<Seen>,
}

/// A row that sees a burn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Which.
    pub row: AlertRow,
    /// What is spent by then, as a share of the budget; above 1 where the budget is gone before.
    pub spent: Ratio,
}

/// A steady burn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// How fast.
    pub burn: Factor,
    /// The share of events that fails.
    pub failing: f64,
    /// When the whole budget is gone.
    pub gone_after: Duration,
    /// The first row that pages, and after how long.
    pub page: Option<(Seen, Duration)>,
    /// The first row that opens a ticket, and after how long.
    pub ticket: Option<(Seen, Duration)>,
}

impl Detection {
    /// What these rows see where the budget is over `window`.
    pub fn of(rows: &[AlertRow], target: Target, window: Duration) -> Self {
        let most = burn_of_total_outage(target);
        let mut edges: Vec<Factor> = rows.iter().map(|row| row.factor).filter(|factor| *factor > Factor::ONE && *factor < most).collect();
        edges.extend([Factor::ONE, most]);
        edges.sort_unstable();
        edges.dedup();
        let band = |pair: &[Factor]| {
            let first = |urgency| first_row(rows, urgency, pair[0], window);
            Band { above: pair[0], up_to: pair[1], page: first(Urgency::Page), ticket: first(Urgency::Ticket) }
        };
        Self { window, allowed: target.allowed(), bands: edges.windows(2).map(band).collect() }
    }

    /// Up to which burn rate the whole budget is drained without any alert; `None` where a row sees every burn above the allowed rate.
    pub fn unseen_up_to(&self) -> Option<Factor> {
        self.highest(|band| band.page.is_none() && band.ticket.is_none())
    }

    /// Up to which burn rate the whole budget is drained and nobody is paged; `None` where a page row sees every burn above the allowed rate.
    pub fn unpaged_up_to(&self) -> Option<Factor> {
        self.highest(|band| band.page.is_none())
    }

    /// Rows with higher factors see no slower burns: what is not seen is at the low end.
    fn highest(&self, lacks: impl Fn(&Band) -> bool) -> Option<Factor> {
        self.bands.iter().take_while(|band| lacks(band)).last().map(|band| band.up_to)
    }

    /// The most that is spent when somebody is paged, over all burn rates that page.
    pub fn worst_page(&self) -> Option<Ratio> {
        self.bands.iter().filter_map(|band| band.page).map(|seen| seen.spent).max()
    }

    /// What is seen and what is not, in sentences; of so few events as make page rows wait, of what is counted.
    pub fn says(&self, few: Option<(&FewEvents, &str)>) -> Vec<String> {
        let gone = |burn: Factor| words::duration(span_over(self.window, Factor::ONE, burn));
        let unseen = self.unseen_up_to().map_or_else(
            || "some row sees every burn above the allowed rate".to_owned(),
            |burn| {
                format!(
                    "no row sees burns above 1x and up to {burn}x: they drain the whole budget, at {burn}x in {}, and nobody is told",
                    gone(burn)
                )
            },
        );
        let unpaged = self
            .unpaged_up_to()
            .map(|burn| format!("nobody is paged for burns up to {burn}x, though {burn}x drains the whole budget in {}", gone(burn)));
        let enough = few.map_or_else(String::new, |(_, counted)| format!(", with {counted} enough"));
        let worst = self
            .worst_page()
            .map(|spent| format!("at most {} of the budget is spent when somebody is paged{enough}", words::whole_percent(spent.as_f64())));
        let of =
            "this is of steady burns from a clean start with constant traffic; what comes and goes can spend more before a row sees it";
        let few = few.map(|(few, counted)| few.says(counted)).unwrap_or_default();
        [Some(unseen), unpaged, worst].into_iter().flatten().chain(few).chain([of.to_owned()]).collect()
    }

    /// What becomes of a burn; `None` where it is within what is allowed, or above a total outage.
    pub fn at(&self, burn: Factor) -> Option<Point> {
        let band = self.bands.iter().find(|band| burn > band.above && burn <= band.up_to)?;
        let timed = |seen: Seen| (seen, span_over(seen.row.long, seen.row.factor, burn));
        Some(Point {
            burn,
            failing: burn.as_f64() * self.allowed.as_f64(),
            gone_after: span_over(self.window, Factor::ONE, burn),
            page: band.page.map(timed),
            ticket: band.ticket.map(timed),
        })
    }

    /// Burn rates that show the curve, fastest first: a total outage, 1, 2 and 5 of every power of ten, and every factor.
    pub fn curve(&self) -> Vec<Point> {
        let decades = std::iter::successors(Some(1_u64), |decade| decade.checked_mul(10)).take(18);
        let round = decades.flat_map(|decade| [1, 2, 5].map(|digit| Ratio::new(decade * digit, 1)));
        let mut burns: Vec<Factor> = round.flatten().filter_map(Factor::from_ratio).collect();
        burns.extend(self.bands.iter().map(|band| band.up_to));
        burns.sort_unstable();
        burns.dedup();
        burns.into_iter().rev().filter_map(|burn| self.at(burn)).collect()
    }
}

/// The row that sees burns above `above` first. It is the same for all of them: each row needs its own `factor x long`.
fn first_row(rows: &[AlertRow], urgency: Urgency, above: Factor, window: Duration) -> Option<Seen> {
    let seeing = rows.iter().filter(|row| row.urgency == urgency && row.factor <= above);
    seeing.map(|row| Seen { row: *row, spent: spent(*row, window) }).min_by_key(|seen| seen.spent)
}

/// `factor x long / window`.
fn spent(row: AlertRow, window: Duration) -> Ratio {
    let (factor, millis) = (row.factor.ratio(), |span: Duration| span.as_millis());
    let (num, den) = (u128::from(factor.num()) * millis(row.long), u128::from(factor.den()) * millis(window).max(1));
    // More than 64 bits only where more digits were written than a share has meaning.
    let excess = u128::BITS - num.max(den).leading_zeros();
    let shift = excess.saturating_sub(u64::BITS);
    let part = |of: u128| u64::try_from(of >> shift).expect("shifted to 64 bits");
    Ratio::new(part(num), part(den).max(1)).expect("the denominator is at least 1")
}

/// `span x factor / burn`.
fn span_over(span: Duration, factor: Factor, burn: Factor) -> Duration {
    let seconds = span.as_secs_f64() * factor.as_f64() / burn.as_f64();
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        alert_rows::default_rows,
        time::{days, hours, minutes},
    };

    fn target(text: &str) -> Target {
        Target::percent(text).expect("a target")
    }

    fn factor(text: &str) -> Factor {
        Factor::parse(text).expect("a factor")
    }

    fn default(percent: &str, window: Duration) -> Detection {
        Detection::of(&default_rows(target(percent), window).rows, target(percent), window)
    }

    /// `6-14.4 page 6x 5 %, ticket 3x 10 %`
    fn shown(detection: &Detection) -> Vec<String> {
        let seen = |seen: Option<Seen>| {
            seen.map_or_else(|| "none".to_owned(), |seen| format!("{}x {}", seen.row.factor, words::whole_percent(seen.spent.as_f64())))
        };
        let band = |band: &Band| format!("{}-{}: page {}, ticket {}", band.above, band.up_to, seen(band.page), seen(band.ticket));
        detection.bands.iter().map(band).collect()
    }

    #[test]
    fn the_default_rows_see_every_burn_of_thirty_days() {
        let month = default("99.9%", days(30));
        assert_eq!(
            shown(&month),
            [
                "1-3: page none, ticket 1x 10 %",
                "3-6: page none, ticket 3x 10 %",
                "6-14.4: page 6x 5 %, ticket 3x 10 %",
                "14.4-1000: page 14.4x 2 %, ticket 3x 10 %",
            ]
        );
        assert_eq!((month.unseen_up_to(), month.unpaged_up_to()), (None, Some(factor("6"))));
        assert_eq!(month.worst_page(), Ratio::new(1, 20));
    }

    #[test]
    fn ninety_days_leave_burns_from_1_to_3_uncovered() {
        let quarter = default("99.9%", days(90));
        assert_eq!((quarter.unseen_up_to(), quarter.unpaged_up_to()), (Some(factor("3")), Some(factor("18"))));
        assert_eq!(shown(&quarter)[0], "1-3: page none, ticket none");
        let point = quarter.at(factor("3")).expect("a burn");
        assert_eq!((point.page, point.ticket, point.gone_after), (None, None, days(30)));
        assert_eq!(quarter.at(factor("1")), None, "within what is allowed");
    }

    #[test]
    fn the_grid_of_detection_times_is_that_of_the_workbook() {
        let month = default("99.9%", days(30));
        for (burn, page_seconds, ticket_seconds) in [
            ("1000", Some(51.84), 259.2),
            ("500", Some(103.68), 518.4),
            ("150", Some(345.6), 1728.0),
            ("100", Some(518.4), 2592.0),
            ("50", Some(1036.8), 5184.0),
            ("35", Some(1481.142), 7405.714),
            ("20", Some(2592.0), 12_960.0),
            ("14.4", Some(9000.0), 18_000.0),
            ("10", Some(12_960.0), 25_920.0),
            ("6", None, 43_200.0),
            ("5", None, 51_840.0),
            ("3", None, 86_400.0),
            ("2", None, 129_600.0),
        ] {
            let point = month.at(factor(burn)).expect("a burn");
            let after = |seen: Option<(Seen, Duration)>| seen.map(|(_, after)| after.as_secs_f64());
            let near = |a: Option<f64>, b: Option<f64>| a.zip(b).map_or(a.is_none() && b.is_none(), |(a, b)| (a - b).abs() < 0.01);
            assert!(near(after(point.page), page_seconds), "{burn}: {:?}", point.page);
            assert!(near(after(point.ticket), Some(ticket_seconds)), "{burn}: {:?}", point.ticket);
        }
    }

    #[test]
    fn objectives_that_nobody_is_told_of_drain_unseen() {
        let none = Detection::of(&[], target("99.9%"), days(30));
        assert_eq!((none.unseen_up_to(), none.worst_page()), (Some(factor("1000")), None));
    }

    #[test]
    fn a_row_that_sees_a_burn_after_the_budget_is_gone_says_so() {
        let late = AlertRow { urgency: Urgency::Page, factor: factor("36"), long: days(1), short: minutes(5) };
        let detection = Detection::of(&[late], target("99.9%"), days(30));
        assert_eq!(detection.worst_page(), Ratio::new(6, 5));
    }

    #[test]
    fn the_curve_runs_from_a_total_outage_down_and_holds_every_factor() {
        let burns: Vec<String> = default("99%", days(30)).curve().iter().map(|point| point.burn.to_string()).collect();
        assert_eq!(burns, ["100", "50", "20", "14.4", "10", "6", "5", "3", "2"]);
        assert!(default("99.9999999%", days(366)).curve().len() < 40);
    }

    #[test]
    fn shares_of_absurd_rows_stay_numbers() {
        let row = AlertRow { urgency: Urgency::Page, factor: factor("1.00000001"), long: days(366), short: hours(1) };
        let detection = Detection::of(&[row], target("99.9%"), days(366));
        let spent = detection.worst_page().expect("it pages").as_f64();
        assert!((spent - 1.000_000_01).abs() < 1e-9, "{spent}");
    }
}
