//! docs/guide.md and docs/slo-guide.md: what they show is what happens.
//!
//! A chapter is lived through in a directory of its own, under git: a copy of fixtures/guide or fixtures/handbook. A block of YAML whose first line names a file
//! (`# slo-definitions/search.yaml`) is written there; where it is an SLO document, `burnward check --strict` finds nothing in the whole directory then, and its
//! tests pass: whatever the text says in numbers stands in them. Each line `$ ...` of a `console` block is run by a shell, and what it prints must stand below it,
//! word for word; durations are those of no machine and are written as 0.01 s and 1 ms. Of an `sh` block each command of burnward is one that it takes.

use std::{fmt::Write as _, fs, path::Path};

use burnward_stand_ins::{
    prometheus::FakePrometheus,
    slack::{Options, SlackStandIn},
};

use tokio::runtime::Runtime;

use super::{
    hour::{self, Hour},
    night::Night,
    run, workplace,
};

/// The books, in docs/.
const GUIDE: &str = "guide.md";
const HANDBOOK: &str = "slo-guide.md";

fn text_of(book: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(book)).expect("a book")
}

/// How the books call the Prometheus, the Slack and the recorded samples that they speak of.
pub(super) const PROMETHEUS: &str = "http://prometheus:9090";
const SLACK: &str = "http://slack.example/api";
const TUESDAY: &str = "tuesday.om";

/// How a line begins that asks a daemon why.
const WHY: &str = "burnward explain search";

/// A fenced block: what it is of, and its text.
struct Block<'t> {
    kind: &'t str,
    text: &'t str,
}

impl Block<'_> {
    /// The file that it is, by its first line.
    fn file(&self) -> Option<&str> {
        let (first, _) = self.text.split_once('\n')?;
        let name = first.strip_prefix("# ").filter(|name| !name.contains(' '))?;
        (self.kind == "yaml" && Path::new(name).extension()? == "yaml").then_some(name)
    }
}

/// The chapters of a book with their blocks.
fn chapters(book: &str) -> impl Iterator<Item = (&str, Vec<Block<'_>>)> {
    book.split("\n## ").map(|chapter| {
        let fenced = chapter.split("\n```").collect::<Vec<_>>();
        let blocks = fenced.chunks(2).filter_map(|pair| pair.get(1)?.split_once('\n')).map(|(kind, text)| Block { kind, text });
        (chapter.lines().next().unwrap_or_default(), blocks.collect())
    })
}

/// The text without spaces at the ends of its lines.
fn trimmed(text: &str) -> String {
    text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Where a chapter is lived through, and whom its commands may ask.
struct Chapter<'r> {
    directory: tempfile::TempDir,
    runtime: &'r Runtime,
    hour: Option<Hour>,
}

impl<'r> Chapter<'r> {
    fn begin(fixture: &str, title: &str, runtime: &'r Runtime) -> Self {
        let directory = workplace(fixture);
        let made = run("git init --quiet --initial-branch main && git add . && git commit --quiet --message start", directory.path());
        assert_eq!(made, (0, String::new()));
        let hour = (title == hour::TITLE).then(|| runtime.block_on(Hour::begin(directory.path())));
        Self { directory, runtime, hour }
    }

    fn path(&self) -> &Path {
        self.hour.as_ref().map_or(self.directory.path(), Hour::here)
    }

    /// Writes a file of the book. An SLO document is clean, beside those before it, and its tests pass.
    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("it is in the directory")).expect("a directory");
        fs::write(&path, format!("{text}\n")).expect("written");
        if !name.starts_with("slo-definitions/") {
            return;
        }
        let (code, said) = run("burnward check --strict", self.path());
        assert_eq!(code, 0, "{name}\n{said}");
        if text.contains("\ntests:\n") {
            let (code, said) = run(&format!("burnward test {name}"), self.path());
            assert_eq!(code, 0, "{name}\n{said}");
        }
    }

    /// A block of a console as it comes out.
    fn printed(&mut self, block: &str) -> String {
        let lines = block.lines().filter_map(|line| line.strip_prefix("$ "));
        lines.fold(String::new(), |text, line| text + "$ " + line + "\n" + &self.run(line))
    }

    /// What a line prints. Those whom it asks are stand-ins, by the names that the book gives them.
    fn run(&mut self, line: &str) -> String {
        if let Some(hour) = &mut self.hour {
            return hour.run(line);
        }
        if line.contains(TUESDAY) {
            fs::write(self.path().join(TUESDAY), tuesday()).expect("written");
        }
        if line.contains(PROMETHEUS) {
            let fake = self.runtime.block_on(prometheus());
            let (_, printed) = run(&line.replace(PROMETHEUS, fake.url()), self.path());
            return printed.replace(fake.url(), PROMETHEUS);
        }
        if line.starts_with(WHY) {
            let night = self.runtime.block_on(Night::after_ten_minutes(self.path()));
            return Night::printed(&run(&night.line(line), self.path()).1, self.path());
        }
        if line.contains(" --links") {
            // As a proxy it is every server of the web, and has none of the pages that are asked for.
            let web = self.runtime.block_on(FakePrometheus::start()).expect("a free port");
            return run(&format!("http_proxy={} {line}", web.url()), self.path()).1;
        }
        if line.contains(" --slack") {
            let slack = self.runtime.block_on(slack());
            let configuration = self.path().join("with-slack.yaml");
            let text = fs::read_to_string(&configuration).expect("a configuration").replace(SLACK, &slack.api_url());
            fs::write(configuration, text).expect("written");
            for (file, token) in [("bot-token", slack.bot_token()), ("app-token", slack.app_token())] {
                fs::write(self.path().join(file), token).expect("written");
            }
            return run(line, self.path()).1;
        }
        run(line, self.path()).1
    }
}

/// Lives through a book; how many files and blocks of commands it has.
fn live_through(book: &str, fixture: &str) -> (usize, usize) {
    let runtime = Runtime::new().expect("a runtime");
    let (mut files, mut shown) = (0, 0);
    for (title, blocks) in chapters(&text_of(book)) {
        let mut chapter = Chapter::begin(fixture, title, &runtime);
        for block in &blocks {
            match (block.kind, block.file()) {
                ("console", _) => {
                    let printed = chapter.printed(block.text);
                    assert_eq!(trimmed(block.text), trimmed(&printed), "{title}: what is printed is\n{printed}");
                    shown += 1;
                }
                ("sh", _) => {
                    let (_, said) = run(block.text, chapter.path());
                    assert!(!said.contains("Usage: "), "{title}: arguments that no command has\n{said}");
                }
                (_, Some(name)) => {
                    chapter.write(name, block.text);
                    files += 1;
                }
                (_, None) => {}
            }
        }
    }
    (files, shown)
}

/// The samples of a day of searches: 1,200 a minute, of which one fails in five minutes; 360 for six minutes from 03:00 on, and 24 for forty from 10:00 on.
fn tuesday() -> String {
    let (midnight, mut good, mut bad) = (1_762_214_400, 0, 0);
    let (mut up, mut success, mut error) = (String::new(), String::new(), String::new());
    let series =
        |status: &str| format!("src_search_streaming_response{{job=\"frontend\",instance=\"a\",source=\"browser\",status=\"{status}\"}}");
    for minute in 0..24 * 60 {
        let failed = match minute {
            180..186 => 360,
            600..640 => 24,
            _ => i32::from(minute % 5 == 0),
        };
        (good, bad) = (good + 1200 - failed, bad + failed);
        let at = midnight + 60 * minute;
        writeln!(up, "up{{job=\"frontend\",instance=\"a\"}} 1 {at}").expect("a String takes it");
        writeln!(success, "{} {good} {at}", series("success")).expect("a String takes it");
        writeln!(error, "{} {bad} {at}", series("error")).expect("a String takes it");
    }
    format!("# TYPE up gauge\n{up}# TYPE src_search_streaming_response unknown\n{success}{error}# EOF\n")
}

/// What a shop holds: requests of which some failed, answers between 250 ms and 500 ms, for a month; a sample a second also of the time in which it is asked.
async fn prometheus() -> FakePrometheus {
    let fake = FakePrometheus::start().await.expect("a free port");
    let now = jiff::Timestamp::now().as_second();
    let push = |labels: &[(&str, &str)], value: f64| {
        let labels: Vec<(&str, &str)> = [("job", "checkout"), ("instance", "a")].into_iter().chain(labels.iter().copied()).collect();
        let (old, new) = ((4..31 * 24 * 15).map(|step| -240 * step), -900..900);
        old.chain(new).for_each(|second| fake.push(&labels, (now + second) * 1000, value));
    };
    push(&[("__name__", "up")], 1.0);
    for (code, value) in [("200", 900.0), ("500", 3.0)] {
        push(&[("__name__", "http_requests_total"), ("code", code)], value);
    }
    for (le, value) in [("0.25", 5.0), ("0.5", 8.0), ("+Inf", 9.0)] {
        push(&[("__name__", "http_request_duration_seconds_bucket"), ("le", le)], value);
    }
    fake
}

/// A workspace that has the channel of the operators and Ada.
async fn slack() -> SlackStandIn {
    let slack = SlackStandIn::start(Options::default()).await.expect("a free port");
    slack.add_channel("#burnward");
    slack.add_user("Ada", "ada@example.com");
    slack
}

#[test]
fn what_the_guide_shows_is_what_happens() {
    let (_, shown) = live_through(GUIDE, "guide");
    assert!(shown >= 3, "{shown}");
}

#[test]
fn what_the_book_of_slos_shows_is_what_happens() {
    let (files, shown) = live_through(HANDBOOK, "handbook");
    assert!(files >= 20 && shown >= 12, "{files} {shown}");
}

#[test]
fn the_table_of_targets_is_computed() {
    let rows = [(9_900, "99 %"), (9_950, "99.5 %"), (9_990, "99.9 %"), (9_995, "99.95 %"), (9_999, "99.99 %")];
    for (of_ten_thousand, target) in rows {
        let seconds = 30 * 86_400 * (10_000 - of_ten_thousand) / 10_000;
        let parts = [(seconds / 3600, "h"), (seconds % 3600 / 60, "min"), (seconds % 60, "s")];
        let words = parts.iter().filter(|(number, _)| *number > 0).map(|(number, unit)| format!("{number} {unit}")).collect::<Vec<_>>();
        let row = format!("\n| {target} | {} |", words.join(" "));
        assert!(text_of(HANDBOOK).contains(&row), "{row}");
    }
}

#[test]
fn each_block_of_yaml_in_the_book_of_slos_is_a_file() {
    for (title, blocks) in chapters(&text_of(HANDBOOK)) {
        for block in blocks.iter().filter(|block| block.kind == "yaml") {
            assert!(block.file().is_some(), "{title}: not held by any test\n{}", block.text);
        }
    }
}
