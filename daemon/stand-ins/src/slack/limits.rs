//! Slack's rate limits (docs.slack.dev, apis/web-api/rate-limits), on the stand-in's clock. Off unless asked for.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

/// How often a method may be called, per minute and workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tier {
    Two,
    Three,
    Four,
    /// `chat.postMessage`: one a second per channel, several hundred a minute per workspace.
    Posting,
    /// `auth.test`, `api.test` and `chat.getPermalink`: hundreds a minute.
    Special,
}

impl Tier {
    fn per_minute(self) -> usize {
        match self {
            Self::Two => 20,
            Self::Three => 50,
            Self::Four => 100,
            Self::Posting => 300,
            Self::Special => 600,
        }
    }
}

/// The calls of the last minute.
#[derive(Debug, Default)]
pub(super) struct Limits {
    methods: HashMap<&'static str, VecDeque<Timestamp>>,
    channels: HashMap<String, Timestamp>,
}

impl Limits {
    /// Counts the call, or says after how many seconds it may come again.
    pub(super) fn take(&mut self, method: &'static str, tier: Tier, channel: Option<&str>, now: Timestamp) -> Result<(), u64> {
        if let (Tier::Posting, Some(channel)) = (tier, channel) {
            self.take_channel(channel, now)?;
        }
        let calls = self.methods.entry(method).or_default();
        while calls.front().is_some_and(|call| now.duration_since(*call) >= MINUTE) {
            calls.pop_front();
        }
        if calls.len() >= tier.per_minute() {
            return Err(calls.front().map_or(1, |oldest| seconds_up(MINUTE - now.duration_since(*oldest))));
        }
        calls.push_back(now);
        Ok(())
    }

    fn take_channel(&mut self, channel: &str, now: Timestamp) -> Result<(), u64> {
        if let Some(last) = self.channels.get(channel)
            && now.duration_since(*last) < SECOND
        {
            return Err(1);
        }
        self.channels.insert(channel.to_owned(), now);
        Ok(())
    }
}

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_secs(60);

fn seconds_up(left: SignedDuration) -> u64 {
    u64::try_from(left.as_millis()).unwrap_or(0).div_ceil(1_000).max(1)
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::{Limits, Tier};

    fn at(millis: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_millis(millis)
    }

    #[test]
    fn a_channel_takes_one_post_a_second_and_others_are_not_held() {
        let mut limits = Limits::default();
        let mut post = |channel, millis| limits.take("chat.postMessage", Tier::Posting, Some(channel), at(millis));
        assert_eq!(post("C1", 0), Ok(()));
        assert_eq!(post("C1", 400), Err(1));
        assert_eq!(post("C2", 400), Ok(()));
        assert_eq!(post("C1", 1_000), Ok(()));
    }

    #[test]
    fn a_tier_is_counted_over_a_sliding_minute() {
        let mut limits = Limits::default();
        for call in 0..50 {
            assert_eq!(limits.take("chat.update", Tier::Three, None, at(call * 100)), Ok(()));
        }
        assert_eq!(limits.take("chat.update", Tier::Three, None, at(30_000)), Err(30));
        assert_eq!(limits.take("conversations.list", Tier::Two, None, at(30_000)), Ok(()));
        assert_eq!(limits.take("chat.update", Tier::Three, None, at(60_000)), Ok(()));
    }
}
