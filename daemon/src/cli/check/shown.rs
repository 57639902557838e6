//! Findings for people and for programs, with what else `check` has to say: which reports are sent when, and what journeys are made of.

use std::time::Duration;

use burnward_core::{
    id::TeamName,
    sli::composite::{Member, Members},
    slo::Slo,
    time::Timestamp,
    words::plural,
};

use super::{Format, Report, colour, cost::Costs};
use crate::{
    config::ReportConfig,
    definition::{self, Colour, Diagnostic, Severity},
};

/// A report, and when it is sent next.
#[derive(Debug)]
pub(super) struct NextReport {
    report: ReportConfig,
    next: Vec<Timestamp>,
}

/// Firings of a report that are shown.
const FIRINGS: usize = 3;

impl NextReport {
    pub(super) fn of(report: &ReportConfig, now: Timestamp) -> Self {
        Self { next: report.schedule.upcoming(now).take(FIRINGS).collect(), report: report.clone() }
    }

    /// The civil times with their distance from UTC.
    fn times(&self) -> Vec<String> {
        let civil = |at: &Timestamp| jiff::Timestamp::from_millisecond(at.millis()).ok();
        let zoned = self.next.iter().filter_map(civil).map(|at| at.to_zoned(self.report.schedule.zone().clone()));
        zoned.map(|at| at.strftime("%a %-d %b %Y %H:%M %:z").to_string()).collect()
    }

    fn as_text(&self) -> String {
        format!("Report of the {}.\n  Next: {}\n", self.report.name(), self.times().join(", "))
    }

    fn as_json(&self) -> serde_json::Value {
        let ReportConfig { tenant, team, schedule, zone, to } = &self.report;
        let next: Vec<String> = self.next.iter().map(|at| crate::report::words::utc(*at)).collect();
        serde_json::json!({
            "tenant": tenant.as_str(),
            "team": team.as_ref().map(TeamName::as_str),
            "cron": schedule.line(),
            "timezone": zone.as_str(),
            "to": to,
            "next": next,
        })
    }
}

impl Report {
    pub(super) fn text(&self, format: Format, fails_from: Severity, elapsed: Duration) -> String {
        match format {
            Format::Text => self.as_text(colour(), elapsed),
            Format::Json => self.as_json(),
            Format::Github => self.as_github(),
            Format::Sarif => self.as_sarif(),
            Format::Junit => self.as_junit(fails_from),
        }
    }

    fn as_text(&self, colour: Colour, elapsed: Duration) -> String {
        let mut lines: Vec<String> = self.diagnostics.iter().map(|fault| fault.render(colour) + "\n").collect();
        lines.extend(self.journeys.iter().filter_map(|slo| journey_as_text(slo)));
        lines.extend(self.reports.iter().map(NextReport::as_text));
        lines.extend(self.costs.iter().map(ToString::to_string));
        let (errors, warnings) = self.count();
        let findings = format!("{}, {}", plural(errors, "error"), plural(warnings, "warning"));
        let checked =
            format!("Checked {} in {} ({:.2} s)", plural(self.slos, "SLO"), plural(self.checked.len(), "file"), elapsed.as_secs_f64());
        let more = self.worst().map(|fault| format!("   Learn more: burnward explain {}", fault.code.id)).unwrap_or_default();
        lines.push(format!("{checked}: {findings}.{more}"));
        lines.join("\n") + "\n"
    }

    /// The first error, or else the first warning.
    fn worst(&self) -> Option<&Diagnostic> {
        self.diagnostics.iter().min_by_key(|fault| fault.severity())
    }

    fn as_json(&self) -> String {
        let (errors, warnings) = self.count();
        let report = serde_json::json!({
            "schema": "burnward/v1/check",
            "slos": self.slos,
            "files": self.checked.len(),
            "errors": errors,
            "warnings": warnings,
            "reports": self.reports.iter().map(NextReport::as_json).collect::<Vec<_>>(),
            "journeys": self.journeys.iter().filter_map(|slo| journey_as_json(slo)).collect::<Vec<_>>(),
            "costs": self.costs.iter().map(Costs::to_json).collect::<Vec<_>>(),
            "not_checked": self.failures,
            "diagnostics": self.diagnostics.iter().map(Diagnostic::to_json).collect::<Vec<_>>(),
        });
        format!("{report:#}\n")
    }
}

/// What a composite is made of, in lines.
fn journey_as_text(slo: &Slo) -> Option<String> {
    let composite = slo.sli.composite()?;
    let (join, weights): (&str, Vec<String>) = match &composite.members {
        Members::AllOf(_) => ("all of", Vec::new()),
        Members::Weighted(members) => ("parts of", members.iter().map(|(_, weight)| format!("{} of it, ", weight.words())).collect()),
    };
    let member = |(at, member): (usize, &Member)| {
        let weight = weights.get(at).map_or("", String::as_str);
        let Member { slo, good_from, unseen } = member;
        format!("  {}/{}: {weight}good from {}%, no data: {}\n", slo.service, slo.name, good_from.as_percent(), unseen.word())
    };
    let members: String = composite.members().enumerate().map(member).collect();
    let slice = definition::duration::format(composite.slice);
    Some(format!("{}/{} is made of {join}, in slices of {slice}:\n{members}", slo.id.service, slo.id.name))
}

fn journey_as_json(slo: &Slo) -> Option<serde_json::Value> {
    let composite = slo.sli.composite()?;
    let members: Vec<String> = composite.members().map(|member| format!("{}/{}", member.slo.service, member.slo.name)).collect();
    Some(serde_json::json!({ "slo": format!("{}/{}", slo.id.service, slo.id.name), "members": members }))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config;

    #[test]
    fn the_next_firings_of_each_report_are_shown_in_its_zone() {
        let text = "version: burnward/v1
teams: { shop: { channel: '#shop' } }
reports:
  - { error-budget: week, team: shop, cron: '30 2 * * SUN', timezone: Europe/Berlin, to: '#shop' }
";
        let config = config::parse(Path::new("burnward.yaml"), text).expect("a configuration");
        // The clocks are set forward on 28 March 2027, from two to three.
        let next = NextReport::of(&config.reports[0], Timestamp::from_seconds(1_805_900_000));
        assert_eq!(
            next.as_text(),
            "Report of the error budgets of the week, shop, at 30 2 * * SUN Europe/Berlin, to #shop.
  Next: Sun 28 Mar 2027 03:00 +02:00, Sun 4 Apr 2027 02:30 +02:00, Sun 11 Apr 2027 02:30 +02:00
"
        );
        assert_eq!(next.as_json()["next"][0], "2027-03-28T01:00:00Z");
    }
}
