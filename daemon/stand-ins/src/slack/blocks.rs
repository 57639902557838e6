//! Block Kit: what Slack takes (docs.slack.dev, reference/block-kit), with the places of what it does not take, and what it fills in.
//!
//! The blocks and elements that our pages use are checked in full, with unknown fields refused; other types of Slack's are let through as
//! they are, and types that Slack does not have are refused. Lengths count Unicode code points.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    answer::ApiError,
    entities::{BareLinks, normalise, normalise_plain},
};

/// Blocks of one message.
const MOST_BLOCKS: usize = 50;
/// Characters of a message's blocks as JSON. Not documented; observed as about 13,200 (slackapi/bolt-js issue 2509).
const MOST_CHARACTERS: usize = 13_200;

const OTHER_BLOCKS: [&str; 10] =
    ["image", "input", "rich_text", "markdown", "video", "file", "table", "context_actions", "task_card", "plan"];
const OTHER_ELEMENTS: [&str; 16] = [
    "checkboxes",
    "radio_buttons",
    "datepicker",
    "timepicker",
    "datetimepicker",
    "users_select",
    "conversations_select",
    "channels_select",
    "external_select",
    "multi_static_select",
    "multi_users_select",
    "multi_conversations_select",
    "multi_channels_select",
    "multi_external_select",
    "workflow_button",
    "image",
];

/// Checks the blocks of a message. The error is the method's answer.
pub(super) fn check(blocks: &Value, pointer: &str) -> Result<(), ApiError> {
    let Some(list) = blocks.as_array() else { return Err(ApiError::new("invalid_blocks_format")) };
    let mut review = Review::default();
    review.blocks(list, pointer);
    if !review.complaints.is_empty() {
        return Err(review.into_error());
    }
    Ok(())
}

/// Refuses blocks that are long in all, whoever carries them.
pub(super) fn check_length<'a>(lists: impl IntoIterator<Item = &'a Value>) -> Result<(), ApiError> {
    let characters: usize = lists.into_iter().map(|blocks| blocks.to_string().chars().count()).sum();
    if characters > MOST_CHARACTERS { Err(ApiError::new("msg_blocks_too_long")) } else { Ok(()) }
}

#[derive(Default)]
struct Review {
    complaints: Vec<(String, String)>,
    block_ids: BTreeSet<String>,
}

/// Which of the two text objects a place takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Either,
}

impl Review {
    fn into_error(self) -> ApiError {
        let errors: Vec<String> = self.complaints.iter().map(|(what, at)| format!("{what} [json-pointer:{at}]")).collect();
        let messages: Vec<String> = errors.iter().map(|error| format!("[ERROR] {error}")).collect();
        ApiError::new("invalid_blocks").with("errors", errors).with_messages(&messages)
    }

    fn complain(&mut self, what: impl Into<String>, at: &str) {
        self.complaints.push((what.into(), at.to_owned()));
    }

    fn blocks(&mut self, list: &[Value], at: &str) {
        if list.len() > MOST_BLOCKS {
            self.complain(format!("no more than {MOST_BLOCKS} items allowed"), at);
        }
        for (index, block) in list.iter().enumerate() {
            self.block(block, &format!("{at}/{index}"));
        }
    }

    fn block(&mut self, block: &Value, at: &str) {
        let Some(block) = self.object(block, at) else { return };
        self.block_id(block, at);
        match block.get("type").and_then(Value::as_str) {
            Some("header") => self.header(block, at),
            Some("section") => self.section(block, at),
            Some("context") => self.context(block, at),
            Some("divider") => self.only(block, &["type", "block_id"], at),
            Some("actions") => self.actions(block, at),
            Some(other) if OTHER_BLOCKS.contains(&other) => {}
            Some(other) => self.complain(format!("unsupported type: {other}"), &format!("{at}/type")),
            None => self.complain("missing required field: type", at),
        }
    }

    fn block_id(&mut self, block: &Map<String, Value>, at: &str) {
        let place = format!("{at}/block_id");
        self.length(block.get("block_id"), 255, &place);
        if let Some(id) = block.get("block_id").and_then(Value::as_str)
            && !self.block_ids.insert(id.to_owned())
        {
            self.complain(format!("`block_id` {id} already exists"), &place);
        }
    }

    fn header(&mut self, block: &Map<String, Value>, at: &str) {
        self.only(block, &["type", "block_id", "text", "level"], at);
        self.text(block.get("text"), Kind::Plain, 150, &format!("{at}/text"));
    }

    fn section(&mut self, block: &Map<String, Value>, at: &str) {
        self.only(block, &["type", "block_id", "text", "fields", "accessory", "expand"], at);
        if !block.contains_key("text") && !block.contains_key("fields") {
            self.complain("missing required field: text", at);
        }
        if let Some(text) = block.get("text") {
            self.text(Some(text), Kind::Either, 3_000, &format!("{at}/text"));
        }
        for (index, field) in self.list(block, "fields", 10, at).iter().enumerate() {
            self.text(Some(field), Kind::Either, 2_000, &format!("{at}/fields/{index}"));
        }
        if let Some(accessory) = block.get("accessory") {
            self.element(accessory, &mut BTreeSet::new(), &format!("{at}/accessory"));
        }
    }

    fn context(&mut self, block: &Map<String, Value>, at: &str) {
        self.only(block, &["type", "block_id", "elements"], at);
        self.needs(block, "elements", at);
        for (index, element) in self.list(block, "elements", 10, at).iter().enumerate() {
            let place = format!("{at}/elements/{index}");
            match element.get("type").and_then(Value::as_str) {
                Some("image") => self.image(element, &place),
                _ => self.text(Some(element), Kind::Either, 3_000, &place),
            }
        }
    }

    fn actions(&mut self, block: &Map<String, Value>, at: &str) {
        self.only(block, &["type", "block_id", "elements"], at);
        self.needs(block, "elements", at);
        let mut ids = BTreeSet::new();
        for (index, element) in self.list(block, "elements", 25, at).iter().enumerate() {
            self.element(element, &mut ids, &format!("{at}/elements/{index}"));
        }
    }

    fn element(&mut self, element: &Value, ids: &mut BTreeSet<String>, at: &str) {
        let Some(fields) = self.object(element, at) else { return };
        self.action_id(fields, ids, at);
        match fields.get("type").and_then(Value::as_str) {
            Some("button") => self.button(fields, at),
            Some("overflow") => self.overflow(fields, at),
            Some("static_select") => self.select(fields, at),
            Some(other) if OTHER_ELEMENTS.contains(&other) => {}
            Some(other) => self.complain(format!("unsupported type: {other}"), &format!("{at}/type")),
            None => self.complain("missing required field: type", at),
        }
        if let Some(confirm) = fields.get("confirm") {
            self.confirm(confirm, &format!("{at}/confirm"));
        }
    }

    fn action_id(&mut self, element: &Map<String, Value>, ids: &mut BTreeSet<String>, at: &str) {
        let place = format!("{at}/action_id");
        self.length(element.get("action_id"), 255, &place);
        if let Some(id) = element.get("action_id").and_then(Value::as_str)
            && !ids.insert(id.to_owned())
        {
            self.complain(format!("`action_id` {id} already exists"), &place);
        }
    }

    fn button(&mut self, button: &Map<String, Value>, at: &str) {
        self.only(button, &["type", "text", "action_id", "url", "value", "style", "confirm", "accessibility_label"], at);
        self.text(button.get("text"), Kind::Plain, 75, &format!("{at}/text"));
        self.length(button.get("value"), 2_000, &format!("{at}/value"));
        self.length(button.get("accessibility_label"), 75, &format!("{at}/accessibility_label"));
        self.address(button.get("url"), &format!("{at}/url"));
        self.style(button, at);
    }

    fn style(&mut self, owner: &Map<String, Value>, at: &str) {
        if let Some(style) = owner.get("style")
            && !matches!(style.as_str(), Some("primary" | "danger"))
        {
            self.complain("must be one of: primary, danger", &format!("{at}/style"));
        }
    }

    fn overflow(&mut self, menu: &Map<String, Value>, at: &str) {
        self.only(menu, &["type", "action_id", "options", "confirm"], at);
        self.needs(menu, "options", at);
        for (index, option) in self.list(menu, "options", 5, at).iter().enumerate() {
            self.option(option, &format!("{at}/options/{index}"));
        }
    }

    fn select(&mut self, menu: &Map<String, Value>, at: &str) {
        let known = ["type", "action_id", "placeholder", "options", "option_groups", "initial_option", "confirm", "focus_on_load"];
        self.only(menu, &known, at);
        if !menu.contains_key("option_groups") {
            self.needs(menu, "options", at);
        }
        if let Some(placeholder) = menu.get("placeholder") {
            self.text(Some(placeholder), Kind::Plain, 150, &format!("{at}/placeholder"));
        }
        for (index, option) in self.list(menu, "options", 100, at).iter().enumerate() {
            self.option(option, &format!("{at}/options/{index}"));
        }
    }

    fn option(&mut self, option: &Value, at: &str) {
        let Some(fields) = self.object(option, at) else { return };
        self.only(fields, &["text", "value", "description", "url"], at);
        self.text(fields.get("text"), Kind::Plain, 75, &format!("{at}/text"));
        self.needs(fields, "value", at);
        self.length(fields.get("value"), 150, &format!("{at}/value"));
        self.address(fields.get("url"), &format!("{at}/url"));
        if let Some(description) = fields.get("description") {
            self.text(Some(description), Kind::Plain, 75, &format!("{at}/description"));
        }
    }

    /// Slack's pages disagree on mrkdwn in `text`: the object's own page wants plain text, and so do we.
    fn confirm(&mut self, confirm: &Value, at: &str) {
        let Some(fields) = self.object(confirm, at) else { return };
        self.only(fields, &["title", "text", "confirm", "deny", "style"], at);
        self.text(fields.get("title"), Kind::Plain, 100, &format!("{at}/title"));
        self.text(fields.get("text"), Kind::Plain, 300, &format!("{at}/text"));
        self.text(fields.get("confirm"), Kind::Plain, 30, &format!("{at}/confirm"));
        self.text(fields.get("deny"), Kind::Plain, 30, &format!("{at}/deny"));
        self.style(fields, at);
    }

    fn image(&mut self, element: &Value, at: &str) {
        let Some(fields) = self.object(element, at) else { return };
        self.needs(fields, "alt_text", at);
        self.length(fields.get("alt_text"), 2_000, &format!("{at}/alt_text"));
        self.address(fields.get("image_url"), &format!("{at}/image_url"));
    }

    fn text(&mut self, text: Option<&Value>, kind: Kind, most: usize, at: &str) {
        let Some(text) = text else { return self.complain("missing required field: text", at) };
        let Some(fields) = self.object(text, at) else { return };
        match (fields.get("type").and_then(Value::as_str), kind) {
            (Some("plain_text"), Kind::Plain | Kind::Either) => self.only(fields, &["type", "text", "emoji"], at),
            (Some("mrkdwn"), Kind::Either) => self.only(fields, &["type", "text", "verbatim"], at),
            (Some("mrkdwn"), Kind::Plain) => self.complain("must be a plain_text object", &format!("{at}/type")),
            (Some(_) | None, _) => self.complain("must be one of: plain_text, mrkdwn", &format!("{at}/type")),
        }
        let place = format!("{at}/text");
        match fields.get("text").and_then(Value::as_str) {
            None => self.complain("must be a string", &place),
            Some("") => self.complain("must be more than 0 characters", &place),
            Some(_) => self.length(fields.get("text"), most, &place),
        }
    }

    fn length(&mut self, value: Option<&Value>, most: usize, at: &str) {
        match value {
            None => {}
            Some(Value::String(text)) if text.chars().count() <= most => {}
            Some(Value::String(_)) => self.complain(format!("must be less than {} characters", most + 1), at),
            Some(_) => self.complain("must be a string", at),
        }
    }

    fn address(&mut self, value: Option<&Value>, at: &str) {
        self.length(value, 3_000, at);
        let Some(text) = value.and_then(Value::as_str) else { return };
        if !url::Url::parse(text).is_ok_and(|url| ["http", "https", "mailto", "slack"].contains(&url.scheme())) {
            self.complain("must be a valid URL", at);
        }
    }

    fn object<'a>(&mut self, value: &'a Value, at: &str) -> Option<&'a Map<String, Value>> {
        let object = value.as_object();
        if object.is_none() {
            self.complain("must be an object", at);
        }
        object
    }

    fn needs(&mut self, fields: &Map<String, Value>, name: &str, at: &str) {
        if !fields.contains_key(name) {
            self.complain(format!("missing required field: {name}"), at);
        }
    }

    fn only(&mut self, fields: &Map<String, Value>, known: &[&str], at: &str) {
        for name in fields.keys().filter(|name| !known.contains(&name.as_str())) {
            self.complain(format!("invalid additional property: {name}"), at);
        }
    }

    /// The items of a list that must have 1 to `most` of them; an absent list is empty.
    fn list<'a>(&mut self, fields: &'a Map<String, Value>, name: &str, most: usize, at: &str) -> &'a [Value] {
        let place = format!("{at}/{name}");
        match fields.get(name) {
            None => &[],
            Some(Value::Array(items)) => {
                if items.is_empty() {
                    self.complain("must have at least 1 item", &place);
                }
                if items.len() > most {
                    self.complain(format!("no more than {most} items allowed"), &place);
                }
                items
            }
            Some(_) => {
                self.complain("must be an array", &place);
                &[]
            }
        }
    }
}

/// Fills in what Slack fills in: ids of blocks and actions, and the entities of every text. `next` makes ids.
pub(super) fn complete(blocks: &mut [Value], next: &mut impl FnMut() -> String) {
    for block in blocks {
        give_id(block, "block_id", next);
        for place in ["elements", "fields"] {
            for element in block.get_mut(place).and_then(Value::as_array_mut).into_iter().flatten() {
                complete_element(element, next);
            }
        }
        for place in ["accessory", "text"] {
            if let Some(element) = block.get_mut(place) {
                complete_element(element, next);
            }
        }
    }
}

fn complete_element(element: &mut Value, next: &mut impl FnMut() -> String) {
    match element.get("type").and_then(Value::as_str) {
        Some("plain_text" | "mrkdwn" | "image") => {}
        Some(_) => give_id(element, "action_id", next),
        None => return,
    }
    complete_texts(element);
}

fn give_id(owner: &mut Value, name: &str, next: &mut impl FnMut() -> String) {
    if let Some(fields) = owner.as_object_mut()
        && fields.get(name).and_then(Value::as_str).is_none_or(str::is_empty)
    {
        fields.insert(name.to_owned(), Value::String(next()));
    }
}

/// Entities in this text object and in those inside it.
fn complete_texts(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let kept = kept_text(fields);
            if let Some(kept) = kept {
                fields.insert("text".to_owned(), Value::String(kept));
            } else {
                fields.values_mut().for_each(complete_texts);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(complete_texts),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn kept_text(fields: &Map<String, Value>) -> Option<String> {
    let text = fields.get("text")?.as_str()?;
    let verbatim = fields.get("verbatim").and_then(Value::as_bool).unwrap_or(false);
    match fields.get("type")?.as_str()? {
        "plain_text" => Some(normalise_plain(text)),
        "mrkdwn" => Some(normalise(text, if verbatim { BareLinks::Leave } else { BareLinks::Link })),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{check, check_length, complete};

    fn text(length: usize) -> Value {
        json!({ "type": "mrkdwn", "text": "é".repeat(length) })
    }

    fn plain(length: usize) -> Value {
        json!({ "type": "plain_text", "text": "x".repeat(length) })
    }

    fn actions(elements: &Value) -> Value {
        json!([{ "type": "actions", "elements": elements }])
    }

    /// `refused` is the pointer of the first complaint.
    fn verdict(blocks: &Value, refused: Option<&str>) {
        let found = check(blocks, "/blocks").err().map(|error| {
            assert_eq!(error.code, "invalid_blocks");
            let first = error.details["errors"][0].as_str().unwrap_or_default().to_owned();
            first.split("[json-pointer:").nth(1).unwrap_or_default().trim_end_matches(']').to_owned()
        });
        assert_eq!(found.as_deref(), refused, "{blocks}");
    }

    #[test]
    fn each_documented_limit_is_the_last_that_passes() {
        let option = |text: usize, value: usize| json!({ "text": plain(text), "value": "v".repeat(value) });
        let table = [
            (json!([{ "type": "section", "text": text(3_000) }]), None),
            (json!([{ "type": "section", "text": text(3_001) }]), Some("/blocks/0/text/text")),
            (json!([{ "type": "section", "fields": vec![text(1); 10] }]), None),
            (json!([{ "type": "section", "fields": vec![text(1); 11] }]), Some("/blocks/0/fields")),
            (json!([{ "type": "section", "fields": [text(2_001)] }]), Some("/blocks/0/fields/0/text")),
            (json!([{ "type": "header", "text": plain(150) }]), None),
            (json!([{ "type": "header", "text": plain(151) }]), Some("/blocks/0/text/text")),
            (json!([{ "type": "header", "text": text(1) }]), Some("/blocks/0/text/type")),
            (json!([{ "type": "context", "elements": vec![text(1); 10] }]), None),
            (json!([{ "type": "context", "elements": vec![text(1); 11] }]), Some("/blocks/0/elements")),
            (json!(vec![json!({ "type": "divider" }); 50]), None),
            (json!(vec![json!({ "type": "divider" }); 51]), Some("/blocks")),
            (actions(&json!([{ "type": "button", "text": plain(75), "value": "v".repeat(2_000) }])), None),
            (actions(&json!([{ "type": "button", "text": plain(76) }])), Some("/blocks/0/elements/0/text/text")),
            (actions(&json!([{ "type": "button", "text": plain(1), "value": "v".repeat(2_001) }])), Some("/blocks/0/elements/0/value")),
            (actions(&json!([{ "type": "button", "text": plain(1), "style": "loud" }])), Some("/blocks/0/elements/0/style")),
            (actions(&json!([{ "type": "button", "text": plain(1), "url": "javascript:1" }])), Some("/blocks/0/elements/0/url")),
            (actions(&json!([{ "type": "overflow", "options": vec![option(75, 150); 5] }])), None),
            (actions(&json!([{ "type": "overflow", "options": vec![option(1, 1); 6] }])), Some("/blocks/0/elements/0/options")),
            (actions(&json!([{ "type": "overflow", "options": [option(76, 1)] }])), Some("/blocks/0/elements/0/options/0/text/text")),
            (actions(&json!([{ "type": "static_select", "options": vec![option(1, 1); 101] }])), Some("/blocks/0/elements/0/options")),
            (json!([{ "type": "image", "image_url": "https://a.example/x.png", "alt_text": "x" }]), None),
        ];
        for (blocks, refused) in table {
            verdict(&blocks, refused);
        }
    }

    #[test]
    fn what_slack_does_not_know_is_refused() {
        let button = json!({ "type": "button", "text": plain(1), "action_id": "a" });
        let confirm = json!({ "title": plain(101), "text": plain(300), "confirm": plain(30), "deny": plain(30) });
        let table = [
            (json!([{ "type": "marquee" }]), Some("/blocks/0/type")),
            (json!([{ "text": plain(1) }]), Some("/blocks/0")),
            (json!([1]), Some("/blocks/0")),
            (json!([{ "type": "divider", "colour": "red" }]), Some("/blocks/0")),
            (json!([{ "type": "section" }]), Some("/blocks/0")),
            (json!([{ "type": "section", "text": plain(0) }]), Some("/blocks/0/text/text")),
            (json!([{ "type": "actions", "elements": [] }]), Some("/blocks/0/elements")),
            (json!([{ "type": "divider", "block_id": "b" }, { "type": "divider", "block_id": "b" }]), Some("/blocks/1/block_id")),
            (actions(&json!([button, button])), Some("/blocks/0/elements/1/action_id")),
            (
                actions(&json!([{ "type": "button", "text": plain(1), "confirm": confirm }])),
                Some("/blocks/0/elements/0/confirm/title/text"),
            ),
        ];
        for (blocks, refused) in table {
            verdict(&blocks, refused);
        }
    }

    #[test]
    fn every_text_of_a_dialog_is_plain_and_has_its_bound() {
        let menu = |part: &str, value: Value| {
            let mut confirm = json!({ "title": plain(100), "text": plain(300), "confirm": plain(30), "deny": plain(30) });
            confirm[part] = value;
            actions(&json!([{ "type": "overflow", "options": [{ "text": plain(1), "value": "v" }], "confirm": confirm }]))
        };
        let refused = |place: &str| format!("/blocks/0/elements/0/confirm/{place}");
        verdict(&menu("text", plain(300)), None);
        verdict(&menu("text", plain(301)), Some(&refused("text/text")));
        verdict(&menu("text", text(300)), Some(&refused("text/type")));
        verdict(&menu("title", text(1)), Some(&refused("title/type")));
        verdict(&menu("confirm", text(1)), Some(&refused("confirm/type")));
        verdict(&menu("deny", plain(31)), Some(&refused("deny/text")));
        verdict(&menu("style", json!("loud")), Some(&refused("style")));
        verdict(&menu("colour", plain(1)), Some("/blocks/0/elements/0/confirm"));
    }

    #[test]
    fn anything_but_a_list_is_no_block_format() {
        assert_eq!(check(&json!({}), "/blocks").unwrap_err().code, "invalid_blocks_format");
    }

    #[test]
    fn many_legal_blocks_are_too_long_in_all() {
        let section = |length| json!({ "type": "section", "text": text(length) });
        assert!(check_length([&json!(vec![section(3_000); 4])]).is_ok());
        assert_eq!(check_length([&json!(vec![section(3_000); 5])]).unwrap_err().code, "msg_blocks_too_long");
    }

    #[test]
    fn ids_and_entities_are_filled_in() {
        let mut blocks = vec![json!({
            "type": "section",
            "text": { "type": "mrkdwn", "text": "a < b <!here>" },
            "accessory": { "type": "button", "text": { "type": "plain_text", "text": "<!here>" } },
        })];
        let mut count = 0;
        complete(&mut blocks, &mut || {
            count += 1;
            format!("i{count}")
        });
        assert_eq!(blocks[0]["block_id"], "i1");
        assert_eq!(blocks[0]["accessory"]["action_id"], "i2");
        assert_eq!(blocks[0]["text"]["text"], "a &lt; b <!here>");
        assert_eq!(blocks[0]["accessory"]["text"]["text"], "&lt;!here&gt;");
    }
}
