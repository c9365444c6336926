//! Variables that the tools of all agents of an organisation see, encrypted at rest.

use mneme_domain::{Actor, EntityId, clock::from_micros, variable::OrganizationVariable};
use mneme_macros::boxed;

use crate::{
    Conn, Result,
    secrets::Place,
    sql::{args, statements},
};

statements! {
    LIST: "select id, key, created_at, updated_at, created_by_id, last_updated_by_id from organization_variables
        where org_id = $1 order by key";
    VALUES: "select key, value_enc from organization_variables where org_id = $1 order by key";
    SET: "insert into organization_variables
            (id, org_id, key, value_enc, created_at, updated_at, created_by_id, last_updated_by_id)
        values ($1, $2, $3, $4, $5, $5, $6, $6)
        on conflict (org_id, key) do update set value_enc = excluded.value_enc, updated_at = excluded.updated_at,
            last_updated_by_id = excluded.last_updated_by_id";
    DELETE: "delete from organization_variables where org_id = $1 and key = $2";
    CLEAR: "delete from organization_variables where org_id = $1 and not key = any($2)";
    COUNT: "select count(*) from organization_variables where org_id = $1";
}

#[derive(mneme_macros::FromRow)]
struct Row {
    id: String,
    key: String,
    created_at: i64,
    updated_at: i64,
    created_by_id: Option<String>,
    last_updated_by_id: Option<String>,
}

/// The organisation's variables without their values, by name.
#[boxed]
pub async fn list(c: &mut Conn, a: &Actor) -> Result<Vec<OrganizationVariable>> {
    let rows: Vec<Row> = c.all(&LIST, args![&a.org]).await?;
    let read = |row: Row| OrganizationVariable {
        id: row.id,
        key: row.key,
        created_at: from_micros(row.created_at),
        updated_at: from_micros(row.updated_at),
        created_by_id: row.created_by_id,
        last_updated_by_id: row.last_updated_by_id,
    };
    Ok(rows.into_iter().map(read).collect())
}

/// Names and values, for a tool call.
#[boxed]
pub async fn values(c: &mut Conn, a: &Actor) -> Result<Vec<(String, String)>> {
    let rows: Vec<(String, String)> = c.all(&VALUES, args![&a.org]).await?;
    let context = c.context();
    let org = a.org.as_str();
    let open = |(key, stored): (String, String)| {
        let value = context.secrets.open(Place(org, org, &key), &stored)?;
        Ok((key, value))
    };
    rows.into_iter().map(open).collect()
}

/// Gives a variable a value. One that is there keeps its identifier and the time of its creation.
#[boxed]
pub async fn set(c: &mut Conn, a: &Actor, key: &str, value: &str) -> Result<()> {
    let context = c.context();
    let sealed = context.secrets.seal(Place(a.org.as_str(), a.org.as_str(), key), value)?;
    let id = format!("org-env-{}", context.env.uuid().hyphenated());
    c.run(&SET, args![id, &a.org, key, sealed, context.env.now(), &a.user]).await.map(drop)
}

/// Removes a variable; false when there was none.
#[boxed]
pub async fn delete(c: &mut Conn, a: &Actor, key: &str) -> Result<bool> {
    Ok(c.run(&DELETE, args![&a.org, key]).await? > 0)
}

/// Removes all variables but these.
#[boxed]
pub async fn keep_only(c: &mut Conn, a: &Actor, keys: Vec<String>) -> Result<()> {
    c.run(&CLEAR, args![&a.org, crate::sql::Arg::List(keys)]).await.map(drop)
}

/// How many there are.
#[boxed]
pub async fn count(c: &mut Conn, a: &Actor) -> Result<i64> {
    let (count,): (i64,) = c.one(&COUNT, args![&a.org]).await?.unwrap_or_default();
    Ok(count)
}
