//! A source in trouble is a matter of its own tenant: nobody else waits for it, and it is not loaded with what it cannot answer. One heavy question is a
//! matter of the SLOs that hang on it.

use std::{fmt::Write as _, path::Path, time::Duration};

use burnward::{
    app::{Daemon, Options},
    clock::Clock,
    definition::Removals,
};
use burnward_core::{
    id::{SourceName, TenantId},
    ledger::Reason,
    time::{Timestamp, minutes},
};
use burnward_integration_tests::lone::{Lone, PAYMENTS, at, by_hand};
use burnward_stand_ins::prometheus::{Class, FakePrometheus, Fault};

const START: Timestamp = Timestamp::from_seconds(1_700_000_000);

/// Two tenants with the same SLO: what acme has is good, what globex has is in trouble.
async fn daemon(root: &Path, good: String, bad: &FakePrometheus, options: Options) -> anyhow::Result<Daemon> {
    let sources = [("good", good), ("bad", at(bad.url()))];
    let tenants = [("acme", "good"), ("globex", "bad")];
    Lone { tick: "1s", sources: &sources, tenants: &tenants, documents: &[("shop.yaml", PAYMENTS)] }.start(root, options).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_never_answers_delays_no_other() -> anyhow::Result<()> {
    let (good, bad, root) = (FakePrometheus::start().await?, FakePrometheus::start().await?, tempfile::tempdir()?);
    bad.fail(Class::Query, Fault::Hang).await;
    let daemon = daemon(root.path(), at(good.url()), &bad, Options::default()).await?;
    let mut view = daemon.handle.view.clone();
    let source = (TenantId::parse("acme")?, SourceName::parse("good")?);
    let mut read: Vec<Timestamp> = Vec::new();
    // The other source's first question alone takes 15 s until it is given up.
    tokio::time::timeout(Duration::from_secs(12), async {
        while read.len() < 2 || read[read.len() - 1].since(read[0]) < Duration::from_secs(4) {
            view.changed().await?;
            read.extend(view.borrow_and_update().sources.get(&source).and_then(|source| source.last_good));
            read.dedup();
        }
        anyhow::Ok(())
    })
    .await??;
    let longest = read.windows(2).map(|pair| pair[1].since(pair[0])).max().unwrap_or_default();
    // A tick is a second; a second tick more is a busy machine's.
    assert!(longest < Duration::from_secs(3), "{longest:?} between two rounds");
    daemon.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_source_that_stays_blind_is_asked_one_question_a_tick_until_it_answers() -> anyhow::Result<()> {
    let (good, bad, root) = (FakePrometheus::start().await?, FakePrometheus::start().await?, tempfile::tempdir()?);
    let daemon = daemon(root.path(), at(good.url()), &bad, by_hand(START)).await?;
    daemon.fast_forward(minutes(1)).await;
    bad.fail(Class::Query, Fault::Refuse).await;
    daemon.fast_forward(minutes(1)).await;
    bad.heal().await;
    bad.fail(Class::Query, Fault::Html).await;
    let before = bad.asked().len();
    daemon.fast_forward(Duration::from_secs(10)).await;
    assert_eq!(bad.asked().len() - before, 10);

    bad.heal().await;
    let (before, healthy) = (bad.asked().len(), good.asked().len());
    daemon.fast_forward(Duration::from_secs(10)).await;
    assert_eq!(bad.asked().len() - before, good.asked().len() - healthy, "all questions again");
    Ok(())
}

const HEAVY: &str = r#"  - name: searched
    title: Customers can search
    sli: { events: { bad: 'heavy_total{code="500"}', total: 'heavy_total' } }
    objectives: [ { target: 99%, window: 1d } ]
"#;

/// The SLOs that cannot be seen, with the reason, and why the source is blind.
type Unseen = (Vec<(String, Reason)>, Option<Reason>);

/// Of a tenant.
async fn unseen(daemon: &Daemon, tenant: &str, source: &str) -> anyhow::Result<Unseen> {
    let tenant = TenantId::parse(tenant)?;
    let budgets = daemon.handle.budgets(&tenant).await?;
    let unseen = budgets.iter().filter_map(|status| Some((status.budget.slo.name.to_string(), status.unknown.clone()?.reason)));
    let view = daemon.handle.view.borrow().clone();
    let blind = view.sources[&(tenant.clone(), SourceName::parse(source)?)].blind.as_ref().map(|(_, unknown)| unknown.reason);
    Ok((unseen.collect(), blind))
}

#[tokio::test]
async fn one_heavy_question_that_fails_blinds_its_own_slo_and_several_blind_the_source() -> anyhow::Result<()> {
    let (good, bad, root) = (FakePrometheus::start().await?, FakePrometheus::start().await?, tempfile::tempdir()?);
    for time in (-600..600).step_by(15).map(|second| START.millis() + second * 1000) {
        for metric in ["hits_total", "heavy_total", "up"] {
            bad.push(&[("__name__", metric), ("job", "shop"), ("instance", "a:1"), ("code", "200")], time, 1.0);
        }
    }
    let daemon = daemon(root.path(), at(good.url()), &bad, by_hand(START)).await?;
    std::fs::write(root.path().join("slos/shop.yaml"), format!("{PAYMENTS}{HEAVY}"))?;
    daemon.handle.reload(Removals::Guarded).await?;
    daemon.fast_forward(Duration::from_secs(5)).await;
    assert_eq!(unseen(&daemon, "globex", "bad").await?, (vec![], None));

    let timeout = Fault::Status { code: 504, error_type: String::new(), message: String::new(), retry_after: None };
    bad.fail_where("heavy_total", timeout.clone());
    daemon.fast_forward(Duration::from_secs(5)).await;
    assert_eq!(unseen(&daemon, "globex", "bad").await?, (vec![("searched".to_owned(), Reason::Timeout)], None));
    bad.fail_where("hits_total", timeout.clone());
    daemon.fast_forward(Duration::from_secs(5)).await;
    let both = ["pay", "searched"].map(|slo| (slo.to_owned(), Reason::Timeout)).to_vec();
    assert_eq!(unseen(&daemon, "globex", "bad").await?, (both, Some(Reason::Timeout)));
    bad.heal().await;
    daemon.fast_forward(Duration::from_secs(5)).await;
    assert_eq!(unseen(&daemon, "globex", "bad").await?, (vec![], None));
    Ok(())
}

#[tokio::test]
async fn one_heavy_selector_of_many_that_are_asked_together_is_soon_the_only_one_that_is_not_seen() -> anyhow::Result<()> {
    let (good, bad, root) = (FakePrometheus::start().await?, FakePrometheus::start().await?, tempfile::tempdir()?);
    let mut slos = PAYMENTS.to_owned();
    for service in ["s1", "s2", "s3", "s4", "s5", "s6"] {
        for time in (-600..600).step_by(15).map(|second| START.millis() + second * 1000) {
            let labels = [("__name__", "calls_total"), ("job", "shop"), ("instance", "a:1"), ("service", service), ("code", "200")];
            bad.push(&labels, time, 1.0);
            bad.push(&[("__name__", "hits_total"), ("job", "shop"), ("instance", "a:1"), ("code", "200")], time, 1.0);
            bad.push(&[("__name__", "up"), ("job", "shop"), ("instance", "a:1")], time, 1.0);
        }
        let selector = format!("calls_total{{service=\"{service}\"");
        write!(
            slos,
            "  - name: {service}\n    title: Calls\n    sli: {{ events: {{ bad: '{selector},code=\"500\"}}', total: '{selector}}}' }} }}\n    \
             objectives: [ {{ target: 99%, window: 1d }} ]\n"
        )?;
    }
    let daemon = daemon(root.path(), at(good.url()), &bad, by_hand(START)).await?;
    std::fs::write(root.path().join("slos/shop.yaml"), slos)?;
    daemon.handle.reload(Removals::Guarded).await?;
    daemon.fast_forward(Duration::from_secs(5)).await;
    assert_eq!(unseen(&daemon, "globex", "bad").await?, (vec![], None));
    let timeout = Fault::Status { code: 504, error_type: String::new(), message: String::new(), retry_after: None };
    bad.fail_where("s3", timeout);
    daemon.fast_forward(Duration::from_secs(4)).await;
    for _ in 0..10 {
        daemon.fast_forward(Duration::from_secs(1)).await;
        assert_eq!(unseen(&daemon, "globex", "bad").await?, (vec![("s3".to_owned(), Reason::Timeout)], None));
    }
    Ok(())
}

/// What the source of globex said that it is.
fn product(daemon: &Daemon) -> anyhow::Result<Option<String>> {
    let source = (TenantId::parse("globex")?, SourceName::parse("bad")?);
    Ok(daemon.handle.view.borrow().sources[&source].product.clone())
}

/// Waits for a round after which the source of globex stands like this: what is unseen, what it says that it is, and whether its incident is open.
async fn until(daemon: &Daemon, wanted: (Unseen, Option<String>, Option<bool>)) -> anyhow::Result<()> {
    let mut view = daemon.handle.view.clone();
    let mut found = None;
    let waiting = async {
        while found.as_ref() != Some(&wanted) {
            view.changed().await?;
            let incidents = daemon.handle.store.incidents(&TenantId::parse("globex")?, 10, None).await?;
            anyhow::ensure!(incidents.len() < 2, "somebody is told more than once");
            let open = incidents.first().map(|stored| stored.incident.is_open());
            found = Some((unseen(daemon, "globex", "bad").await?, product(daemon)?, open));
        }
        anyhow::Ok(())
    };
    let in_time = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    in_time.map_err(|_| anyhow::anyhow!("it stands like {found:?} and not like {wanted:?}"))?
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_away_or_gives_no_raw_samples_at_the_start_is_told_and_probed_again_until_it_does() -> anyhow::Result<()> {
    let refused = Fault::Status { code: 422, error_type: "execution".to_owned(), message: "no ranges".to_owned(), retry_after: None };
    let known = Some("prometheus 2.42.0".to_owned());
    for (at_start, reason, blind, told) in
        [(Fault::Refuse, Reason::Unreachable, Some(Reason::Unreachable), None), (refused, Reason::NoRaw, None, known.clone())]
    {
        let (good, bad, root) = (FakePrometheus::start().await?, FakePrometheus::start().await?, tempfile::tempdir()?);
        for time in (-600..1200).step_by(15).map(|second| START.millis() + second * 1000) {
            for metric in ["hits_total", "up"] {
                bad.push(&[("__name__", metric), ("job", "shop"), ("instance", "a:1"), ("code", "200")], time, 1.0);
            }
        }
        bad.fail(Class::Query, at_start).await;
        // It ticks by itself, once a second; its clock is moved by hand.
        let options = Options { clock: Clock::by_hand(START), ..Options::default() };
        let daemon = daemon(root.path(), at(good.url()), &bad, options).await?;
        let unseen = (vec![("pay".to_owned(), reason)], blind);
        until(&daemon, (unseen.clone(), told.clone(), None)).await?;
        daemon.handle.clock.advance(minutes(6));
        until(&daemon, (unseen, told, Some(true))).await?;
        bad.heal().await;
        daemon.handle.clock.advance(minutes(6));
        until(&daemon, ((vec![], None), known.clone(), Some(false))).await?;
        daemon.stop().await;
    }
    Ok(())
}

#[tokio::test]
async fn a_source_whose_authority_is_not_there_yet_starts_blind_and_sees_when_the_file_comes() -> anyhow::Result<()> {
    let (fake, root) = (FakePrometheus::start().await?, tempfile::tempdir()?);
    let ca = root.path().join("ca.pem");
    let good = format!("{}, tls: {{ ca-file: \"{}\" }}", at(fake.url()), ca.display());
    let daemon = daemon(root.path(), good, &fake, by_hand(START)).await?;
    daemon.fast_forward(Duration::from_secs(5)).await;
    let source = (TenantId::parse("acme")?, SourceName::parse("good")?);
    let (_, why) = daemon.handle.view.borrow().sources[&source].blind.clone().expect("blind");
    assert_eq!(why.reason, Reason::Denied);
    assert!(why.detail.contains(&format!("the file {} of TLS cannot be read: No such file", ca.display())), "{why}");

    std::fs::write(&ca, rcgen::generate_simple_self_signed(["prometheus.example".to_owned()])?.cert.pem())?;
    daemon.fast_forward(Duration::from_secs(5)).await;
    assert!(daemon.handle.view.borrow().sources[&source].blind.is_none());
    Ok(())
}
