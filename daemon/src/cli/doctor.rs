//! `burnward doctor`: what is wrong, and the next command. Each line is OK, WARN or FAIL.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use burnward_core::{id::TenantId, ledger::Unknown, time::Timestamp};

use super::{documents, print};
use crate::{
    clock::Clock,
    config::{self, Config, PrometheusConfig, SourceConfig, TenantConfig},
    definition::{self, Diagnostic, Loaded, Removals, Severity},
    notify::{Sent, slack::Slack},
    source::{Probe, prometheus::Prometheus, scrape::Scrape},
    store::{Store, StoreError, StoreHealth},
    web::access::TokenFile,
};

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub(super) struct DoctorArgs {
    /// The operator's configuration; without it ./burnward.yaml, then /etc/burnward/burnward.yaml, then defaults.
    #[arg(long = "config.file", value_name = "FILE")]
    config_file: Option<PathBuf>,
}

/// How well something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Health {
    Ok,
    Warn,
    Fail,
}

/// One line of the report.
#[derive(Debug)]
struct Finding {
    health: Health,
    subject: String,
    text: String,
}

/// A clock that is further off than this makes pages late.
const SKEW_MILLIS: i64 = 30_000;

/// Runs the command: exit code 1 where something failed.
pub(super) async fn run(args: DoctorArgs) -> anyhow::Result<ExitCode> {
    let config = config::read(args.config_file.as_deref())?;
    let mut findings = vec![configuration(&config, args.config_file.as_deref())];
    let (found, store) = store(&config).await;
    findings.push(found);
    findings.extend(tokens(&config));
    for (tenant, tenant_config) in &config.tenants {
        findings.push(definitions(&config, tenant, tenant_config, store.as_ref()).await);
        findings.extend(source(&config, tenant_config, Clock::Wall.now()).await);
    }
    findings.extend(slack(&config).await);
    for Finding { health, subject, text } in &findings {
        let word = match health {
            Health::Ok => "OK  ",
            Health::Warn => "WARN",
            Health::Fail => "FAIL",
        };
        print::line(format_args!("{word}  {subject:<12} {text}"))?;
    }
    let failed = findings.iter().any(|finding| finding.health == Health::Fail);
    Ok(if failed { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn finding(health: Health, subject: &str, text: impl Into<String>) -> Finding {
    Finding { health, subject: subject.to_owned(), text: text.into() }
}

fn count(number: usize, noun: &str) -> String {
    burnward_core::words::plural(number, noun)
}

fn configuration(config: &Config, named: Option<&Path>) -> Finding {
    let text = format!("{} and {}", count(config.tenants.len(), "tenant"), count(config.teams.len(), "team"));
    if config::discover(named).is_some() {
        return finding(Health::Ok, "config", text);
    }
    let advice = "no burnward.yaml here nor in /etc/burnward: the defaults, without a team or Slack; `burnward init` lays one out";
    finding(Health::Warn, "config", advice)
}

/// How the store is, and the store where it can be read.
async fn store(config: &Config) -> (Finding, Option<Store>) {
    if !config.storage.join("burnward.db").exists() {
        return (no_store(&config.storage), None);
    }
    match Store::open_read_only(&config.storage).await {
        Ok(store) => match store.health().await {
            Ok(health) => (store_health(&health), Some(store)),
            Err(error) => (finding(Health::Fail, "store", error.to_string()), None),
        },
        Err(error @ StoreError::InUse { .. }) => (finding(Health::Warn, "store", error.to_string()), None),
        Err(error) => (finding(Health::Fail, "store", error.to_string()), None),
    }
}

/// Whether `run` could make the store: in the directory, or in the nearest one above it that exists.
fn no_store(directory: &Path) -> Finding {
    let there =
        directory.ancestors().map(|path| if path.as_os_str().is_empty() { Path::new(".") } else { path }).find(|path| path.exists());
    match tempfile::Builder::new().prefix(".burnward-doctor-").tempdir_in(there.unwrap_or(directory)) {
        Ok(_) => finding(Health::Warn, "store", format!("{} holds none yet; `burnward run` makes it", directory.display())),
        Err(error) => finding(Health::Fail, "store", format!("none can be made in {}: {error}", directory.display())),
    }
}

/// Whether somebody can be let in.
fn tokens(config: &Config) -> Option<Finding> {
    let file = config.token_file.as_ref()?;
    let name = file.display();
    Some(match std::fs::read_to_string(file).map(|text| TokenFile::read(&text)) {
        Err(error) => finding(Health::Fail, "tokens", format!("{name} cannot be read, nobody is let in: {error}")),
        Ok(TokenFile { callers: 0, .. }) => {
            finding(Health::Fail, "tokens", format!("{name} has no line NAME:TOKEN that can be used, nobody is let in"))
        }
        Ok(TokenFile { callers, unusable }) if unusable.is_empty() => {
            finding(Health::Ok, "tokens", format!("{name}, {}", count(callers, "caller")))
        }
        Ok(TokenFile { unusable, .. }) => finding(Health::Warn, "tokens", format!("{name}: {}", unusable.join("; "))),
    })
}

fn store_health(health: &StoreHealth) -> Finding {
    let mebibytes = |bytes: u64| format!("{:.1} MiB", bytes as f64 / (1024.0 * 1024.0));
    let text = format!(
        "{}, {} and {} of log, SQLite {}, synchronous {}",
        health.file.display(),
        mebibytes(health.file_bytes),
        mebibytes(health.wal_bytes),
        health.sqlite_version,
        health.synchronous
    );
    match (health.full, health.ballast) {
        (true, _) => finding(Health::Fail, "store", format!("the disk is full: free some of it; {text}")),
        (false, false) => finding(Health::Warn, "store", format!("the ballast for a full disk is not in place; {text}")),
        (false, true) => finding(Health::Ok, "store", text),
    }
}

async fn definitions(config: &Config, tenant: &TenantId, tenant_config: &TenantConfig, store: Option<&Store>) -> Finding {
    let mut loaded = definition::load(tenant, tenant_config, config, &documents::library(Some(config)));
    let subject = format!("slos/{tenant}");
    let refused = match store {
        Some(store) => refused_removal(&mut loaded, tenant, tenant_config, store).await,
        None => Ok(None),
    };
    let faults = loaded.faulty.len();
    match refused {
        Err(error) => return finding(Health::Fail, &subject, format!("what ran last cannot be read: {error}")),
        Ok(Some(refused)) => {
            let advice = refused.help.join("; ");
            return finding(Health::Fail, &subject, format!("{}: {}: {advice}", refused.code.id, refused.message));
        }
        Ok(None) => {}
    }
    if faults > 0 {
        let first = loaded.faulty.iter().find_map(|path| first_error(loaded.faults.get(path)?)).unwrap_or_default();
        let (load, broken) = (count(loaded.slos.len(), "SLO"), count(faults, "file"));
        finding(Health::Fail, &subject, format!("{load} load, {broken} cannot be used{first}; `burnward check` shows all of it"))
    } else if loaded.slos.is_empty() {
        finding(Health::Warn, &subject, "no SLO is defined: `burnward check slo-definitions` shows what would load")
    } else {
        finding(Health::Ok, &subject, count(loaded.slos.len(), "SLO"))
    }
}

/// What a daemon says of these files that refuses them, because most of what ran last would be gone (invariant 9): the decision of its load.
async fn refused_removal(
    loaded: &mut Loaded,
    tenant: &TenantId,
    place: &TenantConfig,
    store: &Store,
) -> Result<Option<Diagnostic>, StoreError> {
    let last_good = definition::load_stored(tenant, place, &store.definitions(tenant).await?);
    loaded.refuse_second_histories(&store.counted_slos(tenant).await?);
    let decided = definition::accept(&last_good, loaded, Removals::Guarded);
    Ok(place.slo_definitions.first().and_then(|directory| decided.fault(directory)))
}

/// The first error of a file, with its place.
fn first_error(diagnostics: &[Diagnostic]) -> Option<String> {
    let error = diagnostics.iter().find(|diagnostic| diagnostic.severity() == Severity::Error)?;
    let (start, _) = error.place.positions();
    Some(format!(", first {}:{}: {}: {}", error.place.source.name(), start.line, error.code.id, error.message))
}

async fn source(config: &Config, tenant: &TenantConfig, now: Timestamp) -> Vec<Finding> {
    let name = tenant.source.as_str();
    match config.sources.get(&tenant.source) {
        Some(SourceConfig::Prometheus(prometheus)) => {
            let of = prometheus.replicas().count();
            let mut replicas = Vec::new();
            for (one, number) in prometheus.replicas().zip(1..) {
                let place = if of > 1 { format!("replica {number} of {of}, {}: ", place_of(&one)) } else { String::new() };
                replicas.push(match Prometheus::new(&one) {
                    Ok(one) => probed(name, &place, one.probe(now).await),
                    Err(error) => vec![finding(Health::Fail, name, format!("{place}{error:#}"))],
                });
            }
            let mut findings = of_replicas(replicas);
            if of > 1 {
                let advice = "`burnward status` says which replica the daemon reads; it begins with the first";
                findings.push(finding(Health::Ok, name, advice));
            }
            findings
        }
        Some(SourceConfig::Scrape(scrape)) => match Scrape::new(scrape) {
            Ok(scrape) => {
                scrape.scrape(now).await;
                probed(name, "", scrape.probe(now))
            }
            Err(error) => vec![finding(Health::Fail, name, format!("{error:#}"))],
        },
        None => vec![finding(Health::Fail, name, "no source of that name in burnward.yaml")],
    }
}

/// What was found of each replica: where one of them serves, another that does not is a warning, because nothing is missed for it.
fn of_replicas(replicas: Vec<Vec<Finding>>) -> Vec<Finding> {
    let serves = |found: &Vec<Finding>| found.iter().all(|finding| finding.health < Health::Fail);
    let worst = if replicas.iter().any(serves) { Health::Warn } else { Health::Fail };
    let capped = |finding: Finding| Finding { health: finding.health.min(worst), ..finding };
    replicas.into_iter().flatten().map(capped).collect()
}

fn place_of(replica: &PrometheusConfig) -> String {
    match &replica.replica_label {
        Some(label) => format!("{} {{{}={:?}}}", replica.url, label.name, label.values.concat()),
        None => replica.url.clone(),
    }
}

/// What a source, or one replica of it, turned out to be like.
fn probed(name: &str, place: &str, probe: Result<Probe, Unknown>) -> Vec<Finding> {
    let probe = match probe {
        Ok(probe) => probe,
        Err(unknown) => return vec![finding(Health::Fail, name, format!("{place}{unknown}"))],
    };
    let keeps = probe.retention.as_ref().map(|retention| format!(", keeps {retention}")).unwrap_or_default();
    let product = format!("{place}{}{keeps}", probe.product);
    let seconds = |millis: i64| millis as f64 / 1000.0;
    let clock = match probe.skew_millis {
        Some(millis) if millis.abs() > SKEW_MILLIS => {
            let text = format!("{place}its clock is {:.1} s off ours; pages may be late: synchronise both", seconds(millis));
            finding(Health::Warn, name, text)
        }
        Some(millis) => finding(Health::Ok, name, format!("{product}, clock {:+.1} s off ours", seconds(millis))),
        None => finding(Health::Ok, name, format!("{product}, its clock cannot be known")),
    };
    let warnings = probe.warnings.iter().map(|warning| finding(Health::Warn, name, format!("{place}{warning}")));
    [clock].into_iter().chain(warnings).collect()
}

async fn slack(config: &Config) -> Vec<Finding> {
    let Some(settings) = &config.slack else {
        return vec![finding(Health::Warn, "slack", "not configured: pages wait in the outbox; `burnward slack manifest` begins it")];
    };
    let slack = match Slack::connect(settings) {
        Ok(slack) => slack,
        Err(error) => return vec![finding(Health::Fail, "slack", format!("{error:#}"))],
    };
    let mut findings = match slack.test().await {
        Ok(who) => vec![finding(Health::Ok, "slack", who)],
        Err(error) => return vec![finding(Health::Fail, "slack", error.to_string())],
    };
    findings.extend(socket_mode(&slack).await);
    let channels = config.teams.values().map(|team| team.channel.as_str()).chain([config.operators.channel.as_str()]);
    let channels = channels.chain(config.reports.iter().map(|report| report.to.as_str()));
    let mut channels: Vec<&str> = channels.collect();
    channels.sort_unstable();
    channels.dedup();
    for channel in channels {
        findings.push(if slack.channel(channel).await.identified {
            finding(Health::Ok, "slack", format!("finds {channel}"))
        } else {
            finding(Health::Fail, "slack", format!("{channel} is not found: create it, or run /invite @burnward there if it is private"))
        });
    }
    for (name, person) in &config.people {
        findings.push(match slack.user(name, Some(person)).await {
            Ok(user) => finding(Health::Ok, "slack", format!("{name} is {user}")),
            Err(sent) => finding(Health::Fail, "slack", format!("{name}: {}", reason(&sent))),
        });
    }
    findings
}

/// Whether clicks can come over Socket Mode, where it is configured.
async fn socket_mode(slack: &Slack) -> Option<Finding> {
    Some(match slack.test_socket().await? {
        Ok(()) => finding(Health::Ok, "slack", "the app token opens Socket Mode"),
        Err(error) => {
            let advice =
                "buttons do nothing: write an app-level token with the scope `connections:write` into the file that `app-token-file` names";
            finding(Health::Fail, "slack", format!("Socket Mode: {error}; {advice}"))
        }
    })
}

fn reason(sent: &Sent) -> &str {
    match sent {
        Sent::Delivered(_) => "found",
        Sent::Retry { reason, .. } | Sent::Permanent { reason, .. } | Sent::Ambiguous { reason } => reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{Daemon, Options, Pace};

    fn check(found: &Finding, health: Health, says: &str) {
        assert!(found.health == health && found.text.contains(says), "{found:?}");
    }

    #[test]
    fn a_store_that_cannot_be_made_fails() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        std::fs::write(&file, "").unwrap();
        check(&no_store(&file), Health::Fail, "none can be made");
        check(&no_store(&file.join("below")), Health::Fail, "none can be made");
        check(&no_store(Path::new("/proc/burnward")), Health::Fail, "none can be made");
        check(&no_store(&directory.path().join("new/data")), Health::Warn, "makes it");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "nothing stays behind");
    }

    #[tokio::test]
    async fn a_removal_that_the_daemon_refuses_fails_by_the_same_words() {
        drop(rustls::crypto::ring::default_provider().install_default());
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let slo = |service: &str| {
            format!(
                "version: burnward/v1\nservice: {service}\nteam: operators\nslos:\n  - name: availability\n    sli:\n      events: {{ bad: 'bad{{job=\"{service}\"}}', total: 'all{{job=\"{service}\"}}' }}\n    objectives:\n      - {{ target: 99.9%, window: 30d }}\n"
            )
        };
        std::fs::create_dir(at("slo-definitions")).unwrap();
        for service in ["cart", "checkout", "search"] {
            std::fs::write(at(&format!("slo-definitions/{service}.yaml")), slo(service)).unwrap();
        }
        std::fs::write(
            at("burnward.yaml"),
            "version: burnward/v1\nlisten: 127.0.0.1:0\nstorage: { path: data }\nsources: { prom: { prometheus: { url: http://127.0.0.1:9 } } }\ntenants: { main: { slo-definitions: [slo-definitions], source: prom } }\n",
        )
        .unwrap();
        let config = config::read(Some(&at("burnward.yaml"))).unwrap();
        let options = Options { pace: Pace::ByHand, ..Options::default() };
        let daemon = Daemon::start(config.clone(), options).await.unwrap();
        let found = async || {
            let (tenant, place) = config.tenants.first_key_value().unwrap();
            let (_, store) = store(&config).await;
            definitions(&config, tenant, place, Some(&store.expect("a store beside a daemon"))).await
        };
        check(&found().await, Health::Ok, "3 SLOs");
        for service in ["cart", "checkout"] {
            std::fs::remove_file(at(&format!("slo-definitions/{service}.yaml"))).unwrap();
        }
        let said = daemon.handle.reload(Removals::Guarded).await.unwrap();
        assert_eq!(said, "3 SLOs run; a removal of most SLOs is refused: `burnward doctor` says of which and what to do");
        let status = crate::web::api::wire::Fault::from(&daemon.handle.view.borrow().definition_faults[0]);
        assert!(status.removal_refused && status.what_is_wrong().contains("refused") && status.text.contains("E1301"), "{status:?}");
        let refused = "E1301: 2 of 3 SLOs would be removed (cart/availability, checkout/availability); the last good definitions run on: restore \
            the files (is the volume mounted?), or start once with `burnward run --accept-removals`";
        check(&found().await, Health::Fail, refused);
        daemon.handle.reload(Removals::Accepted).await.unwrap();
        check(&found().await, Health::Ok, "1 SLO");
    }

    #[tokio::test]
    async fn an_app_token_that_opens_no_socket_fails_whatever_the_bot_token_says() {
        drop(rustls::crypto::ring::default_provider().install_default());
        let stand_in = burnward_stand_ins::slack::SlackStandIn::start(burnward_stand_ins::slack::Options::default()).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::write(at("bot"), stand_in.bot_token()).unwrap();
        let api = stand_in.api_url();
        let with = |tokens: &str| {
            let text = format!("version: burnward/v1\nslack: {{ api-url: '{api}', bot-token-file: bot{tokens} }}\n");
            std::fs::write(at("burnward.yaml"), text).unwrap();
            config::read(Some(&at("burnward.yaml"))).unwrap()
        };
        let config = with(", app-token-file: app");
        let advice = "write an app-level token with the scope `connections:write` into the file that `app-token-file` names";
        for (token, health, says) in [
            (None, Health::Fail, "No such file"),
            (Some(" \n"), Health::Fail, "it is empty"),
            (Some(stand_in.bot_token()), Health::Fail, "holds no app-level token: that begins with `xapp-`"),
            (Some("xapp-wrong"), Health::Fail, "Slack answered invalid_auth"),
            (Some(stand_in.app_token()), Health::Ok, "the app token opens Socket Mode"),
        ] {
            if let Some(token) = token {
                std::fs::write(at("app"), token).unwrap();
            }
            let found = slack(&config).await;
            check(&found[0], Health::Ok, "as burnward");
            check(&found[1], health, says);
            assert_eq!(found[1].text.contains(advice), health == Health::Fail, "{found:?}");
            assert!(!found[1].text.contains("xoxb-"), "no token is shown: {found:?}");
        }
        assert!(slack(&with("")).await.iter().all(|found| !found.text.contains("Socket Mode")));
    }

    #[test]
    fn a_replica_that_does_not_answer_fails_only_where_none_does() {
        let found = |healths: [Health; 2]| {
            let replicas = healths.map(|health| vec![finding(Health::Warn, "prom", "its clock"), finding(health, "prom", "answers?")]);
            of_replicas(replicas.into()).into_iter().map(|found| found.health).max()
        };
        assert_eq!(found([Health::Fail, Health::Ok]), Some(Health::Warn));
        assert_eq!(found([Health::Fail, Health::Fail]), Some(Health::Fail));
        assert_eq!(of_replicas(vec![vec![finding(Health::Fail, "prom", "alone")]])[0].health, Health::Fail);
    }

    #[test]
    fn a_token_file_that_lets_nobody_in_fails() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("tokens");
        let config = Config { token_file: Some(file.clone()), ..Config::default() };
        let found = || tokens(&config).unwrap();
        check(&found(), Health::Fail, "cannot be read");
        for (text, health, says) in [
            ("# people\n", Health::Fail, "nobody"),
            ("ana:short\n", Health::Fail, "nobody"),
            (
                "ana:0123456789abcdef\n\nben:short\nnonsense\n",
                Health::Warn,
                "line 3: the token of ben has fewer than 16 characters; line 4: no NAME:TOKEN",
            ),
            ("ana:0123456789abcdef\n", Health::Ok, "1 caller"),
        ] {
            std::fs::write(&file, text).unwrap();
            check(&found(), health, says);
        }
        assert!(tokens(&Config::default()).is_none());
    }
}
