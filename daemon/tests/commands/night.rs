//! A night that docs/slo-guide.md asks about: a daemon over the documents of its chapter, a Prometheus with a day of searches, and a Slack.

use std::path::Path;

use burnward::{
    app::{Daemon, Options, Pace},
    clock::Clock,
    config,
};
use burnward_core::time::{Timestamp, minutes};
use burnward_stand_ins::{
    prometheus::FakePrometheus,
    slack::{Options as SlackOptions, SlackStandIn},
};

/// 2026-11-25 03:10:00 UTC: when somebody asks.
const ASKED: Timestamp = Timestamp::from_seconds(1_795_576_200);

/// The daemon with what it lives on.
pub(super) struct Night {
    daemon: Daemon,
    _prometheus: FakePrometheus,
    _slack: SlackStandIn,
    _directory: tempfile::TempDir,
}

impl Night {
    /// The night after ten minutes in which 30 % of the searches failed.
    pub(super) async fn after_ten_minutes(chapter: &Path) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let directory = tempfile::tempdir().expect("a directory");
        let (prometheus, slack) = (searches().await, slack().await);
        let own = directory.path();
        for (file, token) in [("bot", slack.bot_token()), ("app", slack.app_token())] {
            std::fs::write(own.join(file), token).expect("written");
        }
        let (own, api) = (own.display(), slack.api_url());
        let more = format!(
            "listen: 127.0.0.1:0\nstorage: {{ path: {own}/store }}\nsources: {{ prometheus: {{ prometheus: {{ url: '{}' }} }} }}\n\
             tenants: {{ main: {{ slo-definitions: slo-definitions, runbooks: runbooks }} }}\n\
             slack: {{ api-url: '{api}', bot-token-file: {own}/bot, app-token-file: {own}/app }}\n",
            prometheus.url()
        );
        let file = chapter.join("burnward.yaml");
        let text = std::fs::read_to_string(&file).expect("a configuration") + &more;
        let config = config::parse(&file, &text).unwrap_or_else(|error| panic!("{error}"));
        let clock = Clock::by_hand(ASKED.minus(minutes(20)));
        let daemon = Daemon::start(config, Options { clock, pace: Pace::ByHand, ..Options::default() }).await.expect("started");
        daemon.fast_forward(minutes(20)).await;
        Self { daemon, _prometheus: prometheus, _slack: slack, _directory: directory }
    }

    /// A line of a shell as it asks this daemon, on a machine whose clock shows UTC.
    pub(super) fn line(&self, line: &str) -> String {
        line.replace("burnward explain", &format!("TZ=UTC BURNWARD_SERVER=http://{} burnward explain", self.daemon.address))
    }

    /// What it prints, without where the chapter lies and how long the Prometheus took.
    pub(super) fn printed(printed: &str, chapter: &Path) -> String {
        let printed = printed.replace(&format!("{}/", chapter.display()), "");
        let took = |line: &str| match line.split_once(" series in ").map(|(before, rest)| (before, rest.split_once(" ms,"))) {
            Some((before, Some((_, after)))) => format!("{before} series in 1 ms,{after}\n"),
            Some((_, None)) | None => format!("{line}\n"),
        };
        printed.lines().map(took).collect()
    }
}

/// Twenty searches a second for a day and three hours, scraped every 15 s: of 5,000 one fails, and from 03:00 to 03:10 three of ten.
async fn searches() -> FakePrometheus {
    let fake = FakePrometheus::start().await.expect("a free port");
    let (begin, outage) = (ASKED.millis() / 1000 - 27 * 3600, ASKED.millis() / 1000 - 600);
    let push = |name: &str, status: &str, at: i64, value: i64| {
        let labels = [("__name__", name), ("job", "frontend"), ("instance", "frontend-0:6060"), ("source", "browser"), ("status", status)];
        let labels = if status.is_empty() { &labels[..3] } else { &labels };
        #[expect(clippy::cast_precision_loss, reason = "they are small")]
        fake.push(labels, at * 1000, value as f64);
    };
    for at in (begin..=outage + 600).step_by(15) {
        let all = 20 * (at - begin);
        let bad = all / 5_000 + 6 * (at - outage).max(0);
        push("up", "", at, 1);
        push("src_search_streaming_response", "error", at, bad);
        push("src_search_streaming_response", "success", at, all - bad);
    }
    fake
}

async fn slack() -> SlackStandIn {
    let slack = SlackStandIn::start(SlackOptions::default()).await.expect("a free port");
    for channel in ["#burnward", "#search-oncall"] {
        slack.add_channel(channel);
    }
    for name in ["ada", "sam"] {
        slack.add_user(name, &format!("{name}@example.com"));
    }
    slack
}
