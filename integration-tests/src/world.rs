//! The world of a story: a real Prometheus over a written history, a Slack stand-in, and a daemon whose clock is moved by hand.

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use burnward::{
    app::{Daemon, Options, Pace},
    clock::Clock,
    config,
    store::StoredIncident,
    tasks::decide::SlicesAsked,
};
use burnward_core::{
    exclusion::Known,
    id::{BudgetId, Group, IncidentId, ObjectiveName, ServiceName, SloId, SloName, TenantId},
    incident::{Actor, Command, Incident, Via},
    ledger::Counts,
    slo::CountedIn,
    time::Timestamp,
    window::Interval,
};
use burnward_stand_ins::{
    prometheus::{Real, Victoria, backfill},
    slack::{Entry, SlackStandIn},
};

use crate::{
    history::{History, document},
    proxy::Proxy,
    received::{Received, received},
};

/// The tick of a story's daemon.
pub const TICK: Duration = Duration::from_secs(15);

/// How long a story waits for the outside world, in real time.
const PATIENCE: Duration = Duration::from_secs(20);

/// Steps in which a daemon has caught up with whatever a story let pass.
const MOST_STEPS: usize = 200;

/// What holds the history.
#[derive(Debug)]
enum Server {
    Prometheus(Real),
    Victoria(Victoria),
}

impl Server {
    fn url(&self) -> String {
        match self {
            Self::Prometheus(real) => real.url(),
            Self::Victoria(victoria) => victoria.url(),
        }
    }
}

/// What a story plays in.
#[derive(Debug)]
pub struct World {
    /// Between the daemon and it.
    pub proxy: Proxy,
    /// Where pages arrive.
    pub slack: SlackStandIn,
    directory: tempfile::TempDir,
    server: Server,
    clock: Clock,
    daemon: Option<Daemon>,
    tenant: TenantId,
}

impl World {
    /// A world in which these histories happen, with a daemon that starts at `start`.
    pub async fn open(histories: &[History], start: Timestamp, slos: &[(&str, &str)]) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let data = directory.path().join("prometheus");
        backfill(&data, &document(histories)).await?;
        let server = Server::Prometheus(Real::start(&data, "global: {}\n").await?);
        Self::over(server, directory, (start, TICK), slos).await
    }

    /// A world in which this OpenMetrics text happened, with a daemon that reads it at this tick.
    pub async fn open_text(text: &str, start: Timestamp, tick: Duration, slos: &[(&str, &str)]) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let data = directory.path().join("prometheus");
        backfill(&data, text).await?;
        let server = Server::Prometheus(Real::start(&data, "global: {}\n").await?);
        Self::over(server, directory, (start, tick), slos).await
    }

    /// The same over VictoriaMetrics.
    pub async fn open_over_victoria(histories: &[History], start: Timestamp, slos: &[(&str, &str)]) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let victoria = Victoria::start(&directory.path().join("victoria")).await?;
        victoria.import(&document(histories)).await?;
        Self::over(Server::Victoria(victoria), directory, (start, TICK), slos).await
    }

    async fn over(
        server: Server,
        directory: tempfile::TempDir,
        (start, tick): (Timestamp, Duration),
        slos: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        install_tls();
        let proxy = Proxy::start(server.url().trim_start_matches("http://")).await?;
        let (slack, clock, tenant) = (slack().await?, Clock::by_hand(start), TenantId::parse("main")?);
        let mut world = Self { proxy, slack, directory, server, clock, daemon: None, tenant };
        world.write_configuration(slos, tick)?;
        world.start_daemon().await?;
        Ok(world)
    }

    fn write_configuration(&self, slos: &[(&str, &str)], tick: Duration) -> anyhow::Result<()> {
        let root = self.directory.path();
        for (name, text) in slos {
            write(&root.join("slo-definitions").join(name), text)?;
        }
        write(&root.join("secrets/bot"), self.slack.bot_token())?;
        write(&root.join("secrets/app"), self.slack.app_token())?;
        write(&self.config_file(), &configuration(root, tick, &self.proxy.url(), &self.slack.api_url()))
    }

    /// Samples that arrive now, whenever they were taken. Only VictoriaMetrics takes them.
    pub async fn arrive_late(&self, histories: &[History]) -> anyhow::Result<()> {
        match &self.server {
            Server::Victoria(victoria) => victoria.import(&document(histories)).await,
            Server::Prometheus(_) => anyhow::bail!("a Prometheus takes no samples that are older than its newest"),
        }
    }

    /// What the API answers.
    pub async fn get(&self, path: &str) -> anyhow::Result<serde_json::Value> {
        Ok(reqwest::get(format!("{}{path}", self.web())).await?.error_for_status()?.json().await?)
    }

    /// The daemon's handle.
    pub fn handle(&self) -> &burnward::app::Handle {
        &self.daemon().handle
    }

    /// Where the pages are.
    pub fn web(&self) -> String {
        format!("http://{}", self.daemon().address)
    }

    fn daemon(&self) -> &Daemon {
        self.daemon.as_ref().expect("the daemon runs")
    }

    /// Starts the daemon and lets it catch up with the history before its clock's now.
    pub async fn start_daemon(&mut self) -> anyhow::Result<()> {
        self.start_at(Pace::ByHand).await
    }

    async fn start_at(&mut self, pace: Pace) -> anyhow::Result<()> {
        let config = config::read(Some(&self.directory.path().join("burnward.yaml")))?;
        let options = Options { clock: self.clock.clone(), pace, ..Options::default() };
        self.daemon = Some(Daemon::start(config, options).await?);
        anyhow::ensure!(self.slack.wait_for_sockets(1, PATIENCE).await, "the daemon opened no socket to Slack");
        Ok(())
    }

    /// Stops the daemon in order and starts it again over the same store.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.restart_after(Duration::ZERO).await
    }

    /// Stops the daemon in order and starts it again after a while, with a clock that went on.
    pub async fn restart_after(&mut self, pause: Duration) -> anyhow::Result<()> {
        if let Some(daemon) = self.daemon.take() {
            daemon.stop().await;
        }
        self.clock.advance(pause);
        self.start_daemon().await
    }

    /// Stops the daemon in order and starts it again as it runs for its users: at its own pace, and within the limits of Slack. The clock stands still.
    pub async fn restart_at_its_own_pace(&mut self) -> anyhow::Result<()> {
        if let Some(daemon) = self.daemon.take() {
            daemon.stop().await;
        }
        self.start_at(Pace::Live).await
    }

    /// Adds to burnward.yaml, and starts the daemon anew with it.
    pub async fn configure(&mut self, more: &str) -> anyhow::Result<()> {
        let file = self.directory.path().join("burnward.yaml");
        let text = std::fs::read_to_string(&file)?;
        write(&file, &format!("{text}{more}\n"))?;
        self.restart().await
    }

    /// Puts something else in the place of a part of burnward.yaml, and starts the daemon anew with it.
    pub async fn reconfigure(&mut self, part: &str, other: &str) -> anyhow::Result<()> {
        let file = self.config_file();
        let text = std::fs::read_to_string(&file)?;
        anyhow::ensure!(text.contains(part), "burnward.yaml holds no `{part}`");
        write(&file, &text.replace(part, other))?;
        self.restart().await
    }

    /// Takes away all that the Prometheus holds and gives it this OpenMetrics text instead: its storage was lost, and it scraped on.
    pub async fn wipe(&mut self, text: &str) -> anyhow::Result<()> {
        match &mut self.server {
            Server::Prometheus(real) => real.wipe(text).await,
            Server::Victoria(_) => anyhow::bail!("only a Prometheus is wiped"),
        }
    }

    /// Ends the daemon as `kill -9` does, between two rounds while nothing is delivered, and starts it again: over the store as it is by then, without what a
    /// stop would add.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        let [store, left] = ["store", "left-by-the-killed"].map(|name| self.directory.path().join(name));
        std::fs::create_dir_all(&left)?;
        for file in std::fs::read_dir(&store)? {
            let file = file?;
            std::fs::copy(file.path(), left.join(file.file_name()))?;
        }
        if let Some(daemon) = self.daemon.take() {
            daemon.stop().await;
        }
        std::fs::remove_dir_all(&store)?;
        std::fs::rename(left, store)?;
        self.start_daemon().await
    }

    /// Freezes the Prometheus, as SIGSTOP does, or lets it go on.
    pub fn freeze(&self, frozen: bool) -> anyhow::Result<()> {
        match &self.server {
            Server::Prometheus(real) if frozen => real.pause(),
            Server::Prometheus(real) => real.resume(),
            Server::Victoria(_) => anyhow::bail!("only a Prometheus is frozen"),
        }
    }

    /// Writes an SLO document, or with `None` takes it away; the daemon reads it at its next start or reload.
    pub fn define(&self, name: &str, text: Option<&str>) -> anyhow::Result<()> {
        let file = self.directory.path().join("slo-definitions").join(name);
        match text {
            Some(text) => write(&file, text),
            None => std::fs::remove_file(&file).with_context(|| file.display().to_string()),
        }
    }

    /// Moves the clock on, tick by tick.
    pub async fn fast_forward(&self, by: Duration) {
        self.daemon().fast_forward(by).await;
    }

    /// Moves the clock on, tick by tick, and hears what Slack took, each post with the moment at which it was there.
    pub async fn listen(&self, by: Duration, heard: &mut Vec<Received>) {
        let end = self.now().plus(by);
        while self.now() < end {
            self.fast_forward(self.handle().config.tick).await;
            self.hear(heard);
        }
    }

    /// What Slack took since what was heard last, as if it had come now.
    pub fn hear(&self, heard: &mut Vec<Received>) {
        let last = heard.last().map_or(0, |received| received.seq);
        heard.extend(received(&self.slack, last, self.now()));
    }

    /// Lets time pass in which the daemon does nothing, as if the machine had slept; then it catches up.
    pub async fn pass(&self, by: Duration) -> anyhow::Result<()> {
        self.clock.advance(by);
        for _ in 0..MOST_STEPS {
            self.daemon().step().await;
            let view = self.handle().view.borrow().clone();
            if view.sources.values().all(|source| !source.catching_up) {
                return Ok(());
            }
        }
        anyhow::bail!("it still catches up after {MOST_STEPS} steps")
    }

    /// The clock's now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// An incident by its identity.
    pub async fn incident(&self, id: &str) -> anyhow::Result<Incident> {
        let stored = self.handle().store.incident(&self.tenant, &IncidentId::from_text(id)).await?;
        Ok(stored.with_context(|| format!("no incident {id}"))?.incident)
    }

    /// Its burnward.yaml.
    pub fn config_file(&self) -> PathBuf {
        self.directory.path().join("burnward.yaml")
    }

    /// All incidents with their events, newest first.
    pub async fn stored_incidents(&self) -> anyhow::Result<Vec<StoredIncident>> {
        Ok(self.handle().store.incidents(&self.tenant, 200, None).await?)
    }

    /// The identities of all incidents, oldest first.
    pub async fn incidents(&self) -> anyhow::Result<Vec<String>> {
        let mut stored = self.handle().store.incidents(&self.tenant, 100, None).await?;
        stored.reverse();
        Ok(stored.into_iter().map(|stored| stored.incident.id.to_string()).collect())
    }

    /// Waits, in real time, until an incident is as `wanted`: for what comes in from outside, such as a click.
    pub async fn until(&self, wanted: impl Fn(&Incident) -> bool, id: &str) -> anyhow::Result<()> {
        let arrived = async {
            loop {
                if wanted(&self.incident(id).await?) {
                    return anyhow::Ok(());
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, arrived).await.with_context(|| format!("{id} did not change in time"))?
    }

    /// The states of a service's budgets, as words.
    pub async fn states(&self, service: &str) -> anyhow::Result<Vec<&'static str>> {
        let statuses = self.handle().budgets(&self.tenant).await?;
        Ok(statuses
            .iter()
            .filter(|status| status.budget.slo.service.as_str() == service)
            .map(burnward_core::evaluate::BudgetStatus::word)
            .collect())
    }

    /// A person's command, as the command line would send it.
    pub async fn person(&self, name: &str, id: &str, command: Command) -> anyhow::Result<()> {
        let by = Actor::Person { name: name.to_owned(), via: Via::Api };
        self.handle().command(&self.tenant, &IncidentId::from_text(id), command, by).await?;
        self.daemon().step().await;
        Ok(())
    }

    /// What was posted as the pages of an incident (or as the message of a ticket), in order.
    pub async fn pages(&self, id: &str) -> anyhow::Result<Vec<Entry>> {
        let owed = self.incident(id).await?.pages;
        let owed = |entry: &Entry| owed.keys().any(|page| entry.page_id.as_deref() == Some(page.as_str()));
        let posts = self.slack.journal().into_iter().filter(|entry| entry.method == "chat.postMessage");
        Ok(posts.filter(owed).collect())
    }

    /// What a stream counted over `(from, to]`.
    pub async fn counted(&self, service: &str, slo: &str, tenant: &str, from: Timestamp, to: Timestamp) -> Counts {
        let budget = self.budget(service, slo, tenant);
        self.handle().between(&budget, from, to).await.unwrap_or_default().0
    }

    /// Every slice of a stream over `(from, to]`.
    pub async fn slices(&self, service: &str, slo: &str, tenant: &str, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, Counts)> {
        let budget = self.budget(service, slo, tenant);
        let asked = SlicesAsked { budget, counted_in: CountedIn::Events, over: Interval { from, to }, at_most: 1_000_000 };
        let slices = self.handle().slices(asked, Known::Now).await.unwrap_or_default();
        slices.into_iter().map(|slice| (slice.end, slice.counts)).collect()
    }

    /// A budget of the SLO's events, whatever its objectives are called.
    fn budget(&self, service: &str, slo: &str, tenant: &str) -> BudgetId {
        let slo = SloId {
            tenant: self.tenant.clone(),
            service: ServiceName::parse(service).expect("a name"),
            name: SloName::parse(slo).expect("a name"),
        };
        let objective = ObjectiveName::parse("events").expect("a name");
        BudgetId { slo, objective, group: Group::new(vec![("tenant".to_owned(), tenant.to_owned())]) }
    }
}

async fn slack() -> anyhow::Result<SlackStandIn> {
    let slack = SlackStandIn::start(burnward_stand_ins::slack::Options::default()).await?;
    for name in ["ada", "sam"] {
        slack.add_user(name, &format!("{name}@example.com"));
    }
    for channel in ["#payments-oncall", "#burnward"] {
        slack.add_channel(channel);
    }
    Ok(slack)
}

fn configuration(root: &std::path::Path, tick: Duration, prometheus: &str, slack: &str) -> String {
    format!(
        r##"version: burnward/v1
listen: 127.0.0.1:0
tick: {tick}s
operators: {{ channel: "#burnward", escalation: [ {{ page: [ada], acknowledge-within: 15m }} ] }}
storage: {{ path: "{root}/store" }}
sources:
  prom: {{ prometheus: {{ url: "{prometheus}" }} }}
tenants:
  main: {{ slo-definitions: ["{root}/slo-definitions"], source: prom }}
people:
  ada: {{ email: ada@example.com }}
  sam: {{ email: sam@example.com }}
teams:
  payments: {{ channel: "#payments-oncall", escalation: [ {{ page: [ada], acknowledge-within: 5m }}, {{ page: [sam], acknowledge-within: 5m }} ] }}
slack: {{ api-url: "{slack}", bot-token-file: "{root}/secrets/bot", app-token-file: "{root}/secrets/app" }}
"##,
        tick = tick.as_secs(),
        root = root.display(),
    )
}

/// The SLO document of a story: availability of `service` at 99.9 % over 30 days, one budget per tenant.
pub fn availability(service: &str) -> String {
    format!(
        r#"version: burnward/v1
service: {service}
team: payments
slos:
  - name: availability
    title: Customers can pay
    sli:
      events:
        bad: '{service}_http_requests_total{{job="{service}", code=~"5.."}}'
        total: '{service}_http_requests_total{{job="{service}"}}'
    per: [tenant]
    objectives:
      - target: 99.9%
        window: 30d
    no-data: {{ after: 2m, then: page }}
"#
    )
}

fn write(path: &PathBuf, text: &str) -> anyhow::Result<()> {
    std::fs::create_dir_all(path.parent().context("a directory")?)?;
    std::fs::write(path, text).with_context(|| path.display().to_string())
}

/// The TLS provider of the process; reqwest panics without one, even over plain HTTP.
pub fn install_tls() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}
