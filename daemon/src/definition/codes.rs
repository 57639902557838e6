//! The catalogue of diagnostics: each code with a title and a paragraph, as `burnward explain E1042` prints them. A code keeps its meaning for ever.
//! E10xx: the file and its YAML; E102x: names; E103x: selectors; E104x: objectives; E105x: alert rows; E106x: indicators; E107x: runbooks; E108x: expressions;
//! E109x: composites; E110x: tests; E12xx: burnward.yaml; E14xx: what a source shows; W20xx: advice, W208x about expressions, W209x by a source.

use super::diagnostic::Severity;

/// One kind of mistake or advice.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// `E` or `W` and four digits.
    pub id: &'static str,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// What it means and what to do.
    pub text: &'static str,
}

impl Code {
    /// Error or warning, by the first letter.
    pub fn severity(&self) -> Severity {
        if self.id.starts_with('W') { Severity::Warning } else { Severity::Error }
    }
}

/// The page of a code, whatever its case; `None` where there is no such code.
pub fn explain(id: &str) -> Option<String> {
    let code = ALL.iter().find(|code| code.id.eq_ignore_ascii_case(id.trim()))?;
    Some(format!("{}: {}\n\n{}\n", code.id, code.title, code.text))
}

macro_rules! codes {
    ($($name:ident $id:literal $title:literal $text:literal)*) => {
        $(#[doc = $title] pub static $name: Code = Code { id: $id, title: $title, text: $text };)*

        /// Every code, in order.
        pub static ALL: &[&Code] = &[$(&$name),*];
    };
}

codes! {
    SYNTAX "E1001" "the text is not well-formed YAML"
        "The YAML parser could not read on at the place shown. Frequent causes: a value that is a PromQL query and is not in quotes (YAML gives { } [ ] # & * ! | > % @ ` and \": \" a meaning of its own), a quote that is not closed, keys of one mapping that start in different columns. Put queries into single quotes."
    LIMIT "E1002" "the file exceeds a limit"
        "A file has at most 1 MiB, 64 levels of nesting, 50,000 values (those that aliases repeat included) and 100 aliases. The limits keep one file from slowing down everything else. Split the file; an SLO needs a few dozen values."
    CHARACTER "E1003" "a character that is not allowed"
        "Tabs, other control characters and the invisible marks that change the direction of text are refused everywhere, also in comments and when written as an escape: a reader would not see what the daemon reads. A byte order mark at the start and CRLF line ends are fine."
    DUPLICATE_KEY "E1004" "a key is given twice"
        "A mapping has each key once; YAML readers elsewhere take the last one without a word. Both places are shown; remove one, or make them two entries of a list."
    SEVERAL_DOCUMENTS "E1005" "several documents in one file"
        "A file holds exactly one YAML document. A file with several (separated by ---) is refused as a whole, so that none is dropped unnoticed."
    UNKNOWN_KEY "E1006" "an unknown key"
        "The key has no meaning here. Where a known key is spelt nearly the same, the message names it. Nothing is ever ignored: a misspelt key would otherwise silently leave the default in force."
    WRONG_TYPE "E1007" "a value of the wrong kind"
        "A text, a list or a mapping stands where another of them is needed. The message says which."
    MISSING_KEY "E1008" "a key is missing"
        "The mapping shown lacks a key that has no default."
    YAML_FEATURE "E1009" "a feature of YAML that is not used here"
        "Tags (!!str) and merge keys (<<) are refused. Anchors and aliases work."
    EMPTY "E1010" "the file holds nothing"
        "The file is empty, or holds comments only. An empty file in a directory of definitions is more often an accident than a wish."
    NOT_SUPPORTED "E1011" "not supported in this version"
        "The key or value is described in the design of the format, but this version does not act on it. It is refused and not ignored, because a setting without effect is worse than none. The message says what is supported."
    VERSION "E1012" "the version of the format"
        "Each file starts with `version: burnward/v1`."
    UNREADABLE "E1013" "the file cannot be read"
        "The file could not be opened, is not a regular file (a pipe, a device, a link to nowhere), or is larger than 1 MiB. Directories are searched for *.yaml and *.yml; hidden files are skipped."
    NOT_UTF8 "E1014" "the file is not UTF-8"
        "YAML files are read as UTF-8. Save the file in that encoding."
    YAML_ATE_QUERY "E1015" "YAML changed the query before it was read"
        "Without quotes YAML ends a value at \" #\" and takes the rest for a comment, and reads a leading { as a mapping and a leading [ as a list. What remains is not the query that was written. Put every query into single quotes."
    NOT_FORMATTED "E1016" "a file that cannot be laid out"
        "`burnward fmt` changes indents, quotes and spaces, and nothing that a document means: it compares what was read before and after. Where the two would differ, or where the layout is not understood, the file is left as it is. Rewrite the place by hand in a plainer way."
    NAME "E1020" "not a name"
        "Names of tenants, services, SLOs, objectives, teams, people and sources have 1 to 63 characters of a-z, 0-9 and -, and start with a letter or digit. Five names with a meaning elsewhere are refused: con, prn, aux, nul and metrics. No path is ever built from a name."
    DUPLICATE_NAME "E1021" "a name is used twice"
        "Two SLOs of one service, or two objectives of one SLO, have the same name; or two targets of a scrape source have the same host and port, so that their series could not be told apart. Names are identities: history, incidents and links hang on them."
    DUPLICATE_SLO "E1022" "one SLO in two files"
        "Two files of one tenant define the same service/name. Neither is loaded, since it cannot be known which one is meant; where one of the files loaded before, its last good text goes on. Both places are shown."
    UNKNOWN_TEAM "E1023" "an unknown team"
        "A page needs somebody to go to: the team must be declared under `teams:` in burnward.yaml. The team `operators` always exists. A running daemon knows the teams that burnward.yaml declared when it started: restart it after a change."
    FORMER_NAME "E1024" "a former name that another SLO has"
        "`was: NAME` says what an SLO was called before, in the same service: it goes on with the ledger, the budgets, the alerts, the exclusions and the incidents of that name. So that name is nobody else's: no SLO has it now, and no two claim it. Of an SLO that moves to another service nothing is taken over, because its incidents are of the service."
    TWO_HISTORIES "E1025" "two histories for one SLO"
        "Something was counted by the former name and by the new one, as when an SLO ran by its new name before `was:` was written. Two histories cannot be made one without counting the same time twice. Where the file loaded before, its last good text goes on until one of the two is chosen."
    SELECTOR "E1030" "not a plain selector"
        "Here stands the selector of a counter, such as http_requests_total{job=\"checkout\", code=~\"5..\"}. Its raw samples are read and counted exactly; sums, divisions and other expressions are not needed. Several selectors that are to be added form a YAML list."
    SELECTOR_FUNCTION "E1031" "a function in a selector"
        "Write the plain counter selector; rate(), increase() and sum() are not needed: the raw samples are read, differences and counter resets are computed here, without extrapolation."
    SELECTOR_RANGE "E1032" "a range, an offset or @ in a selector"
        "Which stretch of time is read follows from the objective's window and its alert rows. Remove [5m], offset and @."
    SELECTOR_OR "E1033" "alternatives in a selector"
        "Groups of matchers joined by `or` within braces are not PromQL and would escape a tenant's matchers. Use a regular expression (code=~\"500|503\") or a YAML list of selectors, which are added."
    SELECTOR_SIZE "E1034" "a selector that is too long"
        "A selector has at most 8 KiB."
    SELECTOR_UNFAITHFUL "E1035" "a selector that cannot be sent as it was written"
        "What is sent to a source is printed from what was understood, and must read back as the same selector. Byte escapes above \\x7f, control characters and names outside [a-zA-Z0-9_] do not survive that and are refused."
    SELECTOR_NAME "E1036" "a selector without a metric name"
        "A selector names one metric, before the braces or as __name__=\"...\". A pattern of names could match any number of series, and counters and gauges alike."
    SELECTOR_LE "E1037" "a matcher on le"
        "The bucket is chosen by `within:`; remove the matcher on le."
    REGEX "E1038" "a regular expression that does not compile"
        "Matchers use RE2 syntax, anchored at both ends. Look-around and back-references do not exist there, and the compiled expression has a limit of size."
    LABEL "E1039" "not a label name"
        "A label name consists of a-z, A-Z, 0-9 and _, and does not start with a digit; names that start with __ are reserved, and `le` splits a histogram, not an SLO."
    TARGET_PERCENT "E1040" "a target without a percent sign"
        "A target is written with a percent sign, so that 99.9% and 0.999 are never confused."
    TARGET_NUMBER "E1041" "a target that is not a decimal number"
        "A target is a plain decimal number with a point, followed by a percent sign: 99.9%."
    TARGET_HUNDRED "E1042" "a target of 100 %"
        "A target must be below 100 %. With 100 % every single failure breaks the objective for the whole window, there is no budget to burn and no burn rate to compare, so no alert could be computed. 99.9 % over 30 days allows 43 minutes of full outage, 99.95 % about 22 minutes, 99.99 % about 4 minutes."
    TARGET_RANGE "E1043" "a target outside of 0 to 100 %"
        "A target lies above 0 % and below 100 %."
    TARGET_PRECISION "E1044" "a target with too many digits"
        "A target has at most nine significant digits, which is more than any count of events can confirm."
    WINDOW "E1045" "not a window"
        "A window is a span such as 30d, from 1m to 366d, which rolls: it always ends now. Or it is the present period of the calendar: calendar week (from Monday), calendar month or calendar quarter, with its `timezone:`."
    DURATION "E1046" "not a duration"
        "A duration is a whole number with a unit: ms, s, m, h, d (24 hours) or w (7 days); several can follow each other, as in 1h30m. M is refused, because it is read as a month by some and as a minute by others."
    TIMEZONE "E1047" "not a time zone"
        "A calendar window begins and ends at midnight of a time zone, which is named as the IANA database does: Europe/Berlin, America/New_York, UTC. An offset or an abbreviation would not know when clocks change. A rolling window has no time zone."
    SLICE "E1048" "not a slice of time"
        "`counted-in: { slices: 1m, good-if-at-least: 99% }` judges each slice of time as a whole. A slice has whole minutes and divides an hour (1m, 2m, 3m, 5m, 10m, 15m, 30m, 1h ...), so that slices begin with every hour; where the days of a calendar window's time zone begin between two hours, it divides the half or the quarter of an hour. The share is above 0 % and up to 100 %."
    FACTOR "E1050" "not a burn rate"
        "A burn rate is a positive decimal number of at most nine significant digits, such as 14.4: how many times faster than allowed the budget is spent."
    ROW "E1051" "an alert row that cannot be"
        "A row compares the burn rate over a long and a short lookback with a factor. The short lookback is shorter than the long one, the long one is not longer than the window."
    ROW_NEVER "E1052" "an alert row that can never fire"
        "Even when every event is bad, the burn rate is only 1 / (1 - target): 10 at a target of 90 %, 1,000 at 99.9 %. A factor at or above it can never be exceeded. Lower the factor."
    ROW_ALWAYS "E1053" "an alert row that fires below the allowed rate"
        "A burn rate below 1 spends less than the budget allows; a row with a factor below 1 would tell of an SLO that is being met."
    ALERTING "E1054" "alerting"
        "`alerting:` is one of page, ticket, none, or { rows: [...] } with rows of your own. Left out, it is the four rows of the SRE Workbook, scaled to the window: two that page and two that open a ticket."
    SLI "E1060" "not an indicator"
        "An SLI is one of { events: { bad or good, total } }, { latency: { histogram, within } }, { probe: gauge }, { presence: { series } }, { window: { expr, is, threshold } }, { query: { bad or good, total } } and { composite: { all-of or weighted } }, exactly one of the kinds. Of bad and good exactly one is given; the other follows from the total."
    WITHIN "E1061" "not a threshold of latency"
        "`within:` and `tolerated:` are durations such as 300ms, the second above the first. Both must be boundaries of a classic histogram's buckets, because it knows nothing of what lies between two boundaries. Of a native histogram `within:` may be any duration: what lies in the bucket that holds it counts half, and `tolerated:` is not given."
    EXPECTED "E1062" "not the groups of an SLO of presence"
        "`expected:` names the groups that must exist from the start, each by the labels in `per`, all of them: `expected: [eu, us]` where `per: [region]`, or `- { region: eu, zone: a }` where it has several labels. Others are not counted then. Left out, a group is awaited from its first sample on."
    NEW_SERIES "E1063" "first values where nothing is counted from counters"
        "`new-series:` is one of auto, count-first and baseline: what the first value of a counter that nobody saw before is taken for. SLIs of `events` and `latency` count counters; samples of a probe, slices of time and values of expressions have no first value."
    NO_TRAFFIC "E1064" "silence of what is never silent"
        "`no-traffic:` says whether the owner is told when no event came for some time. SLIs of `events`, `latency` and `query` can be without any; slices of time and probes go on whatever happens, and where they do not come that is missing data: `no-data:`."
    RUNBOOK "E1070" "a runbook that does not exist"
        "`runbook:` is the name of a Markdown file in the tenant's runbooks directory. A file that is named and missing is found at 3 a.m. otherwise."
    RUNBOOK_NAME "E1071" "not the name of a runbook"
        "A runbook is named by its file name alone, without directories: letters, digits, ., - and _, ending in .md."
    PROMQL "E1080" "not an expression of PromQL"
        "Here stands an expression that yields one number for each group at every instant. The place shown is where the grammar is left: an operand or an operator is missing, a bracket or a quoted text is not closed. Where a source knows a newer syntax than burnward, `promql-check: off` beside the expression sends it as it is written."
    PROMQL_SIZE "E1081" "an expression that is too large"
        "An expression has at most 8 KiB, 256 operators, 256 parts and 64 levels of nesting. What a source takes to read an expression grows faster than its length, and it does so for every slice. Let a recording rule compute parts of it, or use a regular expression for many alternatives."
    PROMQL_TYPE "E1082" "an expression that yields no numbers"
        "A range of samples (x[5m]) or a text is not one number for each group. Functions such as increase(), max_over_time() or avg_over_time() make a number of a range."
    PROMQL_UNFAITHFUL "E1083" "an expression that cannot be sent as it was written"
        "What is sent to a source is printed from what was understood, and must read back as the same expression. Byte escapes above \\x7f, control characters and rare spellings of numbers do not survive that and are refused. `promql-check: off` sends an expression as it is written."
    PROMQL_TIME "E1084" "an expression that looks to another time"
        "The value of a slice must depend on what happened up to its end alone, and be the same whenever it is asked for: `@`, negative offsets, start(), end() and range() are refused. Ranges and offsets are at most a year, and a subquery computes at most 11,000 values."
    PROMQL_DIALECT "E1085" "another query language"
        "Variables of Grafana ($__rate_interval), templates ({{ }}), LogQL and MetricsQL are not PromQL. Where the source is VictoriaMetrics, `promql-check: off` beside an expression of MetricsQL sends it as it is written."
    COMPARISON "E1086" "not a comparison with a threshold"
        "`is:` is one of <= < >= > == !=, in quotes; a slice is good where the value stands so to `threshold:`, a plain number in the unit of the expression."
    STEP "E1087" "a slice of the wrong length"
        "A slice has 10 s to 1 h (of `presence` whole tens of seconds up to 5 min) and divides an hour, so that slices begin on the same instants after every restart. It is not longer than the shortest lookback of the alert rows, which would often hold no slice at all."
    NO_PROMQL "E1088" "a source without PromQL"
        "Targets that burnward scrapes itself are samples without a query language: `window` and `query`, and native histograms, need Prometheus or what speaks its API. Count counters with `events` and histograms with `latency`."
    SAME_QUERY "E1089" "bad or good is the total"
        "Where the bad (or good) events are all events, the SLO is always bad (or good), whatever happens."
    COMPOSITE "E1090" "not a composite"
        "A composite is a journey made of 2 to 20 other SLOs of the tenant: `all-of:` where a slice of time is good only if it is for every member, or `weighted:` where each member has its share of it. Each member names its `slo:` and says from which share of good events on a slice is good for it (`good-if-at-least:`)."
    MEMBER "E1091" "an unknown member"
        "A member of a composite is named as `service/name` and is an SLO of the same tenant, in any of its files. SLOs of other tenants cannot be members: their data is not this tenant's."
    MEMBER_TWICE "E1092" "a member is named twice"
        "Each SLO is a member once; named twice it would count twice."
    CYCLE "E1093" "a composite of composites"
        "A composite is made of SLOs that count for themselves. One that is made of composites would judge verdicts on verdicts, and one that is made of itself would never begin. Name the members of the inner one instead."
    WEIGHT "E1094" "weights that are none"
        "A weight is a percentage above 0 % with at most one decimal, and those of all members add up to exactly 100 %. So each says which share of the journey its member is, whatever the others are, and a slice of a minute is shared out in whole milliseconds. What weighs nothing is left out."
    MEMBER_SPLIT "E1095" "a member that is split by other labels"
        "A composite has a budget for each group that its members have, so `per:` is the same list in all of them: the group of one member must be that of the others."
    MEMBER_SLICE "E1096" "a member with other slices"
        "A member of the kind window, presence or query has events only at the end of each of its own slices (steps). A slice of the composite must hold whole ones of them; in a shorter one, most would hold none and be called good."
    TEST_SLO "E1100" "a test of no SLO"
        "A test is of one SLO. In a document with one SLO that is the one; with several, `slo:` names it. In a file of its own (*.slotest.yaml), and for an SLO of another service, it is named as service/name."
    TEST_TIME "E1101" "a time that a test cannot have"
        "Times of a test are counted from its beginning (`1h20m`, `0s`), lie within `lasts`, and `to` lies after `from`. `begins` is a moment with its distance from UTC."
    TEST_RATE "E1102" "not a rate or a share of events"
        "A rate is a number of events for a second, minute, hour or day: 20/s, 600/m, 10/h, 100/d. A share is a percentage: 20%."
    TEST_TRAFFIC "E1103" "traffic that a test cannot have"
        "Traffic is written in events of the SLO, good and bad; the samples of its series follow from its SLI. An SLI that counts requests needs one shape (constant, trickle, diurnal or burst); probes, presence and windows have one event for each sample or slice, and no rate. Each label of `per` has a value in `labels`. Where no series can be thought of that the selectors take as good or as bad, name the labels that make it one."
    TEST_EXPECT "E1104" "an expectation that says nothing"
        "Each entry of `expect` has one key: page, ticket or blind with `none` or with the time in which it begins (from, to), clear with the time in which it ends, or budget with what is left (above, below)."
    SECRET_INLINE "E1201" "a secret in the configuration"
        "Secrets are never written into burnward.yaml, where they would end up in version control, backups and terminals. Write the secret into a file that only burnward can read, and name it with the key that ends in -file. The value found is not shown."
    LISTEN "E1202" "an address to listen on that needs a token file"
        "Anything but a loopback address can be reached by others; then every request must bear a token. Name a file with one `name:token` per line as `token-file:`, or listen on 127.0.0.1 behind a proxy that authenticates."
    UNKNOWN_PERSON "E1203" "an unknown person"
        "An escalation pages people declared under `people:`, or channels, which start with #."
    UNKNOWN_SOURCE "E1204" "an unknown source"
        "A tenant reads from one of the `sources:`."
    URL "E1205" "not a URL"
        "An http or https URL without user name, password, query or fragment."
    ADDRESS "E1206" "not an address to listen on"
        "An address and a port, such as 127.0.0.1:9095 or [::1]:9095."
    CHANNEL "E1207" "not a channel"
        "A Slack channel starts with # and is put into quotes, because YAML takes an unquoted # for a comment."
    ESCALATION "E1208" "an escalation without steps"
        "An escalation is a list of at least one step; each names at least one person or channel to page."
    SLACK_ID "E1209" "not a Slack user id"
        "A Slack user id such as U012AB34C: the letter U or W, then capital letters and digits. It is shown in the person's Slack profile under More, Copy member ID."
    NUMBER "E1210" "not a number in range"
        "A whole number within the bounds that the message names."
    INTERVAL "E1211" "a span out of range"
        "The span is shorter or longer than makes sense here; the message names the bounds."
    REPORT "E1212" "a report that cannot be sent"
        "An entry of `reports:` names what is reported (`error-budget: week`), of which team and tenant, when (`cron` and `timezone`), and the channel it goes to. Each entry is a report of its own, so that none stands there twice."
    CRON "E1213" "not a crontab line for a report"
        "Five fields: minute, hour, day of the month, month, day of the week, such as 0 9 * * MON. The time is that of the clocks in `timezone`: a named hour fires once, also where clocks are set forward over it or back. A report is sent at most once an hour."
    NO_SUCH_CHANNEL "E1214" "a channel that Slack does not have"
        "`check --slack` asked Slack for every channel of burnward.yaml: those of teams, operators, escalation steps and reports. This one does not exist, or is private and burnward was not invited. A page to it would be undeliverable."
    NO_SUCH_PERSON "E1215" "a person whom Slack does not know"
        "`check --slack` asked Slack for every person of burnward.yaml, by `slack:` or by `email:`. Nobody in the workspace has that id or address, so a page to this person would be undeliverable."
    REMOVALS "E1301" "a change that removes most SLOs"
        "A start or reload that would remove all or more than half of the SLOs that ran last is refused: more often than not the directory is empty because a volume was not mounted. The last good definitions go on. Start with --accept-removals where it is meant."
    SOURCE_NOTHING "E1401" "nothing in the source"
        "`check --source` asked the source, and it holds no series (or no value) for what is to be counted, so the SLO would stand at CANNOT SEE. A misspelt name or label, a target that is not scraped, or a metric that was renamed."
    SOURCE_TOO_MUCH "E1402" "too many series in the source"
        "Raw samples of at most 10,000 series are read for one selector, so that one SLO does not slow down all others. Narrow the selector, or let the source add the series up with `query`, whose error is documented."
    SOURCE_BUCKET "E1403" "a threshold between the histogram's real buckets"
        "A classic histogram knows only how many observations lie up to each of its boundaries. The message names the boundaries next to the threshold, as the source has them now."
    SOURCE_KIND "E1404" "a kind of SLI that the source cannot serve"
        "The source evaluates expressions and gives no raw samples, which `events`, `latency`, `probe` and `presence` are counted from. `query` and `window` work there."
    SOURCE_REFUSES "E1405" "the source's answer cannot be counted"
        "The source refused the question, or answered with what is no number of events: a fraction, a negative number, several values for one group. A running burnward would say the same beside CANNOT SEE."
    NO_RUNBOOK "W2010" "an SLO that pages has no runbook"
        "Who is woken needs the first steps. Name a Markdown file of the tenant's runbooks directory as `runbook:`; its title and first numbered steps stand on the page."
    ROW_LEFT_OUT "W2011" "default alert rows are left out"
        "At this target some of the default rows could never fire, since even a full outage does not burn that fast; or the window is so short that they would look back less than a second. They are left out; the message names the rows that remain. Where none of those pages, nobody is woken: write rows of your own with a smaller `burn-rate`."
    NO_ALERTS "W2012" "no alert row remains"
        "None of the default rows that `alerting` asks for can fire at this target: the objective is measured and shown, and nobody is told when it is missed. Write rows of your own."
    NO_DEFINITIONS "W2013" "no definitions"
        "The directory holds no file that ends in .yaml or .yml. Hidden files (.x.yaml) are skipped. Is the path right, and the volume mounted?"
    ZONE_RENAMED "W2014" "a time zone by another name"
        "The name is a former one (US/Pacific), an abbreviation (EST, which knows no daylight saving) or written in other capitals. It is taken for the zone that the message names; write that, since former names disappear from one machine and not from another."
    SAME_SIDES "W2015" "every event is bad, or every event is good"
        "The events that are counted and all events are the same series, so the SLI stands at 0 % or at 100 % whatever happens. Name what tells them apart, such as code=~\"5..\" on one of the two sides."
    SPLIT_SAYS_NOTHING "W2016" "a label to split by that says nothing"
        "Either every selector asks for one value of the label alone, and then there is one group; or the label is what tells bad events from good ones, and then each group is wholly bad or wholly good. Split by a label whose values differ and are not judged, such as tenant or region."
    RUNBOOK_LINK "W2017" "a link of a runbook that leads nowhere"
        "Who is woken follows the links of the runbook. The file that is named does not exist as seen from the runbook, or has no such heading, or the address is of a kind that leads nowhere. Headings are named as code hosts name them: small letters, dashes for spaces, other signs left out."
    RUNBOOK_PAGE "W2018" "a page of the web that does not answer"
        "`check --links` asked for each page that runbooks link to, and this one is not there, or its server did not answer. A page that wants its readers to sign in counts as there."
    PROMQL_UNCHECKED "W2080" "an expression that was not checked"
        "The expression holds a function or a word that burnward does not know; a newer source may. It is sent as it is written. Where the source refuses it, the SLO stands at CANNOT SEE with the source's own words. Add `promql-check: off` beside the expression once you know that the source takes it."
    PROMQL_HIDES "W2081" "missing data is made to look like a value"
        "`or vector(0)` puts a number where there is none, so that nobody sees when the metric is gone, and drops the labels that split an SLO. A missing bad or good side beside a total that is there is zero events anyway; any other missing value is an unseen slice, told by `no-data`."
    PROMQL_FILTERS "W2082" "an expression that has no value where it does not hold"
        "A comparison without `bool` keeps the value where it holds and yields nothing elsewhere, and absent() yields nothing while the series is there. Slices without a value are unseen: neither good nor bad. Write the bare value and let `is` and `threshold` compare it."
    PROMQL_RANGE "W2083" "not the events of one step"
        "`query` adds up the events of each step, so the expressions must yield those of one step: increase(...[1m]) at `step: 1m`. With a longer range events are counted several times, with a shorter one some are not, and rate() yields events per second."
    PROMQL_CONSTANT "W2084" "a comparison that always comes out the same"
        "The form of the expression bounds its values: a part of a whole lies between 0 and 1, a percentage between 0 and 100. Against this threshold the comparison always (or never) holds, so the SLO can never be missed (or met). Frequent cause: a ratio compared with a percentage."
    PROMQL_QUANTILE "W2085" "a quantile as an SLI"
        "histogram_quantile() guesses a value between two buckets, and judging it per slice weighs a quiet night like a busy day. `latency` counts how many requests were within a threshold, exactly: 99 % within 300 ms is the same promise as a 99th percentile of at most 300 ms."
    SOURCE_SIDE "W2090" "a side of the events that the source never had"
        "The bad (or good) events that are counted beside the total had no series within the window. That is right where no such event ever happened, and counts as none. A misspelt label looks the same."
    SOURCE_YOUNG "W2091" "a metric that is younger than the window"
        "The source has the metric for less than half of the objective's window. The time before is not seen; the budget is judged by what is there, and its coverage is shown."
    SOURCE_RETENTION "W2092" "a source that keeps less than the window"
        "At the first start history can only be filled in as far back as the source keeps samples. From then on burnward keeps what it counted itself, so the gap closes with time."
    SOURCE_GROUPS "W2093" "more groups than are kept apart"
        "An SLO keeps at most 1,000 groups apart, each with a budget and alerts of its own; the rest is counted together as (other)."
    SOURCE_SCRAPES "W2094" "a lookback shorter than two scrapes"
        "A counter shows an event with the next scrape, so of a lookback that is shorter than two scrapes most hold no difference at all, and one holds all of it: the row fires late, or flaps. Give the row a longer `short`, or have the target scraped more often."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_in_order_and_well_formed() {
        let ids: Vec<&str> = ALL.iter().map(|code| code.id).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
        for id in ids {
            assert!(id.len() == 5 && (id.starts_with('E') || id.starts_with('W')) && id[1..].bytes().all(|b| b.is_ascii_digit()), "{id}");
        }
    }

    #[test]
    fn a_code_is_explained_whatever_its_case() {
        assert!(explain(" e1042").is_some_and(|text| text.starts_with("E1042: a target of 100 %\n\nA target must be below 100 %.")));
        assert_eq!(explain("E9999"), None);
    }
}
