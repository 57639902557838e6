//! `burnward demo`: the sample shop, a Slack stand-in and the daemon in one process; the shop fails, somebody is paged, it recovers.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    pin::pin,
    process::ExitCode,
    time::Duration,
};

use anyhow::Context as _;
use burnward_core::{
    id::TenantId,
    incident::{Incident, Kind, PageOutcome, Phase},
    slo::Urgency,
};
use burnward_stand_ins::{
    shop::{self, Shop},
    slack::{self, SlackStandIn},
};
use tempfile::TempDir;
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{Instant, sleep, timeout},
};

use super::print;
use crate::{
    app::{Daemon, Options},
    config, notify,
};

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub(super) struct DemoArgs {
    /// Run without a person: acknowledge by itself, end as soon as page, acknowledgement and resolve have happened.
    #[arg(long)]
    headless: bool,

    /// With --headless: give up after this many seconds, with exit code 1.
    #[arg(long, default_value_t = 120, requires = "headless")]
    seconds: u64,

    /// Use this Prometheus instead of reading the shop ourselves; the scrape_config it needs is printed.
    #[arg(long, value_name = "URL")]
    prometheus: Option<url::Url>,
}

/// The tenants for which the shop fails.
const FAILING: [&str; 2] = ["acme", "globex"];

/// How long the shop is well before it fails: long enough for a few samples.
const CALM: Duration = Duration::from_secs(5);

/// How long the failure lasts after somebody acknowledged.
const AFTER_ACKNOWLEDGEMENT: Duration = Duration::from_secs(8);

/// How long the failure lasts when nobody acknowledges.
const AT_MOST: Duration = Duration::from_mins(3);

/// Where the pages are, unless the port is taken.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9095);

const SLO: &str = include_str!("../../../slo-definitions/demo/shop.yaml");
const RUNBOOK: &str = include_str!("../../../runbooks/demo-shop.md");

/// Runs the demo until a signal, or to its end with `--headless`.
pub(super) async fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    let mut cut_short = pin!(cut_short(&args));
    let stage = tokio::select! {
        stage = Stage::set(args.prometheus.as_ref()) => stage?,
        code = &mut cut_short => return code,
    };
    let code = tokio::select! {
        played = stage.play(args.headless) => played.map(|()| ExitCode::SUCCESS),
        code = &mut cut_short => code,
    };
    stage.strike().await;
    code
}

/// Until a signal, or until the time of a headless demo is over.
async fn cut_short(args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT")?;
    let over = async {
        if args.headless {
            sleep(Duration::from_secs(args.seconds)).await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = over => {
            print::talk(format_args!("burnward: the demo did not come to its end within {} s", args.seconds));
            Ok(ExitCode::from(1))
        }
        _ = terminate.recv() => Ok(stopped(args)),
        _ = interrupt.recv() => Ok(stopped(args)),
    }
}

/// A signal is how a person ends it; a headless demo has failed then.
fn stopped(args: &DemoArgs) -> ExitCode {
    if args.headless { ExitCode::from(1) } else { ExitCode::SUCCESS }
}

/// Everything that runs in a demo. The directory goes with it, whatever happens.
struct Stage {
    _directory: TempDir,
    shop: Shop,
    slack: SlackStandIn,
    daemon: Daemon,
    began: Instant,
}

impl Stage {
    async fn set(prometheus: Option<&url::Url>) -> anyhow::Result<Self> {
        let began = Instant::now();
        let shop = Shop::start(shop::Options::default()).await.context("the sample shop")?;
        let slack = SlackStandIn::start(slack::Options::default()).await.context("the Slack stand-in")?;
        for person in ["ada", "sam"] {
            slack.add_user(person, &format!("{person}@example.com"));
        }
        for channel in ["#shop-oncall", "#burnward"] {
            slack.add_channel(channel);
        }
        let directory = tempfile::Builder::new().prefix("burnward-demo-").tempdir().context("the demo's directory")?;
        let source = match prometheus {
            Some(url) => {
                tell_scrape_config(&shop)?;
                wait_for_series(url).await?;
                format!("{{ prometheus: {{ url: \"{}\" }} }}", url.as_str().trim_end_matches('/'))
            }
            None => format!("{{ scrape: {{ targets: [ \"{}\" ], every: 1s, job: shop }} }}", shop.metrics_url()),
        };
        let config_file = write_files(directory.path(), &source, &slack).context("the demo's files")?;
        let daemon = Daemon::start(config::read(Some(&config_file))?, Options::default()).await?;
        Ok(Self { _directory: directory, shop, slack, daemon, began })
    }

    /// Tells what happens; with a person also what can be done, for as long as the person looks at it.
    async fn play(&self, headless: bool) -> anyhow::Result<()> {
        self.say_where()?;
        self.fail_and_recover(headless).await?;
        if !headless {
            self.say("Everything is still here to look at. Fail the shop again on its page. Ctrl-C ends the demo.")?;
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    async fn fail_and_recover(&self, acknowledge_by_itself: bool) -> anyhow::Result<()> {
        sleep(CALM).await;
        self.shop.fail(&FAILING, 0.6);
        self.say(&format!("the shop begins to fail for {}", FAILING.join(" and ")))?;
        let paged = self.wait_for(delivered).await?;
        self.say(&format!("{} is paged in #shop-oncall", paged.id))?;
        if acknowledge_by_itself {
            self.click_acknowledge(&paged).await?;
        } else {
            self.say(&format!("acknowledge it: {}", self.slack.web_url()))?;
        }
        match timeout(AT_MOST, self.wait_for(|incident| !matches!(incident.phase, Phase::Open))).await {
            Ok(taken) => {
                self.say(&format!("{} is {}", paged.id, taken?.phase_word()))?;
                sleep(AFTER_ACKNOWLEDGEMENT).await;
            }
            Err(_) => self.say("nobody acknowledged; the shop recovers all the same")?,
        }
        self.shop.recover();
        self.say("the shop is well again")?;
        self.wait_for(|incident| matches!(incident.phase, Phase::Resolved { .. })).await?;
        self.say(&format!("{} is resolved", paged.id))?;
        if acknowledge_by_itself {
            // Nobody is there to look before it ends.
            self.say("without --headless all of it stays to be looked at: the pages, the timeline, the draft of the postmortem")?;
            return Ok(());
        }
        let us = command(self.daemon.address);
        print::line(format_args!("  its timeline   {us} incident show {}", paged.id))?;
        print::line(format_args!("  its postmortem {us} postmortem draft {}", paged.id))?;
        print::line(format_args!("  on the web     http://{}/incidents/{}", self.daemon.address, paged.id))?;
        Ok(())
    }

    /// The demo's incident, once it is as `wanted`.
    async fn wait_for(&self, wanted: impl Fn(&Incident) -> bool) -> anyhow::Result<Incident> {
        let tenant = TenantId::parse("main")?;
        loop {
            let incidents = self.daemon.handle.store.incidents(&tenant, 5, None).await?;
            let burn = |incident: &Incident| incident.fault.kind == Kind::Burn && incident.fault.urgency == Urgency::Page;
            if let Some(found) = incidents.into_iter().map(|stored| stored.incident).find(|incident| burn(incident) && wanted(incident)) {
                return Ok(found);
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Clicks the button in the stand-in, as a person would: the whole way back through Slack.
    async fn click_acknowledge(&self, incident: &Incident) -> anyhow::Result<()> {
        let root = incident.root_page().map(|(_, page)| &page.outcome);
        let Some(PageOutcome::Delivered { message, .. }) = root else { anyhow::bail!("the page has no message in the channel") };
        self.slack.click(&message.channel, &message.ts, notify::slack::ACKNOWLEDGE, "ada").await
    }

    fn say_where(&self) -> std::io::Result<()> {
        print::line("burnward demo: nothing leaves this machine.")?;
        print::line(format_args!("  Slack stand-in {}   read the channel, click the buttons", self.slack.web_url()))?;
        print::line(format_args!("  burnward       http://{}   budgets, incidents", self.daemon.address))?;
        print::line(format_args!("  sample shop    {}   its failure switches", self.shop.web_url()))?;
        print::line(format_args!("  the same here  {} status", command(self.daemon.address)))
    }

    fn say(&self, what: &str) -> std::io::Result<()> {
        print::line(format_args!("{:5.1} s  {what}", self.began.elapsed().as_secs_f64()))
    }

    async fn strike(self) {
        self.daemon.stop().await;
        self.slack.shutdown().await;
        self.shop.shutdown().await;
    }
}

/// True where the page stands in the channel.
fn delivered(incident: &Incident) -> bool {
    incident.root_page().is_some_and(|(_, page)| matches!(page.outcome, PageOutcome::Delivered { .. }))
}

/// How this program is called again from here, for the demo's daemon.
fn command(address: SocketAddr) -> String {
    let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("burnward"));
    let asks_elsewhere = std::env::var_os("BURNWARD_SERVER").is_some();
    called(&program, &std::env::current_dir().unwrap_or_default(), address, asks_elsewhere)
}

/// A call as a shell takes it: by a path, because `burnward` alone need not be found; with the address, where the program would ask another by itself.
fn called(program: &Path, here: &Path, address: SocketAddr, asks_elsewhere: bool) -> String {
    let program = match program.strip_prefix(here) {
        Ok(below) if !here.as_os_str().is_empty() => Path::new(".").join(below).display().to_string(),
        Ok(_) | Err(_) => program.display().to_string(),
    };
    let plain = program.chars().all(|c| c.is_alphanumeric() || "/._-+".contains(c));
    let program = if plain { program } else { format!("'{}'", program.replace('\'', r"'\''")) };
    if address == LISTEN && !asks_elsewhere { program } else { format!("BURNWARD_SERVER=http://{address} {program}") }
}

/// The usual address, or a free port where something listens there already.
fn free_address() -> std::io::Result<SocketAddr> {
    let probe = TcpListener::bind(LISTEN).or_else(|_| TcpListener::bind((LISTEN.ip(), 0)))?;
    probe.local_addr()
}

/// Writes what an operator would have written; the path of burnward.yaml.
fn write_files(directory: &Path, source: &str, slack: &SlackStandIn) -> std::io::Result<PathBuf> {
    let write = |name: &str, text: &str| {
        let path = directory.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(directory))?;
        std::fs::write(path, text)
    };
    write("slo-definitions/shop.yaml", SLO)?;
    write("runbooks/demo-shop.md", RUNBOOK)?;
    write("secrets/bot", slack.bot_token())?;
    write("secrets/app", slack.app_token())?;
    let address = free_address()?;
    let config = format!(
        r##"version: burnward/v1
listen: {address}
tick: 1s
operators: {{ channel: "#burnward", escalation: [ {{ page: [ada], acknowledge-within: 5m }} ] }}
storage: {{ path: "{dir}/data" }}
sources:
  shop: {source}
tenants:
  main: {{ slo-definitions: ["{dir}/slo-definitions"], runbooks: "{dir}/runbooks", source: shop }}
people:
  ada: {{ email: ada@example.com }}
  sam: {{ email: sam@example.com }}
teams:
  shop: {{ channel: "#shop-oncall", escalation: [ {{ page: [ada], acknowledge-within: 1m }}, {{ page: [sam], acknowledge-within: 5m }} ] }}
slack: {{ api-url: "{api}", bot-token-file: "{dir}/secrets/bot", app-token-file: "{dir}/secrets/app" }}
"##,
        dir = directory.display(),
        api = slack.api_url(),
    );
    write("burnward.yaml", &config)?;
    Ok(directory.join("burnward.yaml"))
}

fn tell_scrape_config(shop: &Shop) -> std::io::Result<()> {
    let target = shop.metrics_url();
    let target = target.trim_start_matches("http://").trim_end_matches("/metrics");
    print::line("Let Prometheus scrape the shop; the demo goes on when its series are there:\n")?;
    print::line(format_args!(
        "scrape_configs:\n  - job_name: shop\n    scrape_interval: 1s\n    static_configs: [ {{ targets: [ \"{target}\" ] }} ]\n"
    ))
}

/// Waits until the Prometheus has series of the shop.
async fn wait_for_series(url: &url::Url) -> anyhow::Result<()> {
    use burnward_core::{sli::Selector, time::Timestamp};
    let settings = config::PrometheusConfig::at(url.as_str().trim_end_matches('/'));
    let prometheus = crate::source::prometheus::Prometheus::new(&settings)?;
    let selector = Selector::new("shop_requests_total", Vec::new());
    loop {
        let now: Timestamp = crate::clock::Clock::Wall.now();
        match prometheus.read(&selector, now.minus(Duration::from_secs(10)), now).await {
            Ok(answer) if !answer.series.is_empty() => return Ok(()),
            Ok(_) => {}
            Err(unknown) => print::talk(format_args!("burnward: {unknown}")),
        }
        sleep(Duration::from_secs(2)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_can_be_called_as_it_is_printed() {
        let other = SocketAddr::new(LISTEN.ip(), 40_123);
        for (program, here, address, asks_elsewhere, printed) in [
            ("/srv/bin/burnward", "/home/ada", LISTEN, false, "/srv/bin/burnward"),
            ("/home/ada/burnward", "/home/ada", LISTEN, false, "./burnward"),
            (
                "/home/ada/target/release/burnward",
                "/home/ada",
                other,
                false,
                "BURNWARD_SERVER=http://127.0.0.1:40123 ./target/release/burnward",
            ),
            ("/srv/bin/burnward", "/home/ada", LISTEN, true, "BURNWARD_SERVER=http://127.0.0.1:9095 /srv/bin/burnward"),
            ("/home/ada's/my tools/burnward", "/", LISTEN, false, r"'./home/ada'\''s/my tools/burnward'"),
        ] {
            assert_eq!(called(Path::new(program), Path::new(here), address, asks_elsewhere), printed);
        }
    }
}
