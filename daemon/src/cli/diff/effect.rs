//! What the differences would have done over a span of history, lived through by both sets side by side.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use burnward_core::{
    id::{SloId, SourceName},
    slo::Slo,
    window::Interval,
};

use super::{DiffArgs, Sets, sides::Side};
use crate::{
    cli::{
        backtest::{not_read, past_of_source, with_members},
        bar::Bar,
        print,
    },
    clock::Clock,
    config::Config,
    definition::duration,
    diff::{
        Difference,
        effect::{Life, Lives},
    },
    replay::{Entrant, Lived, OfText, Past, Seen, Set, as_sentence, bounded, live, recorded},
};

/// Reads how long a history is asked for.
pub(super) fn length(text: &str) -> anyhow::Result<Duration> {
    duration::parse(text).with_context(|| format!("--backtest={text}"))
}

/// Adds what the changes of one tenant would have done. Every SLO of their services is lived through, because what fails of one service is one incident.
pub(super) async fn add(
    difference: &mut Difference,
    args: &DiffArgs,
    (before, config): (&Arc<Config>, &Arc<Config>),
    (side, sets): (&Side, &Sets),
    length: Duration,
) -> anyhow::Result<()> {
    let tenant = &side.tenant;
    let own = difference.changes.iter().filter(|change| change.id.tenant == *tenant);
    let of_other_teams = sets.newer.iter().filter(|slo| difference.teams.iter().any(|change| change.team == slo.team));
    let services = own.map(|change| &change.id.service).chain(of_other_teams.map(|slo| &slo.id.service));
    let services: BTreeSet<String> = services.map(ToString::to_string).collect();
    if services.is_empty() {
        return Ok(());
    }
    let services: Vec<String> = services.into_iter().collect();
    let sets: Vec<Vec<Arc<Slo>>> = [&sets.older, &sets.newer].map(|set| with_members(set, &services)).into();
    let Shown { sets, left_out, note } = if args.recorded.is_some() { of_text(&sets, difference) } else { Shown::all(sets) };
    if let Some(note) = &note {
        print::talk(format_args!("note: {note}"));
    }
    if sets.iter().all(Vec::is_empty) {
        tell_of_unlived(difference, &left_out);
        return Ok(());
    }
    let slos: Vec<Arc<Slo>> = sets.iter().flatten().cloned().collect();
    let Some(source) = side.newer.as_ref().map(|newer| &newer.context.source) else { return Ok(()) };
    let (past, place, asked) = history(args, config, source, length)?;
    let seen = Seen::of(&past, sets, asked).await.map_err(|unknown| not_read(&unknown))?;
    let sentences: Vec<String> = seen.sentences(&place).into_iter().chain(note.map(|note| as_sentence(&note))).collect();
    let left_out = without_samples(&seen, difference, &place).into_iter().chain(left_out).collect();
    let Seen { span, sets, .. } = seen;
    let sets: Vec<Vec<Entrant>> = sets.into_iter().map(|set| of_both(set, &left_out)).collect();
    if sets.iter().all(Vec::is_empty) {
        for sentence in sentences {
            print::talk(format_args!("note: {sentence}"));
        }
        tell_of_unlived(difference, &left_out);
        return Ok(());
    }
    let span = bounded(span, config.tick).context("--backtest")?;
    let bar = Bar::new("diff", span);
    // Each side calls whom it called then.
    let lives = sets.into_iter().zip([before, config]).map(|(slos, config)| Set { config: Arc::clone(config), slos }).collect();
    let lived = live((tenant, source), lives, (span, config.tick), past, |passed| bar.passed(passed)).await;
    bar.end();
    let lived = lived.map_err(|unknown| not_read(&unknown))?;
    if let [older, newer] = lived.as_slice() {
        let slos: Vec<&Slo> = slos.iter().map(AsRef::as_ref).collect();
        difference.add_effects(tenant, Lives { before: life(older), after: life(newer), span, unseen: &sentences }, &slos, config);
        tell_of_unlived(difference, &left_out);
    }
    Ok(())
}

/// The SLOs of which there is no sample, with why: where one version has some, what the other would have told is unknown all the same.
fn without_samples(seen: &Seen, difference: &Difference, place: &str) -> BTreeMap<SloId, String> {
    let is_seen = |id: &SloId| seen.sets.iter().flatten().any(|entrant| entrant.slo.id == *id);
    let mut without = BTreeMap::new();
    for id in &seen.never {
        let versions = difference.changes.iter().filter(|change| change.id == *id || change.former() == Some(id));
        let names: BTreeSet<&SloId> = versions.flat_map(|change| change.former().into_iter().chain([&change.id])).chain([id]).collect();
        let of = if names.iter().any(|name| is_seen(name)) { "one of its versions" } else { "it" };
        without.extend(names.into_iter().map(|name| (name.clone(), format!("there is no sample of {of} in {place}"))));
    }
    without
}

/// What of a set is lived through: nothing that is left out, and no journey over that.
fn of_both(mut set: Vec<Entrant>, left_out: &BTreeMap<SloId, String>) -> Vec<Entrant> {
    let mut out: BTreeSet<SloId> = left_out.keys().cloned().collect();
    loop {
        let leads_over = |slo: &Slo| slo.sli.composite().is_some_and(|journey| journey.members().any(|member| out.contains(&member.slo)));
        let (gone, rest): (Vec<_>, Vec<_>) = set.into_iter().partition(|entrant| out.contains(&entrant.slo.id) || leads_over(&entrant.slo));
        if gone.is_empty() {
            return rest;
        }
        out.extend(gone.into_iter().map(|entrant| entrant.slo.id.clone()));
        set = rest;
    }
}

/// Of what was not lived through nobody knows what a change of it does.
fn tell_of_unlived(difference: &mut Difference, unlived: &BTreeMap<SloId, String>) {
    for change in &mut difference.changes {
        if let Some(why) = unlived.get(&change.id) {
            (change.effect, change.not_lived) = (None, Some(why.clone()));
        }
    }
}

/// What is lived through of each set.
struct Shown {
    sets: Vec<Vec<Arc<Slo>>>,
    /// What is not, with why.
    left_out: BTreeMap<SloId, String>,
    /// The same in a sentence; `None`: all is.
    note: Option<String>,
}

impl Shown {
    const fn all(sets: Vec<Vec<Arc<Slo>>>) -> Self {
        Self { sets, left_out: BTreeMap::new(), note: None }
    }
}

/// What a recorded file can show of each set: an SLO whose one version it does not show is left out of both, or its pages would seem to come or go.
fn of_text(sets: &[Vec<Arc<Slo>>], difference: &Difference) -> Shown {
    let mut left_out: BTreeMap<SloId, String> = BTreeMap::new();
    loop {
        let others: BTreeSet<SloId> = left_out.keys().cloned().collect();
        let each: Vec<OfText> = sets.iter().map(|set| OfText::without(set.clone(), &others)).collect();
        for (id, why) in each.iter().flat_map(|of_text| &of_text.left_out) {
            left_out.entry(id.clone()).or_insert_with(|| (*why).to_owned());
        }
        for change in &difference.changes {
            let names: Vec<&SloId> = change.former().into_iter().chain([&change.id]).collect();
            if let Some(why) = names.iter().find_map(|name| left_out.get(*name)).cloned() {
                for name in names {
                    left_out.entry(name.clone()).or_insert_with(|| why.clone());
                }
            }
        }
        if left_out.len() == others.len() {
            let sets = each.into_iter().map(|of_text| of_text.shown).collect();
            let named: Vec<String> = left_out.iter().map(|(id, why)| format!("{}/{} ({why})", id.service, id.name)).collect();
            let note = (!named.is_empty()).then(|| format!("left out, because samples of text do not show it: {}", named.join(", ")));
            return Shown { sets, left_out, note };
        }
    }
}

fn life(lived: &Lived) -> Life<'_> {
    Life { alarms: &lived.alarms, budgets: &lived.budgets }
}

/// What answers, what to call it, and the span: up to now, or to the last sample of a file, and no longer than that.
fn history(args: &DiffArgs, config: &Config, source: &SourceName, length: Duration) -> anyhow::Result<(Past, String, Interval)> {
    let whole = |span: Interval| Interval { from: span.from.ceil(Duration::from_secs(1)), to: span.to.floor(Duration::from_secs(1)) };
    if let Some(file) = &args.recorded {
        let samples = recorded::read(file, Clock::Wall.now())?;
        let reach = samples.reach().with_context(|| format!("{} holds no sample", file.display()))?;
        let span = whole(Interval { from: reach.to.minus(length).max(reach.from), to: reach.to });
        anyhow::ensure!(span.from < span.to, "{} holds samples of one moment alone", file.display());
        return Ok((Past::Samples(samples), file.display().to_string(), span));
    }
    let now = Clock::Wall.now().floor(Duration::from_secs(1));
    let (past, place) = past_of_source(config, source, args.source.as_deref(), now)?;
    Ok((past, place, Interval { from: now.minus(length), to: now }))
}
