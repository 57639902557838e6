//! How a person names an SLO or one of its budgets: `tenant:service/name{group}#objective`, as every output prints it. The tenant may be left out where
//! there is one, the group and the objective where all are meant. A group is named by its values, with or without their labels.

use anyhow::{Context as _, bail};

use crate::web::api::wire::Budget;

/// What a person named.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) tenant: Option<String>,
    pub(super) service: String,
    pub(super) name: String,
    group: Vec<String>,
    objective: Option<String>,
}

impl Identity {
    /// Reads a name.
    ///
    /// # Errors
    /// There is no `service/name` in it, or a brace is not closed.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let (before, objective) = match text.rsplit_once('#') {
            Some((before, objective)) if !objective.contains('}') => (before, Some(objective.to_owned())),
            Some(_) | None => (text, None),
        };
        let (slo, group) = match before.split_once('{') {
            Some((slo, rest)) => {
                let inner = rest.strip_suffix('}').with_context(|| format!("`{text}`: the group's brace is not closed"))?;
                (slo, inner)
            }
            None => (before, ""),
        };
        let (tenant, slo) = match slo.split_once(':') {
            Some((tenant, slo)) => (Some(tenant.to_owned()), slo),
            None => (None, slo),
        };
        let Some((service, name)) = slo.split_once('/').filter(|(service, name)| !service.is_empty() && !name.is_empty()) else {
            bail!("`{text}` does not name an SLO as service/name; `burnward status` lists the SLOs");
        };
        let group = group.split(',').map(str::trim).filter(|part| !part.is_empty()).map(ToOwned::to_owned).collect();
        Ok(Self { tenant, service: service.to_owned(), name: name.to_owned(), group, objective })
    }

    /// Whether a budget of this SLO is meant.
    pub(super) fn means(&self, budget: &Budget) -> bool {
        let named = |part: &String| budget.group.iter().any(|(label, value)| is_pair(part, label, value));
        self.objective.as_ref().is_none_or(|objective| *objective == budget.objective) && self.group.iter().all(named)
    }

    /// True where all budgets of the SLO are meant.
    pub(super) const fn means_all(&self) -> bool {
        self.group.is_empty() && self.objective.is_none()
    }
}

/// `acme`, `tenant=acme` and `tenant="acme"` are the same.
fn is_pair(part: &str, label: &str, value: &str) -> bool {
    part == value || part == format!("{label}={value}") || part == format!("{label}={value:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Option<String>, String, Vec<String>, Option<String>) {
        let Identity { tenant, service, name, group, objective } = Identity::parse(text).expect("a name");
        (tenant, format!("{service}/{name}"), group, objective)
    }

    #[test]
    fn what_every_output_prints_is_read_back() {
        let strings = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
        assert_eq!(parsed("shop/pay"), (None, "shop/pay".into(), strings(&[]), None));
        assert_eq!(parsed("shop/pay{acme}"), (None, "shop/pay".into(), strings(&["acme"]), None));
        assert_eq!(
            parsed(r#"main:shop/pay{tenant="acme",zone="b"}#30d"#),
            (Some("main".into()), "shop/pay".into(), strings(&[r#"tenant="acme""#, r#"zone="b""#]), Some("30d".into()))
        );
    }

    #[test]
    fn what_names_no_slo_is_refused() {
        for text in ["", "shop", "/", "shop/", "shop/pay{acme"] {
            assert!(Identity::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_group_is_named_by_its_values_with_or_without_labels() {
        for part in ["acme", "tenant=acme", r#"tenant="acme""#] {
            assert!(is_pair(part, "tenant", "acme"), "{part}");
        }
        assert!(!is_pair("tenant", "tenant", "acme"));
    }
}
