//! The registry of templates: built-in ones, those of the operator, and the fallback between them.

use std::{collections::BTreeMap, io, marker::PhantomData, path::Path, sync::Arc};

use burnward_core::{postmortem::PostmortemDraft, time::Timestamp};
use handlebars::{Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderError, RenderErrorReason};
use serde::Serialize;

use super::{
    context::{PageContext, PostmortemContext, ReportContext, ReportPostContext, ReportPostRow, TimelineContext},
    faults::Faults,
    guard,
    sink::{Language, Markdown, MdInline, Precision, Slack, SlackMrkdwn, Text},
};

/// Most bytes that a template may write.
const MAX_OUTPUT: usize = 256 * 1024;

/// The built-in templates by their path below templates/.
const BUILT_IN: [(&str, &str); 12] = [
    (HEADLINE, include_str!("../../../templates/notify/slack/headline.hbs")),
    (BUDGET, include_str!("../../../templates/notify/slack/budget.hbs")),
    (WHERE, include_str!("../../../templates/notify/slack/where.hbs")),
    (DO_FIRST, include_str!("../../../templates/notify/slack/do-first.hbs")),
    (PEOPLE, include_str!("../../../templates/notify/slack/people.hbs")),
    (FOOTER, include_str!("../../../templates/notify/slack/footer.hbs")),
    (THREAD, include_str!("../../../templates/notify/slack/thread.hbs")),
    (REPORT_HEADLINE, include_str!("../../../templates/notify/slack/report-headline.hbs")),
    (REPORT_ROW, include_str!("../../../templates/notify/slack/report-row.hbs")),
    (REPORT_FOOTER, include_str!("../../../templates/notify/slack/report-footer.hbs")),
    (POSTMORTEM, include_str!("../../../templates/document/postmortem.md.hbs")),
    (REPORT, include_str!("../../../templates/document/report-week.md.hbs")),
];

const HEADLINE: &str = "notify/slack/headline.hbs";
const BUDGET: &str = "notify/slack/budget.hbs";
const WHERE: &str = "notify/slack/where.hbs";
const DO_FIRST: &str = "notify/slack/do-first.hbs";
const PEOPLE: &str = "notify/slack/people.hbs";
const FOOTER: &str = "notify/slack/footer.hbs";
const THREAD: &str = "notify/slack/thread.hbs";
const REPORT_HEADLINE: &str = "notify/slack/report-headline.hbs";
const REPORT_ROW: &str = "notify/slack/report-row.hbs";
const REPORT_FOOTER: &str = "notify/slack/report-footer.hbs";
const POSTMORTEM: &str = "document/postmortem.md.hbs";
const REPORT: &str = "document/report-week.md.hbs";

/// The texts of a page in Slack, slot by slot.
#[derive(Debug, Clone, PartialEq)]
pub struct PageTexts {
    /// What, for whom, how bad, since when; also the notification's text.
    pub headline: SlackMrkdwn,
    /// What is left, and the arithmetic.
    pub budget: SlackMrkdwn,
    /// Which groups and SLOs.
    pub r#where: SlackMrkdwn,
    /// The first steps.
    pub do_first: SlackMrkdwn,
    /// Who has it, and who is next.
    pub people: SlackMrkdwn,
    /// Identities and times.
    pub footer: SlackMrkdwn,
}

/// The texts of a report in Slack.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportTexts {
    /// Whose, which week, and how many budgets have each verdict; also the notification's text.
    pub headline: SlackMrkdwn,
    /// The worst budgets, a text each.
    pub rows: Vec<SlackMrkdwn>,
    /// How many more, what the week cost people, and whether it is late.
    pub footer: SlackMrkdwn,
}

/// All templates; a handle that is cheap to clone.
#[derive(Debug, Clone)]
pub struct Renderer {
    slack: Arc<Engine<Slack>>,
    markdown: Arc<Engine<Markdown>>,
    faults: Faults,
}

impl Renderer {
    /// What is wrong with the operator's templates.
    pub const fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The built-in templates, replaced by those in `directory` that are fit; what is wrong with the others goes to `faults`.
    pub fn load(directory: Option<&Path>, faults: Faults) -> Self {
        let own = directory.map(|directory| own_texts(directory, &faults)).unwrap_or_default();
        Self { slack: Arc::new(Engine::new(&own, &faults)), markdown: Arc::new(Engine::new(&own, &faults)), faults }
    }

    /// The texts of a page.
    pub fn page(&self, page: &PageContext) -> PageTexts {
        let slot = |name: &str| trimmed(&self.slack.render(name, page, &self.faults).unwrap_or_else(|| SlackMrkdwn::value(&page.plain())));
        PageTexts {
            headline: one_line(&slot(HEADLINE)),
            budget: slot(BUDGET),
            r#where: slot(WHERE),
            do_first: slot(DO_FIRST),
            people: slot(PEOPLE),
            footer: slot(FOOTER),
        }
    }

    /// One entry of a thread.
    pub fn thread(&self, entry: &TimelineContext) -> SlackMrkdwn {
        trimmed(&self.slack.render(THREAD, entry, &self.faults).unwrap_or_else(|| SlackMrkdwn::value(&entry.text)))
    }

    /// The texts of a report that is posted.
    pub fn report_post(&self, report: &ReportPostContext) -> ReportTexts {
        let text =
            |name: &str, plain: &str| trimmed(&self.slack.render(name, report, &self.faults).unwrap_or_else(|| SlackMrkdwn::value(plain)));
        let row = |row: &ReportPostRow| {
            trimmed(&self.slack.render(REPORT_ROW, row, &self.faults).unwrap_or_else(|| SlackMrkdwn::value(&row.plain())))
        };
        ReportTexts {
            headline: one_line(&text(REPORT_HEADLINE, &report.plain())),
            rows: report.rows.iter().map(row).collect(),
            footer: text(REPORT_FOOTER, &report.week),
        }
    }

    /// The postmortem draft, in Markdown.
    pub fn postmortem(&self, draft: &PostmortemDraft) -> String {
        let context = PostmortemContext::new(draft);
        self.markdown.render(POSTMORTEM, &context, &self.faults).unwrap_or_else(|| MdInline::value(&draft.title)).to_string()
    }

    /// The report of a week, in Markdown.
    pub fn report_document(&self, report: &ReportContext) -> String {
        self.markdown.render(REPORT, report, &self.faults).unwrap_or_else(|| MdInline::value(&report.plain())).to_string()
    }
}

fn trimmed(text: &SlackMrkdwn) -> SlackMrkdwn {
    SlackMrkdwn::from_escaped(text.as_str().trim().to_owned())
}

/// A headline is one line, whatever its template wrote.
fn one_line(text: &SlackMrkdwn) -> SlackMrkdwn {
    SlackMrkdwn::from_escaped(text.as_str().split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The operator's texts by path; a file that we do not know is a fault, so that a typing error is seen.
fn own_texts(directory: &Path, faults: &Faults) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for (name, _) in BUILT_IN {
        match read_capped(&directory.join(name)) {
            Ok(text) => {
                texts.insert(name.to_owned(), text);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => faults.tell(name, format!("it cannot be read: {error}")),
        }
    }
    for name in unknown_files(directory) {
        faults.tell(&name, "no template has this name".to_owned());
    }
    texts
}

/// A regular file's text, at most one byte more than a template may have.
fn read_capped(path: &Path) -> io::Result<String> {
    use io::Read as _;
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut text = String::new();
    std::fs::File::open(path)?.take(guard::MAX_BYTES as u64 + 1).read_to_string(&mut text)?;
    Ok(text)
}

/// Files with the ending of a template that replace none.
fn unknown_files(directory: &Path) -> Vec<String> {
    let folders = ["", "notify", "notify/slack", "document"];
    let mut unknown = Vec::new();
    for folder in folders {
        for entry in std::fs::read_dir(directory.join(folder)).into_iter().flatten().flatten().take(1_000) {
            let file = entry.file_name().to_string_lossy().into_owned();
            let name = if folder.is_empty() { file } else { format!("{folder}/{file}") };
            if Path::new(&name).extension().is_some_and(|ending| ending == "hbs") && BUILT_IN.iter().all(|(known, _)| *known != name) {
                unknown.push(name);
            }
        }
    }
    unknown.sort();
    unknown
}

/// The templates of one language: built-in ones under their name, those of the operator under `own/` and their name.
struct Engine<L> {
    registry: Handlebars<'static>,
    language: PhantomData<L>,
}

impl<L> std::fmt::Debug for Engine<L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl<L: Language + Send + Sync + 'static> Engine<L> {
    fn new(own: &BTreeMap<String, String>, faults: &Faults) -> Self {
        let mut registry = Handlebars::new();
        for builtin in ["lookup", "log", "raw"] {
            registry.unregister_helper(builtin);
        }
        registry.register_escape_fn(L::escape);
        registry.register_helper("time", Moment::<L>::boxed(Precision::Minute));
        registry.register_helper("clock", Moment::<L>::boxed(Precision::Second));
        registry.register_helper("date", Moment::<L>::boxed(Precision::Day));
        registry.register_helper("first", Box::new(first::<L>));
        registry.register_helper("prose", Box::new(prose::<L>));
        registry.register_helper("plural", Box::new(plural));
        registry.register_helper("helperMissing", Box::new(missing::<L>));
        for (name, text) in BUILT_IN {
            let template = guard::compile(text).expect("the built-in templates pass their own guard, as a test shows");
            registry.register_template(name, template);
        }
        for (name, text) in own {
            match guard::compile(text) {
                Ok(template) => registry.register_template(&format!("own/{name}"), template),
                Err(refused) => faults.tell(name, refused.to_string()),
            }
        }
        Self { registry, language: PhantomData }
    }

    /// What the operator's template writes, else what the built-in one does; `None` where even that fails.
    fn render<C: Serialize>(&self, name: &str, context: &C, faults: &Faults) -> Option<Text<L>> {
        let own = format!("own/{name}");
        if self.registry.has_template(&own) {
            match self.write(&own, context) {
                Ok(text) => return Some(text),
                Err(error) => faults.tell(name, render_error(&error)),
            }
        }
        self.write(name, context).inspect_err(|error| faults.tell(name, render_error(error))).ok()
    }

    fn write<C: Serialize>(&self, name: &str, context: &C) -> Result<Text<L>, RenderError> {
        let mut out = Capped(Vec::new());
        self.registry.render_to_write(name, context, &mut out)?;
        Ok(Text::from_escaped(String::from_utf8_lossy(&out.0).into_owned()))
    }
}

/// The error with its line, without what it was rendered from.
fn render_error(error: &RenderError) -> String {
    let line = error.line_no.map_or_else(String::new, |line| format!("line {line}: "));
    let reason: String = error.reason().to_string().chars().take(300).collect();
    format!("{line}{reason}")
}

/// A buffer that refuses to grow beyond what a template may write.
struct Capped(Vec<u8>);

impl io::Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT {
            return Err(io::Error::other(format!("it writes more than {MAX_OUTPUT} bytes")));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `{{time at}}`, `{{clock at}}`, `{{date at}}`: an instant to the minute, to the second, and with its day; the first two show the day where it is
/// not evident.
struct Moment<L> {
    precision: Precision,
    language: PhantomData<L>,
}

impl<L> Moment<L> {
    fn boxed(precision: Precision) -> Box<Self> {
        Box::new(Self { precision, language: PhantomData })
    }
}

impl<L: Language + Send + Sync> HelperDef for Moment<L> {
    fn call<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let value = h.param(0).map(handlebars::PathAndJson::value);
        let millis = value.and_then(|value| value.get("millis")).and_then(serde_json::Value::as_i64);
        let far = value.and_then(|value| value.get("far")).and_then(serde_json::Value::as_bool).unwrap_or(false);
        let precision = if far { Precision::Day } else { self.precision };
        match millis {
            Some(millis) => out.write(&L::moment(Timestamp::from_millis(millis), precision))?,
            None => out.write(&missing_text::<L>(&path_of(h)))?,
        }
        Ok(())
    }
}

/// `{{first list}}`: its first value.
fn first<L: Language>(
    h: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    match h.param(0).and_then(|list| list.value().as_array()).and_then(|list| list.first()).and_then(serde_json::Value::as_str) {
        Some(value) => out.write(&L::escape(value))?,
        None => out.write(&missing_text::<L>(&path_of(h)))?,
    }
    Ok(())
}

/// `{{prose text}}`: a sentence whose code stays code.
fn prose<L: Language>(
    h: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    match h.param(0).and_then(|text| text.value().as_str()) {
        Some(text) => out.write(&L::prose(text))?,
        None => out.write(&missing_text::<L>(&path_of(h)))?,
    }
    Ok(())
}

/// `{{plural n "SLO"}}`: the number with its noun.
fn plural(h: &Helper<'_>, _: &Handlebars<'_>, _: &Context, _: &mut RenderContext<'_, '_>, out: &mut dyn Output) -> HelperResult {
    let noun = h.param(1).and_then(|word| word.value().as_str()).filter(|word| word.chars().all(|c| c.is_alphanumeric() || c == ' '));
    let number = h.param(0).and_then(|n| n.value().as_u64()).and_then(|n| usize::try_from(n).ok());
    match (number, noun) {
        (Some(number), Some(noun)) => out.write(&burnward_core::words::plural(number, noun))?,
        _ => return Err(RenderErrorReason::Other("`plural` takes a number and a noun of plain letters".to_owned()).into()),
    }
    Ok(())
}

/// A variable that the context does not hold is shown as such; the text is still sent.
fn missing<L: Language>(
    h: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    out.write(&missing_text::<L>(h.name()))?;
    Ok(())
}

fn missing_text<L: Language>(name: &str) -> String {
    L::escape(&format!("⟨missing: {name}⟩"))
}

fn path_of(h: &Helper<'_>) -> String {
    h.param(0).and_then(|param| param.relative_path()).map_or_else(|| h.name().to_owned(), ToString::to_string)
}
