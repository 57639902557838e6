//! What the differences would have done over a span of history, lived through by both sets side by side.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

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
    replay::{Lived, OfText, Past, Seen, Set, bounded, live, recorded},
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
    let (sets, left_out) = if args.recorded.is_some() { of_text(sets) } else { (sets, BTreeSet::new()) };
    let slos: Vec<Arc<Slo>> = sets.iter().flatten().cloned().collect();
    let Some(source) = side.newer.as_ref().map(|newer| &newer.context.source) else { return Ok(()) };
    let (past, place, asked) = history(args, config, source, length)?;
    let seen = Seen::of(&past, sets, asked).await.map_err(|unknown| not_read(&unknown))?;
    let sentences = seen.sentences(&place);
    anyhow::ensure!(!seen.is_nothing(), "{}", sentences.join(" "));
    let Seen { span, sets, never, .. } = seen;
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
        // Of what was not lived through nobody knows what a change of it does.
        for change in difference.changes.iter_mut().filter(|change| left_out.contains(&change.id) || never.contains(&change.id)) {
            change.effect = None;
        }
    }
    Ok(())
}

/// What a recorded file can show of each set, and what it cannot of any.
fn of_text(sets: Vec<Vec<Arc<Slo>>>) -> (Vec<Vec<Arc<Slo>>>, BTreeSet<SloId>) {
    let each: Vec<OfText> = sets.into_iter().map(OfText::of).collect();
    let notes: BTreeSet<String> = each.iter().filter_map(OfText::note).collect();
    for note in notes {
        print::talk(format_args!("note: {note}"));
    }
    let left_out = each.iter().flat_map(|of_text| &of_text.left_out).map(|(id, _)| id.clone()).collect();
    (each.into_iter().map(|of_text| of_text.shown).collect(), left_out)
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
