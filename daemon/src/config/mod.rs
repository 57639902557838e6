//! The operator's configuration, checked: burnward.yaml after it was read, or the defaults where there is none.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use burnward_core::{
    id::{PersonName, SourceName, TeamName, TenantId},
    oncall::{Recipient, Step, Team},
    sli::{MatchOp, Matcher},
    time::minutes,
    window::Zone,
};

use crate::{
    definition::{Promql, promql, template::Instance},
    schedule::Schedule,
};

mod file;
mod on_disk;
pub(crate) mod secrets;

pub use file::{ConfigError, discover, is_configuration, is_configuration_tree, parse, read};
pub use on_disk::{OnDisk, Waiting};

/// All of burnward.yaml.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where the HTTP server listens.
    pub listen: SocketAddr,
    /// One line per token: `name:token`; needed where `listen` is not loopback.
    pub token_file: Option<PathBuf>,
    /// How people reach the pages, without a trailing slash.
    pub external_url: String,
    /// How often sources are read.
    pub tick: Duration,
    /// Who is told of blind sources, full disks and bad files.
    pub operators: Operators,
    /// Directory of the store.
    pub storage: PathBuf,
    /// The sources by name.
    pub sources: BTreeMap<SourceName, SourceConfig>,
    /// The tenants by name.
    pub tenants: BTreeMap<TenantId, TenantConfig>,
    /// The people by name.
    pub people: BTreeMap<PersonName, Person>,
    /// The teams by name.
    pub teams: BTreeMap<TeamName, Team>,
    /// Slack; `None`: pages stay in the outbox and are shown as undelivered.
    pub slack: Option<SlackConfig>,
    /// Reports that are posted by a crontab line.
    pub reports: Vec<ReportConfig>,
    /// A directory with the operator's own texts, laid out as templates/.
    pub templates: Option<PathBuf>,
    /// Directories with templates of SLOs, which every tenant's documents may be made of.
    pub slo_templates: Vec<PathBuf>,
}

impl Config {
    /// Whether a source evaluates expressions; one that is not configured is taken to.
    pub fn promql(&self, source: &SourceName) -> Promql {
        match self.sources.get(source) {
            Some(SourceConfig::Scrape(_)) => Promql::Absent,
            Some(SourceConfig::Prometheus(prometheus)) if prometheus.enforced_label.is_some() => Promql::Confined,
            Some(SourceConfig::Prometheus(_)) | None => Promql::Spoken,
        }
    }

    /// The zone in which a tenant's weeks are reported: that of the team's report, else that of all teams'; `None` where no report says one.
    pub fn report_zone(&self, tenant: &TenantId, team: Option<&TeamName>) -> Option<&Zone> {
        let of = |team: Option<&TeamName>| self.reports.iter().find(|report| report.tenant == *tenant && report.team.as_ref() == team);
        of(team).or_else(|| of(None)).map(|report| &report.zone)
    }
}

/// Who is told of trouble with burnward itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operators {
    /// The channel.
    pub channel: String,
    /// The steps; at least one.
    pub escalation: Vec<Step>,
}

/// A source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceConfig {
    /// Prometheus's HTTP API.
    Prometheus(PrometheusConfig),
    /// Targets that we read ourselves.
    Scrape(ScrapeConfig),
}

/// How Prometheus is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrometheusConfig {
    /// Base URL without a trailing slash; of several replicas the first.
    pub url: String,
    /// The base URLs of its other replicas.
    pub other_replicas: Vec<String>,
    /// Of a Thanos: by which label its replicas are told apart, and which of them are read.
    pub replica_label: Option<Box<ReplicaLabel>>,
    /// The label by which every question is confined to what this source may see.
    pub enforced_label: Option<Box<EnforcedLabel>>,
    /// How we say who we are.
    pub credentials: Credentials,
    /// Headers that are sent with every request, such as the tenant of a Mimir.
    pub headers: BTreeMap<String, String>,
    /// Files of TLS, where the machine's own trust is not enough.
    pub tls: TlsFiles,
    /// Requests that are under way at once, for all tenants together.
    pub at_once: usize,
    /// How long samples may come late.
    pub settle: Duration,
    /// Bound of the whole request.
    pub timeout: Duration,
    /// Cap on the decoded answer, in bytes.
    pub max_bytes: usize,
    /// Cap on the series of one answer.
    pub max_series: usize,
}

/// The replicas behind one Thanos.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaLabel {
    /// The label that each Prometheus gives all its series.
    pub name: String,
    /// Its values, the first of which is read.
    pub values: Vec<String>,
}

/// A label that every series has of which a source may be asked: the tenant of a Prometheus that several share. What SLO documents say cannot widen it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnforcedLabel {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl EnforcedLabel {
    /// What each selector is narrowed by.
    pub fn matcher(&self) -> Matcher {
        Matcher { label: self.name.clone(), op: MatchOp::Equal, value: self.value.clone() }
    }

    /// The expression with that in each of its selectors.
    ///
    /// # Errors
    /// Why it cannot be said of each series that it reads.
    pub fn confine(&self, expression: &str) -> Result<String, &'static str> {
        promql::confined(expression, &self.name, &self.value)
    }
}

/// How we say who we are. Files are read anew for every request, so that what rotates is used at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Credentials {
    /// Nothing is asked of us.
    #[default]
    None,
    /// A file with a bearer token.
    Bearer(PathBuf),
    /// A user, and a file with the password.
    Basic {
        /// The user.
        user: String,
        /// The file.
        password_file: PathBuf,
    },
}

/// PEM files of TLS; a client is built anew when one of them changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsFiles {
    /// Certificates that are trusted instead of the machine's own.
    pub ca: Option<PathBuf>,
    /// Our certificate (with its chain) and its key.
    pub client: Option<ClientCertificate>,
}

/// What we show to a server that asks who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, chain after it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What is scraped, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScrapeConfig {
    /// URLs of exposition text.
    pub targets: Vec<String>,
    /// The interval.
    pub every: Duration,
    /// The `job` label of the series.
    pub job: String,
}

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantConfig {
    /// Directories with SLO documents.
    pub slo_definitions: Vec<PathBuf>,
    /// Directory with runbooks.
    pub runbooks: Option<PathBuf>,
    /// Where its samples come from.
    pub source: SourceName,
    /// What is made of templates for it, by the name that each goes by in the place of a file's.
    pub made: Vec<(String, Instance)>,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their e-mail address, by which Slack knows them.
    pub email: Option<String>,
    /// Their Slack user id, where it is known.
    pub slack: Option<String>,
}

/// The report of the last whole week, posted to a channel by a crontab line.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportConfig {
    /// Whose budgets.
    pub tenant: TenantId,
    /// Of which team; `None`: of all.
    pub team: Option<TeamName>,
    /// When.
    pub schedule: Schedule,
    /// The zone of the schedule, in which the week begins and ends, too.
    pub zone: Zone,
    /// The channel.
    pub to: String,
}

impl ReportConfig {
    /// What it is, within its tenant: its timer is kept under it, so that one that is changed begins anew.
    pub fn name(&self) -> String {
        let team = self.team.as_ref().map_or("all teams", TeamName::as_str);
        format!("error budgets of the week, {team}, at {} {}, to {}", self.schedule.line(), self.zone, self.to)
    }
}

/// Slack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackConfig {
    /// Base of the Web API; `None`: Slack's own.
    pub api_url: Option<String>,
    /// A file with the bot token (`xoxb-`).
    pub bot_token_file: PathBuf,
    /// A file with the app-level token (`xapp-`) for Socket Mode.
    pub app_token_file: Option<PathBuf>,
    /// A file with the signing secret for requests over HTTP.
    pub signing_secret_file: Option<PathBuf>,
}

impl PrometheusConfig {
    /// A Prometheus at `url`, without credentials, with the default bounds.
    pub fn at(url: &str) -> Self {
        Self {
            url: url.trim_end_matches('/').to_owned(),
            other_replicas: Vec::new(),
            replica_label: None,
            enforced_label: None,
            credentials: Credentials::None,
            headers: BTreeMap::new(),
            tls: TlsFiles::default(),
            at_once: 4,
            settle: minutes(1),
            timeout: Duration::from_secs(15),
            max_bytes: 64 << 20,
            max_series: 100_000,
        }
    }
}

impl PrometheusConfig {
    /// Each replica as a Prometheus of its own, in the order of the file.
    pub fn replicas(&self) -> impl Iterator<Item = Self> {
        let urls = std::iter::once(&self.url).chain(&self.other_replicas);
        let labels = |label: &ReplicaLabel| {
            let one = |value: &String| Some(Box::new(ReplicaLabel { name: label.name.clone(), values: vec![value.clone()] }));
            label.values.iter().map(one).collect()
        };
        let labels = self.replica_label.as_deref().map_or_else(|| vec![None], labels);
        let of_url = move |url: &String| {
            let one = Self { url: url.clone(), other_replicas: Vec::new(), ..self.clone() };
            labels.iter().map(|label| Self { replica_label: label.clone(), ..one.clone() }).collect::<Vec<_>>()
        };
        urls.flat_map(of_url)
    }
}

impl Operators {
    /// The team `operators`, which always exists.
    pub fn team_name() -> TeamName {
        TeamName::parse("operators").expect("a name of the alphabet")
    }

    /// They as a team.
    pub fn team(&self) -> Team {
        Team { name: Self::team_name(), channel: self.channel.clone(), escalation: self.escalation.clone() }
    }
}

/// The channel alone, as its own step.
impl Default for Operators {
    fn default() -> Self {
        let channel = "#burnward".to_owned();
        let step = Step { page: vec![Recipient::Channel(channel.clone())], acknowledge_within: ACKNOWLEDGE_WITHIN };
        Self { channel, escalation: vec![step] }
    }
}

/// How long a step waits where the configuration does not say.
const ACKNOWLEDGE_WITHIN: Duration = minutes(5);

/// What runs without a configuration: tenant `main` with ./slo-definitions and ./runbooks, a Prometheus on this machine, SQLite in ./data.
impl Default for Config {
    fn default() -> Self {
        let source = SourceName::parse("prometheus").expect("a name of the alphabet");
        let main = TenantId::parse("main").expect("a name of the alphabet");
        let tenant = TenantConfig {
            slo_definitions: vec!["slo-definitions".into()],
            runbooks: Some("runbooks".into()),
            source: source.clone(),
            made: Vec::new(),
        };
        let operators = Operators::default();
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 9095)),
            token_file: None,
            external_url: "http://127.0.0.1:9095".to_owned(),
            tick: Duration::from_secs(10),
            storage: "data".into(),
            sources: BTreeMap::from([(source, SourceConfig::Prometheus(PrometheusConfig::at("http://127.0.0.1:9090")))]),
            tenants: BTreeMap::from([(main, tenant)]),
            people: BTreeMap::new(),
            teams: BTreeMap::from([(Operators::team_name(), operators.team())]),
            operators,
            slack: None,
            reports: Vec::new(),
            templates: None,
            slo_templates: Vec::new(),
        }
    }
}
