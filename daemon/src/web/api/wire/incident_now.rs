//! An incident as it stands now, in the words of the page that would be sent.

use serde::{Deserialize, Serialize};

use crate::render::PageContext;

/// An incident as it stands now: the figures of its worst budget, or what is hidden, and who has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IncidentNow {
    /// What, how bad, how long: one sentence.
    pub sentence: String,
    /// The groups that are hit, in a few words.
    pub whom: Option<String>,
    /// The worst budget, where budgets burn.
    pub burn: Option<BurnNow>,
    /// Why it cannot be seen, where that is the fault.
    pub blind: Option<String>,
    /// The SLOs that are hidden.
    pub hides: Vec<String>,
    /// How many SLOs are hidden in all.
    #[serde(default)]
    pub hides_slos: usize,
    /// How many objectives they have.
    #[serde(default)]
    pub hides_objectives: usize,
    /// Which alert flaps, and how often it came back; absent where none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flaps: Option<String>,
    /// Who is paged now.
    pub paged: Vec<String>,
    /// Who is paged next, if nobody acknowledges.
    pub next: Vec<String>,
    /// The runbook's file.
    pub runbook: Option<String>,
    /// Its first steps, at most three; Markdown.
    pub steps: Vec<String>,
    /// The share of the window's budget that it cost, the worst budget.
    pub spent: Option<String>,
}

/// The worst budget of an incident, in the words of its page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BurnNow {
    /// Share that fails now: `15.2 %`.
    pub failing: String,
    /// What that is a share of: `of requests failing`.
    pub of: String,
    /// What is allowed: `0.10 %`.
    pub limit: String,
    /// Whose budget it is, where there are several.
    pub whose: Option<String>,
    /// What is left: `71 % left (30 m 40 s of 43 m 12 s)`.
    pub left: String,
    /// What of the burn people took out of it.
    #[serde(default)]
    pub excluded: Option<String>,
    /// Its window: `30 d`, `the calendar month in Europe/Berlin`.
    pub window: String,
    /// When it is gone at this rate: `3 h 22 m`.
    pub runs_out: Option<String>,
    /// The row that fired, with what its lookbacks show now: `1 h: 1.46 % = 14.6x, 5 min: 15.2 % = 152x, threshold 14.4x`.
    pub row: String,
}

impl IncidentNow {
    /// What a page that is sent now would say.
    pub fn of(page: PageContext, runbook: Option<String>) -> Self {
        Self {
            sentence: sentence(&page),
            whom: page.whom,
            blind: page.blind.as_ref().map(|blind| blind.why.clone()),
            hides_slos: page.blind.as_ref().map_or(0, |blind| blind.count),
            hides_objectives: page.blind.as_ref().map_or(0, |blind| blind.objectives),
            hides: page.blind.map(|blind| blind.all).unwrap_or_default(),
            burn: page.burn.map(|burn| BurnNow {
                failing: burn.failing,
                of: burn.of,
                limit: burn.limit,
                whose: burn.budget.whose,
                left: burn.budget.left,
                excluded: burn.budget.excluded,
                window: burn.budget.window,
                runs_out: burn.budget.runs_out,
                row: format!(
                    "{}: {} = {}, {}: {} = {}, threshold {}",
                    burn.budget.long,
                    burn.budget.long_failing,
                    burn.budget.long_burn,
                    burn.budget.short,
                    burn.budget.short_failing,
                    burn.budget.short_burn,
                    burn.budget.threshold
                ),
            }),
            flaps: page.flaps,
            paged: page.paged,
            next: page.next.map(|next| next.who).unwrap_or_default(),
            runbook,
            steps: page.steps,
            spent: page.resolved.and_then(|resolved| resolved.spent),
        }
    }
}

/// What, how bad, how long.
fn sentence(page: &PageContext) -> String {
    let still = page.goes_on.as_ref().map_or_else(String::new, |still| format!("{}, resolved by {}. ", still.what, still.by));
    match (&page.burn, &page.resolved, &page.test) {
        (_, _, Some(by)) => format!("TEST: {by} tries the way of a page. Nothing is at fault."),
        (_, Some(_), None) => format!("It is over. It lasted {}.", page.lasts),
        (Some(burn), None, None) => format!("{still}Now {} {} (allowed {}), for {} so far.", burn.failing, burn.of, burn.limit, page.lasts),
        (None, None, None) if page.blind.as_ref().is_some_and(|blind| blind.silent) => {
            format!("{still}Nothing has happened for {}. This is not proof of an outage.", page.lasts)
        }
        (None, None, None) => format!("{still}We cannot see for {}. This is not proof of an outage.", page.lasts),
    }
}
