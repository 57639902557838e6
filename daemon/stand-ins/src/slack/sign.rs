//! Slack's request signature, version 0.
//!
//! `v0=` and the hex HMAC-SHA256 of `v0:{timestamp}:{raw body}` under the signing secret
//! (docs.slack.dev, authentication/verifying-requests-from-slack).

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The value of `X-Slack-Signature` for a body sent at a Unix time in seconds.
pub fn signature(secret: &str, unix_seconds: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(format!("v0:{unix_seconds}:{body}").as_bytes());
    format!("v0={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::signature;

    #[test]
    fn the_published_vector_is_reproduced() {
        let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar\
                    &user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com\
                    %2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
        let expected = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
        assert_eq!(signature("8f742231b10e8888abcd99yyyzzz85a5", 1_531_420_618, body), expected);
    }
}
