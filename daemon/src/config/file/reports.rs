//! `reports:` what is posted to a channel by a crontab line.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use burnward_core::{
    id::{TeamName, TenantId},
    oncall::Team,
    time::{Timestamp, hours},
    window::{Grain, Zone},
};
use jiff::tz::TimeZone;

use super::{File, people::read_channel};
use crate::{
    config::ReportConfig,
    definition::{
        codes,
        reader::{Fields, Keys, shortened, suggest},
        yaml::Node,
        zone,
    },
    schedule::{Crontab, Schedule},
};

const REPORT: Keys = Keys { of: "a report", known: &["error-budget", "team", "tenant", "cron", "timezone", "to"], later: &[] };

/// Most reports.
const MAX_REPORTS: usize = 1_000;

/// Firings that are looked at for their distance, and how far apart they are at least.
const LOOKED_AT: usize = 50;
const APART: Duration = hours(1);

/// From when on firings are looked at: 2026-01-01, so that a configuration is fine or not whenever it is read.
const LOOKED_FROM: Timestamp = Timestamp::from_seconds(1_767_225_600);

pub(super) type Tenants = BTreeSet<TenantId>;
pub(super) type Teams = BTreeMap<TeamName, Team>;

pub(super) fn read_reports(file: &mut File, fields: &Fields<'_>, tenants: &Tenants, teams: &Teams) -> Vec<ReportConfig> {
    let Some(node) = file.reader.optional(fields, "reports") else { return Vec::new() };
    let Some(items) = file.reader.list(node, "`reports`") else { return Vec::new() };
    if items.len() > MAX_REPORTS {
        file.reader.error(&codes::REPORT, node.range.clone(), format!("there are {} reports; at most {MAX_REPORTS} are sent", items.len()));
        return Vec::new();
    }
    let mut read: Vec<ReportConfig> = Vec::new();
    for item in items {
        let Some(report) = read_report(file, item, tenants, teams) else { continue };
        if read.iter().any(|other| other.tenant == report.tenant && other.name() == report.name()) {
            let diagnostic = file.reader.diagnostic(&codes::REPORT, item.range.clone(), "the same report is sent by an entry above");
            file.reader.report(diagnostic.help("remove one of both"));
            continue;
        }
        read.push(report);
    }
    read
}

fn read_report(file: &mut File, node: &Node, tenants: &Tenants, teams: &Teams) -> Option<ReportConfig> {
    let fields = file.map(node, &REPORT)?;
    let what = file.reader.required(&fields, "error-budget", "week").map(|node| read_what(file, node));
    let tenant = read_tenant(file, &fields, tenants);
    let team = match file.reader.optional(&fields, "team") {
        Some(node) => read_team(file, node, teams).map(Some),
        None => Some(None),
    };
    let zone = match file.reader.optional(&fields, "timezone") {
        Some(node) => zone::read(&mut file.reader, node),
        None => Zone::parse("UTC", Grain::Hour).ok(),
    };
    let crontab = file.reader.required(&fields, "cron", "\"0 9 * * MON\"").and_then(|node| read_crontab(file, node));
    let to = file.reader.required(&fields, "to", "\"#payments\"").and_then(|node| read_channel(file, node));
    let ((), tenant, team, zone, (line, crontab), to) = (what??, tenant?, team?, zone?, crontab?, to?);
    let civil = TimeZone::get(zone.as_str()).unwrap_or(TimeZone::UTC);
    let schedule = Schedule::new(crontab, civil);
    if let Some(first) = too_often(&schedule) {
        let message = format!("`{}` fires {} after another time", schedule.line(), burnward_core::words::duration(first));
        let diagnostic = file.reader.diagnostic(&codes::CRON, line, message);
        file.reader.report(diagnostic.help("a report is sent at most once an hour; a weekly one is `0 9 * * MON`"));
        return None;
    }
    Some(ReportConfig { tenant, team, schedule, zone, to })
}

fn read_what(file: &mut File, node: &Node) -> Option<()> {
    let text = file.reader.text(node, "`error-budget`")?;
    if text == "week" {
        return Some(());
    }
    let diagnostic = file.reader.diagnostic(&codes::REPORT, node.range.clone(), format!("there is no report of a `{}`", shortened(text)));
    file.reader.report(diagnostic.help("write `error-budget: week`, the last whole week from Monday to Monday"));
    None
}

/// The tenant, which goes without saying where there is one.
fn read_tenant(file: &mut File, fields: &Fields<'_>, tenants: &Tenants) -> Option<TenantId> {
    let Some(node) = file.reader.optional(fields, "tenant") else {
        let mut names = tenants.iter();
        let (only, more) = (names.next().cloned(), names.next());
        if more.is_some() {
            file.reader.required(fields, "tenant", "NAME");
            return None;
        }
        return only;
    };
    let name = file.reader.name(node, "a tenant's name", TenantId::parse)?;
    if tenants.contains(&name) {
        return Some(name);
    }
    let names: Vec<&str> = tenants.iter().map(TenantId::as_str).collect();
    let diagnostic = file.reader.diagnostic(&codes::REPORT, node.range.clone(), format!("there is no tenant `{name}`"));
    file.reader.report(suggest(diagnostic, name.as_str(), &names).help("declare it under `tenants:`"));
    None
}

fn read_team(file: &mut File, node: &Node, teams: &Teams) -> Option<TeamName> {
    let name = file.reader.name(node, "a team's name", TeamName::parse)?;
    if teams.contains_key(&name) {
        return Some(name);
    }
    let names: Vec<&str> = teams.keys().map(TeamName::as_str).collect();
    let diagnostic = file.reader.diagnostic(&codes::UNKNOWN_TEAM, node.range.clone(), format!("there is no team `{name}`"));
    file.reader.report(suggest(diagnostic, name.as_str(), &names).help("declare it under `teams:`, or leave `team` out for all of them"));
    None
}

fn read_crontab(file: &mut File, node: &Node) -> Option<(std::ops::Range<usize>, Crontab)> {
    let text = file.reader.line(node, "`cron`", 200)?;
    match Crontab::parse(text) {
        Ok(crontab) => Some((node.range.clone(), crontab)),
        Err(error) => {
            let message = format!("`{}` is not a crontab line: {error}", shortened(text));
            let diagnostic = file.reader.diagnostic(&codes::CRON, node.range.clone(), message);
            file.reader
                .report(diagnostic.help("write for example \"0 9 * * MON\": minute, hour, day of the month, month, day of the week"));
            None
        }
    }
}

/// The first distance between two firings that is too short.
fn too_often(schedule: &Schedule) -> Option<Duration> {
    let firings: Vec<Timestamp> = schedule.upcoming(LOOKED_FROM).take(LOOKED_AT).collect();
    firings.windows(2).map(|pair| pair[1].since(pair[0])).find(|apart| *apart < APART)
}
