//! The SLOs that a packed state or seal names, and other names for them. Slices name streams by number and need none.

use super::{Damaged, behind::Seal, state::State};
use crate::{id::SloId, rename::Rename};

/// The SLOs of which a packed state holds anything, those that run no more too.
///
/// # Errors
/// A state that is damaged.
pub fn slos_of_state(blob: &[u8]) -> Result<Vec<SloId>, Damaged> {
    Ok(State::unpack(blob)?.lanes.into_iter().map(|lane| lane.slo).collect())
}

/// A packed state by other names; `None` where it names none of them.
///
/// # Errors
/// A state that is damaged.
pub fn renamed_state(blob: &[u8], renames: &[Rename]) -> Result<Option<Vec<u8>>, Damaged> {
    let mut state = State::unpack(blob)?;
    let mut renamed = false;
    for lane in &mut state.lanes {
        if let Some(rename) = renames.iter().find(|rename| rename.service == lane.slo.service && rename.from == lane.slo.name) {
            lane.slo.name = rename.to.clone();
            renamed = true;
        }
    }
    Ok(renamed.then(|| state.pack()))
}

/// A packed seal by other names; `None` where it names none of them.
///
/// # Errors
/// A seal that is damaged.
pub fn renamed_seal(blob: &[u8], renames: &[Rename]) -> Result<Option<Vec<u8>>, Damaged> {
    let seal = Seal::unpack(blob)?;
    let renamed = renamed_state(&seal.state, renames)?;
    Ok(renamed.map(|state| Seal { state, ..seal }.pack()))
}
