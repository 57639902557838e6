//! What was told, by each who knows of it: the incidents in the store, the posts that Slack took, the list of a backtest; and whether they say the same.

use std::{collections::BTreeSet, path::Path, process::Command, time::Duration};

use burnward::{
    replay::{Alarm, Alarms, Calls},
    store::NewEvent,
};
use burnward_core::{incident::Facts, time::Timestamp};
use burnward_integration_tests::{
    binary::burnward,
    received::{Place, Received},
    world::World,
};
use serde_json::Value;

/// The tick of a daemon that lives through days: a week has ten thousand of them.
pub(crate) const TICK: Duration = burnward_core::time::minutes(1);

/// The team's channel, and who is paged first.
const CHANNEL: &str = "#payments-oncall";
const FIRST: &str = "@ada";

/// What is the same of an alert that fired, whoever tells of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    /// Its key.
    pub(crate) alert: String,
    /// The burn rate of its row.
    pub(crate) row: Option<String>,
    /// In which incident.
    pub(crate) incident: String,
    /// Whether somebody was called.
    pub(crate) calls: bool,
    /// When it fired.
    pub(crate) at: Timestamp,
    /// `page`, `ticket: cannot see`, with `, joins` where nobody was called.
    pub(crate) what: String,
}

impl Told {
    fn of(alarm: &Alarm) -> Self {
        let row = match &alarm.facts {
            Facts::Burn(burn) => Some(burn.fired.row.factor.as_f64().to_string()),
            Facts::Blind(_) | Facts::Test(_) => None,
        };
        Self {
            alert: alarm.alert.to_string(),
            row,
            incident: alarm.incident.to_string(),
            calls: matches!(alarm.calls, Calls::People { .. }),
            at: alarm.at,
            what: alarm.told(),
        }
    }

    fn listed(alert: &Value) -> anyhow::Result<Self> {
        let text = |key: &str| alert[key].as_str().unwrap_or_default().to_owned();
        let at: jiff::Timestamp = text("at").parse()?;
        Ok(Self {
            alert: text("alert"),
            row: alert["burn_rate"].as_f64().map(|row| row.to_string()),
            incident: text("incident"),
            calls: alert["calls_people"].as_bool().unwrap_or_default(),
            at: Timestamp::from_millis(at.as_millisecond()),
            what: text("what"),
        })
    }

    /// Of the record of an SLO in shadow, which opens no incident: the one that a backtest names is left away.
    pub(crate) fn in_shadow(alert: &Value) -> anyhow::Result<Self> {
        let text = |key: &str| alert[key].as_str().unwrap_or_default().to_owned();
        let row = text("row").split_once('x').map(|(row, _)| row.to_owned());
        let at = Timestamp::from_millis(text("opened").parse::<jiff::Timestamp>()?.as_millisecond());
        Ok(Self { alert: text("alert"), row, incident: String::new(), calls: true, at, what: text("what") })
    }

    /// The same without the name of an incident.
    pub(crate) fn of_none(&self) -> Self {
        Self { incident: String::new(), ..self.clone() }
    }

    /// What is the same but for the moment.
    fn same(&self) -> Self {
        Self { at: Timestamp::from_seconds(0), ..self.clone() }
    }

    /// The SLO: `shop/availability`.
    pub(crate) fn slo(&self) -> &str {
        self.alert.split(['{', '#']).next().unwrap_or_default().trim_start_matches("main:")
    }

    /// Whether a post names the SLO, as what fails or as what cannot be seen, and the group.
    fn is_named_in(&self, post: &Received) -> bool {
        let name = self.slo().split('/').next_back().unwrap_or_default();
        let group = self.alert.split_once('{').and_then(|(_, group)| group.split('"').nth(1));
        let is_hidden = |text: &str| text.strip_prefix("Hidden: ").is_some_and(|all| all.split([',', ' ']).any(|one| one == name));
        let is_named = post.says(&format!("*{name}*")) || post.says.iter().any(|text| is_hidden(text));
        is_named && group.is_none_or(|group| post.says(group))
    }

    /// To whom the calls of it go.
    fn recipients(&self) -> &'static [&'static str] {
        match (self.calls, self.what.starts_with("page")) {
            (false, _) => &[],
            (true, true) => &[CHANNEL, FIRST],
            (true, false) => &[CHANNEL],
        }
    }
}

/// The pages and tickets that the daemon sent, by the events in its store.
pub(crate) async fn sent(world: &World) -> anyhow::Result<Vec<Told>> {
    let mut alarms = Alarms::new();
    for stored in world.stored_incidents().await? {
        let incident = stored.incident;
        let events: Vec<NewEvent> = stored
            .events
            .into_iter()
            .map(|event| NewEvent {
                incident: incident.id.clone(),
                fault: incident.fault.clone(),
                ordinal: incident.ordinal,
                event,
                phase: "",
            })
            .collect();
        alarms.take(&events);
    }
    Ok(sorted(alarms.all().iter().map(Told::of).collect()))
}

/// What `burnward backtest` lists.
pub(crate) async fn lists(config: &Path, args: &[&str]) -> anyhow::Result<Vec<Told>> {
    let backtest: Value = serde_json::from_str(&run(config, &[args, &["-o", "json"]].concat()).await?)?;
    let alerts = backtest["tenants"][0]["runs"][0]["alerts"].as_array().expect("a list");
    Ok(sorted(alerts.iter().map(Told::listed).collect::<anyhow::Result<_>>()?))
}

/// By incident and alert, so that a tick more or less changes no order.
pub(crate) fn sorted(mut told: Vec<Told>) -> Vec<Told> {
    told.sort_by(|a, b| (&a.incident, &a.alert, a.at).cmp(&(&b.incident, &b.alert, b.at)));
    told
}

/// The same alerts, rows, incidents and calls, each within so long.
pub(crate) fn assert_same(listed: &[Told], sent: &[Told], within: Duration, from: &str) {
    let same = |told: &[Told]| told.iter().map(Told::same).collect::<Vec<_>>();
    assert_eq!(same(listed), same(sent), "{from}");
    for (listed, sent) in listed.iter().zip(sent) {
        let apart = apart(listed.at, sent.at);
        assert!(apart <= within, "{from}: {} at {:?}, and it was sent at {:?}", listed.alert, listed.at, sent.at);
    }
}

/// Each call that is listed came to the channel and, where it is a page, to the one who is paged; it names the incident, the SLO and the group, and came
/// within so long; and nothing else came to anybody, nor to a channel but into a thread.
pub(crate) fn assert_received(listed: &[Told], received: &[Received], within: Duration, from: &str) {
    let calls = |post: &&Received| post.incident.is_some() || post.place == Place::Root;
    let mut left: Vec<&Received> = received.iter().filter(calls).collect();
    let mut roots: BTreeSet<&str> = BTreeSet::new();
    let mut in_time: Vec<&Told> = listed.iter().collect();
    in_time.sort_by_key(|told| told.at);
    for told in in_time {
        for to in told.recipients() {
            let is_it = |post: &Received| {
                let of_incident = post.incident.as_deref() == Some(&told.incident) && post.to == *to;
                of_incident && told.is_named_in(post) && apart(post.at, told.at) <= within
            };
            let Some(index) = left.iter().position(|post| is_it(post)) else {
                panic!("{from}: {told:#?} is listed, and did not come to {to}; what came and was not listed before it: {left:#?}")
            };
            let post = left.remove(index);
            let again = *to == CHANNEL && !roots.insert(&told.incident);
            let place = if again { Place::Thread { broadcast: true } } else { Place::Root };
            assert_eq!(post.place, place, "{from}: the first call of an incident in a channel is a post, others stand below it: {told:?}");
        }
    }
    assert!(left.is_empty(), "{from}: these came and are not listed: {left:#?}");
}

fn apart(a: Timestamp, b: Timestamp) -> Duration {
    a.since(b).max(b.since(a))
}

/// Nobody is called again for want of an answer before a day has passed, and no page is open for so long: a backtest lists no escalation.
pub(crate) async fn without_escalation(world: &mut World) -> anyhow::Result<()> {
    let steps = "{ page: [ada], acknowledge-within: 5m }, { page: [sam], acknowledge-within: 5m }";
    world.reconfigure(steps, "{ page: [ada], acknowledge-within: 24h }").await
}

/// What `burnward backtest` prints.
pub(crate) async fn run(config: &Path, args: &[&str]) -> anyhow::Result<String> {
    let mut command = Command::new(burnward()?);
    command.args(["backtest", "--config.file"]).arg(config).args(args);
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
