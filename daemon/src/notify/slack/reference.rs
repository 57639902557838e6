//! The reference that our buttons carry: which incident of which tenant, sealed, so that nobody can make one up or change the tenant in it.
//! State never travels in a button.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use burnward_core::id::{IncidentId, TenantId};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::RngCore as _;
use sha2::Sha256;

use crate::store::{Store, StoreError};

/// Where the key is kept.
const META: &str = "slack.reference-key";
/// What references begin with; another form would get another number.
const PREFIX: &str = "bw1";
/// Longest reference: Slack's bound of a block's identity.
pub const MAX_REFERENCE: usize = 255;

/// The key that seals references.
pub struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    /// The key of this store; made where there is none yet.
    pub async fn load(store: &Store) -> Result<Self, StoreError> {
        if let Some(key) = store.meta_get(META).await?.and_then(|text| Self::from_text(&text)) {
            return Ok(key);
        }
        let mut bytes = [0; 32];
        rand::rng().fill_bytes(&mut bytes);
        store.meta_set(META, &URL_SAFE_NO_PAD.encode(bytes)).await?;
        Ok(Self(bytes))
    }

    fn from_text(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// The reference of an incident; at most 255 characters.
    pub fn seal(&self, tenant: &TenantId, incident: &IncidentId) -> String {
        let named = format!("{tenant}\n{incident}");
        let seal = self.mac(named.as_bytes()).finalize().into_bytes();
        format!("{PREFIX}.{}.{}", URL_SAFE_NO_PAD.encode(&named), URL_SAFE_NO_PAD.encode(&seal[..16]))
    }

    /// The incident of a reference; `None` where it is not one of ours.
    pub fn open(&self, reference: &str) -> Option<(TenantId, IncidentId)> {
        let mut parts = reference.split('.');
        let (PREFIX, Some(named), Some(seal), None) = (parts.next()?, parts.next(), parts.next(), parts.next()) else { return None };
        let named = URL_SAFE_NO_PAD.decode(named).ok()?;
        self.mac(&named).verify_truncated_left(&URL_SAFE_NO_PAD.decode(seal).ok().filter(|seal| seal.len() == 16)?).ok()?;
        let named = String::from_utf8(named).ok()?;
        let (tenant, incident) = named.split_once('\n')?;
        Some((TenantId::parse(tenant).ok()?, IncidentId::from_text(incident)))
    }

    fn mac(&self, named: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(named);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incident(tenant: &str, id: &str) -> (TenantId, IncidentId) {
        (TenantId::parse(tenant).unwrap(), IncidentId::from_text(id))
    }

    #[test]
    fn a_reference_comes_back_and_fits() {
        let key = Key([7; 32]);
        let (tenant, id) = incident(&"t".repeat(63), &format!("{}-cannot-see-{}", "s".repeat(63), u64::MAX));
        let reference = key.seal(&tenant, &id);
        assert!(reference.len() <= MAX_REFERENCE, "{}", reference.len());
        assert_eq!(key.open(&reference), Some((tenant, id)));
    }

    #[test]
    fn a_reference_that_is_not_ours_opens_nothing() {
        let key = Key([7; 32]);
        let (tenant, id) = incident("a", "checkout-burn-1");
        let reference = key.seal(&tenant, &id);
        let (other, _) = incident("b", "x");
        let forged =
            key.seal(&other, &id).split('.').nth(1).map(|named| format!("bw1.{named}.{}", reference.split('.').nth(2).unwrap())).unwrap();
        for wrong in [forged.as_str(), "", "bw1", "bw1..", "bw2.a.b", &reference[..reference.len() - 1], &format!("{reference}.x")] {
            assert_eq!(key.open(wrong), None, "{wrong}");
        }
        assert_eq!(Key([8; 32]).open(&reference), None);
    }
}
