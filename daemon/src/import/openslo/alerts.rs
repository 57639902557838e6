//! `alertPolicies:` of an SLO, and the conditions in them.

use std::time::Duration;

use burnward_core::{
    slo::{AlertRow, Urgency},
    units::Factor,
};

use super::{Library, is_map};
use crate::{
    definition::{
        build::{map, word},
        codes, duration,
        reader::{Reader, shortened},
        yaml::Node,
    },
    import::{
        rows::urgency_of,
        sloth::ROUTING,
        tree::{Fields, read_key, tell},
    },
};

/// What the policies of an SLO say.
#[derive(Debug, Clone, Default)]
pub(super) struct Alerts {
    pub(super) rows: Vec<AlertRow>,
    pub(super) no_data: Option<Node>,
}

/// Reads the policies; `None` where one cannot be read.
pub(super) fn read(reader: &mut Reader, spec: &Fields<'_>, library: &Library) -> Option<Alerts> {
    let mut alerts = Alerts::default();
    let Some(node) = spec.get(reader, "alertPolicies") else {
        let place = spec.place();
        let message = "the SLO has no alert policy, so nobody is told when its budget burns: `alerting: none`";
        tell(reader, &codes::CHANGED, &place, message, "remove `alerting: none` for the default rows, or add an alert policy");
        return Some(alerts);
    };
    let mut whole = true;
    for item in reader.list(node, "`alertPolicies`")? {
        whole &= read_policy(reader, item, library, &mut alerts).is_some();
    }
    whole.then_some(alerts)
}

/// Reads a policy or a condition that is an object of its own.
pub(super) fn read_object(reader: &mut Reader, root: &Node, library: &Library) {
    if crate::import::tree::peek_text(root, "kind") == Some("AlertPolicy") {
        read_policy(reader, root, library, &mut Alerts::default());
    } else {
        read_condition(reader, root, library);
    }
}

fn read_policy(reader: &mut Reader, item: &Node, library: &Library, alerts: &mut Alerts) -> Option<()> {
    let reference = if is_map(item) { read_key(reader, item, "alertPolicyRef") } else { Some(item) };
    let policy = match reference {
        Some(reference) => library.find(reader, "AlertPolicy", reference)?,
        None => item.clone(),
    };
    let policy = Fields::of_object(reader, &policy, "an alert policy")?;
    if let Some(metadata) = policy.metadata(reader) {
        metadata.finish(reader);
    }
    let spec = policy.required(reader, "spec")?;
    policy.finish(reader);
    let spec = Fields::of(reader, spec, "`spec`")?;
    if spec.flag(reader, "alertWhenResolved") == Some(false) {
        spec.left(reader, "alertWhenResolved", "that an alert ends is always told");
    }
    spec.left(reader, "notificationTargets", ROUTING);
    let breaching = spec.flag(reader, "alertWhenBreaching").unwrap_or(true);
    let no_data = spec.flag(reader, "alertWhenNoData").unwrap_or(false);
    let conditions = spec.required(reader, "conditions")?;
    spec.finish(reader);
    let mut whole = true;
    for condition in reader.list(conditions, "`conditions`")? {
        let Some(row) = read_condition(reader, condition, library) else {
            whole = false;
            continue;
        };
        if breaching {
            alerts.rows.push(row);
        }
        if no_data && row.urgency == Urgency::Page {
            let place = &conditions.range;
            alerts.no_data = Some(map(place, [("after", Some(word(place, "5m"))), ("then", Some(word(place, "page")))]));
        }
    }
    whole.then_some(())
}

fn read_condition(reader: &mut Reader, item: &Node, library: &Library) -> Option<AlertRow> {
    let condition = match read_key(reader, item, "conditionRef") {
        Some(reference) => library.find(reader, "AlertCondition", reference)?,
        None => item.clone(),
    };
    let condition = Fields::of_object(reader, &condition, "an alert condition")?;
    if let Some(metadata) = condition.metadata(reader) {
        metadata.finish(reader);
    }
    let spec = condition.required(reader, "spec")?;
    condition.finish(reader);
    let spec = Fields::of(reader, spec, "`spec`")?;
    let urgency = spec.text(reader, "severity").map_or(Urgency::Ticket, |(_, severity)| urgency_of(severity));
    let inner = spec.required(reader, "condition")?;
    spec.finish(reader);
    let inner = Fields::of(reader, inner, "`condition`")?;
    if let Some((node, kind)) = inner.text(reader, "kind").filter(|(_, kind)| !kind.eq_ignore_ascii_case("burnrate")) {
        let message = format!("a condition of kind `{}` is not known", shortened(kind));
        tell(reader, &codes::FOREIGN, &node.range, message, "known is burnrate");
        return None;
    }
    check_operator(reader, &inner);
    let after = inner.text(reader, "alertAfter");
    let (threshold, lookback) = (inner.required(reader, "threshold")?, inner.required(reader, "lookbackWindow")?);
    inner.finish(reader);
    let long = reader.duration(lookback, "`lookbackWindow`")?;
    let short = long / 12;
    if let Some((node, text)) = after.filter(|(_, text)| duration::parse(text).is_ok()) {
        let message = format!("`alertAfter: {}` is not carried over", shortened(text));
        let help =
            format!("a short lookback of {} takes its place: it ends the alert soon, and delays it by nothing", duration::format(short));
        tell(reader, &codes::CHANGED, &node.range, message, help);
    }
    let text = reader.text(threshold, "`threshold`")?;
    let Ok(factor) = Factor::parse(text) else {
        let message = format!("`{}` is not a positive burn rate", shortened(text));
        tell(reader, &codes::FACTOR, &threshold.range, message, "write for example 14.4");
        return None;
    };
    Some(AlertRow { urgency, factor, long, short: Duration::from_millis(u64::try_from(short.as_millis()).ok()?) })
}

/// An alert that fires while the burn rate is at most so high is the wrong way around; an example of the specification is.
fn check_operator(reader: &mut Reader, inner: &Fields<'_>) {
    let Some((node, op)) = inner.text(reader, "op") else { return };
    if matches!(op, "lt" | "lte") {
        let message = format!("`op: {op}` alerts while the budget burns slowly, and not while it burns fast; the opposite is taken");
        tell(reader, &codes::INVERTED, &node.range, message, "write gt or gte, or leave `op` out");
    } else if !matches!(op, "gt" | "gte") {
        let message = format!("`{}` is not an operator", shortened(op));
        tell(reader, &codes::WRONG_TYPE, &node.range, message, "known are gt and gte");
    }
}
