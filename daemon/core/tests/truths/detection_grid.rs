//! Detection and reset times of the default rows at 99.9 % over 30 days, simulated second by second: constant traffic, clean background.
//!
//! Closed forms (SRE Workbook, chapter 5): detection = factor x (1 - target) x long / failing share, reset = short x (1 - factor x (1 - target) /
//! failing share). An alert opens at the first whole second strictly after the one and clears at the first whole second at or after the other.

use burnward_core::{alert_rows::default_rows, slo::AlertRow, time::days};

use crate::slices::{EVENTS_A_SECOND, Watched, target};

/// Failing events of 10,000, and per row what is printed for it in seconds: detection and reset, or `None` where it never fires.
type Line = (i64, [Option<(f64, f64)>; 4]);

const GRID: [Line; 14] = [
    (10_000, [Some((51.8, 295.7)), Some((129.6, 1789.0)), Some((259.0, 7178.0)), Some((259.0, 21_578.0))]),
    (5_000, [Some((103.7, 291.0)), Some((259.0, 1778.0)), Some((518.0, 7157.0)), Some((518.0, 21_557.0))]),
    (1_500, [Some((345.6, 271.0)), Some((864.0, 1728.0)), Some((1728.0, 7056.0)), Some((1728.0, 21_456.0))]),
    (1_000, [Some((518.0, 257.0)), Some((1296.0, 1692.0)), Some((2592.0, 6984.0)), Some((2592.0, 21_384.0))]),
    (500, [Some((1037.0, 214.0)), Some((2592.0, 1584.0)), Some((5184.0, 6768.0)), Some((5184.0, 21_168.0))]),
    (350, [Some((1481.0, 177.0)), Some((3703.0, 1491.0)), Some((7406.0, 6583.0)), Some((7406.0, 20_983.0))]),
    (200, [Some((2592.0, 84.0)), Some((6480.0, 1260.0)), Some((12_960.0, 6120.0)), Some((12_960.0, 20_520.0))]),
    (144, [None, Some((9000.0, 1050.0)), Some((18_000.0, 5700.0)), Some((18_000.0, 20_100.0))]),
    (100, [None, Some((12_960.0, 720.0)), Some((25_920.0, 5040.0)), Some((25_920.0, 19_440.0))]),
    (60, [None, None, Some((43_200.0, 3600.0)), Some((43_200.0, 18_000.0))]),
    (50, [None, None, Some((51_840.0, 2880.0)), Some((51_840.0, 17_280.0))]),
    (30, [None, None, None, Some((86_400.0, 14_400.0))]),
    (20, [None, None, None, Some((129_600.0, 10_800.0))]),
    (10, [None, None, None, None]),
];

fn check_column(column: usize) {
    let row = default_rows(target("99.9%"), days(30)).rows[column];
    for (bad, cells) in GRID {
        match cells[column] {
            None => never_fires(row, bad),
            Some(printed) => fires_and_clears(row, bad, printed),
        }
    }
}

fn never_fires(row: AlertRow, bad: i64) {
    let mut service = Watched::clean(vec![row]);
    let beyond = row.long.as_secs() + 600;
    assert_eq!(service.seconds_until_a_change(bad, beyond), None, "{bad} of {EVENTS_A_SECOND} at {}x", row.factor);
}

fn fires_and_clears(row: AlertRow, bad: i64, printed: (f64, f64)) {
    let cell = format!("{bad} of {EVENTS_A_SECOND} at {}x", row.factor);
    let (detection, reset) = closed_forms(row, bad);
    assert!((detection.as_f64() - printed.0).abs() <= 0.5, "{cell}: detection {} s, printed {}", detection.as_f64(), printed.0);
    assert!((reset.as_f64() - printed.1).abs() <= 0.75, "{cell}: reset {} s, printed {}", reset.as_f64(), printed.1);

    let mut service = Watched::clean(vec![row]);
    let detected = service.seconds_until_a_change(bad, row.long.as_secs()).expect("it fires");
    assert_eq!(detected, detection.first_whole_after(), "{cell}: detection");
    for _ in detected..row.short.as_secs() {
        assert_eq!(service.second(bad), [], "{cell}: it holds");
    }
    let cleared = service.seconds_until_a_change(0, row.short.as_secs());
    assert_eq!(cleared, Some(reset.first_whole_at_or_after()), "{cell}: reset");
}

/// Seconds as an exact fraction.
struct Seconds {
    num: u64,
    den: u64,
}

impl Seconds {
    fn as_f64(&self) -> f64 {
        self.num as f64 / self.den as f64
    }

    fn first_whole_after(&self) -> u64 {
        self.num / self.den + 1
    }

    fn first_whole_at_or_after(&self) -> u64 {
        self.num.div_ceil(self.den)
    }
}

/// Detection and reset. With counts of 10,000 and an allowed share of 1/1000, factor x (1 - target) / failing share is 10 x factor / bad.
fn closed_forms(row: AlertRow, bad: i64) -> (Seconds, Seconds) {
    let (factor, bad) = (row.factor.ratio(), u64::try_from(bad).expect("positive"));
    let (limit, scale) = (10 * factor.num(), bad * factor.den());
    let detection = Seconds { num: limit * row.long.as_secs(), den: scale };
    let reset = Seconds { num: (scale - limit) * row.short.as_secs(), den: scale };
    (detection, reset)
}

#[test]
fn the_page_row_of_one_hour_fires_and_clears_to_the_second() {
    check_column(0);
}

#[test]
fn the_page_row_of_six_hours_fires_and_clears_to_the_second() {
    check_column(1);
}

#[test]
fn the_ticket_row_of_one_day_fires_and_clears_to_the_second() {
    check_column(2);
}

#[test]
fn the_ticket_row_of_three_days_fires_and_clears_to_the_second() {
    check_column(3);
}
