//! The inputs of decisions.

use std::time::Duration;

use burnward_core::{
    budget::BudgetLeft,
    burn_rate::{RowBurn, Verdict},
    id::SloId,
    incident::{BlindFacts, BurnFacts, Facts, MemberShare, Symptom, TestFacts},
    ledger::{Counts, Reason, Unknown},
    slo::{AlertRow, Urgency},
    time::Timestamp,
    units::{Factor, Target},
    window::{Grain, Period, Window, Zone},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::values::{SloIdRow, UrgencyRow, factor, float, millis, slo_ids, target};

#[derive(Serialize, Deserialize)]
#[serde(remote = "Facts", rename_all = "kebab-case")]
pub(super) enum FactsRow {
    Burn(#[serde(with = "boxed_burn")] Box<BurnFacts>),
    Blind(#[serde(with = "BlindFactsRow")] BlindFacts),
    Test(#[serde(with = "TestFactsRow")] TestFacts),
}

/// `with` for facts in a box.
mod boxed_burn {
    use super::{BurnFacts, BurnFactsRow, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &BurnFacts, to: S) -> Result<S::Ok, S::Error> {
        BurnFactsRow::serialize(value, to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Box<BurnFacts>, D::Error> {
        BurnFactsRow::deserialize(from).map(Box::new)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "BurnFacts")]
struct BurnFactsRow {
    title: String,
    #[serde(with = "SymptomRow")]
    symptom: Symptom,
    #[serde(with = "target")]
    target: Target,
    #[serde(with = "WindowRow")]
    window: Window,
    #[serde(with = "RowBurnRow")]
    fired: RowBurn,
    #[serde(with = "millis")]
    began: Timestamp,
    #[serde(with = "BudgetLeftRow")]
    left: BudgetLeft,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    coverage: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    runs_out: Option<Duration>,
    #[serde(with = "millis")]
    as_of: Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "members")]
    members: Vec<MemberShare>,
}

/// `with` for members of a journey.
mod members {
    use super::{Deserialize, Deserializer, MemberShare, Serialize, Serializer, SloId, SloIdRow};

    #[derive(Serialize, Deserialize)]
    struct Row {
        #[serde(with = "SloIdRow")]
        slo: SloId,
        cost: i64,
    }

    pub(super) fn serialize<S: Serializer>(members: &[MemberShare], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(members.iter().map(|member| Row { slo: member.slo.clone(), cost: member.cost }))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<MemberShare>, D::Error> {
        let rows = Vec::<Row>::deserialize(from)?;
        Ok(rows.into_iter().map(|Row { slo, cost }| MemberShare { slo, cost }).collect())
    }
}

/// A rolling window is its length alone.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Window", untagged)]
enum WindowRow {
    Rolling(Duration),
    Calendar {
        #[serde(with = "PeriodRow")]
        period: Period,
        #[serde(with = "zone")]
        zone: Zone,
    },
}

/// `with` for a time zone: its name and where its days can begin.
mod zone {
    use super::{Deserialize, Deserializer, Grain, GrainRow, Serialize, Serializer, Zone};
    use serde::de::Error as _;

    #[derive(Serialize, Deserialize)]
    struct ZoneRow {
        name: String,
        #[serde(with = "GrainRow")]
        grain: Grain,
    }

    pub(super) fn serialize<S: Serializer>(zone: &Zone, to: S) -> Result<S::Ok, S::Error> {
        ZoneRow { name: zone.as_str().to_owned(), grain: zone.grain() }.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Zone, D::Error> {
        let ZoneRow { name, grain } = ZoneRow::deserialize(from)?;
        Zone::parse(&name, grain).map_err(D::Error::custom)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Grain", rename_all = "kebab-case")]
enum GrainRow {
    Hour,
    HalfHour,
    QuarterHour,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Period", rename_all = "kebab-case")]
enum PeriodRow {
    Week,
    Month,
    Quarter,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Symptom", rename_all = "kebab-case")]
enum SymptomRow {
    Failing,
    TooSlow,
    Down,
    Downtime,
    Missing,
    OutOfBounds,
    Broken,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "BlindFacts")]
struct BlindFactsRow {
    #[serde(with = "UnknownRow")]
    unknown: Unknown,
    #[serde(with = "millis")]
    since: Timestamp,
    #[serde(with = "slo_ids")]
    hides: Vec<SloId>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "TestFacts")]
struct TestFactsRow {
    by: String,
    #[serde(with = "millis")]
    at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Unknown")]
struct UnknownRow {
    #[serde(serialize_with = "reason_code", deserialize_with = "reason_from_code")]
    reason: Reason,
    detail: String,
}

fn reason_code<S: Serializer>(reason: &Reason, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(reason.code())
}

fn reason_from_code<'de, D: Deserializer<'de>>(from: D) -> Result<Reason, D::Error> {
    let code = String::deserialize(from)?;
    Reason::from_code(&code).ok_or_else(|| D::Error::custom(format!("`{code}` is no reason for not seeing")))
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RowBurn")]
struct RowBurnRow {
    #[serde(with = "AlertRowRow")]
    row: AlertRow,
    #[serde(with = "CountsRow")]
    long: Counts,
    #[serde(with = "CountsRow")]
    short: Counts,
    #[serde(with = "float")]
    long_burn: f64,
    #[serde(with = "float")]
    short_burn: f64,
    #[serde(rename = "holds", serialize_with = "is_holding", deserialize_with = "verdict")]
    verdict: Verdict,
}

/// Stored is what was decided from a row that held; that one was held back is in the alert's history.
fn is_holding<S: Serializer>(verdict: &Verdict, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_bool(matches!(verdict, Verdict::Holds))
}

fn verdict<'de, D: Deserializer<'de>>(from: D) -> Result<Verdict, D::Error> {
    Ok(if bool::deserialize(from)? { Verdict::Holds } else { Verdict::Quiet })
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "AlertRow")]
struct AlertRowRow {
    #[serde(with = "UrgencyRow")]
    urgency: Urgency,
    #[serde(with = "factor")]
    factor: Factor,
    long: Duration,
    short: Duration,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Counts")]
struct CountsRow {
    good: i64,
    tolerated: i64,
    bad: i64,
    unseen_millis: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "BudgetLeft")]
struct BudgetLeftRow {
    #[serde(with = "float")]
    ratio: f64,
    #[serde(with = "float")]
    seconds: f64,
    whole: Duration,
}
