//! Names of time zones.

use burnward_core::window::Zone;

use super::{
    codes,
    reader::{Reader, shortened},
    yaml::Node,
};
use crate::calendar::zones::{self, Found};

/// Reads the name of a time zone. A former name is taken for the present one, with advice.
pub(crate) fn read(reader: &mut Reader, node: &Node) -> Option<Zone> {
    let text = reader.text(node, "a time zone")?;
    match zones::find(text) {
        Found::Zone(zone) => Some(zone),
        Found::Renamed(zone) => {
            let message = format!("`{}` is taken as {zone}", shortened(text));
            let diagnostic = reader.diagnostic(&codes::ZONE_RENAMED, node.range.clone(), message);
            reader.report(diagnostic.help(format!("write `{zone}`, or another zone of the same time that is meant")));
            Some(zone)
        }
        Found::Unknown { nearest } => {
            let message = format!("there is no time zone `{}`", shortened(text));
            let diagnostic = reader.diagnostic(&codes::TIMEZONE, node.range.clone(), message);
            let help =
                nearest.map_or_else(|| "write a name such as Europe/Berlin, or UTC".to_owned(), |name| format!("did you mean `{name}`?"));
            reader.report(diagnostic.help(help));
            None
        }
    }
}
