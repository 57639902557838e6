//! What stands around every page, and how its addresses are made.

use burnward_core::id::TenantId;
use jiff::Timestamp as Instant;
use url::form_urlencoded::Serializer;

use super::{assets, when::When};
use crate::{app::Handle, config::Config, web::api::wire::instant};

/// How addresses are made: they carry the tenant where there are several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Links(Option<TenantId>);

impl Links {
    pub(super) fn of(config: &Config, tenant: &TenantId) -> Self {
        Self((config.tenants.len() > 1).then(|| tenant.clone()))
    }

    /// A page.
    pub(super) fn to(&self, path: &str) -> String {
        self.with(path, &[])
    }

    /// A page with parameters.
    pub(super) fn with(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let tenant = self.0.iter().map(|tenant| ("tenant", tenant.as_str()));
        let mut query = Serializer::new(String::new());
        query.extend_pairs(tenant.chain(parameters.iter().copied()));
        match query.finish().as_str() {
            "" => path.to_owned(),
            query => format!("{path}?{query}"),
        }
    }

    /// The tenant that a form must carry along.
    pub(super) fn tenant(&self) -> Option<&str> {
        self.0.as_ref().map(TenantId::as_str)
    }
}

/// Where in the navigation a page stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Now,
    Incidents,
    Reports,
    Elsewhere,
}

/// What stands around a page.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) title: String,
    pub(super) links: Links,
    pub(super) place: Place,
    /// The tenants to choose from; empty where there is one.
    pub(super) tenants: Vec<Choice>,
    /// The same as JSON.
    pub(super) json: Option<String>,
    /// When the shown figures were published; absent before they may be shown.
    pub(super) as_of: Option<When>,
    pub(super) css: &'static str,
    pub(super) icon: &'static str,
    pub(super) times: &'static str,
    pub(super) version: &'static str,
}

/// A choice of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) text: String,
    pub(super) chosen: bool,
}

impl Frame {
    pub(super) fn new(handle: &Handle, tenant: &TenantId, place: Place, title: &str) -> Self {
        let choice = |id: &TenantId| Choice { value: id.to_string(), text: id.to_string(), chosen: id == tenant };
        let tenants = &handle.config.tenants;
        Self {
            links: Links::of(&handle.config, tenant),
            tenants: if tenants.len() > 1 { tenants.keys().map(choice).collect() } else { Vec::new() },
            as_of: Some(When::of(instant(handle.view.borrow().as_of), now(handle))),
            place,
            ..Self::bare(title)
        }
    }

    /// The frame of a page that tells nothing of any tenant.
    pub(super) fn bare(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            links: Links(None),
            place: Place::Elsewhere,
            tenants: Vec::new(),
            json: None,
            as_of: None,
            css: &assets::STYLE.path,
            icon: &assets::ICON.path,
            times: &assets::TIMES.path,
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    /// With the address of the same data as JSON.
    pub(super) fn json(mut self, path: &str, parameters: &[(&str, &str)]) -> Self {
        self.json = Some(self.links.with(path, parameters));
        self
    }

    pub(super) fn is_now(&self) -> bool {
        self.place == Place::Now
    }

    pub(super) fn is_reports(&self) -> bool {
        self.place == Place::Reports
    }

    pub(super) fn is_incidents(&self) -> bool {
        self.place == Place::Incidents
    }
}

/// The clock's now.
pub(super) fn now(handle: &Handle) -> Instant {
    instant(handle.clock.now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_carry_the_tenant_only_where_there_are_several() {
        let tenant = TenantId::parse("acme").expect("a name");
        for (links, expected) in [
            (Links(None), ["/", "/?state=burning", "/?team=a%26b"]),
            (Links(Some(tenant)), ["/?tenant=acme", "/?tenant=acme&state=burning", "/?tenant=acme&team=a%26b"]),
        ] {
            assert_eq!([links.to("/"), links.with("/", &[("state", "burning")]), links.with("/", &[("team", "a&b")])], expected);
        }
    }
}
