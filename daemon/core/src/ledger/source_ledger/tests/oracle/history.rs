//! What a service did, what its scrapes show of it, and when each sample can first be read.

use super::*;

/// What a service did between two scrapes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Turn {
    Served {
        good: u64,
        bad: u64,
    },
    Restarted {
        good: u64,
        bad: u64,
    },
    MissedOne {
        good: u64,
    },
    /// Nobody scraped for so many seconds, in which so much was served.
    Gap {
        seconds: i64,
        good: u64,
        bad: u64,
        restarted: bool,
    },
    /// A label takes the place of another one: one of the target, or one that its series alone have.
    Relabelled {
        target: bool,
        good: u64,
        bad: u64,
    },
}

/// Nobody scrapes for less than `longest` seconds.
pub(super) fn turn(longest: i64) -> impl Strategy<Value = Turn> {
    prop_oneof![
        16 => (0_u64..400, 0_u64..3).prop_map(|(good, bad)| Turn::Served { good, bad }),
        2 => (0_u64..60, 0_u64..60).prop_map(|(good, bad)| Turn::Served { good, bad }),
        1 => (0_u64..50, 0_u64..9).prop_map(|(good, bad)| Turn::Restarted { good, bad }),
        2 => (0_u64..400).prop_map(|good| Turn::MissedOne { good }),
        1 => (120_i64..longest, 0_u64..90, 0_u64..9, any::<bool>())
            .prop_map(|(seconds, good, bad, restarted)| Turn::Gap { seconds, good, bad, restarted }),
        1 => (any::<bool>(), 0_u64..400, 0_u64..3).prop_map(|(target, good, bad)| Turn::Relabelled { target, good, bad }),
    ]
}

/// What a sample is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Up,
    /// Requests with this code.
    Requests(&'static str),
    /// The bucket up to there of a histogram of requests.
    Bucket(&'static str),
    /// What must exist, and does.
    Exists,
    /// The value of the expression of this name.
    Value(&'static str),
}

/// The labels that relabelling gave, by the change that gave each: one of the target, and one that its series alone have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Worn {
    pub(super) target: Option<usize>,
    pub(super) series: Option<usize>,
}

/// A sample of a series, and when it can first be read.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) readable: i64,
    pub(super) at: Timestamp,
    pub(super) instance: &'static str,
    pub(super) worn: Worn,
    pub(super) what: What,
    pub(super) value: f64,
}

impl Source {
    pub(super) fn show(&mut self, Shown { at, instance, worn, what, value, readable: _ }: &Shown) {
        let [target, series] = [worn.target, worn.series].map(|change| change.map(|change| format!("l{change}")));
        let of_target = target.iter().map(|change| ("env", change.as_str()));
        let of_series = series.iter().filter(|_| *what != What::Up).map(|change| (change.as_str(), "x"));
        let worn: Vec<(&str, &str)> = of_target.chain(of_series).collect();
        let of_target = |name, more: &[(&'static str, &'static str)]| {
            [&[("__name__", name), ("job", "x"), ("instance", *instance)], more, &worn].concat()
        };
        let labels = match what {
            What::Up => of_target("up", &[]),
            What::Requests(code) => of_target("m", &[("code", code)]),
            What::Bucket(le) => of_target("h_bucket", &[("le", le)]),
            What::Exists => of_target("p", &[]),
            What::Value(name) => vec![("__name__", *name)],
        };
        self.put(&labels, *at, *value);
    }
}

/// A target with counters, a histogram and something that exists now and then, scraped every 15 s.
struct Scraped {
    instance: &'static str,
    now: i64,
    good: u64,
    bad: Option<u64>,
    worn: Worn,
    changes: usize,
    /// How often it was scraped with these.
    worn_for: u32,
    shown: Vec<Shown>,
}

/// The turns, each with how late its scrape shows itself, and so many scrapes in time behind them.
pub(super) fn record(instance: &'static str, offset: i64, turns: &[(Turn, i64)], behind: u32) -> Vec<Shown> {
    let mut target =
        Scraped { instance, now: offset - 60, good: 0, bad: None, worn: Worn::default(), changes: 0, worn_for: 0, shown: Vec::new() };
    for _ in 0..4 {
        target.scraped(0);
    }
    for (turn, late) in turns {
        target.turn(*turn, *late);
    }
    for _ in 0..=behind {
        target.scraped(0);
    }
    target.shown
}

/// A target of which no SLO takes anything, scraped every 15 s.
pub(super) fn beside(end: i64) -> Vec<Shown> {
    let scrapes = (-56..=end).step_by(15);
    scrapes.map(|now| Shown { readable: now, at: at(now), instance: "z", worn: Worn::default(), what: What::Up, value: 1.0 }).collect()
}

impl Scraped {
    fn turn(&mut self, turn: Turn, late: i64) {
        match turn {
            Turn::Served { good, bad } => self.serve(good, bad),
            Turn::Restarted { good, bad } => self.restart(good, bad),
            Turn::Relabelled { target, good, bad } => {
                self.relabel(target);
                self.serve(good, bad);
            }
            Turn::MissedOne { good } => {
                self.serve(good, 0);
                self.now += 15;
            }
            Turn::Gap { seconds, good, bad, restarted } => {
                if restarted {
                    self.restart(good, bad);
                } else {
                    self.serve(good, bad);
                }
                self.now += seconds;
                for _ in 0..3 {
                    self.scraped(0);
                }
            }
        }
        self.scraped(late);
    }

    /// Labels that change with each scrape are of several scrapers.
    fn relabel(&mut self, target: bool) {
        if self.worn_for > 3 {
            self.changes += 1;
            self.worn_for = 0;
            *(if target { &mut self.worn.target } else { &mut self.worn.series }) = Some(self.changes);
        }
    }

    fn serve(&mut self, good: u64, bad: u64) {
        self.good += good;
        self.bad = self.bad.map_or((bad > 0).then_some(bad), |before| Some(before + bad));
    }

    fn restart(&mut self, good: u64, bad: u64) {
        self.good = good;
        self.bad = self.bad.map(|_| bad);
    }

    /// Of the good requests half are fast; a failed one takes for ever. What must exist is away while a few thousand requests are served.
    fn scraped(&mut self, late: i64) {
        let (at, readable) = (at(self.now), self.now + late);
        let mut show =
            |what, value: u64| self.shown.push(Shown { readable, at, instance: self.instance, worn: self.worn, what, value: value as f64 });
        show(What::Up, 1);
        show(What::Requests("200"), self.good);
        if let Some(bad) = self.bad {
            show(What::Requests("500"), bad);
        }
        show(What::Bucket("0.1"), self.good / 2);
        show(What::Bucket("1"), self.good);
        show(What::Bucket("+Inf"), self.good + self.bad.unwrap_or(0));
        if self.good % 5_000 < 3_000 {
            show(What::Exists, 1);
        }
        self.worn_for += 1;
        self.now += 15;
    }
}

/// What the expressions come to at the end of a minute, in eighths: `v`; `t`, and of it `b`. `None` where there is no value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Minute {
    v: Option<u32>,
    t: Option<u32>,
    b: Option<u32>,
    late: i64,
}

pub(super) fn minute(latest: i64) -> impl Strategy<Value = Minute> {
    let eighths = |most: u32| prop_oneof![9 => (0..most).prop_map(Some), 1 => Just(None)];
    let late = prop_oneof![6 => Just(0_i64), 1 => 0..latest];
    (eighths(32), eighths(2_000), eighths(9), late).prop_map(|(v, t, b, late)| Minute { v, t, b, late })
}

/// The values at the end of each minute after the start, again and again in this order; those behind `in_time` are not late.
pub(super) fn values(minutes: &[Minute], in_time: i64, end: i64) -> Vec<Shown> {
    let ends = (60..=end).step_by(60);
    let shown = ends.zip(minutes.iter().cycle()).flat_map(|(now, minute)| {
        let b = minute.t.zip(minute.b).map(|(t, b)| b.min(t));
        [("v", minute.v), ("t", minute.t), ("b", b)].into_iter().filter_map(move |(name, value)| {
            let (what, value) = (What::Value(name), f64::from(value?) / 8.0);
            let late = if now < in_time { minute.late } else { 0 };
            Some(Shown { readable: now + late, at: at(now), instance: "", worn: Worn::default(), what, value })
        })
    });
    shown.collect()
}
