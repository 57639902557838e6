//! `users.info`, `users.lookupByEmail`.

use serde_json::{Value, json};

use super::{
    super::{
        answer::{Answer, ApiError, fields},
        args::Args,
        world::User,
    },
    Desk,
};

pub(super) fn info(desk: &Desk<'_>, args: &Args) -> Answer {
    let id = args.required("user")?;
    let user = desk.office.world.user(&id).ok_or_else(|| ApiError::new("user_not_found"))?;
    Ok(fields(json!({ "user": user_json(desk, user) })))
}

pub(super) fn lookup_by_email(desk: &Desk<'_>, args: &Args) -> Answer {
    let email = args.required("email")?;
    let mut people = desk.office.world.users.iter().filter(|user| !user.is_bot);
    let user = people.find(|user| user.email.eq_ignore_ascii_case(&email)).ok_or_else(|| ApiError::new("users_not_found"))?;
    Ok(fields(json!({ "user": user_json(desk, user) })))
}

fn user_json(desk: &Desk<'_>, user: &User) -> Value {
    let mut profile = json!({ "real_name": user.name, "display_name": user.name, "team": desk.office.world.identity.team_id });
    if desk.settings.has_scope("users:read.email") && !user.is_bot {
        profile["email"] = json!(user.email);
    }
    json!({
        "id": user.id,
        "team_id": desk.office.world.identity.team_id,
        "name": user.name.to_lowercase().replace(' ', "."),
        "real_name": user.name,
        "deleted": false,
        "is_bot": user.is_bot,
        "tz": "Etc/UTC",
        "tz_label": "Coordinated Universal Time",
        "tz_offset": 0,
        "profile": profile,
    })
}
