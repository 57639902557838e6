//! The panel: faults on order, the sockets, people and channels.

use super::{
    super::{
        fault::{DisconnectReason, Fault, FaultKind, INTERACTIVE, RateLimitBody},
        methods::Method,
        office::{Office, Shared},
        world::Conversation,
    },
    view::View,
};
use crate::html::{Html, el, hidden, void};

/// The faults that the page offers, by name; the control API has all of them with all their numbers.
const PRESETS: [(&str, &str); 20] = [
    ("reset_before", "reset, not applied"),
    ("apply_then_reset", "apply, then reset"),
    ("apply_then_hang", "apply, then hang"),
    ("apply_then_500", "apply, then 500"),
    ("503", "503, not applied"),
    ("captive_portal", "200 with HTML"),
    ("truncated_json", "apply, half the JSON"),
    ("slow", "answer after 5 s"),
    ("429", "429, Retry-After 5"),
    ("internal_error", "internal_error, applied"),
    ("is_archived", "is_archived"),
    ("invalid_blocks", "invalid_blocks"),
    ("token_revoked", "token_revoked"),
    ("stale_history", "history 10 s behind"),
    ("duplicate_envelope", "a click: delivered twice"),
    ("lose_ack", "a click: its acknowledgement lost"),
    ("drop_socket", "a click: the sockets dropped instead"),
    ("refresh_requested", "a click: refresh_requested instead"),
    ("bad_signature", "a click over HTTP: wrongly signed"),
    ("skewed", "a click over HTTP: signed 6 min ago"),
];

/// The fault that a name of [`PRESETS`] stands for.
fn preset(name: &str) -> Option<FaultKind> {
    let error = |code: &str| FaultKind::Error { code: code.to_owned() };
    Some(match name {
        "reset_before" => FaultKind::ResetBefore,
        "apply_then_reset" => FaultKind::ApplyThenReset,
        "apply_then_hang" => FaultKind::ApplyThenHang,
        "apply_then_500" => FaultKind::ApplyThenStatus { status: 500 },
        "503" => FaultKind::Status { status: 503 },
        "captive_portal" => FaultKind::CaptivePortal,
        "truncated_json" => FaultKind::TruncatedJson,
        "slow" => FaultKind::Slow { millis: 5_000 },
        "429" => FaultKind::RateLimit { retry_after: Some("5".to_owned()), body: RateLimitBody::Json },
        "internal_error" => FaultKind::ErrorApplied { code: "internal_error".to_owned() },
        "is_archived" | "invalid_blocks" | "token_revoked" => error(name),
        "stale_history" => FaultKind::StaleHistory { lag_seconds: 10 },
        "duplicate_envelope" => FaultKind::DuplicateEnvelope,
        "lose_ack" => FaultKind::LoseAck,
        "drop_socket" => FaultKind::DropSocket,
        "refresh_requested" => FaultKind::Disconnect { reason: DisconnectReason::RefreshRequested },
        "bad_signature" => FaultKind::BadSignature,
        "skewed" => FaultKind::SkewTimestamp { seconds: -360 },
        _ => return None,
    })
}

/// The order that the page's form makes; `None` for a name that is not offered. Faults of clicks need no method.
pub(super) fn ordered(method: &str, kind: &str, times: &str) -> Option<Fault> {
    let kind = preset(kind)?;
    let method = if kind.is_interactive() { INTERACTIVE } else { method };
    let count = if times == "always" { None } else { Some(times.parse().ok()?) };
    Some(Fault { count, ..Fault::next(method, kind) })
}

/// What a button for the sockets says.
pub(super) fn disconnect_reason(word: &str) -> Option<DisconnectReason> {
    let reasons = [DisconnectReason::Warning, DisconnectReason::RefreshRequested, DisconnectReason::LinkDisabled];
    reasons.into_iter().find(|reason| reason.as_str() == word)
}

pub(super) fn panel(office: &Office, shared: &Shared, view: &View) -> Html {
    let back = el("a", &[("class", "button small panel-link"), ("href", "#main")], "Back to the messages");
    let parts = [back, faults(office, view), sockets(office, view), workspace(office, view), connect(shared)];
    el("section", &[("id", "panel"), ("aria-label", "Faults and workspace")], parts)
}

fn form(action: &'static str, view: &View, parts: impl Into<Html>) -> Html {
    el("form", &[("method", "post"), ("action", action), ("data-live", "")], [view.fields(), parts.into()])
}

fn button(words: &str) -> Html {
    el("button", &[("class", "button small")], words)
}

fn labelled(id: &'static str, words: &'static str, control: Html) -> Html {
    el("p", &[], [el("label", &[("for", id)], words), control])
}

fn select(id: &'static str, options: Html) -> Html {
    el("select", &[("id", id), ("name", id)], options)
}

fn input(id: &'static str, placeholder: &'static str) -> Html {
    void("input", &[("id", id), ("name", id), ("placeholder", placeholder), ("required", ""), ("autocomplete", "off")])
}

fn faults(office: &Office, view: &View) -> Html {
    let standing = office.faults.orders();
    let list: Html = match standing {
        [] => el("li", &[("class", "quiet")], "No fault is ordered."),
        orders => orders.iter().map(|order| el("li", &[], order.to_string())).collect(),
    };
    let any = el("option", &[("value", "*")], "every method");
    let methods: Html = Method::ALL.iter().map(|method| el("option", &[("value", method.name())], method.name())).collect();
    let kinds: Html = PRESETS.iter().map(|(name, words)| el("option", &[("value", name)], *words)).collect();
    let times: Html = [("1", "once"), ("3", "three times"), ("always", "from now on")]
        .iter()
        .map(|(value, words)| el("option", &[("value", value)], *words))
        .collect();
    let order = [
        labelled("method", "Method", select("method", [any, methods].into())),
        labelled("kind", "Fault", select("kind", kinds)),
        labelled("times", "How often", select("times", times)),
        button("Order the fault"),
    ];
    let parts = [
        el("h2", &[], "Faults"),
        el("ul", &[("id", "faults"), ("class", "standing")], list),
        form("/fault", view, order),
        el("div", &[("class", "b-actions")], [form("/refuse", view, button("Refuse for 10 s")), form("/clear", view, button("Clear all"))]),
    ];
    el("div", &[("class", "card")], parts)
}

fn sockets(office: &Office, view: &View) -> Html {
    let open = match office.sockets.open_connections() {
        0 => "No socket is open.".to_owned(),
        1 => "1 socket is open.".to_owned(),
        many => format!("{many} sockets are open."),
    };
    let act = |word: &'static str, words: &'static str| form("/sockets", view, [hidden("act", word), button(words)]);
    let buttons = [act("drop", "Drop"), act("warning", "Warn"), act("refresh_requested", "Refresh"), act("link_disabled", "Disable")];
    el(
        "div",
        &[("class", "card")],
        [el("h2", &[], "Socket Mode"), el("p", &[("id", "sockets")], open), el("div", &[("class", "b-actions")], buttons)],
    )
}

fn workspace(office: &Office, view: &View) -> Html {
    let channel = office.world.conversation(&view.channel).filter(|it| it.is_channel());
    let add_channel =
        form("/channels", view, [labelled("new_channel", "New channel", input("new_channel", "payments-oncall")), button("Add channel")]);
    let add_person = form(
        "/people",
        view,
        [
            labelled("new_person", "New person", input("new_person", "Ada")),
            labelled("new_email", "E-mail", input("new_email", "ada@example.com")),
            button("Add person"),
        ],
    );
    let acts = el("div", &[("class", "b-actions"), ("id", "channel-acts")], channel.map(|it| channel_acts(it, view)));
    el("div", &[("class", "card")], [el("h2", &[], "Workspace"), acts, add_channel, add_person])
}

fn channel_acts(channel: &Conversation, view: &View) -> Html {
    let act = |word: &'static str, words: String| form("/channel", view, [hidden("act", word), button(&words)]);
    let name = &channel.name;
    let archive = if channel.archived { act("unarchive", format!("Reopen #{name}")) } else { act("archive", format!("Archive #{name}")) };
    let member =
        if channel.bot_is_member { act("remove", "Remove the app".to_owned()) } else { act("invite", "Invite the app".to_owned()) };
    [archive, member].into()
}

fn connect(shared: &Shared) -> Html {
    let row = |name: &'static str, value: &str| [el("dt", &[], name), el("dd", &[], el("code", &[], value))];
    let settings = &shared.settings;
    let rows: Vec<Html> = [
        row("API", &format!("{}/api", settings.base_url)),
        row("Bot token", &settings.bot_token),
        row("App token", &settings.app_token),
        row("Signing secret", &settings.signing_secret),
    ]
    .into_iter()
    .flatten()
    .collect();
    let link = |href: &'static str, words: &'static str| el("a", &[("class", "button small"), ("href", href)], words);
    let oracle = el("div", &[("class", "b-actions")], [link("/_control/journal", "Journal"), link("/_control/state", "State")]);
    el("div", &[("class", "card")], [el("h2", &[], "Connect an app"), el("dl", &[], rows), oracle])
}

#[cfg(test)]
mod tests {
    use super::{PRESETS, ordered};
    use crate::slack::fault::FaultBook;

    #[test]
    fn every_offered_fault_can_be_ordered() {
        let mut book = FaultBook::new(1);
        for (name, _) in PRESETS {
            for times in ["1", "3", "always"] {
                assert_eq!(book.order(ordered("chat.postMessage", name, times).unwrap()), Ok(()), "{name}");
            }
        }
    }

    #[test]
    fn what_is_not_offered_is_no_order() {
        assert_eq!(ordered("chat.postMessage", "explode", "1"), None);
        assert_eq!(ordered("chat.postMessage", "503", "often"), None);
    }
}
