//! Organisations and their users.

use mneme_domain::{Actor, EntityId, Timestamp};
use mneme_macros::boxed;

use crate::{
    Conn, Result,
    sql::{args, statements},
};

statements! {
    ADD_ORGANIZATION: "insert into organizations (id, name, created_at) values ($1, $2, $3) on conflict (id) do nothing";
    ADD_USER: "insert into users (id, org_id, name, created_at) values ($1, $2, $3, $4) on conflict (id) do nothing";
}

/// Makes sure that the actor's organisation and user exist. New ones are named after their identifiers.
#[boxed]
pub async fn ensure(c: &mut Conn, a: &Actor, now: Timestamp) -> Result<()> {
    c.run(&ADD_ORGANIZATION, args![&a.org, a.org.as_str(), now]).await?;
    c.run(&ADD_USER, args![&a.user, &a.org, a.user.as_str(), now]).await?;
    Ok(())
}
