//! `burnward check --slack`: whether Slack has the channels and people that burnward.yaml names. A page to a channel that does not exist is found at 3 a.m.
//! otherwise.

use std::{collections::BTreeSet, ops::Range, path::Path, sync::Arc};

use burnward_core::{id::PersonName, oncall::Recipient};

use crate::{
    config::Config,
    definition::{
        Diagnostic, Source,
        codes::{self, Code},
        diagnostic::Place,
        discover,
    },
    notify::{Sent, slack::Slack},
};

/// What Slack said.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Channels and people that it does not have.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Why it could not be asked.
    pub(super) failures: Vec<String>,
}

/// Asks Slack for every channel and person of a configuration, which stands in `file`.
pub(super) async fn ask(config: &Config, file: &Path) -> Said {
    let mut said = Said::default();
    let slack = match connect(config).await {
        Ok(slack) => slack,
        Err(why) => {
            said.failures.push(format!("{why}; channels and people are not checked"));
            return said;
        }
    };
    let text = discover::read(file).unwrap_or_default();
    let source = discover::source(&file.display().to_string(), &text);
    for channel in config.channels() {
        if !slack.channel(channel).await.identified {
            let help = "create it; invite burnward there with /invite where it is private";
            said.diagnostics.push(finding(
                &source,
                &codes::NO_SUCH_CHANNEL,
                channel,
                format!("Slack has no channel {channel} that burnward sees"),
                help,
            ));
        }
    }
    for (name, person) in &config.people {
        if let Err(sent) = slack.user(name, Some(person)).await {
            said.unknown_person(&source, name, &sent);
        }
    }
    said
}

impl Said {
    fn unknown_person(&mut self, source: &Arc<Source>, name: &PersonName, sent: &Sent) {
        match sent {
            Sent::Permanent { reason, .. } => {
                let help = "write the address that the person has in Slack as `email:`, or the user id as `slack:`";
                self.diagnostics.push(finding(
                    source,
                    &codes::NO_SUCH_PERSON,
                    name.as_str(),
                    format!("Slack does not know {name}: {reason}"),
                    help,
                ));
            }
            Sent::Retry { reason, .. } | Sent::Ambiguous { reason } => {
                self.failures.push(format!("Slack did not answer for {name}: {reason}"));
            }
            Sent::Delivered(_) => {}
        }
    }
}

async fn connect(config: &Config) -> Result<Slack, String> {
    let settings = config.slack.as_ref().ok_or("Slack is not configured in burnward.yaml")?;
    let slack = Slack::connect(settings).map_err(|error| format!("Slack: {error:#}"))?;
    slack.test().await.map_err(|error| format!("Slack: {error}"))?;
    Ok(slack)
}

fn finding(source: &Arc<Source>, code: &'static Code, word: &str, message: String, help: &str) -> Diagnostic {
    let place = word_in(source.text(), word).map_or_else(|| Place::file(source), |range| Place::new(source, range));
    Diagnostic { code, message, place, related: Vec::new(), help: vec![help.to_owned()] }
}

/// Where a word first stands for itself, and not as a part of a longer one.
fn word_in(text: &str, word: &str) -> Option<Range<usize>> {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
    let alone = |at: usize| !text[..at].ends_with(part) && !text[at + word.len()..].starts_with(part);
    text.match_indices(word).map(|(at, _)| at).find(|at| alone(*at)).map(|at| at..at + word.len())
}

impl Config {
    /// Every channel that something is posted to: of teams, operators, escalations and reports.
    fn channels(&self) -> BTreeSet<&str> {
        let teams = self.teams.values().map(|team| (team.channel.as_str(), &team.escalation));
        let all = teams.chain([(self.operators.channel.as_str(), &self.operators.escalation)]);
        let paged = all.flat_map(|(channel, steps)| {
            let recipients = steps.iter().flat_map(|step| &step.page);
            let channels = recipients.filter_map(|recipient| match recipient {
                Recipient::Channel(channel) => Some(channel.as_str()),
                Recipient::Person(_) => None,
            });
            channels.chain([channel])
        });
        paged.chain(self.reports.iter().map(|report| report.to.as_str())).collect()
    }
}

#[cfg(test)]
mod tests {
    use burnward_stand_ins::slack::{Options, SlackStandIn};

    use super::*;
    use crate::{config, definition::Colour};

    #[tokio::test]
    async fn channels_and_people_that_slack_does_not_have_are_shown_where_they_are_named() {
        drop(rustls::crypto::ring::default_provider().install_default());
        let slack = SlackStandIn::start(Options::default()).await.expect("a free port");
        for channel in ["#burnward", "#shop"] {
            slack.add_channel(channel);
        }
        slack.add_user("Ana", "ana@example.com");
        let directory = tempfile::tempdir().expect("a directory");
        for (file, token) in [("bot", slack.bot_token()), ("app", slack.app_token())] {
            std::fs::write(directory.path().join(file), token).expect("written");
        }
        let text = format!(
            "version: burnward/v1
slack: {{ api-url: '{}', bot-token-file: bot, app-token-file: app }}
people:
  ana: {{ email: ana@example.com }}
  sam: {{ email: sam@example.com }}
teams:
  shop:
    channel: '#shop'
    escalation: [{{ page: [ana, sam, '#shop-leads'] }}]
reports: [{{ error-budget: week, cron: '0 9 * * MON', timezone: UTC, to: '#shop-reports' }}]
",
            slack.api_url()
        );
        let file = directory.path().join("burnward.yaml");
        std::fs::write(&file, &text).expect("written");
        let said = ask(&config::read(Some(&file)).expect("it loads"), &file).await;
        assert_eq!(said.failures, Vec::<String>::new());
        let shown: Vec<String> = said.diagnostics.iter().map(|fault| fault.render(Colour::Never)).collect();
        insta::assert_snapshot!(shown.join("\n\n").replace(&directory.path().display().to_string(), ""), @r"
        error[E1214]: Slack has no channel #shop-leads that burnward sees
         --> /burnward.yaml:9:38
          |
        9 |     escalation: [{ page: [ana, sam, '#shop-leads'] }]
          |                                      ^^^^^^^^^^^
          |
          = help: create it; invite burnward there with /invite where it is private

        error[E1214]: Slack has no channel #shop-reports that burnward sees
          --> /burnward.yaml:10:74
           |
        10 | reports: [{ error-budget: week, cron: '0 9 * * MON', timezone: UTC, to: '#shop-reports' }]
           |                                                                          ^^^^^^^^^^^^^
           |
           = help: create it; invite burnward there with /invite where it is private

        error[E1215]: Slack does not know sam: Slack answered users_not_found
         --> /burnward.yaml:5:3
          |
        5 |   sam: { email: sam@example.com }
          |   ^^^
          |
          = help: write the address that the person has in Slack as `email:`, or the user id as `slack:`
        ");
        let without = ask(&Config::default(), &file).await;
        assert_eq!(without.failures, ["Slack is not configured in burnward.yaml; channels and people are not checked"]);
    }

    #[test]
    fn a_word_is_found_where_it_stands_for_itself() {
        let text = "# shop\nteams: { shop-a: { channel: '#shop-a' }, shop: { channel: \"#shop\" } }\n";
        for (word, before) in [("#shop", "channel: \""), ("#shop-a", "channel: '"), ("shop-a", "teams: { "), ("shop", "# ")] {
            let range = word_in(text, word).expect("it is there");
            assert!(text[..range.start].ends_with(before), "{word}: {}", &text[..range.start]);
        }
        assert_eq!(word_in(text, "#sho"), None);
    }
}
