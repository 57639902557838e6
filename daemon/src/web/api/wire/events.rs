//! Numbers of events.

use std::fmt;

use burnward_core::units::EventCount;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number of events: whole where they were counted one by one, with decimals where an expression computed them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Events(pub EventCount);

impl Events {
    /// True where there are some.
    pub fn any(self) -> bool {
        self.0.as_f64() > 0.0
    }
}

impl fmt::Display for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Events {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.whole() {
            Some(whole) => serializer.serialize_i64(whole),
            None => serializer.serialize_f64(self.0.as_f64()),
        }
    }
}

impl<'de> Deserialize<'de> for Events {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).map(|events| Self(EventCount::of(events)))
    }
}

#[cfg(test)]
mod tests {
    use burnward_core::units::EventUnit;

    use super::*;

    #[test]
    fn events_go_over_the_wire_as_events() {
        for (events, json) in [
            (EventUnit::Event.count(13_093_200), "13093200"),
            (EventUnit::Millionth.count(13_000_000), "13"),
            (EventUnit::Millionth.count(12_250_000), "12.25"),
            (EventUnit::Millionth.count(-1), "-1e-6"),
        ] {
            assert_eq!(serde_json::to_string(&Events(events)).expect("a number"), json);
            let back: Events = serde_json::from_str(json).expect("a number");
            assert_eq!(back.to_string(), events.to_string());
        }
    }
}
