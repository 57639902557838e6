//! Who we are to whom we ask: a token or a password, each in a file that is looked at for every request. Nothing secret appears in an error.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use burnward_core::ledger::{Reason, Unknown};
use reqwest::RequestBuilder;
use tokio::io::AsyncReadExt as _;

use super::unknown;
use crate::config::Credentials;

/// Cap on the file of a token or a password.
const MAX_SECRET: u64 = 16 * 1024;

/// The request with credentials, and what of these must not come back in an error, longest first.
///
/// # Errors
/// The file of the token or password cannot be read or holds none.
pub(in crate::source) async fn sign(request: RequestBuilder, credentials: &Credentials) -> Result<(RequestBuilder, Vec<String>), Unknown> {
    match credentials {
        Credentials::None => Ok((request, Vec::new())),
        Credentials::Bearer(path) => {
            let token = read_secret("bearer token", path).await?;
            if token.contains(' ') {
                return Err(unknown(Reason::Denied, format!("the bearer token file {} holds more than a token", path.display())));
            }
            Ok((request.bearer_auth(&token), vec![token]))
        }
        Credentials::Basic { user, password_file } => {
            let password = read_secret("password", password_file).await?;
            Ok((request.basic_auth(user, Some(&password)), vec![STANDARD.encode(format!("{user}:{password}")), password]))
        }
    }
}

/// A server may repeat our header in its error; nothing secret of it must come back.
pub(in crate::source) fn without_secrets(what: &Unknown, secrets: &[String]) -> Unknown {
    let detail = secrets.iter().fold(what.detail.clone(), |detail, secret| detail.replace(secret, "[secret]"));
    unknown(what.reason, detail)
}

async fn read_secret(what: &str, path: &Path) -> Result<String, Unknown> {
    let cannot = |why: &str| unknown(Reason::Denied, format!("the {what} file {} {why}", path.display()));
    let file = tokio::fs::File::open(path).await.map_err(|error| cannot(&format!("cannot be opened: {error}")))?;
    let mut text = String::new();
    file.take(MAX_SECRET).read_to_string(&mut text).await.map_err(|error| cannot(&format!("cannot be read: {error}")))?;
    let secret = text.trim();
    if secret.is_empty() || !secret.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
        return Err(cannot(&format!("holds no {what}: one line of printable characters is needed")));
    }
    Ok(secret.to_owned())
}
