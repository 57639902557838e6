//! One commit, one transaction: what was counted, which alerts changed, what happened to incidents, which messages are owed for it, and the
//! audit of all that.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use burnward_core::{
    id::TenantId,
    incident::{IncidentEvent, What},
    time::Timestamp,
};
use futures_util::FutureExt;
use serde_json::{Value, json};
use sqlx::SqliteConnection;

use super::{SqliteStore, corrections, outbox, primary_code, shadow, upkeep};
use crate::store::{Behind, Commit, CommitNumber, NewEvent, Round, StoreError, StoredAlert, rows};

impl SqliteStore {
    /// Commits all of it or nothing. An event whose position is taken, or that leaves a gap, refuses the whole commit.
    pub async fn commit(&self, commit: &Commit) -> Result<(), StoreError> {
        self.commit_as(self.number(), commit).await
    }

    /// A number that no commit had.
    pub fn number(&self) -> CommitNumber {
        CommitNumber::of(self.inner.last_number.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Commits all of it or nothing under a number. Where the tenant's last commit has this number it is there already, and nothing is changed.
    pub async fn commit_as(&self, number: CommitNumber, commit: &Commit) -> Result<(), StoreError> {
        let batch = Batch::new(commit)?;
        self.write(move |tx| async move { batch.apply(number, tx).await }.boxed()).await?;
        self.committed(commit.at);
        Ok(())
    }

    /// Whether a tenant's last commit has this number.
    pub async fn has(&self, tenant: &TenantId, number: CommitNumber) -> Result<bool, StoreError> {
        let found = sqlx::query("SELECT 1 FROM last_commits WHERE tenant = ?1 AND number = ?2 AND part IN (0, ?3)")
            .bind(tenant.as_str())
            .bind(number.whole)
            .bind(number.part)
            .fetch_optional(self.readers())
            .await?;
        Ok(found.is_some())
    }

    /// Gives numbers behind those that earlier daemons gave.
    pub(super) async fn count_on_from_last_number(&self) -> Result<(), StoreError> {
        let last: Option<i64> = sqlx::query_scalar("SELECT max(number) FROM last_commits").fetch_one(self.readers()).await?;
        self.inner.last_number.fetch_max(last.unwrap_or(0), Ordering::Relaxed);
        Ok(())
    }
}

/// Leaves the row alone, and so changes none, where the commit is there: under its own number or as a part of the whole.
const TAKE_NUMBER: &str = "
    INSERT INTO last_commits (tenant, number, part) VALUES (?1, ?2, ?3)
    ON CONFLICT (tenant) DO UPDATE SET number = excluded.number, part = excluded.part
    WHERE number <> excluded.number OR part NOT IN (0, excluded.part)";

/// Writes a commit's number down; false where it is there already, and so all that was committed by it.
pub(super) async fn takes_number(tx: &mut SqliteConnection, tenant: &str, number: CommitNumber) -> Result<bool, StoreError> {
    let taken = sqlx::query(TAKE_NUMBER).bind(tenant).bind(number.whole).bind(number.part).execute(tx).await?;
    Ok(taken.rows_affected() > 0)
}

/// A commit as its statements take it, so that nothing is computed while the writer is held.
struct Batch {
    tenant: String,
    at: i64,
    round: Option<Round>,
    alerts: Rows,
    opened: Rows,
    continued: Rows,
    events: Rows,
    messages: Rows,
    outcomes: Rows,
    shadow: Rows,
    corrections: Rows,
    audit: Rows,
}

/// Rows for `json_each`.
struct Rows {
    count: u64,
    json: String,
}

impl Rows {
    fn new(rows: Vec<Value>) -> Self {
        Self { count: rows.len() as u64, json: Value::Array(rows).to_string() }
    }
}

impl Batch {
    fn new(commit: &Commit) -> Result<Self, StoreError> {
        let (opened, continued) = incident_rows(&commit.events)?;
        Ok(Self {
            tenant: commit.tenant.to_string(),
            at: commit.at.millis(),
            round: commit.round.clone(),
            alerts: Rows::new(commit.alerts.iter().map(|alert| alert_row(commit, alert)).collect::<Result<_, _>>()?),
            opened: Rows::new(opened),
            continued: Rows::new(continued),
            events: Rows::new(commit.events.iter().map(event_row).collect::<Result<_, _>>()?),
            messages: Rows::new(commit.messages.iter().map(|message| outbox::message_row(message, commit.at)).collect::<Result<_, _>>()?),
            outcomes: Rows::new(commit.events.iter().filter_map(|new| outcome_row(&new.event)).collect()),
            shadow: Rows::new(commit.shadow.iter().map(shadow::shadow_row).collect::<Result<_, _>>()?),
            corrections: Rows::new(
                commit.corrections.iter().map(|correction| corrections::correction_row(correction, commit.at)).collect::<Result<_, _>>()?,
            ),
            audit: Rows::new(commit.audit.iter().map(|entry| upkeep::audit_row(entry, commit.at)).collect()),
        })
    }

    async fn apply(self, number: CommitNumber, tx: &mut SqliteConnection) -> Result<(), StoreError> {
        let tenant = &self.tenant;
        if !takes_number(tx, tenant, number).await? {
            return Ok(());
        }
        if let Some(round) = &self.round {
            save_round(tx, tenant, self.at, round).await?;
        }
        run(tx, SAVE_ALERTS, tenant, &self.alerts).await?;
        run(tx, SAVE_ALERT_CHANGES, tenant, &self.alerts).await?;
        run(tx, OPEN_INCIDENTS, tenant, &self.opened).await.map_err(taken)?;
        let continued = run(tx, CONTINUE_INCIDENTS, tenant, &self.continued).await?;
        if continued != self.continued.count {
            return Err(StoreError::Refused { reason: "an event does not follow the last one of its incident".to_owned() });
        }
        run(tx, SAVE_EVENTS, tenant, &self.events).await.map_err(taken)?;
        run(tx, outbox::OWE, tenant, &self.messages).await?;
        run(tx, outbox::END, tenant, &self.outcomes).await?;
        run(tx, shadow::SAVE_SHADOW, tenant, &self.shadow).await?;
        run(tx, corrections::SAVE_CORRECTIONS, tenant, &self.corrections).await.map_err(out_of_place)?;
        run(tx, upkeep::SAVE_AUDIT, tenant, &self.audit).await?;
        Ok(())
    }
}

/// Runs a statement that takes the tenant and rows, unless there are none; answers how many rows it changed.
async fn run(tx: &mut SqliteConnection, statement: &'static str, tenant: &str, rows: &Rows) -> Result<u64, StoreError> {
    match rows.count {
        0 => Ok(0),
        _ => Ok(sqlx::query(statement).bind(tenant).bind(&rows.json).execute(tx).await?.rows_affected()),
    }
}

/// A place that is taken already, in words.
fn taken(error: StoreError) -> StoreError {
    match error {
        StoreError::Sql(sqlx::Error::Database(cause)) if cause.is_unique_violation() => {
            StoreError::Refused { reason: "an incident or an event of this number exists already".to_owned() }
        }
        other => other,
    }
}

/// A correction that does not fit the record, in words.
fn out_of_place(error: StoreError) -> StoreError {
    /// SQLITE_CONSTRAINT.
    const CONSTRAINT: i32 = 19;
    match error {
        StoreError::Sql(cause) if primary_code(&cause) == Some(CONSTRAINT) => {
            StoreError::Refused { reason: "the exclusion was recorded or withdrawn already, or never recorded".to_owned() }
        }
        other => other,
    }
}

async fn save_round(tx: &mut SqliteConnection, tenant: &str, at: i64, round: &Round) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO watermarks (tenant, source, settled, committed_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (tenant, source) DO UPDATE SET settled = excluded.settled, committed_at = excluded.committed_at",
    )
    .bind(tenant)
    .bind(round.source.as_str())
    .bind(round.settled.millis())
    .bind(at)
    .execute(&mut *tx)
    .await?;
    if let Some(state) = &round.state {
        sqlx::query(
            "INSERT INTO ledger_states (tenant, source, blob) VALUES (?1, ?2, ?3)
             ON CONFLICT (tenant, source) DO UPDATE SET blob = excluded.blob",
        )
        .bind(tenant)
        .bind(round.source.as_str())
        .bind(state.as_slice())
        .execute(&mut *tx)
        .await?;
    }
    save_behind(tx, tenant, at, round).await?;
    if let Some(blob) = &round.blob {
        sqlx::query("INSERT INTO rounds (tenant, source, at, settled, blob) VALUES (?1, ?2, ?3, ?4, ?5)")
            .bind(tenant)
            .bind(round.source.as_str())
            .bind(at)
            .bind(round.settled.millis())
            .bind(blob.as_slice())
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

/// What a second reading begins with, and what it found.
async fn save_behind(tx: &mut SqliteConnection, tenant: &str, at: i64, round: &Round) -> Result<(), StoreError> {
    let Behind { seal, log } = &round.behind;
    if seal.is_some() || log.is_some() {
        sqlx::query(
            "INSERT INTO seals (tenant, source, seal, log) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (tenant, source) DO UPDATE SET seal = coalesce(excluded.seal, seal), log = coalesce(excluded.log, log)",
        )
        .bind(tenant)
        .bind(round.source.as_str())
        .bind(seal.as_deref())
        .bind(log.as_deref())
        .execute(&mut *tx)
        .await?;
    }
    if let Some(late) = &round.late {
        sqlx::query("INSERT INTO late (tenant, source, at, blob) VALUES (?1, ?2, ?3, ?4)")
            .bind(tenant)
            .bind(round.source.as_str())
            .bind(at)
            .bind(late.as_slice())
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

const SAVE_ALERTS: &str = "
    INSERT INTO alerts (tenant, service, slo, objective, labels, page, ticket, why, changed_at)
    SELECT ?1, value ->> 'service', value ->> 'slo', value ->> 'objective', value ->> 'labels', value ->> 'page', value ->> 'ticket',
           value ->> 'why', value ->> 'at'
    FROM json_each(?2) WHERE true
    ON CONFLICT (tenant, service, slo, objective, labels) DO UPDATE
    SET page = excluded.page, ticket = excluded.ticket, why = excluded.why, changed_at = excluded.changed_at";

const SAVE_ALERT_CHANGES: &str = "
    INSERT INTO alert_changes (tenant, at, service, slo, objective, labels, page, ticket, why)
    SELECT ?1, value ->> 'at', value ->> 'service', value ->> 'slo', value ->> 'objective', value ->> 'labels', value ->> 'page',
           value ->> 'ticket', value ->> 'why'
    FROM json_each(?2) ORDER BY key";

const OPEN_INCIDENTS: &str = "
    INSERT INTO incidents (tenant, id, fault, ordinal, phase, opened_at, resolved_at, last_seq)
    SELECT ?1, value ->> 'id', value ->> 'fault', value ->> 'ordinal', value ->> 'phase', value ->> 'opened_at', value ->> 'resolved_at',
           value ->> 'last_seq'
    FROM json_each(?2)";

const CONTINUE_INCIDENTS: &str = "
    UPDATE incidents
    SET phase = new.value ->> 'phase',
        last_seq = new.value ->> 'last_seq',
        resolved_at = CASE WHEN new.value ->> 'phase' = 'resolved' THEN coalesce(new.value ->> 'resolved_at', resolved_at) END
    FROM json_each(?2) AS new
    WHERE tenant = ?1 AND incidents.id = new.value ->> 'id' AND last_seq = (new.value ->> 'first_seq') - 1";

const SAVE_EVENTS: &str = "
    INSERT INTO incident_events (tenant, incident, seq, at, data)
    SELECT ?1, value ->> 'incident', value ->> 'seq', value ->> 'at', value ->> 'data'
    FROM json_each(?2)";

fn alert_row(commit: &Commit, alert: &StoredAlert) -> Result<Value, StoreError> {
    let StoredAlert { budget, state, why } = alert;
    if budget.slo.tenant != commit.tenant {
        return Err(StoreError::Refused { reason: format!("{budget} is not an alert of tenant {}", commit.tenant) });
    }
    Ok(json!({
        "at": commit.at.millis(),
        "service": budget.slo.service.as_str(),
        "slo": budget.slo.name.as_str(),
        "objective": budget.objective.as_str(),
        "labels": rows::labels(&budget.group),
        "page": state.page.map(Timestamp::millis),
        "ticket": state.ticket.map(Timestamp::millis),
        "why": why,
    }))
}

fn event_row(new: &NewEvent) -> Result<Value, StoreError> {
    let data = rows::event(&new.event)?;
    Ok(json!({ "incident": new.incident.as_str(), "seq": new.event.seq, "at": new.event.at.millis(), "data": data }))
}

/// The rows of incidents that begin with this commit, and of those that go on.
fn incident_rows(events: &[NewEvent]) -> Result<(Vec<Value>, Vec<Value>), StoreError> {
    let mut by_incident: BTreeMap<&str, Vec<&NewEvent>> = BTreeMap::new();
    for new in events {
        by_incident.entry(new.incident.as_str()).or_default().push(new);
    }
    let (mut opened, mut continued) = (Vec::new(), Vec::new());
    for (id, events) in by_incident {
        let row = incident_row(id, &events)?;
        if events[0].event.seq == 1 { opened.push(row) } else { continued.push(row) }
    }
    Ok((opened, continued))
}

/// What the new events of one incident, at least one, make of its row.
fn incident_row(id: &str, events: &[&NewEvent]) -> Result<Value, StoreError> {
    if events.windows(2).any(|pair| pair[1].event.seq != pair[0].event.seq.saturating_add(1)) {
        return Err(StoreError::Refused { reason: format!("the new events of {id} are not numbered without gaps") });
    }
    let (first, last) = (events[0], events[events.len() - 1]);
    let resolved_at = events.iter().rev().find_map(|new| match new.event.what {
        What::Resolved { .. } => Some(new.event.at.millis()),
        _ => None,
    });
    Ok(json!({
        "id": id,
        "fault": rows::fault(&first.fault)?,
        "ordinal": first.ordinal,
        "phase": last.phase,
        "opened_at": first.event.at.millis(),
        "resolved_at": resolved_at.filter(|_| last.phase == "resolved"),
        "first_seq": first.event.seq,
        "last_seq": last.event.seq,
    }))
}

/// What the outbox keeps of an event that tells a message's outcome.
fn outcome_row(event: &IncidentEvent) -> Option<Value> {
    match &event.what {
        What::Delivered { page, at, .. } => Some(outbox::delivered_row(page, at, event.at)),
        What::Undeliverable { page, reason } => Some(outbox::dropped_row(page, reason, event.at)),
        _ => None,
    }
}
