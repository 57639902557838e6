//! Throws broken texts at everything that reads texts of people and of targets: `integration-tests/fuzz`.
//!
//! Texts are made of what is shipped and documented, by cutting, repeating, splicing and strewing in what such texts are made of; each follows from a seed and
//! a number, so that it can be made again. Whatever comes, the reader may not panic, overflow its stack, take more than two seconds of CPU, or swell; a text
//! that is laid out means the same afterwards and is not laid out otherwise a second time; an expression that is taken is taken again as it is printed; what a
//! document of another tool is converted to loads, and means what that document means where it is loaded as it is.
//! Recorded samples and short tests are lived through, too.
//! The texts are read in a process of their own, because an overflown stack ends it: whoever looks on makes the text again and keeps it.

mod lived;

use std::{
    env,
    fs::{self, File},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use burnward::{
    config,
    definition::{Colour, Context, Promql, Severity, discover, document, format, read_texts},
    import,
    replay::recorded,
    source::scrape::exposition::{self, Format},
};
use burnward_core::{
    id::{SloId, SourceName, TenantId},
    sli::Sli,
    slo::Slo,
    time::{Timestamp, days},
};

/// Reads a text, and panics over none.
type Reader = fn(&str);

/// What reads texts, by name.
const TARGETS: [(&str, Reader); 8] = [
    ("documents", documents),
    ("configuration", configuration),
    ("promql", promql),
    ("openmetrics", openmetrics),
    ("imports", imports),
    ("recorded", lived::recorded),
    ("tests", lived::tests),
    ("runbooks", lived::beside),
];

/// Longer texts are cut.
const LONGEST: usize = 64 << 10;
/// The CPU time that one text may take, unoptimised.
const CPU: Duration = Duration::from_secs(2);
/// What the process may take at most, in KiB.
const MEMORY: u64 = 512 << 10;

/// When recorded samples are read.
const NOW: Timestamp = Timestamp::from_millis(1_764_000_000_000);

const USAGE: &str = "usage: fuzz documents|configuration|promql|openmetrics|imports|recorded|tests|runbooks SECONDS SEED\n       fuzz TARGET again SEED NUMBER";

fn main() -> anyhow::Result<ExitCode> {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [target, "again", seed, number] => {
            let text = input(&corpus(target)?, seed.parse()?, number.parse()?);
            println!("{text}");
            target_called(target)?(&text);
        }
        [target, seconds, seed] => return look_on(target, seconds, seed),
        [target, seconds, seed, progress] => throw(target, Duration::from_secs(seconds.parse()?), seed.parse()?, Path::new(progress))?,
        _ => bail!(USAGE),
    }
    Ok(ExitCode::SUCCESS)
}

fn target_called(name: &str) -> anyhow::Result<fn(&str)> {
    TARGETS.iter().find(|(known, _)| *known == name).map(|(_, target)| *target).context(USAGE)
}

/// Lets another process read the texts; where it ends badly, the text that it was reading is kept.
fn look_on(target: &str, seconds: &str, seed: &str) -> anyhow::Result<ExitCode> {
    let progress = tempfile::NamedTempFile::new()?;
    let status = Command::new(env::current_exe()?).args([target, seconds, seed]).arg(progress.path()).status()?;
    if status.success() {
        return Ok(ExitCode::SUCCESS);
    }
    let number = fs::read(progress.path())?.try_into().map(u64::from_le_bytes).unwrap_or_default();
    let kept = PathBuf::from(format!("fuzz-{target}-{seed}-{number}.txt"));
    fs::write(&kept, input(&corpus(target)?, seed.parse()?, number))?;
    eprintln!("{target}: {status} while it read text {number}, kept as {}; again: fuzz {target} again {seed} {number}", kept.display());
    Ok(ExitCode::FAILURE)
}

/// Makes texts and has them read until the time is over.
fn throw(target: &str, time: Duration, seed: u64, progress: &Path) -> anyhow::Result<()> {
    let (read, corpus, file) = (target_called(target)?, corpus(target)?, File::options().write(true).open(progress)?);
    let end = Instant::now() + time;
    let mut number: u64 = 0;
    while Instant::now() < end {
        file.write_all_at(&number.to_le_bytes(), 0)?;
        let (text, before) = (input(&corpus, seed, number), cpu()?);
        read(&text);
        let took = cpu()?.saturating_sub(before);
        ensure!(took < CPU, "{took:?} of CPU for {} bytes", text.len());
        number += 1;
    }
    let peak = peak_memory()?;
    ensure!(peak < MEMORY, "{} MiB", peak >> 10);
    println!("{target}: {number} texts in {time:?} from seed {seed}, {} MiB at most", peak >> 10);
    Ok(())
}

/// The CPU time of this thread.
fn cpu() -> anyhow::Result<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(Duration::from_nanos(text.split(' ').next().context("no time")?.parse()?))
}

/// The most memory that this process had, in KiB.
fn peak_memory() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no peak")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

fn context() -> Context {
    Context {
        tenant: TenantId::parse("main").expect("a name"),
        source: SourceName::parse("prometheus").expect("a name"),
        promql: Promql::Spoken,
        runbooks: document::Runbooks::Unchecked,
        teams: document::Teams::Unchecked,
        templates: document::Templates::default(),
    }
}

/// The SLOs of a text without their places, or how many diagnostics it has, each of which is shown in every form.
fn meaning(text: &str) -> Result<Vec<Slo>, usize> {
    let faults = match document::read_whole(&discover::source("slo.yaml", text), "v", &context()) {
        Ok(document) => {
            let nowhere = |slo: &Arc<Slo>| {
                let mut slo = Slo::clone(slo);
                slo.origin.line = 0;
                slo
            };
            return Ok(document.slos.iter().map(nowhere).collect());
        }
        Err(faults) => faults,
    };
    let shown: usize = faults
        .iter()
        .map(|fault| fault.render(Colour::Always).len() + fault.to_github("a.yaml").len() + fault.to_json().to_string().len())
        .sum();
    assert!(shown < 16 << 20, "{shown} bytes of diagnostics");
    Err(faults.len())
}

/// What is made of a template means what its effective document does, whichever of the two is broken.
fn made(text: &str) {
    let name = |name: &str| PathBuf::from(name);
    let pairs =
        [[(name("template.yaml"), text), (name("slo.yaml"), INSTANCE)], [(name("template.yaml"), TEMPLATE), (name("slo.yaml"), text)]];
    for pair in pairs {
        let loaded = read_texts(pair.map(|(path, text)| (path, text.to_owned())), &context());
        let faults = loaded.diagnostics().map(|fault| fault.render(Colour::Always).len() + fault.to_json().to_string().len());
        assert!(faults.sum::<usize>() < 16 << 20, "too many bytes of diagnostics");
        for file in loaded.files.iter().filter(|file| loaded.made().any(|(path, ..)| path == Path::new(&file.path))) {
            let read = meaning(&file.text).expect("what was made of a template loads");
            let names = |slos: &[SloId]| slos.iter().map(ToString::to_string).collect::<Vec<_>>();
            assert_eq!(names(&read.into_iter().map(|slo| slo.id).collect::<Vec<_>>()), names(&file.slos), "it means something else");
        }
    }
}

const TEMPLATE: &str = r#"version: burnward/v1
template: http-service@1
parameters:
  job: { type: label-value }
  target: { type: percent, default: 99.9% }
  requests: { type: selector, default: http_requests_total }
team: payments
slos:
  - name: availability
    title: Requests to $(job) succeed
    sli: { events: { bad: '$(requests){job=~"$(job)", code="500"}', total: '$(requests){job="$(job)"}' } }
    objectives: [{ target: $(target), window: 30d }]
"#;
const INSTANCE: &str =
    "version: burnward/v1\nfrom: http-service\nservice: checkout\nwith: { job: checkout }\noverrides: { availability: { title: x } }\n";

fn documents(text: &str) {
    if text.contains("template") || text.contains("from") {
        made(text);
    }
    let read = meaning(text);
    let Ok(once) = format::format(&discover::source("slo.yaml", text), None) else { return };
    assert_eq!(meaning(&once), read, "laid out, it means something else");
    let twice = format::format(&discover::source("slo.yaml", &once), None);
    assert_eq!(twice.as_deref(), Ok(once.as_str()), "a second time it is laid out otherwise");
}

fn configuration(text: &str) {
    if let Err(error) = config::parse(Path::new("burnward.yaml"), text) {
        assert!(error.to_string().len() < 16 << 20, "the error is too long");
    }
}

fn document_of(sli: &str) -> String {
    let objectives = "objectives: [{ target: 99%, window: 30d, alerting: none }]";
    format!("version: burnward/v1\nservice: a\nteam: a\nslos:\n  - name: a\n    sli: {sli}\n    {objectives}\n")
}

fn promql(text: &str) {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let window = |text: &str| document_of(&format!("{{ window: {{ expr: {}, is: '<', threshold: 1 }} }}", quoted(text)));
    // Line ends stay what they are.
    let exactly = |text: &str| document_of(&format!("{{ window: {{ expr: {}, is: '<', threshold: 1 }} }}", serde_json::json!(text)));
    if let Ok(slos) = meaning(&window(text))
        && let Some(Sli::Window { expression, .. }) = slos.first().map(|slo| &slo.sli)
    {
        assert_eq!(meaning(&exactly(expression.as_str())), Ok(slos.clone()), "as it is printed, it is another");
    }
    for sli in [
        "{ query: { bad: Q, total: 'sum(increase(x[1m]))' } }",
        "{ events: { bad: Q, total: 'x' } }",
        "{ latency: { histogram: Q, within: 1s } }",
    ] {
        drop(meaning(&document_of(&sli.replace('Q', &quoted(text)))));
    }
}

fn openmetrics(text: &str) {
    for format in [Format::Text, Format::OpenMetrics] {
        if let Err(error) = exposition::parse(text, format) {
            assert!(error.to_string().len() < LONGEST * 8, "the error is too long");
        }
    }
    match recorded::read_from(text.as_bytes(), NOW) {
        // What a backtest lives through has an end.
        Ok(samples) => assert!(samples.reach().is_none_or(|reach| reach.to.since(reach.from) < days(366 * 30)), "{:?}", samples.reach()),
        Err(error) => assert!(error.to_string().len() < LONGEST * 8, "the error is too long"),
    }
}

/// A document of another tool, converted and loaded as it is.
fn imports(text: &str) {
    let imported = import::import(&[import::source("slo.yaml", text)], &import::Options::default(), &context());
    let shown: usize = imported.faults.iter().map(|fault| fault.render(Colour::Always).len() + fault.to_json().to_string().len()).sum();
    assert!(shown < 16 << 20, "{shown} bytes of diagnostics");
    let mut converted = Vec::new();
    for document in &imported.documents {
        converted.extend(meaning(&document.text).unwrap_or_else(|faults| panic!("{faults} diagnostics of\n{}", document.text)));
    }
    // Of a file in which something is wrong nothing is loaded; the conversion keeps the rest.
    if let Ok(direct) = meaning(text)
        && imported.faults.iter().all(|fault| fault.severity() == Severity::Warning)
        && !imported.documents.is_empty()
    {
        assert_eq!(sorted(converted), sorted(direct), "loaded as it is, it means something else");
    }
}

/// In the order of their names.
fn sorted(mut slos: Vec<Slo>) -> Vec<Slo> {
    slos.sort_by(|a, b| a.id.cmp(&b.id));
    slos
}

/// What texts for a target are made of.
fn corpus(target: &str) -> anyhow::Result<Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |file: &str| fs::read_to_string(root.join(file)).with_context(|| file.to_owned());
    let directories: &[&str] = match target {
        "imports" => &["daemon/fixtures/foreign"],
        _ => {
            &["slo-definitions/burnward", "slo-definitions/demo", "slo-definitions/shop", "daemon/fixtures/field", "daemon/fixtures/guide"]
        }
    };
    let mut files = Vec::new();
    for directory in directories {
        let mut found = fs::read_dir(root.join(directory))?.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
        found.sort();
        for path in found.iter().filter(|path| path.extension().is_some_and(|kind| kind == "yaml")) {
            files.push(fs::read_to_string(path)?);
        }
    }
    let blocks = |text: &str| {
        text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("\n```").next()).map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    Ok(match target {
        "documents" => {
            let own = vec![TEMPLATE.to_owned(), INSTANCE.to_owned()];
            [files, own, blocks(&read("docs/slo-documents.md")?), blocks(&read("docs/slo-guide.md")?)].concat()
        }
        "configuration" => [vec![read("docs/burnward.example.yaml")?], blocks(&read("docs/configuration.md")?)].concat(),
        "promql" => files.iter().flat_map(|text| text.split('\'').skip(1).step_by(2)).map(ToOwned::to_owned).collect(),
        "imports" => files,
        "openmetrics" => EXPOSED.map(ToOwned::to_owned).to_vec(),
        "recorded" => lived::recordings(),
        "tests" => {
            let tested = |text: &String| text.contains("tests:");
            let documented = [blocks(&read("docs/slo-tests.md")?), blocks(&read("docs/slo-guide.md")?)].concat();
            [vec![lived::OWN_FILE.to_owned()], files, documented].concat().into_iter().filter(tested).collect()
        }
        "runbooks" => {
            let names = ["burnward-evaluation", "burnward-page-delivery", "demo-shop", "shop-availability", "shop-latency"];
            let runbooks = names.iter().map(|name| read(&format!("runbooks/{name}.md"))).collect::<anyhow::Result<Vec<_>>>()?;
            [runbooks, vec![lived::INCIDENTS.to_owned(), LINKED.to_owned()]].concat()
        }
        _ => bail!(USAGE),
    })
}

const LINKED: &str = "---\nowner: shop\n---\n# A\n\n1. See [b](b.md#c), <a href=\"#d\">e</a> ![f][g]\n   - check: `slo a/b`\n\n[g]: g.png\n\n<p><img src='h.png'></p>\n\n```sh\nls\n```\n";

const EXPOSED: [&str; 4] = [
    "# HELP http_requests_total Requests, \"all\" of them.\\n\n# TYPE http_requests_total counter\nhttp_requests_total{code=\"200\",path=\"/a\\\\b\"} 12 1700000000000\nhttp_requests_total{code=\"500\"} 1e3\nup 1\n",
    "# TYPE request_seconds histogram\n# UNIT request_seconds seconds\nrequest_seconds_bucket{le=\"0.5\"} 8 # {trace_id=\"abc\"} 0.3 1700000000.1\nrequest_seconds_bucket{le=\"+Inf\"} 9\nrequest_seconds_sum 2.5\nrequest_seconds_count 9\n# EOF\n",
    "# TYPE a gauge\na NaN\na{b=\"c\"} -Inf 1.5\n# TYPE d summary\nd{quantile=\"0.99\"} 0x1p-3\nd_created 1700000000.123\n# EOF\n",
    "# TYPE hits counter\nhits_total{job=\"a\",code=\"200\"} 7 1700000030\nhits_total{job=\"a\",code=\"200\"} 1 1700000000.5\nhits_total{job=\"b\"} 1 1763999999\n# EOF\n",
];

/// What such texts are made of, and what they should not be made of.
const WORDS: [&str; 63] = [
    "$(",
    "$(job)",
    "$$(",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    ": ",
    "- ",
    "\n",
    "\n  ",
    "'",
    "\"",
    "|\n",
    ">-\n",
    "&a ",
    "*a",
    "<<: ",
    "!!str ",
    "# ",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "? ",
    "\\",
    "\t",
    "\r\n",
    "\r",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "\u{e4}",
    "\u{1f525}",
    "99.9%",
    "100%",
    "0",
    "-1",
    "1e999",
    "NaN",
    "+Inf",
    "18446744073709551616",
    "30d",
    "calendar month",
    "slos:",
    "version: burnward/v1",
    "sum by (a) (",
    "rate(x[5m])",
    " or vector(0)",
    " / ",
    " * 100",
    "=~\"",
    "offset 5m",
    "@ 1e300",
    "[5m:1m]",
    "bool ",
    "group_left ()",
    "# EOF\n",
    "# TYPE a counter\n",
    "xoxb-1-x",
    "~",
    ",",
];

/// The text of a number.
fn input(corpus: &[String], seed: u64, number: u64) -> String {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number);
    let mut text = dice.one_of(corpus).clone().into_bytes();
    for _ in 0..=dice.below(7) {
        change(&mut text, corpus, &mut dice);
        text.truncate(LONGEST);
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn change(text: &mut Vec<u8>, corpus: &[String], dice: &mut Dice) {
    let (from, to) = dice.range(text.len());
    match dice.below(7) {
        0 => text.truncate(to),
        1 => drop(text.drain(from..to)),
        2 => {
            let many = text[from..to].repeat(dice.below(40) + 1);
            drop(text.splice(to..to, many));
        }
        3 => {
            let other = dice.one_of(corpus).as_bytes();
            let (start, end) = dice.range(other.len());
            drop(text.splice(from..to, other[start..end].iter().copied()));
        }
        4 => {
            let many = dice.one_of(&WORDS).repeat(dice.below(400) + 1);
            drop(text.splice(from..from, many.into_bytes()));
        }
        5 if from < text.len() => text[from] = u8::try_from(dice.below(256)).unwrap_or(b'?'),
        _ => drop(text.splice(from..to, dice.one_of(&WORDS).bytes())),
    }
}

/// Numbers that follow from their beginning (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to one below `bound`; 0 where there is none.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound.max(1)).unwrap_or(1)).unwrap_or_default()
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// A stretch of so many bytes, mostly a short one.
    fn range(&mut self, bytes: usize) -> (usize, usize) {
        let from = self.below(bytes + 1);
        let longest = if self.below(4) == 0 { bytes } else { 24 };
        (from, bytes.min(from + self.below(longest + 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_follows_from_its_seed_and_number_and_each_target_reads_some() {
        for (name, target) in TARGETS {
            let corpus = corpus(name).expect("a corpus");
            assert!(corpus.len() >= 3, "{name}");
            for number in 0..60 {
                let text = input(&corpus, 7, number);
                assert_eq!(text, input(&corpus, 7, number));
                target(&text);
            }
        }
    }
}
