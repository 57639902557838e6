//! Whatever a source answers wrongly while a page is open: nothing of it counts as good, nothing resolves, nobody is paged again for the same fault, and
//! once it answers rightly the ledger is as if nothing had happened.

use std::{collections::BTreeSet, time::Duration};

use burnward::{app::Daemon, store::StoredIncident, view::Circuit};
use burnward_core::{
    evaluate::BudgetStatus,
    id::{IncidentId, SourceName, TenantId},
    incident::{Facts, Incident, Kind},
    ledger::{Counts, Reason},
    time::{Timestamp, minutes},
};
use burnward_integration_tests::lone::{Lone, at, by_hand};
use burnward_stand_ins::prometheus::{Class, FakePrometheus, Fault};

const SLO: &str = r#"version: burnward/v1
service: shop
team: operators
slos:
  - name: pay
    title: Customers can pay
    sli: { events: { bad: 'hits_total{code="500"}', total: 'hits_total' } }
    objectives: [ { target: 99%, window: 30d } ]
  - name: search
    title: Customers can search
    sli: { events: { bad: 'searches_total{code="500"}', total: 'searches_total' } }
    objectives: [ { target: 99%, window: 30d } ]
"#;

/// A whole hour: where old slices are joined, none of them holds what was before.
const START: Timestamp = Timestamp::from_seconds(1_699_999_200);
/// For how long each fault lasts: longer than the patience with a blind source.
const FAULT: Duration = minutes(6);
/// From then on everything fails, in seconds after the start.
const FAILS: i64 = 300;

/// A shop whose payments fail, and a daemon over it whose clock is moved by hand.
struct Shop {
    fake: FakePrometheus,
    daemon: Daemon,
    tenant: TenantId,
    _root: tempfile::TempDir,
}

impl Shop {
    async fn open() -> anyhow::Result<Self> {
        Self::with(SLO).await
    }

    async fn with(slos: &str) -> anyhow::Result<Self> {
        let (fake, root) = (FakePrometheus::start().await?, tempfile::tempdir()?);
        for second in (-3600..6 * 3600).step_by(15) {
            scrape(&fake, second);
        }
        let sources = [("prom", format!("{}, max-series: 100, max-bytes: 1048576", at(fake.url())))];
        let lone = Lone { tick: "15s", sources: &sources, tenants: &[("main", "prom")], documents: &[("shop.yaml", slos)] };
        let daemon = lone.start(root.path(), by_hand(START)).await?;
        Ok(Self { fake, daemon, tenant: TenantId::parse("main")?, _root: root })
    }

    async fn status(&self, slo: &str) -> BudgetStatus {
        let budgets = self.daemon.handle.budgets(&self.tenant).await.expect("it runs");
        budgets.iter().find(|status| status.budget.slo.name.as_str() == slo).expect("it is defined").clone()
    }

    async fn incidents(&self) -> anyhow::Result<Vec<Incident>> {
        let stored = self.daemon.handle.store.incidents(&self.tenant, 100, None).await?;
        Ok(stored.into_iter().map(|stored| stored.incident).collect())
    }

    async fn counted(&self, slo: &str) -> Counts {
        let (budget, now) = (self.status(slo).await.budget, self.daemon.handle.clock.now());
        self.daemon.handle.between(&budget, START, now).await.expect("it is counted").0
    }
}

fn scrape(fake: &FakePrometheus, second: i64) {
    scrape_of(fake, second, FAILS);
}

/// Of a shop whose every event from second `fails` on is bad.
fn scrape_of(fake: &FakePrometheus, second: i64, fails: i64) {
    let at = START.millis() + second * 1000;
    let (good, bad) = (10_000 + second.min(fails), (second - fails).max(0));
    for metric in ["hits_total", "searches_total"] {
        for (code, value) in [("200", good), ("500", bad)] {
            let value = f64::from(i32::try_from(value).expect("small"));
            fake.push(&[("__name__", metric), ("job", "shop"), ("instance", "a:1"), ("code", code)], at, value);
        }
    }
    fake.push(&[("__name__", "up"), ("job", "shop"), ("instance", "a:1")], at, 1.0);
}

fn status(code: u16) -> Fault {
    Fault::Status { code, error_type: String::new(), message: "no".to_owned(), retry_after: None }
}

#[tokio::test]
async fn no_wrong_answer_resolves_a_page_or_gives_budget_back_and_none_leaves_a_trace() -> anyhow::Result<()> {
    let value = |text: &str| Fault::Value(text.to_owned());
    let shop = Shop::open().await?;
    shop.daemon.fast_forward(minutes(15)).await;
    let page = IncidentId::from_text("shop-burn-1");
    assert!(shop.incidents().await?.iter().any(|incident| incident.id == page && incident.is_open()));

    for (fault, reason) in [
        (Fault::Refuse, Reason::Unreachable),
        (Fault::Reset, Reason::Cut),
        (Fault::Html, Reason::BadType),
        (Fault::Redirect("https://sso.example/".to_owned()), Reason::BadType),
        (Fault::Truncated, Reason::BadJson),
        (Fault::TwoObjects, Reason::BadJson),
        (Fault::Endless, Reason::TooBig),
        (Fault::GzipBomb { mebibytes: 100 }, Reason::TooBig),
        (Fault::ManySeries(200), Reason::TooMany),
        (status(401), Reason::Denied),
        (status(422), Reason::BadQuery),
        (status(429), Reason::Busy),
        (status(503), Reason::Busy),
        (status(504), Reason::Timeout),
        (Fault::ErrorWith200("internal".to_owned()), Reason::SourceError),
        (Fault::NoData, Reason::BadJson),
        (Fault::Warning("a store is missing".to_owned()), Reason::Partial),
        (Fault::IsPartial, Reason::Partial),
        (Fault::DuplicateSeries, Reason::Duplicate),
        (Fault::ConflictingSamples, Reason::Duplicate),
        (Fault::SampleAfter(3_600_000), Reason::ClockSkew),
        (Fault::NoSeries, Reason::Stale),
        (value("abc"), Reason::BadJson),
    ] {
        let before = shop.status("pay").await.left.expect("it was seen").ratio;
        shop.fake.fail(Class::Query, fault.clone()).await;
        shop.daemon.fast_forward(FAULT).await;
        let blind = shop.status("pay").await;
        assert_eq!(blind.unknown.as_ref().map(|unknown| unknown.reason), Some(reason), "{fault:?}");
        assert!(blind.left.is_none_or(|left| left.ratio <= before), "{fault:?} gave budget back: {before} and then {:?}", blind.left);
        let incidents = shop.incidents().await?;
        let burns = incidents.iter().filter(|incident| incident.id.as_str().starts_with("shop-burn-")).count();
        assert!(burns == 1 && incidents.iter().any(|incident| incident.id == page && incident.is_open()), "{fault:?}");
        let told = incidents.iter().filter(|incident| incident.is_open() && incident.fault.kind == Kind::CannotSee).count();
        assert_eq!(told, 1, "{fault:?} is told once");

        shop.fake.heal().await;
        shop.daemon.fast_forward(minutes(1)).await;
        assert_eq!(shop.status("pay").await.unknown, None, "{fault:?}");
        let (counts, passed) = (shop.counted("pay").await, shop.daemon.handle.clock.now().since(START).as_secs());
        let bad = i64::try_from(passed)? / 15 * 15 - FAILS;
        assert_eq!((counts.good, counts.bad), (FAILS, bad), "{fault:?} left a trace");
    }
    Ok(())
}

#[tokio::test]
async fn values_that_no_counter_has_are_not_counted_and_what_comes_after_them_is() -> anyhow::Result<()> {
    for (text, reason) in [
        ("NaN", Reason::Nan),
        ("+Inf", Reason::Infinite),
        ("-Inf", Reason::Infinite),
        ("1e999", Reason::Infinite),
        ("-5", Reason::Negative),
        ("0.5", Reason::Fractional),
    ] {
        let shop = Shop::open().await?;
        shop.daemon.fast_forward(minutes(15)).await;
        shop.fake.fail_where("hits_total", Fault::Value(text.to_owned()));
        shop.daemon.fast_forward(FAULT).await;
        assert_eq!(shop.status("pay").await.unknown.map(|unknown| unknown.reason), Some(reason), "{text}");
        assert_eq!(shop.status("search").await.unknown, None, "{text}: another metric is seen");
        shop.fake.heal().await;
        shop.daemon.fast_forward(minutes(2)).await;
        let counts = shop.counted("pay").await;
        assert_eq!((shop.status("pay").await.unknown, counts.good, counts.bad), (None, FAILS, 23 * 60 - FAILS), "{text}");
    }
    Ok(())
}

#[tokio::test]
async fn a_query_that_is_refused_is_told_to_its_owner_once() -> anyhow::Result<()> {
    let shop = Shop::open().await?;
    shop.fake.fail_where("searches_total", status(422));
    shop.daemon.fast_forward(minutes(4)).await;
    assert!(shop.incidents().await?.is_empty(), "not at once");
    shop.daemon.fast_forward(minutes(30)).await;
    let incidents = shop.incidents().await?;
    let told = incidents.iter().filter(|incident| incident.fault.kind == Kind::CannotSee).count();
    assert_eq!((told, shop.status("pay").await.unknown), (1, None));
    assert_eq!(shop.status("search").await.unknown.map(|unknown| unknown.reason), Some(Reason::BadQuery));
    Ok(())
}

#[tokio::test]
async fn who_is_told_that_one_slo_cannot_be_seen_is_told_of_all_that_cannot_for_the_same_reason() -> anyhow::Result<()> {
    let shop = Shop::with(&format!("{SLO}    no-data: {{ after: 1m, then: page }}\n")).await?;
    for metric in ["hits_total", "searches_total"] {
        shop.fake.fail_where(metric, status(422));
    }
    shop.daemon.fast_forward(minutes(2)).await;
    let incidents = shop.incidents().await?;
    let facts: Vec<&Facts> = incidents.iter().flat_map(|incident| incident.members.values()).map(|member| &member.facts).collect();
    let [Facts::Blind(blind)] = facts.as_slice() else { panic!("one alert: {facts:?}") };
    let hides: Vec<&str> = blind.hides.iter().map(|slo| slo.name.as_str()).collect();
    assert_eq!(hides, ["pay", "search"], "also the one whose owner waits longer");
    Ok(())
}

/// Two services with a team each, whose teams want to be paged for what they cannot see.
async fn two_services(fake: &FakePrometheus, root: &std::path::Path) -> anyhow::Result<Daemon> {
    for second in (-3600..3600).step_by(15) {
        scrape_of(fake, second, 3600);
    }
    let document = |service: &str, metric: &str| {
        format!(
            "version: burnward/v1\nservice: {service}\nteam: {service}\nslos:\n  - name: works\n    title: It works\n    sli: {{ events: {{ bad: \
             '{metric}{{code=\"500\"}}', total: '{metric}' }} }}\n    objectives: [ {{ target: 99%, window: 1d }} ]\n    \
             no-data: {{ after: 2m, then: page }}\n"
        )
    };
    let (pay, search) = (document("pay", "hits_total"), document("search", "searches_total"));
    let documents = [("pay.yaml", pay.as_str()), ("search.yaml", search.as_str())];
    let sources = [("prom", format!("{}, max-series: 100, max-bytes: 1048576", at(fake.url())))];
    let lone = Lone { tick: "15s", sources: &sources, tenants: &[("main", "prom")], documents: &documents };
    let teams = "operators: { channel: \"#burnward\" }\nteams: { pay: { channel: \"#pay\" }, search: { channel: \"#search\" } }\n";
    lone.start_with(teams, root, by_hand(START)).await
}

/// Whom an incident called.
fn recipients(stored: &StoredIncident) -> Vec<String> {
    let all: BTreeSet<String> = stored.incident.pages.values().map(|page| page.to.to_string()).collect();
    all.into_iter().collect()
}

#[tokio::test]
async fn where_no_answer_can_be_used_the_operators_are_paged_once_for_the_source_and_no_team_is() -> anyhow::Result<()> {
    for (fault, reason) in [
        (status(500), Reason::SourceError),
        (Fault::Warning("a store is missing".to_owned()), Reason::Partial),
        (Fault::DuplicateSeries, Reason::Duplicate),
        (Fault::SampleAfter(3_600_000), Reason::ClockSkew),
        (Fault::Endless, Reason::TooBig),
        (Fault::ManySeries(200), Reason::TooMany),
        (status(422), Reason::BadQuery),
    ] {
        let (fake, root) = (FakePrometheus::start().await?, tempfile::tempdir()?);
        let daemon = two_services(&fake, root.path()).await?;
        let (tenant, prom) = (TenantId::parse("main")?, SourceName::parse("prom")?);
        let source = || daemon.handle.view.borrow().sources[&(tenant.clone(), prom.clone())].clone();
        let incidents = async || anyhow::Ok(daemon.handle.store.incidents(&tenant, 10, None).await?);
        daemon.fast_forward(minutes(2)).await;
        assert_eq!((source().blind, source().circuit), (None, Circuit::Closed), "{fault:?}");
        let good = source().last_good;

        fake.fail(Class::Query, fault.clone()).await;
        daemon.fast_forward(minutes(4)).await;
        let (_, why) = source().blind.expect("no answer can be used");
        assert_eq!((why.reason, source().circuit, source().last_good), (reason, Circuit::Open, good), "{fault:?}: {why}");
        let asked = fake.asked().len();
        daemon.fast_forward(minutes(1)).await;
        let small = fake.asked().into_iter().skip(asked).filter_map(|asked| asked.form.get("query").cloned());
        let others: Vec<String> = small.filter(|query| !query.starts_with("up") && query != "time()").collect();
        assert_eq!(others, Vec::<String>::new(), "{fault:?}: one small question is asked a tick");
        let explained = reqwest::get(format!("http://{}/api/v1/slos/search/works/explain", daemon.address)).await?;
        let explained: serde_json::Value = explained.error_for_status()?.json().await?;
        assert_eq!(explained["budgets"][0]["rows"][0]["decided_by"], "blind-source", "{fault:?}: {explained}");
        daemon.fast_forward(minutes(10)).await;
        let told = incidents().await?;
        let [one] = told.as_slice() else { panic!("{fault:?} is one page: {told:?}") };
        assert_eq!((one.incident.id.as_str(), recipients(one)), ("prom-cannot-see-1", vec!["#burnward".to_owned()]), "{fault:?}");
        let facts: Vec<&Facts> = one.incident.members.values().map(|member| &member.facts).collect();
        let [Facts::Blind(blind)] = facts.as_slice() else { panic!("{fault:?}: one alert: {facts:?}") };
        let hides: Vec<&str> = blind.hides.iter().map(|slo| slo.service.as_str()).collect();
        assert_eq!((blind.unknown.reason, hides), (reason, vec!["pay", "search"]), "{fault:?}");

        fake.heal().await;
        daemon.fast_forward(minutes(2)).await;
        assert_eq!((source().blind, source().circuit), (None, Circuit::Closed), "{fault:?}");
        daemon.fast_forward(minutes(10)).await;
        let told = incidents().await?;
        assert!(told.len() == 1 && !told[0].incident.is_open(), "{fault:?}: {told:?}");
        daemon.stop().await;
    }
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_used_of_one_service_is_told_to_its_team_alone() -> anyhow::Result<()> {
    for fault in [Fault::Warning("a store is missing".to_owned()), Fault::DuplicateSeries] {
        let (fake, root) = (FakePrometheus::start().await?, tempfile::tempdir()?);
        let daemon = two_services(&fake, root.path()).await?;
        daemon.fast_forward(minutes(2)).await;
        fake.fail_where("searches_total", fault.clone());
        daemon.fast_forward(minutes(10)).await;
        let told = daemon.handle.store.incidents(&TenantId::parse("main")?, 10, None).await?;
        let [one] = told.as_slice() else { panic!("{fault:?} is one page: {told:?}") };
        assert_eq!((one.incident.id.as_str(), recipients(one)), ("search-cannot-see-1", vec!["#search".to_owned()]), "{fault:?}");
        let view = daemon.handle.view.borrow().clone();
        assert!(view.sources.values().all(|source| source.blind.is_none()), "{fault:?}");
        daemon.stop().await;
    }
    Ok(())
}

/// What is one tenant's is asked for under its header alone, although both ask one server for the same; and an answer that holds what the other's is, or
/// anything else that was not asked for, is none for whom it came to, is counted, and pages the operators.
#[tokio::test]
async fn tenants_of_one_server_are_asked_for_apart_each_under_its_own_header() -> anyhow::Result<()> {
    let (fake, root) = (FakePrometheus::start().await?, tempfile::tempdir()?);
    for second in (-3600..6 * 3600).step_by(15) {
        scrape(&fake, second);
    }
    let of = |tenant: &str| format!("{}, headers: {{ X-Scope-OrgID: {tenant} }}", at(fake.url()));
    let sources = [("mimir-acme", of("acme")), ("mimir-globex", of("globex"))];
    let tenants = [("acme", "mimir-acme"), ("globex", "mimir-globex")];
    let lone = Lone { tick: "15s", sources: &sources, tenants: &tenants, documents: &[("shop.yaml", SLO)] };
    let daemon = lone.start(root.path(), by_hand(START)).await?;
    daemon.fast_forward(minutes(1)).await;
    let asked = fake.asked();
    for tenant in ["acme", "globex"] {
        let own = asked.iter().filter(|asked| asked.headers.get("x-scope-orgid").is_some_and(|header| header == tenant));
        assert!(own.filter(|asked| asked.form.get("query").is_some_and(|query| query.contains("hits_total"))).count() > 1, "{tenant}");
    }
    assert!(asked.iter().all(|asked| asked.headers.contains_key("x-scope-orgid")), "nothing is asked for without saying for whom");

    fake.fail(Class::Query, Fault::Label("__name__".to_owned(), "somebody_elses_total".to_owned())).await;
    daemon.fast_forward(minutes(6)).await;
    let view = daemon.handle.view.borrow().clone();
    for (tenant, source) in tenants {
        let blind = &view.sources[&(TenantId::parse(tenant)?, SourceName::parse(source)?)].blind;
        assert_eq!(blind.as_ref().map(|(_, unknown)| unknown.reason), Some(Reason::Foreign), "{tenant}");
        let incidents = daemon.handle.store.incidents(&TenantId::parse(tenant)?, 10, None).await?;
        assert!(incidents.iter().any(|stored| stored.incident.fault.kind == Kind::CannotSee && stored.incident.is_open()), "{tenant}");
    }
    let metrics = reqwest::get(format!("http://{}/metrics", daemon.address)).await?.text().await?;
    for (_, source) in tenants {
        let line = format!("burnward_source_foreign_answers_total{{source=\"{source}\"}} ");
        let count = metrics.lines().find_map(|metric| metric.strip_prefix(&line)).and_then(|count| count.parse::<u64>().ok());
        assert!(count.is_some_and(|count| count > 0), "{source}: {count:?}");
    }
    Ok(())
}

/// Two tenants of one Prometheus, told apart by a label that the operator sets, with the same documents: each counts its own, and one whose documents ask
/// for the other's sees nothing.
#[tokio::test]
async fn tenants_of_one_server_see_what_their_enforced_label_lets_them_whatever_their_documents_say() -> anyhow::Result<()> {
    let (fake, root) = (FakePrometheus::start().await?, tempfile::tempdir()?);
    for second in (-3600..3600_i64).step_by(15) {
        let at = START.millis() + second * 1000;
        for (tenant, each) in [("acme", 1_i64), ("globex", 100)] {
            let own = [("tenant", tenant), ("job", "shop"), ("instance", "a:1")];
            for (code, share) in [("200", 99), ("500", 1)] {
                let labels: Vec<(&str, &str)> = [("__name__", "hits_total"), ("code", code)].into_iter().chain(own).collect();
                fake.push(&labels, at, ((second + 3600) / 15 * each * share) as f64);
            }
            let up: Vec<(&str, &str)> = [("__name__", "up")].into_iter().chain(own).collect();
            fake.push(&up, at, 1.0);
        }
    }
    let of = |tenant: &str| format!("{}, enforced-label: {{ tenant: {tenant} }}", at(fake.url()));
    let sources = [("prom-acme", of("acme")), ("prom-globex", of("globex"))];
    let tenants = [("acme", "prom-acme"), ("globex", "prom-globex")];
    let slo = |name: &str, more: &str| {
        let sli = format!("{{ events: {{ bad: 'hits_total{{code=\"500\"{more}}}', total: 'hits_total{{code=~\".+\"{more}}}' }} }}");
        format!("  - name: {name}\n    sli: {sli}\n    objectives: [{{ target: 50%, window: 1d }}]\n")
    };
    let slos = slo("own", "") + &slo("theirs", r#", tenant="globex""#) + &slo("all", r#", tenant=~".*""#);
    let document = format!("version: burnward/v1\nservice: shop\nteam: operators\nslos:\n{slos}");
    let lone = Lone { tick: "15s", sources: &sources, tenants: &tenants, documents: &[("shop.yaml", &document)] };
    let daemon = lone.start(root.path(), by_hand(START)).await?;
    daemon.fast_forward(minutes(10)).await;

    let mut seen = Vec::new();
    for (tenant, _) in tenants {
        let budgets = daemon.handle.budgets(&TenantId::parse(tenant)?).await?;
        let of_slo =
            |slo| budgets.iter().filter(|status| status.budget.slo.name.as_str() == slo).map(|status| status.counts.total()).sum::<i64>();
        seen.push(["own", "theirs", "all"].map(of_slo));
    }
    let few = seen[0][0];
    assert!(few >= 4_000, "{seen:?}");
    assert_eq!(seen, [[few, 0, few], [few * 100; 3]]);
    let foreign = |query: &String| query.contains("hits_total") && query.contains("tenant=\"globex\"") != query.contains("tenant=\"acme\"");
    let asked: Vec<String> = fake.asked().into_iter().filter_map(|asked| asked.form.get("query").cloned()).collect();
    assert!(asked.iter().any(foreign), "{asked:?}");
    assert!(asked.iter().filter(|query| *query != "time()").all(|query| query.contains("tenant=\"")), "{asked:?}");
    Ok(())
}
