//! Templates: what is made of them, what overrides do, where mistakes are told, and that no value ever becomes more than a value.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use burnward_core::{
    id::{SourceName, TeamName, TenantId},
    sli::{MatchOp, Selector, Sli},
    slo::Slo,
};
use proptest::prelude::*;
use regex_syntax::hir::Hir;

use super::{
    fill::{Kind, fill},
    parameter::{Given, Type},
};
use crate::config;
use crate::definition::{
    Colour, Context, Diagnostic, Loaded, Source, codes,
    diagnostic::Place,
    document::{self, Teams, Templates, Wakes, version_of},
    read_paths, selector,
};

const TEMPLATE: &str = r#"version: burnward/v1
template: http-service@1
parameters:
  job: { type: label-value, description: the job label of the service }
  requests: { type: selector, default: http_requests_total }
  target: { type: percent, default: 99.9% }
  window: { type: duration, default: 30d }
  within: { type: duration, default: 300ms }
  who: { type: string, default: Customers }
  most: { type: number, default: 14.4 }
team: payments
slos:
  - name: availability
    title: $(who) can pay
    runbook: availability.md
    sli:
      events:
        bad: '$(requests){job="$(job)", code=~"5.."}'
        total: '$(requests){job="$(job)"}'
    objectives:
      - { target: $(target), window: $(window), alerting: { rows: [{ urgency: page, burn-rate: $(most), long: 1h, short: 5m }] } }
      - name: sla
        target: 99%
        window: calendar month
        timezone: Europe/Berlin
        alerting: none
  - name: latency
    title: '$(who) wait $(within) at most'
    runbook: latency.md
    sli:
      latency:
        histogram: 'http_request_duration_seconds{job=~"$(job)|$(job)-canary"}'
        within: $(within)
    objectives:
      - target: 99%
        window: $(window)
"#;

const INSTANCE: &str = "version: burnward/v1
from: http-service
service: checkout
with:
  job: checkout
";

fn context() -> Context {
    Context {
        teams: Teams::Known(["payments", "search"].map(|team| (TeamName::parse(team).expect("a name"), Wakes::Somebody)).into()),
        ..Context::unchecked(TenantId::parse("main").expect("a name"), SourceName::parse("prom").expect("a name"))
    }
}

/// Documents in a directory of their own, called as in it.
fn load(files: &[(&str, &str)]) -> Loaded {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        fs::write(directory.path().join(name), text).expect("a file");
    }
    read_paths(&[directory.path().to_owned()], &context())
}

/// A template and one document that is made of it.
fn both(template: &str, instance: &str) -> Loaded {
    load(&[("template.yaml", template), ("checkout.yaml", instance)])
}

fn codes(loaded: &Loaded) -> Vec<&'static str> {
    loaded.diagnostics().map(|fault| fault.code.id).collect()
}

/// Diagnostics as they are shown, with names of files alone.
fn rendered(loaded: &Loaded) -> String {
    let directory =
        loaded.diagnostics().map(|fault| Path::new(fault.place.source.name()).parent().map(|parent| format!("{}/", parent.display())));
    let directory = directory.flatten().next().unwrap_or_default();
    let shown = loaded.diagnostics().map(|fault: &Diagnostic| fault.render(Colour::Never));
    shown.collect::<Vec<_>>().join("\n\n").replace(&directory, "")
}

fn slo<'l>(loaded: &'l Loaded, name: &str) -> &'l Arc<Slo> {
    let found = loaded.slos.iter().find(|slo| slo.id.name.as_str() == name);
    found.unwrap_or_else(|| panic!("{name} is not there\n{}", rendered(loaded)))
}

fn effective(loaded: &Loaded) -> String {
    let file = loaded.files.iter().find(|file| file.path.ends_with("checkout.yaml"));
    file.unwrap_or_else(|| panic!("it does not load\n{}", rendered(loaded))).text.clone()
}

#[test]
fn a_document_is_made_of_a_template_its_defaults_and_the_values_of_the_instance() {
    let loaded = both(TEMPLATE, INSTANCE);
    assert_eq!(codes(&loaded), Vec::<&str>::new(), "{}", rendered(&loaded));
    insta::assert_snapshot!("effective", effective(&loaded));
}

#[test]
fn each_line_of_the_effective_document_says_where_it_comes_from() {
    let instance = format!(
        "{INSTANCE}  target: 99.5%\noverrides:\n  latency:\n    runbook: checkout.md\n    objectives:\n      30d: {{ target: 95% }}\n"
    );
    let loaded = both(TEMPLATE, &instance);
    let (path, ..) = loaded.made().next().expect("one is made");
    let text = loaded.effective(path).expect("it is made").with_origins();
    let directory = format!("{}/", path.parent().expect("a directory").display());
    insta::assert_snapshot!("origins", text.replace(&directory, ""));
    assert_eq!(slos_of(&text), slos_of(&effective(&loaded)), "comments change nothing");
}

/// The SLOs of a plain text, wherever it stands.
fn slos_of(text: &str) -> Vec<Slo> {
    let (slos, _) = document::read(&Source::new("plain.yaml", text), "v", &context()).expect("a plain document loads");
    slos.iter().map(|slo| nowhere(slo)).collect()
}

fn nowhere(slo: &Slo) -> Slo {
    let mut slo = slo.clone();
    (slo.origin.file, slo.origin.line, slo.origin.version) = (String::new(), 0, String::new());
    slo
}

fn sorted(mut slos: Vec<Slo>) -> Vec<Slo> {
    slos.sort_by(|a, b| a.id.cmp(&b.id));
    slos
}

fn any_override() -> impl Strategy<Value = String> {
    let of_slo = prop::sample::select(vec![
        "title: Another",
        "runbook: other.md",
        "no-data: { after: 10m, then: page }",
        "no-traffic: tell-owner",
        "low-traffic: 'off'",
        "new-series: baseline",
        "excluded-time: counts-as-good",
    ]);
    let of_objective = prop::sample::select(vec![
        "target: 98.7%",
        "alerting: none",
        "alerting: ticket",
        "counted-in: { slices: 5m, good-if-at-least: 98% }",
    ]);
    (of_slo, of_objective, prop::bool::ANY).prop_map(|(slo, objective, latency)| {
        let name = if latency { "latency" } else { "availability" };
        format!("overrides:\n  {name}:\n    {slo}\n    objectives: {{ 30d: {{ {objective} }} }}\n")
    })
}

proptest! {
    /// The effective document is a plain one that means what its instance does.
    #[test]
    fn loading_the_effective_document_gives_the_very_slos(
        job in "[a-z \"'\\\\`{}=~.*+|$()#-]{1,12}", target in 1u32..999, who in "[A-Za-zäö '\":{}\\[\\]#,]{1,20}", overrides in any_override(),
    ) {
        prop_assume!(!job.trim().is_empty() && !who.trim().is_empty());
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let instance = format!("{INSTANCE}  target: {}.{}%\n  who: {}\n{overrides}", target / 10, target % 10, quoted(&who))
            .replace("job: checkout", &format!("job: {}", quoted(&job)));
        // Rows that can never fire at a low target are another matter.
        let template = TEMPLATE.replace("burn-rate: $(most)", "burn-rate: 1").replace("  most: { type: number, default: 14.4 }\n", "");
        let loaded = both(&template, &instance);
        let errors: Vec<_> = loaded.diagnostics().filter(|fault| fault.code.id.starts_with('E')).collect();
        prop_assert!(errors.is_empty(), "{}", rendered(&loaded));
        let made: Vec<Slo> = loaded.slos.iter().map(|slo| nowhere(slo)).collect();
        prop_assert_eq!(sorted(slos_of(&effective(&loaded))), sorted(made));
        // And the value of the label is the value of the label.
        let Sli::Events { total, .. } = &slo(&loaded, "availability").sli else { panic!("it counts events") };
        prop_assert_eq!(total[0].matchers().len(), 1);
        prop_assert_eq!(&total[0].matchers()[0].value, &job);
    }

    /// Whatever stands in quotes is one string of PromQL: equal to the value, or a regular expression that matches it alone.
    #[test]
    fn a_label_value_stays_the_value_of_a_label(value in "\\PC{1,24}", single in prop::bool::ANY) {
        let given = given(Type::LabelValue, &value);
        let mark = if single { '\'' } else { '"' };
        let put = |op: &str| {
            let text = format!("m{{a{op}{mark}$(v){mark},b=\"x\"}}");
            fill(&text, Kind::Query, &|_| Some(&given)).expect("it can stand there").text
        };
        let equal = selector::parse(&put("=")).expect("a selector");
        prop_assert_eq!(equal.matchers().len(), 2);
        prop_assert!(equal.matchers().iter().any(|matcher| matcher.op == MatchOp::Equal && matcher.value == value));
        let regex = selector::parse(&put("=~")).expect("a selector");
        let pattern = regex.matchers().iter().find(|matcher| matcher.op == MatchOp::Regex).expect("a regular expression").value.clone();
        prop_assert_eq!(regex_syntax::parse(&pattern), Ok(Hir::literal(value.as_bytes())));
    }

    /// No text makes anything of a template but a document, or a diagnostic.
    #[test]
    fn broken_templates_are_told_and_harm_nothing(at in 0usize..900, piece in "[ -~\n]{0,12}", in_instance in prop::bool::ANY) {
        let broken = |text: &str| {
            let at = (at % text.len()..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
            format!("{}{piece}{}", &text[..at], &text[at..])
        };
        let (template, instance) = if in_instance { (TEMPLATE.to_owned(), broken(INSTANCE)) } else { (broken(TEMPLATE), INSTANCE.to_owned()) };
        let loaded = both(&template, &instance);
        prop_assert!(loaded.slos.len() <= 2);
        prop_assert!(!loaded.slos.is_empty() || loaded.count().0 > 0, "nothing is dropped without a word");
        drop(rendered(&loaded));
    }
}

fn given(kind: Type, text: &str) -> Given {
    Given { kind, text: text.to_owned(), at: Place::file(&Source::new("a.yaml", "")) }
}

#[test]
fn values_stand_where_their_types_may_and_nowhere_else() {
    let all = [
        ("s", given(Type::Text, "some words")),
        ("l", given(Type::LabelValue, "a.b\"c")),
        ("m", given(Type::Selector, "up{a=\"b\"}")),
        ("bare", given(Type::Selector, "up")),
        ("d", given(Type::Duration, "5m")),
        ("p", given(Type::Percent, "99%")),
        ("n", given(Type::Number, "2.5")),
        ("neg", given(Type::Number, "-1")),
    ];
    let value = |name: &str| all.iter().find(|(known, _)| *known == name).map(|(_, given)| given);
    let put = |text: &str, kind: Kind| fill(text, kind, &value).map(|filled| filled.text).map_err(|fault| fault.message);
    let (duration, percent) = (Kind::of("within", true), Kind::of("target", false));
    let good = [
        ("$(s) and $$(s), $(d) of $(p)", Kind::Words, "some words and $(s), 5m of 99%"),
        ("Zölle für $(l) – 🔥", Kind::Words, "Zölle für a.b\"c – 🔥"),
        ("m{b=\"ä\\é🔥\",a=\"$(l)\"}", Kind::Query, "m{b=\"ä\\é🔥\",a=\"a.b\\\"c\"}"),
        ("m{a=\"$(l)\"}", Kind::Query, "m{a=\"a.b\\\"c\"}"),
        ("m{a=~\"$(l)|x\"}", Kind::Query, "m{a=~\"a\\\\.b\\\"c|x\"}"),
        ("m{a!~'$(l)'}", Kind::Query, "m{a!~'a\\\\.b\"c'}"),
        ("m{a=\"x\\\"$(l)\"}", Kind::Query, "m{a=\"x\\\"a.b\\\"c\"}"),
        ("$(m)", Kind::Query, "up{a=\"b\"}"),
        ("$(m){c=\"d\"}", Kind::Query, "up{a=\"b\", c=\"d\"}"),
        ("$(m) { }", Kind::Query, "up{a=\"b\"}"),
        ("$(bare){c=\"d\"}", Kind::Query, "up{c=\"d\"}"),
        ("sum(rate($(m)[$(d)])) > $(n)", Kind::Query, "sum(rate(up{a=\"b\"}[5m])) > 2.5"),
        ("max_over_time(x[1h:$(d)]) - $(neg) # $(no)", Kind::Query, "max_over_time(x[1h:5m]) - (-1) # $(no)"),
        ("$(d)", duration, "5m"),
        ("$(p)", percent, "99%"),
        ("30d", duration, "30d"),
    ];
    for (text, kind, expected) in good {
        assert_eq!(put(text, kind).as_deref(), Ok(expected), "{text}");
    }
    let bad = [
        ("$(m)", Kind::Words),
        ("m{a=\"$(s)\"}", Kind::Query),
        ("m{a=\"$(m)\"}", Kind::Query),
        ("m{a=`$(l)`}", Kind::Query),
        ("{\"$(l)\"}", Kind::Query),
        ("label_replace(x, \"$(l)\", \"\", \"\", \"\")", Kind::Query),
        ("$(l)", Kind::Query),
        ("$(s)", Kind::Query),
        ("$(p)", Kind::Query),
        ("x$(m)", Kind::Query),
        ("$(m)x", Kind::Query),
        ("$(m)$(m)", Kind::Query),
        ("1$(n)", Kind::Query),
        ("$(n).5", Kind::Query),
        ("[5$(d)]", Kind::Query),
        ("$(d)", percent),
        ("$(p)", duration),
        ("$(d)1s", duration),
        ("9$(p)", percent),
        ("$(unknown)", Kind::Words),
        ("$(", Kind::Words),
        ("$(A b)", Kind::Words),
    ];
    for (text, kind) in bad {
        assert!(put(text, kind).is_err(), "{text} is taken as {:?}", put(text, kind));
    }
}

#[test]
fn a_value_is_data_and_never_looked_at_for_parameters() {
    let instance = INSTANCE.replace("job: checkout", "job: '$(target) {{secret}} ${jndi:x}'\n  who: '$(job)'");
    let loaded = both(TEMPLATE, &instance);
    assert_eq!(slo(&loaded, "availability").title, "$(job) can pay", "{}", rendered(&loaded));
    let Sli::Events { total, .. } = &slo(&loaded, "availability").sli else { panic!("it counts events") };
    assert_eq!(total[0].matchers()[0].value, "$(target) {{secret}} ${jndi:x}");
}

#[test]
fn the_newest_version_is_taken_and_a_pinned_one_stays() {
    let second = TEMPLATE.replace("http-service@1", "http-service@2").replace("default: 99.9%", "default: 99.5%");
    let pinned = INSTANCE.replace("from: http-service", "from: http-service@1").replace("service: checkout", "service: search");
    let target = |loaded: &Loaded, service: &str| {
        let slo = loaded.slos.iter().find(|slo| slo.id.service.as_str() == service && slo.id.name.as_str() == "availability");
        slo.expect("it is there").objectives[0].target.as_percent()
    };
    let loaded = load(&[("1.yaml", TEMPLATE), ("2.yaml", &second), ("a.yaml", INSTANCE), ("b.yaml", &pinned)]);
    assert_eq!((target(&loaded, "checkout"), target(&loaded, "search")), ("99.5".to_owned(), "99.9".to_owned()));
    let without = load(&[("2.yaml", &second), ("a.yaml", INSTANCE), ("b.yaml", &pinned)]);
    assert_eq!(codes(&without), ["E1121"], "the pinned version is gone");
    assert_eq!(without.faulty.len(), 1, "and only who needs it does not load");
}

#[test]
fn an_override_takes_the_place_of_a_whole_value_and_objectives_go_by_name() {
    let instance = format!(
        "{INSTANCE}team: search
overrides:
  availability:
    no-data: {{ after: 10m, then: page }}
    objectives:
      30d: {{ target: 99.5%, alerting: ticket }}
      sla: {{ window: 90d }}
"
    );
    let loaded = both(TEMPLATE, &instance);
    let availability = slo(&loaded, "availability");
    assert_eq!(availability.team.as_str(), "search");
    assert_eq!(availability.no_data.after, burnward_core::time::minutes(10));
    let of = |name: &str| availability.objectives.iter().find(|objective| objective.name.as_str() == name).expect("it is there");
    assert_eq!((of("30d").target.as_percent().as_str(), of("30d").rows.len()), ("99.5", 2), "the rows are replaced whole");
    assert_eq!(of("sla").target.as_percent(), "99", "what is not overridden stays");
    assert_eq!(slo(&loaded, "latency").objectives[0].target.as_percent(), "99");
}

/// What is replaced in the template and in the instance, by what.
type Replaced = (&'static str, &'static str);

const MISTAKES: &[(&str, Replaced, Replaced)] = &[
    ("the name lacks its version", ("http-service@1", "http-service"), ("", "")),
    ("a template of a template", ("parameters:", "from: other\nparameters:"), ("", "")),
    ("an unknown type", ("type: percent", "type: percentage"), ("", "")),
    ("a default of the wrong type", ("default: 99.9%", "default: 99.9"), ("", "")),
    ("a parameter that is unknown", ("$(target)", "$(tarrget)"), ("", "")),
    ("a parameter that is unused", ("parameters:\n", "parameters:\n  spare: { type: string }\n"), ("", "")),
    ("a parameter where its type cannot stand", ("within: $(within)", "within: $(target)"), ("", "")),
    ("a text in a query", ("'$(requests){job=\"$(job)\"}'", "'$(requests){job=\"$(who)\"}'"), ("", "")),
    ("a word that is joined", ("'$(requests){job=\"$(job)\"}'", "'my_$(requests){job=\"$(job)\"}'"), ("", "")),
    ("a mistake of the template itself", ("window: calendar month", "window: calendar year"), ("", "")),
    ("an unknown template", ("", ""), ("http-service", "htp-service")),
    ("an unknown version", ("", ""), ("http-service", "http-service@7")),
    ("not a name", ("", ""), ("http-service", "http-service@newest")),
    ("no value", ("", ""), ("with:\n  job: checkout\n", "")),
    ("a value of nothing", ("", ""), ("job: checkout", "job: checkout\n  jobb: x")),
    (
        "a value of the wrong type",
        ("", ""),
        ("job: checkout", "job: checkout\n  window: a month\n  target: 0.999\n  requests: 'sum(x)'\n  most: many"),
    ),
    ("a value that means nothing there", ("", ""), ("job: checkout", "job: checkout\n  target: 100%")),
    ("nobody says the team", ("team: payments\n", ""), ("", "")),
    ("an override of no SLO", ("", ""), ("with:", "overrides:\n  avail: { title: x }\nwith:")),
    ("an override of no objective", ("", ""), ("with:", "overrides:\n  availability: { objectives: { 28d: { target: 99% } } }\nwith:")),
    (
        "an override of what is the template's",
        ("", ""),
        ("with:", "overrides:\n  availability: { per: [tenant], titel: x, objectives: { sla: { name: y } } }\nwith:"),
    ),
    ("objectives as a list", ("", ""), ("with:", "overrides:\n  availability: { objectives: [{ target: 99% }] }\nwith:")),
    (
        "a mistake of an override",
        ("", ""),
        ("with:", "overrides:\n  availability: { objectives: { sla: { target: 99.9, window: 30d } } }\nwith:"),
    ),
    ("an unknown key", ("", ""), ("with:", "overides: {}\nwith:")),
];

#[test]
fn every_diagnostic_of_templates_as_it_is_shown() {
    let replaced = |text: &str, (from, to): (&str, &str)| {
        assert!(text.contains(from), "{from}");
        if from.is_empty() { text.to_owned() } else { text.replacen(from, to, 1) }
    };
    let mut seen = BTreeSet::new();
    let shown: Vec<String> = MISTAKES
        .iter()
        .map(|(what, template, instance)| {
            let loaded = both(&replaced(TEMPLATE, *template), &replaced(INSTANCE, *instance));
            assert!(loaded.slos.is_empty() && loaded.count().0 > 0, "{what} loads");
            seen.extend(codes(&loaded));
            format!("-- {what}\n\n{}", rendered(&loaded))
        })
        .collect();
    let twice = load(&[("1.yaml", TEMPLATE), ("2.yaml", TEMPLATE), ("checkout.yaml", INSTANCE)]);
    seen.extend(codes(&twice));
    let shown = format!("{}\n\n-- one template twice\n\n{}", shown.join("\n\n"), rendered(&twice));
    insta::assert_snapshot!("diagnostics", shown);
    for code in codes::ALL.iter().filter(|code| ("E1120"..="E1129").contains(&code.id)) {
        assert!(seen.contains(code.id), "{} is never shown", code.id);
    }
}

#[test]
fn a_mistake_of_a_template_is_told_once_with_the_number_of_documents_that_have_it() {
    let template = TEMPLATE.replace("window: calendar month", "window: calendar year");
    let documents: Vec<(String, String)> =
        (0..200).map(|at| (format!("s{at}.yaml"), INSTANCE.replace("service: checkout", &format!("service: s{at}")))).collect();
    let files: Vec<(&str, &str)> =
        documents.iter().map(|(name, text)| (name.as_str(), text.as_str())).chain([("template.yaml", template.as_str())]).collect();
    let loaded = load(&files);
    assert_eq!((codes(&loaded).as_slice(), loaded.faulty.len()), (["E1045"].as_slice(), 200));
    let fault = loaded.diagnostics().next().expect("one");
    assert!(fault.place.source.name().ends_with("template.yaml"));
    assert!(fault.help.last().is_some_and(|help| help.contains("in 200 documents that are made of it, such as")), "{:?}", fault.help);
}

#[test]
fn a_template_that_nothing_is_made_of_is_looked_at_by_itself() {
    let alone = |text: &str| codes(&load(&[("template.yaml", text)]));
    assert_eq!(alone(TEMPLATE), Vec::<&str>::new());
    assert_eq!(alone(&TEMPLATE.replace("calendar month", "calendar year")), ["E1045"]);
    let needs = TEMPLATE.replace("default: 99.9%", "description: how much").replace("default: 300ms", "description: how long");
    assert_eq!(alone(&needs), Vec::<&str>::new(), "what hangs on a value is not judged without one");
    assert_eq!(alone(&TEMPLATE.replace("team: payments\n", "")), Vec::<&str>::new());
}

#[test]
fn one_file_alone_finds_its_template_beside_it_and_whatever_it_was_made_of_before_runs_on() {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).expect("a file");
    write("template.yaml", TEMPLATE);
    write("checkout.yaml", INSTANCE);
    let file = directory.path().join("checkout.yaml");
    assert_eq!(codes(&read_paths(std::slice::from_ref(&file), &context())), ["E1121"], "it is not seen without");
    let beside = Arc::new(super::Library::of_documents(&[directory.path().to_owned()]));
    let context = Context { templates: Templates { beside, ..Templates::default() }, ..context() };
    assert_eq!(read_paths(&[file], &context).slos.len(), 2);
    assert_eq!(read_paths(&[directory.path().to_owned()], &context).slos.len(), 2, "and no template is doubled by being beside itself");
}

#[test]
fn a_tenant_sees_its_own_templates_and_the_operators_and_no_others() {
    let mine = tempfile::tempdir().expect("a directory");
    let operators = tempfile::tempdir().expect("a directory");
    let write = |directory: &tempfile::TempDir, name: &str, text: &str| fs::write(directory.path().join(name), text).expect("a file");
    write(&mine, "checkout.yaml", INSTANCE);
    write(&operators, "template.yaml", TEMPLATE);
    let load = |directories: &[PathBuf]| {
        let library = Arc::new(super::Library::read(directories));
        let context = Context { templates: Templates { library, ..Templates::default() }, ..context() };
        read_paths(&[mine.path().to_owned()], &context)
    };
    assert_eq!(codes(&load(&[])), ["E1121"]);
    assert_eq!(load(&[operators.path().to_owned()]).slos.len(), 2);
    // A tenant cannot slip another meaning under the operator's name, nor the operator under the tenant's.
    write(&mine, "own.yaml", &TEMPLATE.replace("http-service@1", "http-service@9"));
    let both = load(&[operators.path().to_owned()]);
    assert_eq!((codes(&both), both.slos.len()), (vec!["E1122"], 0));
}

#[test]
fn bombs_are_refused() {
    let deep = format!("{}x{}", "[".repeat(60), "]".repeat(60));
    for instance in [
        format!("{INSTANCE}overrides:\n  availability:\n    no-data: {deep}\n"),
        format!("{INSTANCE}overrides: {deep}\n"),
        INSTANCE.replace("job: checkout", &format!("job: {deep}")),
        INSTANCE.replace("job: checkout", &format!("job: '{}'", "x".repeat(100_000))),
        format!("{INSTANCE}tests: {deep}\n"),
    ] {
        assert!(both(TEMPLATE, &instance).count().0 > 0);
    }
    let many: Vec<String> = (0..51).map(|at| format!("  p{at}: {{ type: string }}\n")).collect();
    assert_eq!(
        codes(&both(&TEMPLATE.replace("parameters:\n", &format!("parameters:\n{}", many.concat())), INSTANCE)).first(),
        Some(&"E1123")
    );
}

#[test]
fn a_template_keeps_to_its_text_where_a_selector_is_made() {
    let selectors = |sli: &Sli| sli.selectors().into_iter().map(Selector::to_string).collect::<Vec<_>>();
    let instance = INSTANCE.replace("job: checkout", "job: '\"} or up{job=\"'\n  requests: 'shop_requests_total{env=\"prod\"}'");
    let loaded = both(TEMPLATE, &instance);
    let made = selectors(&slo(&loaded, "availability").sli);
    assert!(
        made.iter().all(|selector| selector.starts_with("shop_requests_total{") && selector.contains(r#"job="\"} or up{job=\"""#)),
        "{made:?}"
    );
    assert_eq!(version_of(&effective(&loaded)), loaded.files[0].version, "the version is that of what is in force");
}

/// Two tenants of a class, of which one differs and stays at an older version.
const FLEET: &str = "version: burnward/v1
slo-templates: templates
sources: { prom: { prometheus: { url: 'http://127.0.0.1:9090' } } }
tenant-classes:
  standard:
    templates:
      - { from: http-service, service: checkout, team: operators, with: { target: 99.8%, job: all } }
tenants:
  acme: { class: standard, runbooks: runbooks }
  globex:
    class: standard
    runbooks: runbooks
    with: { job: globex, target: 99% }
    overrides: { checkout: { latency: { title: Ours } } }
    pinned: { http-service: 1 }
";

/// What is made for the tenants of a configuration, by tenant.
fn fleet(text: &str) -> Vec<Loaded> {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(path, text).expect("a file");
    };
    write("templates/1.yaml", TEMPLATE);
    write(
        "templates/2.yaml",
        &TEMPLATE
            .replace("http-service@1", "http-service@2")
            .replace("who: { type: string, default: Customers }", "who: { type: string, default: People }"),
    );
    for name in ["availability.md", "latency.md"] {
        write(&format!("runbooks/{name}"), "# Do");
    }
    let config = config::parse(&directory.path().join("burnward.yaml"), text).expect("it loads");
    let library = Arc::new(super::Library::read(&config.slo_templates));
    config.tenants.iter().map(|(tenant, place)| crate::definition::load(tenant, place, &config, &library)).collect()
}

#[test]
fn the_operator_makes_a_template_for_the_tenants_of_a_class() {
    let loaded = fleet(FLEET);
    let [acme, globex] = loaded.as_slice() else { panic!("two tenants") };
    let said = |loaded: &Loaded| {
        let (availability, latency) = (slo(loaded, "availability"), slo(loaded, "latency"));
        let job =
            availability.sli.selectors()[0].matchers().iter().find(|matcher| matcher.label == "job").map(|matcher| matcher.value.clone());
        format!(
            "{} {} {} | {} | {}",
            availability.id,
            availability.objectives[0].target.as_percent(),
            job.unwrap_or_default(),
            availability.title,
            latency.title
        )
    };
    assert_eq!(said(acme), "acme:checkout/availability 99.8 all | People can pay | People wait 300ms at most", "{}", rendered(acme));
    assert_eq!(said(globex), "globex:checkout/availability 99 globex | Customers can pay | Ours", "{}", rendered(globex));
    assert!(acme.files[0].path.ends_with("burnward.yaml#http-service/checkout"), "{}", acme.files[0].path);
    let (_, instance, template) = globex.made().next().expect("one is made");
    assert_eq!(
        (instance.version, template.name.to_string(), instance.overridden()),
        (Some(1), "http-service@1".to_owned(), vec!["latency: title".to_owned()])
    );
}

#[test]
fn what_a_tenant_says_and_nothing_takes_up_is_told() {
    let told = |text: &str| codes(&fleet(text)[1]).into_iter().filter(|code| code.starts_with('E')).collect::<Vec<_>>();
    assert_eq!(told(FLEET), Vec::<&str>::new());
    assert_eq!(told(&FLEET.replace("job: globex, ", "job: globex, jobb: x, ")), ["E1124"]);
    assert_eq!(told(&FLEET.replace("{ checkout: { latency:", "{ chekout: { latency:")), ["E1129"]);
    assert_eq!(told(&FLEET.replace("{ latency: { title: Ours } }", "{ latencies: { title: Ours } }")), ["E1129"]);
    assert_eq!(told(&FLEET.replace("pinned: { http-service: 1 }", "pinned: { http-service: 7 }")), ["E1121"]);
    assert_eq!(told(&FLEET.replace("target: 99% }", "target: 99 }")), ["E1127"]);
}
