//! Blocks and attachments as HTML, with working buttons and menus.

use serde_json::Value;

use super::{
    super::{ts::Ts, world::Message},
    mrkdwn::{Reader, decode},
    view::View,
};
use crate::html::{Html, el, hidden, void};

/// A message's content, for one reader.
pub(super) struct Content<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) view: &'a View,
    pub(super) channel: &'a str,
    pub(super) ts: Ts,
}

impl Content<'_> {
    /// Blocks where there are any, else the text; then the attachments.
    pub(super) fn of(&self, message: &Message) -> Html {
        let own = match message.blocks.as_slice() {
            [] => self.reader.mrkdwn(&message.text),
            blocks => self.blocks(blocks),
        };
        let attached: Html = message.attachments.iter().map(|attachment| self.attachment(attachment)).collect();
        [own, attached].into()
    }

    fn blocks(&self, blocks: &[Value]) -> Html {
        blocks.iter().map(|block| self.block(block)).collect()
    }

    fn block(&self, block: &Value) -> Html {
        match block["type"].as_str() {
            Some("header") => el("h3", &[("class", "b-header")], self.text(&block["text"])),
            Some("section") => self.section(block),
            Some("context") => el("div", &[("class", "b-context")], list(&block["elements"], |element| self.context_element(element))),
            Some("divider") => void("hr", &[]),
            Some("actions") => el("div", &[("class", "b-actions")], list(&block["elements"], |element| self.element(element))),
            Some(_) | None => boxed(block),
        }
    }

    fn section(&self, block: &Value) -> Html {
        let text = block.get("text").map(|text| el("div", &[("class", "b-text")], self.text(text)));
        let fields =
            block.get("fields").map(|fields| el("dl", &[("class", "b-fields")], list(fields, |field| el("dd", &[], self.text(field)))));
        let accessory = block.get("accessory").map(|accessory| el("div", &[("class", "b-accessory")], self.element(accessory)));
        el("div", &[("class", "b-section")], [el("div", &[], [text.into(), fields.into()]), accessory.into()])
    }

    fn context_element(&self, element: &Value) -> Html {
        match element["type"].as_str() {
            Some("plain_text" | "mrkdwn") => el("span", &[], self.text(element)),
            Some(_) | None => boxed(element),
        }
    }

    fn text(&self, text: &Value) -> Html {
        let written = text["text"].as_str().unwrap_or_default();
        match text["type"].as_str() {
            Some("mrkdwn") => self.reader.mrkdwn(written),
            Some(_) | None => Html::from(decode(written)),
        }
    }

    fn element(&self, element: &Value) -> Html {
        match element["type"].as_str() {
            Some("button") => self.button(element),
            Some("overflow") => self.menu(element, "⋯", "More"),
            Some("static_select") => self.menu(element, &format!("{} ▾", label(&element["placeholder"], "Choose")), "Choose"),
            Some(_) | None => boxed(element),
        }
    }

    fn button(&self, button: &Value) -> Html {
        let words = label(&button["text"], "…");
        let class = format!("button {}", button["style"].as_str().unwrap_or_default());
        let address = button["url"].as_str().filter(|url| url.starts_with("http://") || url.starts_with("https://"));
        match address {
            Some(url) => el("a", &[("class", &class), ("href", url), ("rel", "noopener noreferrer nofollow"), ("target", "_blank")], words),
            None => self.form(button, None, el("button", &[("class", &class)], words)),
        }
    }

    fn menu(&self, menu: &Value, sign: &str, name: &str) -> Html {
        let options = list(&menu["options"], |option| {
            let words = [Html::from(label(&option["text"], "…")), described(&option["description"])];
            el("li", &[], self.form(menu, option["value"].as_str(), el("button", &[("class", "option")], words)))
        });
        let summary = el("summary", &[("class", "button"), ("aria-label", name), ("title", name)], sign);
        el("details", &[("class", "menu")], [summary, el("ul", &[], options)])
    }

    /// The form that makes the click. An element with a confirm dialog asks first.
    fn form(&self, element: &Value, option: Option<&str>, button: Html) -> Html {
        let fields = [
            self.view.fields(),
            hidden("message_channel", self.channel),
            hidden("ts", &self.ts.to_string()),
            hidden("action_id", element["action_id"].as_str().unwrap_or_default()),
            option.map(|value| hidden("option", value)).into(),
            element.get("confirm").map(|_| hidden("ask", "1")).into(),
        ];
        el("form", &[("method", "post"), ("action", "/click"), ("data-live", "")], [fields.into(), button])
    }

    /// The coloured bar is drawn, because a style attribute would need a laxer policy.
    fn attachment(&self, attachment: &Value) -> Html {
        let color = color(attachment["color"].as_str().unwrap_or_default());
        let bar = el(
            "svg",
            &[("class", "bar"), ("aria-hidden", "true")],
            el("rect", &[("width", "100%"), ("height", "100%"), ("fill", &color)], ""),
        );
        let line = |name: &str| attachment[name].as_str().map(|text| el("p", &[], self.reader.mrkdwn(text)));
        let title = attachment["title"].as_str().map(|text| el("p", &[], el("strong", &[], decode(text))));
        let blocks = attachment["blocks"].as_array().map(|blocks| self.blocks(blocks));
        let fields = list(&attachment["fields"], |field| {
            let part = |name: &str| field[name].as_str().unwrap_or_default();
            el("dd", &[], [el("strong", &[], decode(part("title"))), void("br", &[]), self.reader.mrkdwn(part("value"))])
        });
        let content =
            [line("pretext").into(), title.into(), line("text").into(), blocks.into(), el("dl", &[("class", "b-fields")], fields)];
        el("div", &[("class", "attachment")], [bar, el("div", &[], content)])
    }
}

fn list(items: &Value, show: impl Fn(&Value) -> Html) -> Html {
    items.as_array().into_iter().flatten().map(show).collect()
}

fn label(text: &Value, otherwise: &str) -> String {
    text["text"].as_str().map_or_else(|| otherwise.to_owned(), decode)
}

fn described(description: &Value) -> Html {
    description["text"].as_str().map(|text| el("small", &[], decode(text))).into()
}

/// What the page cannot draw, as it came.
fn boxed(value: &Value) -> Html {
    let kind = value["type"].as_str().unwrap_or("unknown");
    let json = serde_json::to_string_pretty(value).unwrap_or_default();
    el("div", &[("class", "boxed")], [el("p", &[], format!("{kind} (not drawn here)")), el("pre", &[], json)])
}

/// Slack's three names, or a hex colour; grey for anything else.
fn color(name: &str) -> String {
    let hex = name.trim_start_matches('#');
    match name {
        "good" => "#2eb886".to_owned(),
        "warning" => "#daa038".to_owned(),
        "danger" => "#a30200".to_owned(),
        _ if matches!(hex.len(), 3 | 6) && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) => format!("#{hex}"),
        _ => "#8d8d8d".to_owned(),
    }
}

/// The confirm dialog of an element, open over the page.
pub(super) fn confirm_dialog(content: &Content<'_>, element: &Value, option: Option<&str>) -> Html {
    let confirm = &element["confirm"];
    let agree_class = if confirm["style"] == "danger" { "button danger" } else { "button primary" };
    let fields = [
        content.view.fields(),
        hidden("message_channel", content.channel),
        hidden("ts", &content.ts.to_string()),
        hidden("action_id", element["action_id"].as_str().unwrap_or_default()),
        option.map(|value| hidden("option", value)).into(),
    ];
    let agree = el("button", &[("class", agree_class), ("autofocus", "")], label(&confirm["confirm"], "Yes"));
    let yes = el("form", &[("method", "post"), ("action", "/click"), ("data-live", "")], [fields.into(), agree]);
    let no = el("a", &[("class", "button"), ("href", &content.view.href()), ("data-close", "")], label(&confirm["deny"], "Cancel"));
    let title = el("h2", &[("id", "confirm-title")], label(&confirm["title"], "Are you sure?"));
    let text = el("p", &[], content.text(&confirm["text"]));
    let dialog =
        el("dialog", &[("open", ""), ("aria-labelledby", "confirm-title")], [title, text, el("div", &[("class", "b-actions")], [no, yes])]);
    el("div", &[("class", "veil")], dialog)
}
