//! The shop's page: how each tenant is served, and the switches.

use std::{sync::Arc, time::Duration};

use axum::extract::State;

use super::{
    service::{ROUTES, Service},
    trouble::Ailment,
};
use crate::html::{Html, Page, el};

pub(super) async fn status(State(service): State<Arc<Service>>) -> Page {
    let rows: Html = service.trouble.all().iter().map(|(tenant, ailment)| row(&service, tenant, *ailment)).collect();
    let names = service.tenants();
    let body = [
        el("header", &[], [el("h1", &[], "Sample shop"), el("p", &[], summary(&service))]),
        el("main", &[], [el("ul", &[("class", "tenants")], rows), everyone(&names), notes()]),
    ];
    Page { title: format!("Shop: {}", summary(&service)), style: "/style.css", script: None, body: body.into() }
}

fn summary(service: &Service) -> String {
    let all = service.trouble.all();
    let ill: Vec<&str> = all.iter().filter(|(_, ailment)| !ailment.is_well()).map(|(tenant, _)| tenant.as_str()).collect();
    match ill.as_slice() {
        [] => "All tenants are served well.".to_owned(),
        [one] => format!("{one} is in trouble."),
        many => format!("{} of {} tenants are in trouble: {}.", many.len(), all.len(), many.join(", ")),
    }
}

fn row(service: &Service, tenant: &str, ailment: Ailment) -> Html {
    let (good, bad) = (service.metrics.answered(tenant, &ROUTES, 200), service.metrics.answered(tenant, &ROUTES, 500));
    let state = if ailment.is_well() { "well" } else { "ill" };
    el(
        "li",
        &[("class", state)],
        [
            el("h2", &[], tenant),
            el("p", &[("class", "state")], word(ailment)),
            el("p", &[("class", "counts")], format!("{good} answered well, {bad} failed since the start")),
            el(
                "div",
                &[("class", "buttons")],
                [
                    button(&format!("/_control/fail?tenants={tenant}&share=0.6"), "Fail 60 %", tenant, "danger"),
                    button(&format!("/_control/slow?tenants={tenant}&by_ms=400"), "Slow by 400 ms", tenant, ""),
                ],
            ),
        ],
    )
}

fn word(ailment: Ailment) -> String {
    let failing = (ailment.fail_share > 0.0).then(|| format!("{:.0} % of requests fail", ailment.fail_share * 100.0));
    let slow = (ailment.slower_by > Duration::ZERO).then(|| format!("{} ms slower", ailment.slower_by.as_millis()));
    let wrong: Vec<String> = [failing, slow].into_iter().flatten().collect();
    if wrong.is_empty() { "● served well".to_owned() } else { format!("▲ {}", wrong.join(", ")) }
}

fn everyone(names: &[String]) -> Html {
    let fail = button(&format!("/_control/fail?tenants={}&share=0.6", names.join(",")), "Fail for everyone", "", "danger");
    let recover = button("/_control/recover", "Recover", "", "primary");
    el("section", &[("class", "everyone")], [el("h2", &[], "All tenants"), el("div", &[("class", "buttons")], [recover, fail])])
}

/// One switch; `about` is read out after its words, so that equal buttons can be told apart.
fn button(action: &str, words: &str, about: &str, class: &str) -> Html {
    let label = [Html::from(words), el("span", &[("class", "unseen")], format!(" {about}"))];
    el("form", &[("method", "post"), ("action", action)], el("button", &[("class", class)], label))
}

fn notes() -> Html {
    let metrics = el("a", &[("href", "/metrics")], "/metrics");
    let words = [Html::from("The numbers are real counters, scraped from "), metrics, Html::from(". Reload the page to see them move.")];
    el("p", &[("class", "notes")], words)
}
