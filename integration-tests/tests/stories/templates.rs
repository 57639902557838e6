//! Two tenants whose SLOs are made of one template: their budgets are apart, and an edit of the template reaches both, but for who stays at an old version.

use std::fs;

use burnward::{definition::Removals, view::InPlace, web::api::wire::instant};
use burnward_core::time::{hours, minutes};
use burnward_integration_tests::world::World;

use super::{beginning, checkout};

fn template(version: u32, target: &str) -> String {
    format!(
        r#"version: burnward/v1
template: shop@{version}
parameters:
  customer: {{ type: label-value, description: whose requests are counted }}
  target: {{ type: percent, default: {target} }}
team: payments
slos:
  - name: availability
    title: Customers of $(customer) can pay
    sli:
      events:
        bad: 'checkout_http_requests_total{{job="checkout", tenant="$(customer)", code=~"5.."}}'
        total: 'checkout_http_requests_total{{job="checkout", tenant="$(customer)"}}'
    objectives:
      - {{ name: events, target: $(target), window: 30d, alerting: page }}
"#
    )
}

fn instance(from: &str, service: &str, customer: &str, more: &str) -> String {
    format!("version: burnward/v1\nfrom: {from}\nservice: {service}\nwith: {{ customer: {customer} }}\n{more}")
}

/// The targets that run, by tenant and service.
fn targets(world: &World) -> Vec<String> {
    let view = world.handle().view.borrow().clone();
    view.slos.values().map(|slo| format!("{}:{} {}", slo.id.tenant, slo.id.service, slo.objectives[0].target.as_percent())).collect()
}

#[tokio::test]
async fn two_tenants_of_one_template_have_budgets_of_their_own_and_follow_its_edits() -> anyhow::Result<()> {
    let from = beginning();
    let fault = from.plus(hours(1))..from.plus(minutes(80));
    let history = checkout(from).tenant("acme", 20).failing(fault.clone(), 300).tenant("globex", 20).failing(fault.clone(), 300);
    let mut world = World::open(&[history], fault.start, &[("checkout.yaml", &instance("shop", "checkout", "acme", ""))]).await?;
    assert_eq!(targets(&world), Vec::<String>::new(), "there is no template yet");

    // A second tenant, and templates of the operator's.
    world.define("../slo-templates/1.yaml", Some(&template(1, "99.9%")))?;
    world.define(
        "../globex/checkout.yaml",
        Some(&instance("shop", "checkout", "globex", "overrides: { availability: { objectives: { events: { target: 50% } } } }\n")),
    )?;
    world.define("pinned.yaml", Some(&instance("shop@1", "pinned", "nobody", "")))?;
    let file = world.config_file();
    let root = file.parent().expect("a directory").display().to_string();
    let text = fs::read_to_string(&file)?;
    let more =
        format!("  globex: {{ slo-definitions: [\"{root}/globex\"], source: prom }}\nslo-templates: [\"{root}/slo-templates\"]\npeople:\n");
    fs::write(&file, text.replacen("people:\n", &more, 1))?;
    world.restart().await?;
    assert_eq!(targets(&world), ["globex:checkout 50", "main:checkout 99.9", "main:pinned 99.9"]);

    // Both fail alike; the budget that allows half of it is not burnt.
    world.fast_forward(minutes(10)).await;
    let left = async |tenant: &str| -> anyhow::Result<f64> {
        let explained =
            world.get(&format!("/api/v1/slos/checkout/availability/explain?tenant={tenant}&at={}", instant(world.now()))).await?;
        explained["budgets"][0]["figures"]["left_seconds"].as_f64().ok_or_else(|| anyhow::anyhow!("{explained:#}"))
    };
    let (of_main, of_globex) = (left("main").await?, left("globex").await?);
    assert!(of_main < of_globex, "{of_main} and {of_globex}");
    assert!(world.incident("checkout-burn-1").await?.is_open());
    world.fast_forward(hours(2)).await;
    assert!(!world.incident("checkout-burn-1").await?.is_open());

    // The next version is in force where none is pinned and nothing overrides it; who is pinned stays.
    world.define("../slo-templates/2.yaml", Some(&template(2, "99.5%")))?;
    world.handle().reload(Removals::Guarded).await?;
    assert_eq!(targets(&world), ["globex:checkout 50", "main:checkout 99.5", "main:pinned 99.9"]);

    // A template that does not load takes nothing away, through a restart too.
    world.define("../slo-templates/2.yaml", Some(&template(2, "99.5%").replace("job=\"checkout\"", "job=\"$(nothing)\"")))?;
    let said = world.handle().reload(Removals::Guarded).await?;
    assert!(said.contains("at fault"), "{said}");
    let view = world.handle().view.borrow().clone();
    assert!(
        view.definition_faults.iter().all(|fault| fault.runs == InPlace::LastGood && fault.text.contains("`nothing`")),
        "{:?}",
        view.definition_faults
    );
    world.restart().await?;
    assert_eq!(targets(&world), ["globex:checkout 50", "main:checkout 99.5", "main:pinned 99.9"]);

    // Nor does its removal; the edit that takes the SLO out of it is guarded as any other.
    world.define("../slo-templates/2.yaml", None)?;
    world.define("../slo-templates/1.yaml", None)?;
    world.handle().reload(Removals::Guarded).await?;
    assert_eq!(targets(&world).len(), 3);
    Ok(())
}
