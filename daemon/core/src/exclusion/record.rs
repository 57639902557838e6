//! The record of exclusions: who took out what, why, and who approved it. Entries are added and never changed.

use std::time::Duration;

use super::{ExclusionId, Scope};
use crate::{id::IncidentId, time::Timestamp, window::Interval};

/// What is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Correction {
    /// Time is taken out.
    Excluded(Box<Entry>),
    /// An exclusion is taken back.
    Withdrawn {
        /// Which.
        id: ExclusionId,
        /// Why.
        reason: String,
        /// Who did it.
        author: String,
    },
}

/// One exclusion as a person recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its identity.
    pub id: ExclusionId,
    /// From which budgets.
    pub scope: Scope,
    /// Which time.
    pub when: When,
    /// Why, in a sentence.
    pub reason: String,
    /// Who recorded it.
    pub author: String,
    /// Who approved it, as the author says.
    pub approver: String,
    /// The incident whose burn it takes out, which was a false positive.
    pub incident: Option<IncidentId>,
}

/// Which time is taken out, as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// One stretch.
    Once(Interval),
    /// A stretch again and again.
    Recurring(Recurrence),
}

/// A stretch that recurs in the civil time of a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recurrence {
    /// A line of a crontab, or an RRULE of RFC 5545.
    pub rule: String,
    /// In which zone of the IANA data base its times are.
    pub zone: String,
    /// How long each stretch lasts, in elapsed time.
    pub lasts: Duration,
    /// No stretch begins before this. An RRULE counts from here, and takes the time of day from here where it names none.
    pub from: Timestamp,
    /// No stretch begins after this.
    pub until: Option<Timestamp>,
}

/// An entry of the record with when it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Correction,
}

/// An exclusion with all that was recorded of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// As it was recorded.
    pub entry: Entry,
    /// When.
    pub recorded_at: Timestamp,
    /// Whether it was taken back.
    pub withdrawal: Option<Withdrawal>,
}

/// That an exclusion was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub author: String,
    /// Why.
    pub reason: String,
}

/// The exclusions of a record, in its order. Of two withdrawals the first counts.
pub fn fold(record: impl IntoIterator<Item = Recorded>) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for Recorded { at, what } in record {
        match what {
            Correction::Excluded(entry) => cases.push(Case { entry: *entry, recorded_at: at, withdrawal: None }),
            Correction::Withdrawn { id, reason, author } => {
                if let Some(case) = cases.iter_mut().find(|case| case.entry.id == id) {
                    case.withdrawal.get_or_insert(Withdrawal { at, author, reason });
                }
            }
        }
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{exclusion::Owner, id::Group};

    #[test]
    fn a_withdrawal_leaves_the_entry_and_the_first_one_counts() {
        let at = Timestamp::from_seconds;
        let entry = |id| Entry {
            id: ExclusionId(id),
            scope: Scope { of: Owner::Tenant, group: Group::whole() },
            when: When::Once(Interval { from: at(0), to: at(60) }),
            reason: "data base upgrade".to_owned(),
            author: "ana".to_owned(),
            approver: "sam".to_owned(),
            incident: None,
        };
        let withdrawn =
            |id, author: &str| Correction::Withdrawn { id: ExclusionId(id), reason: "moved".to_owned(), author: author.to_owned() };
        let record = [
            (1, Correction::Excluded(Box::new(entry(1)))),
            (2, Correction::Excluded(Box::new(entry(2)))),
            (3, withdrawn(1, "ana")),
            (4, withdrawn(1, "sam")),
            (5, withdrawn(9, "eve")),
        ];
        let cases = fold(record.into_iter().map(|(seconds, what)| Recorded { at: at(seconds), what }));
        assert_eq!(cases.iter().map(|case| (case.entry.id.0, case.recorded_at)).collect::<Vec<_>>(), [(1, at(1)), (2, at(2))]);
        assert_eq!(cases[0].withdrawal, Some(Withdrawal { at: at(3), author: "ana".to_owned(), reason: "moved".to_owned() }));
        assert_eq!(cases[1].withdrawal, None);
    }
}
