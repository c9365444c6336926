//! The variables that an agent's tools see, encrypted at rest.

use std::collections::HashMap;

use mneme_domain::{Actor, AgentId, EntityId, agent::AgentVariable, clock::from_micros};
use mneme_macros::boxed;

use crate::{
    Conn, Result, distinct,
    query::{Query, at_once},
    secrets::Place,
    sql::{Arg, args, statements},
};

statements! {
    FORGET: "delete from agent_variables where org_id = $1 and agent_id = $2 and not key = any($3)";
    OF_AGENT: "select id, agent_id, key, value_enc, description, created_at, updated_at, created_by_id, last_updated_by_id
        from agent_variables where org_id = $1 and agent_id = $2 order by position";
}

const COLUMNS: &str = "org_id, agent_id, id, key, value_enc, position, created_at, updated_at";

/// The columns of [`VariableRow`] as names and values of a JSON object, and the variable's place, of
/// `agent_variables v`.
macro_rules! json_fields {
    () => {
        "'position', v.position, 'id', v.id, 'agent_id', v.agent_id, 'key', v.key, 'value_enc', v.value_enc, \
         'description', v.description, 'created_at', v.created_at, 'updated_at', v.updated_at, \
         'created_by_id', v.created_by_id, 'last_updated_by_id', v.last_updated_by_id"
    };
}
pub(super) use json_fields;

#[derive(mneme_macros::FromRow, serde::Deserialize)]
pub(super) struct VariableRow {
    id: String,
    agent_id: String,
    key: String,
    value_enc: String,
    description: Option<String>,
    created_at: i64,
    updated_at: i64,
    created_by_id: Option<String>,
    last_updated_by_id: Option<String>,
}

/// Replaces an agent's variables by these, in this order; of a key given twice the last value counts. A key that
/// stays keeps its identifier and the time of its creation. [`crate::StoreError::NotFound`] when there is no such agent
/// and a variable to give it.
#[boxed]
pub async fn set_variables(c: &mut Conn, a: &Actor, id: &AgentId, variables: &[(String, String)]) -> Result<()> {
    let keys: Vec<String> = variables.iter().map(|(key, _)| key.clone()).collect();
    let keys = distinct(&keys);
    c.effect(&FORGET, args![&a.org, id, Arg::List(keys.clone())]).await?;
    let values: HashMap<&str, &str> = variables.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let context = c.context();
    let now = context.env.now();
    let mut rows = Vec::with_capacity(keys.len());
    for (key, position) in keys.iter().zip(1_i64..) {
        let value = values.get(key.as_str()).copied().unwrap_or_default();
        let sealed = context.secrets.seal(Place(a.org.as_str(), id.as_str(), key), value)?;
        let own_id = format!("agent-env-{}", context.env.uuid().hyphenated());
        rows.push(args![&a.org, id, own_id, key, sealed, position, now, now]);
    }
    for rows in at_once(c.engine(), rows) {
        let mut query = Query::insert(c.engine(), "agent_variables", COLUMNS, rows);
        query.push(
            " on conflict (org_id, agent_id, key) do update set
             value_enc = excluded.value_enc, position = excluded.position, updated_at = excluded.updated_at",
        );
        c.query_effect(query).await?;
    }
    Ok(())
}

/// The variables of these rows, decrypted.
pub(super) fn open(c: &Conn, a: &Actor, rows: Vec<VariableRow>) -> Result<Vec<AgentVariable>> {
    let context = c.context();
    let open = |row: VariableRow| {
        let value = context.secrets.open(Place(a.org.as_str(), &row.agent_id, &row.key), &row.value_enc)?;
        Ok(AgentVariable {
            created_by_id: row.created_by_id,
            last_updated_by_id: row.last_updated_by_id,
            created_at: Some(from_micros(row.created_at)),
            updated_at: Some(from_micros(row.updated_at)),
            id: row.id,
            key: row.key,
            // The API shows the value under both names.
            value_enc: Some(value.clone()),
            value,
            description: row.description,
            agent_id: AgentId::trusted(row.agent_id),
        })
    };
    rows.into_iter().map(open).collect()
}

/// The variables of an agent in the order they were given.
#[boxed]
pub async fn variables_of(c: &mut Conn, a: &Actor, id: &AgentId) -> Result<Vec<AgentVariable>> {
    let rows: Vec<VariableRow> = c.all(&OF_AGENT, args![&a.org, id]).await?;
    open(c, a, rows)
}
