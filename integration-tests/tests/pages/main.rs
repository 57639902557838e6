//! The pages in a browser, as people see them: narrow and wide, light and dark, with a keyboard alone. The world is a story's: a checkout that burns, then
//! a source that does not answer.

use burnward_core::{
    incident::Phase,
    time::{hours, minutes},
};
use burnward_integration_tests::{
    browser::{Browser, Colours, Look},
    history::History,
    world::{World, availability},
};
use serde_json::Value;

const AUDIT: &str = include_str!("audit.js");

const LOOKS: [Look; 6] = [
    Look { width: 360, colours: Colours::Light },
    Look { width: 360, colours: Colours::Dark },
    Look { width: 768, colours: Colours::Light },
    Look { width: 768, colours: Colours::Dark },
    Look { width: 1280, colours: Colours::Light },
    Look { width: 1280, colours: Colours::Dark },
];

const PHONE: Look = Look { width: 360, colours: Colours::Dark };

/// A checkout of which two tenants burn; one of them has a name that no line holds. Two more SLOs of it tell nobody.
async fn burning() -> anyhow::Result<World> {
    let from = burnward::clock::Clock::Wall.now().minus(hours(24)).floor(hours(1));
    let fault = from.plus(hours(2))..from.plus(hours(6));
    let history = History::of("checkout", from, from.plus(hours(6)))
        .tenant("acme", 20)
        .failing(fault.clone(), 200)
        .tenant(&"unbreakable".repeat(30), 20)
        .failing(fault.clone(), 150)
        .tenant("globex", 20);
    let tried = availability("checkout").replace("name: availability", "name: tried\n    status: shadow");
    let asleep = "{ suspended: { reason: the exporter is rebuilt, until: 2999-12-01 } }";
    let asleep = availability("checkout").replace("name: availability", &format!("name: asleep\n    status: {asleep}"));
    let documents = [("checkout.yaml", availability("checkout")), ("tried.yaml", tried), ("asleep.yaml", asleep)];
    let documents = documents.each_ref().map(|(name, text)| (*name, text.as_str()));
    let world = World::open(&[history], fault.start.minus(minutes(1)), &documents).await?;
    world.fast_forward(minutes(7)).await;
    Ok(world)
}

/// Opens pages in every look and demands that nothing is wrong with any.
async fn audit(browser: &mut Browser, world: &World, paths: &[&str]) -> anyhow::Result<()> {
    for path in paths {
        for look in LOOKS {
            browser.open(&format!("{}{path}", world.web()), look).await?;
            browser.eval("document.querySelectorAll('details').forEach((details) => { details.open = true; })").await?;
            let faults = browser.eval(AUDIT).await?;
            assert_eq!(faults, Value::Array(Vec::new()), "{path} at {look:?}");
            assert_eq!(browser.complaints(), Vec::<String>::new(), "{path} at {look:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_page_is_readable_on_a_phone_and_a_desk_by_day_and_by_night() -> anyhow::Result<()> {
    let world = burning().await?;
    let mut browser = Browser::start().await?;
    audit(
        &mut browser,
        &world,
        &[
            "/",
            "/?state=burning",
            "/slos/checkout/availability",
            "/slos/checkout/tried",
            "/slos/checkout/asleep",
            "/incidents",
            "/incidents/checkout-burn-1",
            "/incidents/checkout-burn-1/postmortem",
        ],
    )
    .await?;
    world.proxy.cut(true);
    world.fast_forward(minutes(4)).await;
    audit(&mut browser, &world, &["/", "/slos/checkout/availability", "/incidents/prom-cannot-see-1"]).await
}

#[tokio::test]
async fn the_page_of_an_slo_in_shadow_lists_what_it_would_have_told_and_one_of_a_suspended_says_why() -> anyhow::Result<()> {
    let world = burning().await?;
    let mut browser = Browser::start().await?;
    browser.open(&format!("{}/slos/checkout/tried", world.web()), PHONE).await?;
    let told = browser.eval("document.querySelector('section[aria-labelledby=shadow]').textContent").await?;
    let told = told.as_str().unwrap_or_default();
    for shown in
        ["What it would have told", "WOULD HOLD", "page", "#payments-oncall, ada", "checkout-burn-1", "precision 100 %, recall 100 %"]
    {
        assert!(told.contains(shown), "{shown}: {told}");
    }
    let sentence = browser.eval("document.querySelector('p.sentence').textContent").await?;
    assert!(sentence.as_str().is_some_and(|sentence| sentence.contains("SHADOW") && sentence.contains("nobody is told")), "{sentence}");
    browser.open(&format!("{}/slos/checkout/asleep", world.web()), PHONE).await?;
    let sentence = browser.eval("document.querySelector('p.sentence').textContent").await?;
    let said = sentence.as_str().unwrap_or_default();
    assert!(said.contains("SUSPENDED") && said.contains("the exporter is rebuilt") && said.contains("2999-12-01"), "{sentence}");
    Ok(())
}

#[tokio::test]
async fn an_incident_is_acknowledged_with_the_keyboard_alone() -> anyhow::Result<()> {
    let world = burning().await?;
    let mut browser = Browser::start().await?;
    browser.open(&format!("{}/incidents/checkout-burn-1", world.web()), PHONE).await?;
    tab_to(&mut browser, "Acknowledge").await?;
    browser.press("Enter").await?;
    browser.until("location.search.includes('done=acknowledge') && document.readyState === 'complete'").await?;
    let said = browser.eval("document.querySelector('[role=status]').textContent").await?;
    assert!(said.as_str().is_some_and(|said| said.starts_with("Done: it is acknowledged")), "{said}");
    let incident = world.incident("checkout-burn-1").await?;
    assert!(matches!(incident.phase, Phase::Acknowledged { .. }), "{:?}", incident.phase);
    Ok(())
}

#[tokio::test]
async fn times_are_those_of_the_viewers_zone_with_utc_on_hover() -> anyhow::Result<()> {
    let world = burning().await?;
    let mut browser = Browser::start().await?;
    browser.live_in("Asia/Kolkata").await?;
    browser.open(&format!("{}/incidents/checkout-burn-1", world.web()), PHONE).await?;
    let agrees = "[...document.querySelectorAll('time[title]')].every((time) =>
        /GMT\\+5:30$/.test(time.textContent) && / UTC$/.test(time.title) &&
        time.textContent.includes(new Date(Date.parse(time.dateTime) + 19800000).toISOString().slice(11, 19))) && document.querySelectorAll('time[title]').length";
    let times = browser.eval(agrees).await?;
    assert!(times.as_u64().is_some_and(|times| times > 5), "{times}");
    Ok(())
}

#[tokio::test]
async fn the_buttons_at_the_bottom_of_a_phone_never_cover_what_has_the_focus() -> anyhow::Result<()> {
    let world = burning().await?;
    let mut browser = Browser::start().await?;
    browser.open(&format!("{}/incidents/checkout-burn-1", world.web()), PHONE).await?;
    let covered = "(() => {
        const focused = document.activeElement, bar = document.querySelector('.actions');
        if (!focused || focused === document.body || bar.contains(focused)) return '';
        const box = focused.getBoundingClientRect();
        return box.bottom > bar.getBoundingClientRect().top + 1 && box.height < 300 ? `${focused.outerHTML} ends at ${box.bottom}, the buttons begin at ${bar.getBoundingClientRect().top} ${getComputedStyle(document.documentElement).scrollPaddingBottom}` : '';
    })()";
    for _ in 0..80 {
        browser.press("Tab").await?;
        assert_eq!(browser.eval(covered).await?, Value::String(String::new()));
    }
    Ok(())
}

/// Presses Tab until the element with this text has the focus, and demands that the focus can be seen there.
async fn tab_to(browser: &mut Browser, text: &str) -> anyhow::Result<()> {
    let reached = format!("document.activeElement.textContent.trim() === '{text}'");
    for _ in 0..30 {
        browser.press("Tab").await?;
        if browser.eval(&reached).await? == Value::Bool(true) {
            let outline = browser.eval("getComputedStyle(document.activeElement).outlineStyle").await?;
            assert_eq!(outline, "solid", "the focus on {text} can be seen");
            return Ok(());
        }
    }
    anyhow::bail!("no way to {text} by Tab")
}
