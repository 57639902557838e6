//! The manifest from which an operator makes the Slack app: the scopes that the methods in use need, and nothing else.

use serde_json::{Value, json};

/// The scopes by what needs them: posting, posting without joining, joining, finding channels, looking back, direct messages, finding people.
const SCOPES: [&str; 11] = [
    "chat:write",
    "chat:write.public",
    "channels:join",
    "channels:read",
    "groups:read",
    "channels:history",
    "groups:history",
    "im:history",
    "im:write",
    "users:read",
    "users:read.email",
];

/// The manifest as JSON; with `request_url` clicks come over HTTP, without it over Socket Mode.
pub fn manifest(request_url: Option<&url::Url>) -> String {
    let mut interactivity = json!({ "is_enabled": true });
    if let Some(url) = request_url {
        interactivity["request_url"] = json!(format!("{}/slack/interactions", url.as_str().trim_end_matches('/')));
    }
    let manifest: Value = json!({
        "display_information": {
            "name": "burnward",
            "description": "Pages the person on call when an error budget burns too fast",
        },
        "features": { "bot_user": { "display_name": "burnward", "always_online": true } },
        "oauth_config": { "scopes": { "bot": SCOPES } },
        "settings": {
            "interactivity": interactivity,
            "org_deploy_enabled": false,
            "socket_mode_enabled": request_url.is_none(),
            "token_rotation_enabled": false,
        },
    });
    serde_json::to_string_pretty(&manifest).expect("a JSON value of ours can be written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clicks_come_over_the_socket_or_over_http() {
        let socket: Value = serde_json::from_str(&manifest(None)).unwrap();
        assert_eq!(socket["settings"]["socket_mode_enabled"], true);
        let http: Value = serde_json::from_str(&manifest(Some(&"https://burnward.example/".parse().unwrap()))).unwrap();
        assert_eq!(http["settings"]["interactivity"]["request_url"], "https://burnward.example/slack/interactions");
        assert_eq!(http["settings"]["socket_mode_enabled"], false);
    }
}
