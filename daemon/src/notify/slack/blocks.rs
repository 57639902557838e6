//! Messages as Slack's blocks. Every text comes out of a sink; JSON is written here alone, never by a template.
//!
//! Bounds of docs.slack.dev, "Blocks": 50 blocks, 3,000 characters of a text, and an undocumented one near 13,200 characters in all, of which
//! we keep clear. What does not fit loses its details, never its headline and buttons.

use burnward_core::{
    id::PageId,
    incident::{Phase, Standing},
    slo::Urgency,
};
use serde_json::{Value, json};

use super::kept::Kept;
use crate::render::{PageTexts, SlackMrkdwn};

/// Longest text of a block, in characters.
const MAX_TEXT: usize = 3_000;
/// Longest message, in characters of all its texts.
const MAX_MESSAGE: usize = 12_000;
/// The action of the button Acknowledge.
pub const ACKNOWLEDGE: &str = "burnward_acknowledge";
/// The action of the button Need help.
pub(super) const HELP: &str = "burnward_help";
/// The action of the menu More.
pub(super) const MORE: &str = "burnward_more";
/// The choice Resolve of the menu More.
pub(super) const RESOLVE: &str = "resolve";

/// What is sent as one message.
#[derive(Debug, Clone, PartialEq)]
pub struct Body {
    /// The whole in one line: notification, watch, screen reader.
    pub text: SlackMrkdwn,
    /// What is seen; empty: the text.
    pub blocks: Vec<Value>,
    /// The message's identity, for its metadata.
    pub page: PageId,
}

impl Body {
    /// The same without blocks: what is sent where blocks are refused.
    #[must_use]
    pub fn plain(&self) -> Self {
        Self { blocks: Vec::new(), ..self.clone() }
    }

    /// A text without blocks.
    pub fn text(text: SlackMrkdwn, page: PageId) -> Self {
        Self { text: text.cut(MAX_TEXT), blocks: Vec::new(), page }
    }
}

/// Which buttons an incident has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Buttons {
    /// Nobody has taken it.
    All,
    /// Somebody has, or it is a ticket that nobody needs to take.
    WithoutAcknowledge,
    /// It is over.
    None,
}

impl Buttons {
    /// The buttons that follow from the state.
    pub fn of(phase: &Phase, urgency: Urgency) -> Self {
        match (phase, urgency) {
            (Phase::Open, Urgency::Page) => Self::All,
            (Phase::Open, Urgency::Ticket) | (Phase::Acknowledged { .. }, _) => Self::WithoutAcknowledge,
            (Phase::Resolved { .. }, _) => Self::None,
        }
    }

    /// The buttons of a post beside the root.
    pub const fn of_post(standing: Standing<'_>, urgency: Urgency) -> Self {
        match (standing, urgency) {
            (Standing::Waits, Urgency::Page) => Self::All,
            (Standing::Waits, Urgency::Ticket) | (Standing::Taken { .. }, _) => Self::WithoutAcknowledge,
            (Standing::GoesOn { .. } | Standing::Over { .. }, _) => Self::None,
        }
    }
}

/// The buttons of a message, and what they are about.
#[derive(Debug, Clone)]
pub struct Controls {
    /// Which.
    pub buttons: Buttons,
    /// What they are about, sealed.
    pub reference: String,
    /// The question before Resolve, at most 300 characters: a plain text, because that is all a confirmation dialog takes.
    pub resolve_question: String,
}

/// What a page is put together from.
#[derive(Debug, Clone)]
pub struct PageParts {
    /// Its texts.
    pub texts: PageTexts,
    /// Its buttons.
    pub controls: Controls,
    /// Where the incident and its runbook are.
    pub links: Vec<(url::Url, &'static str)>,
    /// Who is mentioned, and so notified.
    pub mention: Option<SlackMrkdwn>,
    /// True where it may be a repeat: then it says so.
    pub repeat: bool,
    /// The message's identity.
    pub page: PageId,
}

/// The message of a page, and what it keeps while its state changes.
pub fn page(parts: &PageParts) -> (Body, Kept) {
    let headline = marked(parts);
    let text = with_mention(headline.clone(), parts).cut(MAX_TEXT);
    let whole = kept(parts, &headline, Details::All);
    let kept = if characters(&whole.blocks(&parts.controls)) <= MAX_MESSAGE { whole } else { kept(parts, &headline, Details::None) };
    (Body { text, blocks: kept.blocks(&parts.controls), page: parts.page.clone() }, kept)
}

/// The headline, marked where it may be a repeat.
fn marked(parts: &PageParts) -> SlackMrkdwn {
    if parts.repeat { repeat_mark(&parts.page).then(&parts.texts.headline) } else { parts.texts.headline.clone() }
}

/// What a message begins with that may have arrived before.
pub fn repeat_mark(page: &PageId) -> SlackMrkdwn {
    SlackMrkdwn::literal("(possible repeat of ").then(&SlackMrkdwn::value(page.as_str())).then(&SlackMrkdwn::literal(") "))
}

/// The mention comes last: the facts come first.
fn with_mention(headline: SlackMrkdwn, parts: &PageParts) -> SlackMrkdwn {
    match &parts.mention {
        Some(mention) => headline.then(&SlackMrkdwn::literal(" ")).then(mention),
        None => headline,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Details {
    All,
    None,
}

fn kept(parts: &PageParts, headline: &SlackMrkdwn, details: Details) -> Kept {
    let PageTexts { budget, r#where, do_first, people, footer, .. } = &parts.texts;
    let people =
        parts.mention.as_ref().map_or_else(|| people.clone(), |mention| mention.clone().then(&SlackMrkdwn::literal(" ")).then(people));
    let footer = links(parts, details).iter().fold(footer.clone(), |text, link| text.then(&SlackMrkdwn::literal(" · ")).then(link));
    match details {
        Details::All => Kept::new(headline, &[budget, r#where, do_first], &people, &footer),
        Details::None => Kept::new(headline, &[], &people, &footer),
    }
}

fn links(parts: &PageParts, details: Details) -> Vec<SlackMrkdwn> {
    let cut = (details == Details::None).then(|| SlackMrkdwn::literal("cut; all of it is behind the link"));
    cut.into_iter().chain(parts.links.iter().map(|(url, label)| SlackMrkdwn::link(url, label))).collect()
}

pub(super) fn section(text: &SlackMrkdwn) -> Value {
    json!({ "type": "section", "text": mrkdwn(text) })
}

pub(super) fn context(text: &SlackMrkdwn) -> Value {
    json!({ "type": "context", "elements": [mrkdwn(text)] })
}

/// `verbatim`: Slack makes no links and mentions of its own.
fn mrkdwn(text: &SlackMrkdwn) -> Value {
    json!({ "type": "mrkdwn", "text": text.clone().cut(MAX_TEXT).as_str(), "verbatim": true })
}

fn plain_text(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text, "emoji": false })
}

/// The buttons; what they are about stands in the block's identity.
pub(super) fn actions(controls: &Controls) -> Option<Value> {
    let acknowledge = json!({ "type": "button", "action_id": ACKNOWLEDGE, "text": plain_text("Acknowledge"), "style": "primary" });
    let help = json!({ "type": "button", "action_id": HELP, "text": plain_text("Need help") });
    let more = json!({
        "type": "overflow",
        "action_id": MORE,
        "options": [{ "text": plain_text("Resolve"), "value": RESOLVE }],
        "confirm": {
            "title": plain_text("Resolve it?"),
            "text": plain_text(&controls.resolve_question),
            "confirm": plain_text("Resolve"),
            "deny": plain_text("Leave it open"),
        },
    });
    let elements = match controls.buttons {
        Buttons::All => vec![acknowledge, help, more],
        Buttons::WithoutAcknowledge => vec![help, more],
        Buttons::None => return None,
    };
    Some(json!({ "type": "actions", "block_id": controls.reference, "elements": elements }))
}

/// Characters of all texts of the blocks.
fn characters(blocks: &[Value]) -> usize {
    blocks.iter().map(text_characters).sum()
}

fn text_characters(value: &Value) -> usize {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| if name == "text" && value.is_string() { string_characters(value) } else { text_characters(value) })
            .sum(),
        Value::Array(items) => items.iter().map(text_characters).sum(),
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => 0,
    }
}

fn string_characters(value: &Value) -> usize {
    value.as_str().map_or(0, |text| text.chars().count())
}

#[cfg(test)]
mod tests {
    use burnward_core::incident::MessageKind;

    use super::*;
    use crate::render::{
        Faults, PageContext, Renderer,
        tests::{DECIDED, burning, context as page_context, message, plain},
    };

    fn controls(buttons: Buttons) -> Controls {
        let resolve_question = "It opens again after 10 min if its alert still holds.".to_owned();
        Controls { buttons, reference: "bw1.reference.seal".into(), resolve_question }
    }

    fn parts(page: &PageContext, buttons: Buttons) -> PageParts {
        PageParts {
            texts: Renderer::load(None, Faults::default()).page(page),
            controls: controls(buttons),
            links: vec![("https://burnward.example/incidents/main/checkout-burn-3".parse().unwrap(), "Open")],
            mention: None,
            repeat: false,
            page: message(MessageKind::Root).id,
        }
    }

    /// A message as a phone 360 px wide shows it: about 44 characters a line.
    fn phone(body: &Body) -> String {
        body.blocks.iter().flat_map(phone_block).flat_map(|line| wrap(&line, 44)).collect::<Vec<_>>().join("\n")
    }

    fn phone_block(block: &Value) -> Vec<String> {
        let lines = |text: &Value| plain(text["text"].as_str().unwrap()).lines().map(str::to_owned).collect::<Vec<_>>();
        let button = |element: &Value| element["text"]["text"].as_str().map_or_else(|| "⋯".to_owned(), |label| format!("[ {label} ]"));
        match block["type"].as_str().unwrap() {
            "section" => lines(&block["text"]),
            "context" => block["elements"].as_array().unwrap().iter().flat_map(lines).collect(),
            "actions" => vec![block["elements"].as_array().unwrap().iter().map(button).collect::<Vec<_>>().join(" ")],
            other => panic!("{other}"),
        }
    }

    fn wrap(line: &str, width: usize) -> Vec<String> {
        let mut lines = vec![String::new()];
        for word in line.split(' ') {
            let last = lines.last_mut().unwrap();
            if last.is_empty() {
                word.clone_into(last);
            } else if last.chars().count() + 1 + word.chars().count() <= width {
                *last = format!("{last} {word}");
            } else {
                lines.push(word.to_owned());
            }
        }
        lines
    }

    #[test]
    fn a_page_on_a_phone_reads_in_one_glance() {
        let (body, _) = page(&parts(&page_context(&burning(&["acme"]), &[], DECIDED), Buttons::All));
        insta::assert_snapshot!(phone(&body), @r"
        *▲ checkout · acme: 15.2 % of requests
        failing (limit 0.10 %) for 5 min*
        Budget of 30 d: 71 % left (30 m 40 s of 43 m
        12 s), gone in 3 h 22 m at this rate.
        1 h: 1.46 % = 14.6x · 5 min: 15.2 % = 152x ·
        page above 14.4x (as of 03:10:02 UTC)
        *availability* Customers can pay (99.9 %):
        acme 15.2 %
        *Do first*
        • Roll back the last deploy
        • Check the payment provider's status
        • Shed load
        [ Acknowledge ] [ Need help ] ⋯
        ana is paged · goes to sam 03:15 UTC if not
        acknowledged
        checkout-burn-3 · P-74109c2f4dbf · decided
        03:10:02 UTC ·
        <https://burnward.example/incidents/main/checkout-burn-3|Open>
        ");
        insta::assert_snapshot!(body.text, @"▲ checkout · acme: 15.2 % of requests failing (limit 0.10 %) for 5 min");
    }

    #[test]
    fn the_buttons_follow_the_state() {
        let context = page_context(&burning(&["acme"]), &[], DECIDED);
        let buttons = |buttons| phone(&page(&parts(&context, buttons)).0).lines().find(|line| line.contains('[')).map(str::to_owned);
        assert_eq!(buttons(Buttons::All).as_deref(), Some("[ Acknowledge ] [ Need help ] ⋯"));
        assert_eq!(buttons(Buttons::WithoutAcknowledge).as_deref(), Some("[ Need help ] ⋯"));
        assert_eq!(buttons(Buttons::None), None);
    }

    #[test]
    fn a_post_keeps_its_words_while_its_state_changes() {
        let mut parts = parts(&page_context(&burning(&["acme"]), &[], DECIDED), Buttons::All);
        parts.mention = Some(SlackMrkdwn::mention("U01ANA"));
        let (posted, kept) = page(&parts);
        let kept = Kept::read(&kept.text()).unwrap();
        let state = SlackMrkdwn::literal("◆ Acknowledged by ana 03:11");
        let taken = kept.with_state(Some(&state), &controls(Buttons::WithoutAcknowledge), parts.page.clone());
        insta::assert_snapshot!(phone(&taken), @r"
        *▲ checkout · acme: 15.2 % of requests
        failing (limit 0.10 %) for 5 min*
        ◆ Acknowledged by ana 03:11
        Budget of 30 d: 71 % left (30 m 40 s of 43 m
        12 s), gone in 3 h 22 m at this rate.
        1 h: 1.46 % = 14.6x · 5 min: 15.2 % = 152x ·
        page above 14.4x (as of 03:10:02 UTC)
        *availability* Customers can pay (99.9 %):
        acme 15.2 %
        *Do first*
        • Roll back the last deploy
        • Check the payment provider's status
        • Shed load
        [ Need help ] ⋯
        checkout-burn-3 · P-74109c2f4dbf · decided
        03:10:02 UTC ·
        <https://burnward.example/incidents/main/checkout-burn-3|Open>
        ");
        insta::assert_snapshot!(taken.text, @"▲ checkout · acme: 15.2 % of requests failing (limit 0.10 %) for 5 min · ◆ Acknowledged by ana 03:11");
        assert_eq!(kept.with_state(None, &controls(Buttons::All), parts.page.clone()).blocks, posted.blocks, "as it was posted");
    }

    #[test]
    fn a_repeat_and_a_mention_say_so() {
        let mut parts = parts(&page_context(&burning(&["acme"]), &[], DECIDED), Buttons::All);
        parts.repeat = true;
        parts.mention = Some(SlackMrkdwn::mention("U01ANA"));
        let (body, _) = page(&parts);
        assert!(body.text.as_str().starts_with(&format!("(possible repeat of {}) ▲ checkout", parts.page)), "{}", body.text);
        assert!(body.text.as_str().ends_with(" <@U01ANA>"), "{}", body.text);
        assert!(body.blocks.iter().any(|block| block.to_string().contains("<@U01ANA>")));
    }

    #[test]
    fn no_message_breaks_slacks_bounds() {
        for groups in [1, 10, 60] {
            for value in ["x", &"&".repeat(10_000), &"<!channel>".repeat(100), &"\u{1f4a5}".repeat(300)] {
                let groups: Vec<String> = (0..groups).map(|n| format!("{value}{n}")).collect();
                let context = page_context(&burning(&groups.iter().map(String::as_str).collect::<Vec<_>>()), &[], DECIDED);
                let (body, kept) = page(&parts(&context, Buttons::All));
                assert_eq!(Kept::read(&kept.text()), Some(kept));
                assert!(body.blocks.len() <= 10);
                assert!(characters(&body.blocks) <= MAX_MESSAGE);
                assert!(body.text.chars() <= MAX_TEXT);
                assert!(body.blocks.iter().all(|block| text_characters(block) <= MAX_TEXT));
            }
        }
    }

    #[test]
    fn a_message_that_is_too_long_keeps_headline_and_buttons() {
        let mut parts = parts(&page_context(&burning(&["acme"]), &[], DECIDED), Buttons::All);
        let long = (0..40).fold(SlackMrkdwn::literal(""), |text, _| text.then(&SlackMrkdwn::value(&"y".repeat(100))));
        for slot in
            [&mut parts.texts.budget, &mut parts.texts.r#where, &mut parts.texts.do_first, &mut parts.texts.people, &mut parts.texts.footer]
        {
            *slot = long.clone();
        }
        let (body, _) = page(&parts);
        assert_eq!(body.blocks.len(), 4);
        assert!(body.blocks[0].to_string().contains("checkout"));
        assert_eq!(body.blocks[1]["type"], "actions");
    }
}
