//! The members of a journey, as a table shows them.

use std::time::Duration;

use burnward_core::words;

use super::super::frame::Links;
use crate::{render::visible, web::api::wire::JourneyMember};

/// A member.
pub(super) struct MemberFigures {
    pub(super) slo: String,
    pub(super) href: String,
    pub(super) costs: String,
    pub(super) costs_nothing: bool,
    pub(super) unseen: String,
    pub(super) terms: String,
    /// Why it cannot be seen.
    pub(super) why: Option<String>,
}

impl MemberFigures {
    pub(super) fn of(member: &JourneyMember, links: &Links) -> Self {
        Self {
            slo: member.slo.clone(),
            href: links.to(&format!("/slos/{}", member.slo)),
            costs: member.costs(),
            costs_nothing: !member.bad.any(),
            unseen: words::duration(Duration::from_secs_f64(member.unseen_seconds.max(0.0))),
            terms: member.terms(),
            why: member.unknown.as_ref().map(|why| format!("{} ({})", visible(&why.detail), why.reason)),
        }
    }
}
