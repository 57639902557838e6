//! `api.test`, `auth.test`, `apps.connections.open`.

use serde_json::{Map, Value, json};

use super::{
    super::{
        answer::{Answer, ApiError, fields},
        args::Args,
    },
    Desk,
};

pub(super) fn api_test(args: &Args) -> Answer {
    match args.text("error") {
        Some(code) => Err(ApiError::new(code).with("args", args.echo())),
        None => Ok(fields(json!({ "args": args.echo() }))),
    }
}

pub(super) fn auth_test(desk: &Desk<'_>) -> Map<String, Value> {
    let identity = &desk.office.world.identity;
    fields(json!({
        "url": format!("{}/", desk.settings.base_url),
        "team": identity.team,
        "user": identity.bot_name,
        "team_id": identity.team_id,
        "user_id": identity.bot_user,
        "bot_id": identity.bot_id,
        "is_enterprise_install": false,
    }))
}

pub(super) fn open_connection(desk: &mut Desk<'_>) -> Answer {
    let Some(ticket) = desk.office.sockets.issue_ticket(desk.now) else { return Err(ApiError::new("too_many_websockets")) };
    let host = desk.settings.base_url.trim_start_matches("http://");
    let app = &desk.office.world.identity.app_id;
    Ok(fields(json!({ "url": format!("ws://{host}/link/?ticket={ticket}&app_id={app}") })))
}
