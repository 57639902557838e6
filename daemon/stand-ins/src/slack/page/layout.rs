//! The page: conversations on one side, messages in the middle, a thread on the other side, a composer below.

use jiff::tz::TimeZone;

use super::{
    super::{
        interact::MissedClick,
        office::{Office, Shared},
        ts::Ts,
        world::{Audience, Conversation, ConversationKind, Message, MetadataView},
    },
    blocks::{Content, confirm_dialog},
    mrkdwn::Reader,
    panel,
    view::{Query, SHOWN, Spot, View, anchor, is_visible},
};
use crate::html::{Html, Page, el, hidden, void};

/// How long the banner of a missed click stays, in seconds of the stand-in's clock.
const BANNER_SECONDS: i64 = 60;
/// Characters of a notification that a phone shows.
const LOCK_SCREEN: usize = 178;
/// How many people's initials have a colour of their own.
const COLOURS: usize = 6;

/// The whole page.
pub(super) fn page(office: &Office, shared: &Shared, query: &Query) -> Page {
    let screen = Screen { office, shared, view: View::of(office, query) };
    let body = [
        el("a", &[("class", "skip"), ("href", "#main")], "To the messages"),
        screen.header(),
        el("div", &[("id", "banner"), ("role", "status")], screen.banner()),
        el("div", &[("class", "columns")], [screen.nav(), screen.main(), screen.thread(), panel::panel(office, shared, &screen.view)]),
        el("div", &[("id", "dialog")], screen.dialog(query)),
    ];
    let name = screen.conversation().map_or_else(|| "nothing yet".to_owned(), title);
    Page { title: format!("{name} · Slack stand-in"), style: "/style.css", script: Some("/page.js"), body: body.into() }
}

fn title(conversation: &Conversation) -> String {
    match conversation.kind {
        ConversationKind::Public | ConversationKind::Private => format!("#{}", conversation.name),
        ConversationKind::Direct { .. } => conversation.name.clone(),
    }
}

struct Screen<'a> {
    office: &'a Office,
    shared: &'a Shared,
    view: View,
}

impl Screen<'_> {
    fn conversation(&self) -> Option<&Conversation> {
        self.office.world.conversation(&self.view.channel)
    }

    fn reader(&self) -> Reader<'_> {
        Reader { world: &self.office.world, user: &self.view.acting }
    }

    fn header(&self) -> Html {
        let people = self.office.world.users.iter().filter(|user| !user.is_bot);
        let options: Html = people.map(|user| option(&user.id, &user.name, user.id == self.view.acting)).collect();
        let select = el("select", &[("name", "as"), ("id", "as")], options);
        let fields = [hidden("channel", &self.view.channel), el("label", &[("for", "as")], "Act as"), select];
        let switch = el("button", &[("class", "button small")], "Switch");
        let picker = el("form", &[("method", "get"), ("action", "/"), ("class", "picker"), ("data-pick", "")], [fields.into(), switch]);
        let name = [Html::from("Slack stand-in "), el("span", &[("class", "quiet")], "nothing here leaves this machine")];
        let tools = el("a", &[("class", "button small panel-link"), ("href", "#panel")], "Faults");
        el("header", &[("class", "top")], [el("h1", &[], name), picker, tools])
    }

    /// Shown when the app did not acknowledge a click of this person, or the click met nothing.
    fn banner(&self) -> Html {
        let now = self.shared.clock.now();
        let recent = |missed: &&MissedClick| missed.user == self.view.acting && now.duration_since(missed.at).as_secs() < BANNER_SECONDS;
        let Some(missed) = self.office.interactions.missed.iter().rev().find(recent) else { return Html::default() };
        let time = clock_time(missed.at);
        let words = format!("{time} Your click on {} came to nothing: {}.", missed.action_id, missed.reason);
        el("p", &[("class", "missed")], [el("span", &[("aria-hidden", "true")], "⚠ "), Html::from(words)])
    }

    fn nav(&self) -> Html {
        let world = &self.office.world;
        let (channels, direct): (Vec<&Conversation>, Vec<&Conversation>) = world.conversations.iter().partition(|it| it.is_channel());
        let (own, others): (Vec<&Conversation>, Vec<&Conversation>) = direct.into_iter().partition(|it| is_visible(it, &self.view.acting));
        let part = |name: &'static str, list: Vec<&Conversation>| {
            let items: Html = list.iter().map(|it| el("li", &[], self.nav_link(it))).collect();
            if list.is_empty() { Html::default() } else { [el("h2", &[], name), el("ul", &[], items)].into() }
        };
        let parts = [part("Channels", channels), part("Direct messages", own), part("Direct messages of others", others)];
        el("nav", &[("id", "nav"), ("aria-label", "Conversations")], parts)
    }

    /// A direct conversation of another person opens as that person.
    fn nav_link(&self, conversation: &Conversation) -> Html {
        let here = self.view.in_channel(&conversation.id);
        let bot = &self.office.world.identity.bot_name;
        let (sign, name, view) = match &conversation.kind {
            ConversationKind::Public => ("# ", conversation.name.clone(), here),
            ConversationKind::Private => ("🔒 ", conversation.name.clone(), here),
            ConversationKind::Direct { user } if *user == self.view.acting => ("● ", bot.clone(), here),
            ConversationKind::Direct { user } => ("→ ", format!("to {}", conversation.name), View { acting: user.clone(), ..here }),
        };
        let count = conversation.messages.iter().filter(|it| it.visible_to(&view.acting)).count();
        let count = [Html::from(count.to_string()), el("span", &[("class", "unseen")], if count == 1 { " message" } else { " messages" })];
        let name = el("span", &[("class", "name")], name);
        let label = [el("span", &[("aria-hidden", "true")], sign), name, el("span", &[("class", "count")], count)];
        if conversation.id == self.view.channel {
            el("a", &[("href", &view.href()), ("aria-current", "page")], label)
        } else {
            el("a", &[("href", &view.href())], label)
        }
    }

    fn main(&self) -> Html {
        let Some(conversation) = self.conversation() else { return el("main", &[("id", "main")], nothing_yet()) };
        let (older, shown) = self.shown(conversation);
        let articles: Html = shown.iter().map(|message| self.article(conversation, message, Spot::Main)).collect();
        let empty = shown.is_empty().then(|| el("p", &[("class", "empty")], "Nothing was posted here yet."));
        let turn =
            |words: &str, view: View| el("p", &[("class", "turn")], el("a", &[("class", "button small"), ("href", &view.href())], words));
        let older = older.then(|| turn("Older messages", self.view.up_to(shown.first().map(|first| first.ts))));
        let newest = self.view.before.map(|_| turn("To the newest messages", self.view.up_to(None)));
        let content = [older.into(), empty.into(), articles, newest.into()];
        let list = el("div", &[("id", "messages"), ("class", "messages")], content);
        let class = if self.view.thread.is_some() { "behind-thread" } else { "" };
        let parts = [self.conversation_header(conversation), self.notification(), scroller(list), self.composer(conversation, None)];
        el("main", &[("id", "main"), ("class", class), ("tabindex", "-1")], parts)
    }

    /// The messages of one page, oldest first; and whether there are older ones.
    fn shown<'a>(&self, conversation: &'a Conversation) -> (bool, Vec<&'a Message>) {
        let within = |message: &&Message| self.view.before.is_none_or(|before| message.ts < before);
        let visible = |message: &&Message| message.in_main_view() && message.visible_to(&self.view.acting);
        let mut shown: Vec<&Message> = conversation.messages.iter().filter(within).filter(visible).collect();
        let older = shown.len().saturating_sub(SHOWN);
        shown.drain(..older);
        (older > 0, shown)
    }

    fn conversation_header(&self, conversation: &Conversation) -> Html {
        let mut badges = Vec::new();
        if conversation.archived {
            badges.push(el("span", &[("class", "badge")], "archived"));
        }
        if !conversation.bot_is_member {
            badges.push(el("span", &[("class", "badge")], "the app is not a member"));
        }
        let name = if conversation.is_channel() { title(conversation) } else { self.office.world.identity.bot_name.clone() };
        el("div", &[("class", "conversation-header"), ("id", "conversation-header")], [el("h2", &[], name), badges.into()])
    }

    /// What the person's phone would show of the newest message that concerns them, in whichever conversation.
    fn notification(&self) -> Html {
        let visible = self.office.world.conversations.iter().filter(|it| is_visible(it, &self.view.acting));
        let newest = visible.filter_map(|conversation| Some((conversation, self.latest_for_them(conversation)?)));
        let card = newest.max_by_key(|(_, message)| message.ts).map(|(conversation, message)| self.lock_card(conversation, message));
        el("div", &[("id", "notification")], card)
    }

    fn latest_for_them<'a>(&self, conversation: &'a Conversation) -> Option<&'a Message> {
        let acting = &self.view.acting;
        let mut newest_first = conversation.messages.iter().rev();
        newest_first.find(|it| it.author != *acting && it.visible_to(acting) && self.notifies(conversation, it))
    }

    fn lock_card(&self, conversation: &Conversation, message: &Message) -> Html {
        let author = self.office.world.user_name(&message.author);
        let from = if conversation.is_channel() { format!("{author} in {}", title(conversation)) } else { author };
        let when = format!("On the lock screen · {}", clock_time(message.ts.time()));
        let first = el("p", &[("class", "lock-from")], [el("span", &[("class", "quiet")], when), Html::from(format!(" {from}"))]);
        let text = cut(&self.reader().notification(&message.text), LOCK_SCREEN);
        let card = [first, el("p", &[("class", "lock-text")], text)];
        el("a", &[("class", "lock"), ("href", &self.href_of(conversation, message.ts))], card)
    }

    /// Where this person finds a message.
    fn href_of(&self, conversation: &Conversation, ts: Ts) -> String {
        let found = View::at(self.office, &conversation.id, ts).unwrap_or_else(|| self.view.clone());
        let view = View { acting: self.view.acting.clone(), ..found };
        view.href_at(view.spot(), ts)
    }

    fn notifies(&self, conversation: &Conversation, message: &Message) -> bool {
        let content = format!("{} {}", message.text, serde_json::Value::from(message.blocks.clone()));
        let mentioned = content.contains(&format!("<@{}>", self.view.acting));
        let loud = ["<!here>", "<!channel>", "<!everyone>"].iter().any(|mention| content.contains(mention));
        !conversation.is_channel() || mentioned || loud
    }

    fn article(&self, conversation: &Conversation, message: &Message, spot: Spot) -> Html {
        let replies = conversation.replies(message.ts).count();
        let version = format!("{}.{replies}.{}", message.changes, self.view.acting);
        let class = match message.audience {
            Audience::Everyone => "message",
            Audience::Only(_) => "message ephemeral",
        };
        let content = Content { reader: self.reader(), view: &self.view, channel: &conversation.id, ts: message.ts };
        let parts = [
            self.avatar(message),
            el(
                "div",
                &[("class", "body")],
                [
                    self.byline(message, spot),
                    el("div", &[("class", "content")], content.of(message)),
                    el(
                        "div",
                        &[("class", "below")],
                        [edited_mark(message), self.thread_link(message, replies, spot), self.inspect(conversation, message)],
                    ),
                ],
            ),
        ];
        el("article", &[("id", &anchor(spot, message.ts)), ("class", class), ("data-version", &version)], parts)
    }

    fn avatar(&self, message: &Message) -> Html {
        let name = self.office.world.user_name(&message.author);
        let colour = message.author.bytes().map(usize::from).sum::<usize>() % COLOURS;
        let initial: String = name.chars().next().unwrap_or('?').to_uppercase().collect();
        el("span", &[("class", &format!("avatar c{colour}")), ("aria-hidden", "true")], initial)
    }

    fn byline(&self, message: &Message, spot: Spot) -> Html {
        let app = (message.author == self.office.world.identity.bot_user).then(|| el("span", &[("class", "badge")], "APP"));
        let time = message.ts.time();
        let href = self.view.href_at(spot, message.ts);
        let link = el("a", &[("href", &href), ("class", "quiet time"), ("title", &time.to_string())], clock_time(time));
        let only = (message.audience != Audience::Everyone).then(|| el("span", &[("class", "quiet")], "only you see this"));
        let broadcast = (message.parent().is_some() && message.in_main_view())
            .then(|| el("span", &[("class", "quiet")], "replied in a thread, to the channel too"));
        let name = el("strong", &[], self.office.world.user_name(&message.author));
        el("p", &[("class", "byline")], [name, app.into(), link, only.into(), broadcast.into()])
    }

    fn thread_link(&self, message: &Message, replies: usize, spot: Spot) -> Html {
        if spot == Spot::Thread {
            return Html::default();
        }
        let root = message.parent().unwrap_or(message.ts);
        let words = match replies {
            0 if message.parent().is_some() => "See the thread".to_owned(),
            0 => "Reply in a thread".to_owned(),
            1 => "1 reply".to_owned(),
            many => format!("{many} replies"),
        };
        let class = if replies == 0 { "thread-link quiet" } else { "thread-link" };
        el("a", &[("class", class), ("href", &format!("{}#thread", self.view.with_thread(Some(root)).href()))], words)
    }

    /// What the API has of this message.
    fn inspect(&self, conversation: &Conversation, message: &Message) -> Html {
        let json = self.office.world.message_json(conversation, message, MetadataView::All);
        let raw = serde_json::to_string_pretty(&json).unwrap_or_default();
        let parts = [
            el("summary", &[], "Notification and JSON"),
            el("p", &[], [el("span", &[("class", "quiet")], "Notification text: "), Html::from(self.reader().notification(&message.text))]),
            el("pre", &[("tabindex", "0")], raw),
        ];
        el("details", &[("class", "inspect")], parts)
    }

    fn thread(&self) -> Html {
        let found = self.conversation().zip(self.view.thread).and_then(|(it, ts)| Some((it, it.message(ts)?)));
        let Some((conversation, root)) = found else { return el("aside", &[("id", "thread"), ("hidden", "")], "") };
        let messages: Html = std::iter::once(root)
            .chain(conversation.replies(root.ts))
            .map(|message| self.article(conversation, message, Spot::Thread))
            .collect();
        let close = el("a", &[("class", "button small"), ("href", &self.view.with_thread(None).href())], "Close");
        let header = el("div", &[("class", "conversation-header")], [el("h2", &[], "Thread"), close]);
        let list = el("div", &[("id", "thread-messages"), ("class", "messages")], messages);
        el("aside", &[("id", "thread"), ("aria-label", "Thread")], [header, scroller(list), self.composer(conversation, Some(root.ts))])
    }

    fn composer(&self, conversation: &Conversation, thread: Option<Ts>) -> Html {
        if conversation.archived || self.view.acting.is_empty() {
            return Html::default();
        }
        let id = if thread.is_some() { "reply" } else { "say" };
        let name = self.office.world.user_name(&self.view.acting);
        let label = if thread.is_some() { format!("Reply as {name}") } else { format!("Write as {name}") };
        let parts = [
            self.view.fields(),
            thread.map(|thread| hidden("thread_ts", &thread.to_string())).into(),
            el("label", &[("for", id), ("class", "unseen")], &label),
            void("input", &[("id", id), ("name", "text"), ("autocomplete", "off"), ("placeholder", &label), ("required", "")]),
            el("button", &[("class", "button primary")], "Send"),
        ];
        el("form", &[("method", "post"), ("action", "/say"), ("class", "composer"), ("data-live", "")], parts)
    }

    fn dialog(&self, query: &Query) -> Html {
        let Some(conversation) = self.conversation() else { return Html::default() };
        let message = query.confirm_ts.as_deref().and_then(Ts::parse).and_then(|ts| conversation.message(ts));
        let (Some(message), Some(action)) = (message, query.confirm_action.as_deref()) else { return Html::default() };
        let Some(element) = super::element_with_confirm(message, action) else { return Html::default() };
        let content = Content { reader: self.reader(), view: &self.view, channel: &conversation.id, ts: message.ts };
        confirm_dialog(&content, element, query.confirm_option.as_deref())
    }
}

/// A box that stays at its end as messages come.
fn scroller(list: Html) -> Html {
    el("div", &[("class", "scroller")], list)
}

fn option(value: &str, label: &str, selected: bool) -> Html {
    if selected { el("option", &[("value", value), ("selected", "")], label) } else { el("option", &[("value", value)], label) }
}

fn edited_mark(message: &Message) -> Html {
    message.edited.map(|at| el("span", &[("class", "quiet"), ("title", &at.time().to_string())], "(edited)")).into()
}

/// The time of day in UTC.
fn clock_time(time: jiff::Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%H:%M:%S UTC").to_string()
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most { text.to_owned() } else { text.chars().take(most).chain(['…']).collect() }
}

fn nothing_yet() -> Html {
    let words = "No channel exists yet. Add a channel and a person under “Workspace”, or let the app open a direct message.";
    el("p", &[("class", "empty")], words)
}
