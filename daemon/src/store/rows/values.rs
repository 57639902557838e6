//! Names, identities, faults and exact numbers.

use std::fmt::Display;

use burnward_core::{
    id::{
        BudgetId, Group, IncidentId, NameError, ObjectiveName, PageId, PersonName, ServiceName, SloId, SloName, SourceName, TeamName,
        TenantId,
    },
    incident::{AlertKey, FaultKey, Kind, MessageRef, Subject},
    oncall::Recipient,
    slo::Urgency,
    time::Timestamp,
    units::{Factor, Ratio, Target},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What is stored as its text.
pub(super) trait Text: Display + Sized {
    /// Reads the text back, and checks it where the type has rules.
    fn from_stored(text: &str) -> Result<Self, NameError>;
}

macro_rules! names {
    ($($name:ty),+) => {
        $(impl Text for $name {
            fn from_stored(text: &str) -> Result<Self, NameError> {
                Self::parse(text)
            }
        })+
    };
}

names!(TenantId, ServiceName, SloName, ObjectiveName, TeamName, PersonName, SourceName);

impl Text for PageId {
    fn from_stored(text: &str) -> Result<Self, NameError> {
        Ok(Self::from_text(text))
    }
}

impl Text for IncidentId {
    fn from_stored(text: &str) -> Result<Self, NameError> {
        Ok(Self::from_text(text))
    }
}

/// `with` for what is stored as its text.
pub(super) mod text {
    use super::{Deserialize, Deserializer, Serializer, Text};
    use serde::de::Error as _;

    pub(in super::super) fn serialize<T: Text, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(in super::super) fn deserialize<'de, T: Text, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        T::from_stored(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// `with` for an instant, as milliseconds since the epoch.
pub(super) mod millis {
    use super::{Deserialize, Deserializer, Serializer, Timestamp};

    pub(in super::super) fn serialize<S: Serializer>(value: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(value.millis())
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(from).map(Timestamp::from_millis)
    }
}

/// `with` for a float: a number that reads back bit for bit, or the name of what JSON has no number for.
pub(super) mod float {
    use super::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Stored {
        Number(f64),
        Named(Named),
    }

    #[derive(Serialize, Deserialize)]
    enum Named {
        #[serde(rename = "NaN")]
        NotANumber,
        #[serde(rename = "+Inf")]
        Infinite,
        #[serde(rename = "-Inf")]
        NegativeInfinite,
    }

    pub(in super::super) fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        let stored = match *value {
            value if value.is_nan() => Stored::Named(Named::NotANumber),
            f64::INFINITY => Stored::Named(Named::Infinite),
            f64::NEG_INFINITY => Stored::Named(Named::NegativeInfinite),
            value => Stored::Number(value),
        };
        stored.serialize(to)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        Ok(match Stored::deserialize(from)? {
            Stored::Number(value) => value,
            Stored::Named(Named::NotANumber) => f64::NAN,
            Stored::Named(Named::Infinite) => f64::INFINITY,
            Stored::Named(Named::NegativeInfinite) => f64::NEG_INFINITY,
        })
    }
}

/// `with` for an exact factor, as numerator and denominator.
pub(super) mod factor {
    use super::{Deserialize, Deserializer, Factor, Ratio, Serialize, Serializer};
    use serde::de::Error as _;

    pub(in super::super) fn serialize<S: Serializer>(value: &Factor, to: S) -> Result<S::Ok, S::Error> {
        (value.ratio().num(), value.ratio().den()).serialize(to)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Factor, D::Error> {
        let (num, den) = <(u64, u64)>::deserialize(from)?;
        Ratio::new(num, den).and_then(Factor::from_ratio).ok_or_else(|| D::Error::custom(format!("{num}/{den} is not a factor")))
    }
}

#[derive(Serialize, Deserialize)]
struct TargetRow {
    allowed: (u64, u64),
    decimals: u8,
}

/// `with` for a target: the share that may be bad, and with how many decimals its percentage was written.
pub(super) mod target {
    use super::{Deserialize, Deserializer, Ratio, Serialize, Serializer, Target, TargetRow};
    use serde::de::Error as _;

    pub(in super::super) fn serialize<S: Serializer>(value: &Target, to: S) -> Result<S::Ok, S::Error> {
        TargetRow { allowed: (value.allowed().num(), value.allowed().den()), decimals: value.decimals() }.serialize(to)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Target, D::Error> {
        let TargetRow { allowed: (num, den), decimals } = TargetRow::deserialize(from)?;
        let target = Ratio::new(num, den).and_then(|allowed| Target::from_allowed(allowed, decimals));
        target.ok_or_else(|| D::Error::custom(format!("{num}/{den} is not what a target allows")))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "SloId")]
pub(super) struct SloIdRow {
    #[serde(with = "text")]
    tenant: TenantId,
    #[serde(with = "text")]
    service: ServiceName,
    #[serde(with = "text")]
    name: SloName,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "BudgetId")]
struct BudgetIdRow {
    #[serde(with = "SloIdRow")]
    slo: SloId,
    #[serde(with = "text")]
    objective: ObjectiveName,
    #[serde(with = "labels")]
    group: Group,
}

/// `with` for a group, as its sorted pairs of label and value.
mod labels {
    use super::{Deserialize, Deserializer, Group, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Group, to: S) -> Result<S::Ok, S::Error> {
        value.labels().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Group, D::Error> {
        Vec::deserialize(from).map(Group::new)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "AlertKey", rename_all = "kebab-case")]
pub(super) enum AlertKeyRow {
    Budget(#[serde(with = "BudgetIdRow")] BudgetId),
    Source(#[serde(with = "text")] SourceName),
    Slo(#[serde(with = "SloIdRow")] SloId),
    Test,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "FaultKey")]
pub(super) struct FaultKeyRow {
    #[serde(with = "SubjectRow")]
    subject: Subject,
    #[serde(with = "KindRow")]
    kind: Kind,
    #[serde(with = "UrgencyRow")]
    urgency: Urgency,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Subject", rename_all = "kebab-case")]
enum SubjectRow {
    Service(#[serde(with = "text")] ServiceName),
    Source(#[serde(with = "text")] SourceName),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Kind", rename_all = "kebab-case")]
enum KindRow {
    Burn,
    CannotSee,
    Test,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Urgency", rename_all = "kebab-case")]
pub(super) enum UrgencyRow {
    Ticket,
    Page,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Recipient", rename_all = "kebab-case")]
pub(super) enum RecipientRow {
    Person(#[serde(with = "text")] PersonName),
    Channel(String),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "MessageRef")]
pub(super) struct MessageRefRow {
    channel: String,
    ts: String,
}

/// A fault that stands alone.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Fault(#[serde(with = "FaultKeyRow")] pub(super) FaultKey);

/// A recipient that stands alone.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct To(#[serde(with = "RecipientRow")] pub(super) Recipient);

/// SLO identities that stand alone.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Slos(#[serde(with = "slo_ids")] pub(super) Vec<SloId>);

/// `with` for a list of SLO identities.
pub(super) mod slo_ids {
    use super::{Deserialize, Deserializer, Serialize, Serializer, SloId, SloIdRow};

    #[derive(Serialize, Deserialize)]
    struct One(#[serde(with = "SloIdRow")] SloId);

    pub(in super::super) fn serialize<S: Serializer>(value: &[SloId], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(value.iter().cloned().map(One))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<SloId>, D::Error> {
        Ok(Vec::<One>::deserialize(from)?.into_iter().map(|One(id)| id).collect())
    }
}
