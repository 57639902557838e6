//! Names and identities: `tenant:service/name{group}`. Alphabets are checked where a name is made; nothing re-checks later. A clone shares the text.

use std::{fmt, sync::Arc};

use sha2::{Digest, Sha256};
use thiserror::Error;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a name: use 1 to 63 characters of a-z, 0-9 and -, starting with a letter or digit")]
pub struct NameError(pub String);

fn checked(text: &str) -> Result<Arc<str>, NameError> {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (1..=63).contains(&text.len()) && text.bytes().all(legal) && !text.starts_with('-') {
        Ok(text.into())
    } else {
        Err(NameError(text.to_owned()))
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Reads a name of `[a-z0-9-]{1,63}` that starts with a letter or digit.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                checked(text).map(Self)
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// The unit of isolation: data, credentials, quotas, audit. It comes from configuration, never from a document.
    TenantId
);
name!(
    /// A service, as the author of an SLO calls it.
    ServiceName
);
name!(
    /// An SLO's name within its service.
    SloName
);
name!(
    /// An objective's name within its SLO.
    ObjectiveName
);
name!(
    /// A team: who is paged.
    TeamName
);
name!(
    /// A person in burnward.yaml.
    PersonName
);
name!(
    /// A source of samples in burnward.yaml.
    SourceName
);

/// One SLO: `tenant:service/name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SloId {
    /// Whose SLO.
    pub tenant: TenantId,
    /// Of which service.
    pub service: ServiceName,
    /// Its name there.
    pub name: SloName,
}

impl fmt::Display for SloId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}/{}", self.tenant, self.service, self.name)
    }
}

/// One value of the labels in `per`, sorted by label; empty where an SLO is not split. Values are whatever the source sent: untrusted text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Group(Arc<[(String, String)]>);

impl Group {
    /// The group with these label values, sorted by label.
    pub fn new(mut labels: Vec<(String, String)>) -> Self {
        labels.sort();
        Self(labels.into())
    }

    /// The whole of an SLO that is not split.
    pub fn whole() -> Self {
        Self::default()
    }

    /// Label and value, sorted by label.
    pub fn labels(&self) -> &[(String, String)] {
        &self.0
    }

    /// True where these, sorted, are its labels.
    pub fn has_labels(&self, labels: &[String]) -> bool {
        self.0.iter().map(|(label, _)| label).eq(labels)
    }

    /// True where the SLO is not split.
    pub fn is_whole(&self) -> bool {
        self.0.is_empty()
    }

    /// The values alone, joined by `, `: how a person reads the group.
    pub fn values(&self) -> String {
        self.0.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_whole() {
            return Ok(());
        }
        let pairs: Vec<String> = self.0.iter().map(|(label, value)| format!("{label}={value:?}")).collect();
        write!(f, "{{{}}}", pairs.join(","))
    }
}

/// One error budget: an objective of an SLO for one group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BudgetId {
    /// The SLO.
    pub slo: SloId,
    /// Which of its objectives.
    pub objective: ObjectiveName,
    /// Which of its groups.
    pub group: Group,
}

impl fmt::Display for BudgetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}#{}", self.slo, self.group, self.objective)
    }
}

/// An incident's identity within its tenant: subject, kind and ordinal of the fault, such as `checkout-burn-3`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentId(String);

impl IncidentId {
    /// The identity of the `ordinal`-th incident (from 1) of a fault key.
    pub fn new(subject: &str, kind: &str, ordinal: u64) -> Self {
        Self(format!("{subject}-{kind}-{ordinal}"))
    }

    /// An identity read back from the store or given by a person; any text, unknown ones are simply not found.
    pub fn from_text(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The identity as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A message's identity: a hash of what it is for (incident, step, recipient, round), never of a delivery attempt, so that a page decided twice is
/// the same page. Shown as `P-` and 12 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PageId(String);

impl PageId {
    /// The identity of what the parts describe.
    pub fn of(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let digest = hash.finalize();
        let number = digest.iter().take(6).fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        Self(format!("P-{number:012x}"))
    }

    /// An identity read back from the store or from Slack's metadata.
    pub fn from_text(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The identity as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_their_alphabet() {
        for good in ["a", "checkout", "prom-eu", "9lives"] {
            assert!(ServiceName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "A", "a b", "../etc", "a/b", "a\0", &"x".repeat(64)] {
            assert!(ServiceName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn page_ids_do_not_confuse_neighbouring_parts() {
        assert_ne!(PageId::of(&["ab", "c"]), PageId::of(&["a", "bc"]));
        assert_eq!(PageId::of(&["a", "b"]), PageId::of(&["a", "b"]));
    }
}
