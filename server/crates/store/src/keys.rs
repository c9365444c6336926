//! Which master key the secrets of a database are encrypted under, and their move to another key.
//!
//! The key's id stands in a row of its own, so a server with another key is told so when it starts, and not by the
//! first agent whose tools need a variable. A move happens in one transaction, and only while nobody serves from the
//! database: a server keeps its key in memory.

use crate::{
    Conn, MasterKey, Result, Store, StoreError, migrate,
    secrets::{Place, Secrets},
    sql::{Sql, args, statements},
};
use mneme_macros::boxed;

/// The version of the schema that brought the row.
const SINCE_VERSION: i64 = 7;
/// Secrets that are moved at a time.
const BATCH: i64 = 500;

statements! {
    RECORDED: "select id from master_keys limit 1";
    FORGET: "delete from master_keys";
    RECORD: "insert into master_keys (id, since) values ($1, $2)";
    OF_AGENTS: "select org_id, agent_id, key, value_enc from agent_variables
        where (org_id, agent_id, key) > ($1, $2, $3) order by org_id, agent_id, key limit $4";
    SET_OF_AGENT: "update agent_variables set value_enc = $4 where org_id = $1 and agent_id = $2 and key = $3";
    OF_ORGANIZATIONS: "select org_id, org_id, key, value_enc from organization_variables
        where (org_id, org_id, key) > ($1, $2, $3) order by org_id, key limit $4";
    SET_OF_ORGANIZATION: "update organization_variables set value_enc = $4
        where org_id = $1 and org_id = $2 and key = $3";
    API_KEYS: "select org_id, id, cast('api_key' as text), api_key_enc from providers
        where api_key_enc is not null and (org_id, id, cast('api_key' as text)) > ($1, $2, $3)
        order by org_id, id limit $4";
    SET_API_KEY: "update providers set api_key_enc = $4 where org_id = $1 and id = $2 and $3 = 'api_key'";
    ACCESS_KEYS: "select org_id, id, cast('access_key' as text), access_key_enc from providers
        where access_key_enc is not null and (org_id, id, cast('access_key' as text)) > ($1, $2, $3)
        order by org_id, id limit $4";
    MCP_SERVERS: "select org_id, id, cast('config' as text), config_enc from mcp_servers
        where (org_id, id, cast('config' as text)) > ($1, $2, $3) order by org_id, id limit $4";
    SET_MCP_SERVER: "update mcp_servers set config_enc = $4 where org_id = $1 and id = $2 and $3 = 'config'";
    MCP_GRANTS: "select org_id, id, cast('grant' as text), grant_enc from mcp_grants
        where (org_id, id, cast('grant' as text)) > ($1, $2, $3) order by org_id, id limit $4";
    SET_MCP_GRANT: "update mcp_grants set grant_enc = $4 where org_id = $1 and id = $2 and $3 = 'grant'";
    CLIENT_TOKENS: "select org_id, id, cast('token' as text), token_enc from client_tokens
        where (org_id, id, cast('token' as text)) > ($1, $2, $3) order by org_id, id limit $4";
    SET_CLIENT_TOKEN: "update client_tokens set token_enc = $4 where org_id = $1 and id = $2 and $3 = 'token'";
    SET_ACCESS_KEY: "update providers set access_key_enc = $4 where org_id = $1 and id = $2 and $3 = 'access_key'";
}

/// A column of secrets: what reads a batch of it after a place, and what writes one.
struct Column {
    #[cfg_attr(not(test), expect(dead_code, reason = "the tests compare it with the schema"))]
    name: &'static str,
    read: &'static Sql,
    write: &'static Sql,
}

/// Every column of secrets.
static COLUMNS: [Column; 7] = [
    Column { name: "agent_variables.value_enc", read: &OF_AGENTS, write: &SET_OF_AGENT },
    Column { name: "organization_variables.value_enc", read: &OF_ORGANIZATIONS, write: &SET_OF_ORGANIZATION },
    Column { name: "providers.api_key_enc", read: &API_KEYS, write: &SET_API_KEY },
    Column { name: "providers.access_key_enc", read: &ACCESS_KEYS, write: &SET_ACCESS_KEY },
    Column { name: "mcp_servers.config_enc", read: &MCP_SERVERS, write: &SET_MCP_SERVER },
    Column { name: "mcp_grants.grant_enc", read: &MCP_GRANTS, write: &SET_MCP_GRANT },
    Column { name: "client_tokens.token_enc", read: &CLIENT_TOKENS, write: &SET_CLIENT_TOKEN },
];

/// Organisation, owner, name: a secret's place; and what is stored there.
type Row = (String, String, String, String);

impl Column {
    async fn after(&self, c: &mut Conn, place: &(String, String, String), most: i64) -> Result<Vec<Row>> {
        c.all(self.read, args![&place.0, &place.1, &place.2, most]).await
    }
}

/// The names of the columns, as `table.column`.
#[cfg(test)]
pub(crate) fn columns() -> Vec<&'static str> {
    COLUMNS.iter().map(|column| column.name).collect()
}

/// Any secret of the database.
async fn some_secret(c: &mut Conn) -> Result<Option<Row>> {
    for column in &COLUMNS {
        let first = column.after(c, &Default::default(), 1).await?;
        if let Some(row) = first.into_iter().next() {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

async fn recorded(c: &mut Conn) -> Result<Option<String>> {
    let row: Option<(String,)> = c.one(&RECORDED, args![]).await?;
    Ok(row.map(|(id,)| id))
}

async fn record(c: &mut Conn, id: &str) -> Result<()> {
    let now = c.context().env.now();
    c.run(&FORGET, args![]).await?;
    c.run(&RECORD, args![id, now]).await.map(drop)
}

/// Makes sure that the store's key is the database's, and writes its id down when there is none yet. A database
/// without secrets takes any key.
pub(crate) async fn check(c: &mut Conn) -> Result<()> {
    let context = c.context();
    let own = context.secrets.key_id();
    let known = recorded(c).await?;
    if known.as_deref() == Some(own) {
        return Ok(());
    }
    let opens = match some_secret(c).await? {
        None => true,
        Some((org, owner, name, stored)) => context.secrets.open(Place(&org, &owner, &name), &stored).is_ok(),
    };
    match opens {
        true => record(c, own).await,
        false => Err(StoreError::WrongKey { expected: known, given: own.to_owned() }),
    }
}

#[boxed]
impl Store {
    /// The id of the master key that the database's secrets are encrypted under ([`MasterKey::id`]). None before a
    /// server that knows of it has started on the database.
    pub async fn key_id(&self) -> Result<Option<String>> {
        let mut c = self.read().await?;
        match migrate::version(&mut c).await? >= SINCE_VERSION {
            true => recorded(&mut c).await,
            false => Ok(None),
        }
    }

    /// Encrypts every secret under another key, all or none; returns how many there are. This store still has the old
    /// key afterwards: close it, and open another.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while a server runs on the database, [`StoreError::Corrupt`] when a secret cannot be opened
    /// with the old key. Nothing is changed then.
    pub async fn change_key(&self, to: &MasterKey) -> Result<u64> {
        let fresh = Secrets::new(to);
        let _alone = self.alone()?;
        let mut c = self.write().await?;
        c.unhurried().await?;
        self.alone_in(&mut c).await?;
        check(&mut c).await?;
        let context = c.context();
        let mut moved = 0;
        for column in &COLUMNS {
            let mut place = Default::default();
            loop {
                let rows = column.after(&mut c, &place, BATCH).await?;
                let Some(last) = rows.last() else { break };
                place = (last.0.clone(), last.1.clone(), last.2.clone());
                for (org, owner, name, stored) in &rows {
                    let at = Place(org, owner, name);
                    let sealed = fresh.seal(at, &context.secrets.open(at, stored)?)?;
                    c.run(column.write, args![org, owner, name, sealed]).await?;
                    moved += 1;
                }
            }
        }
        record(&mut c, fresh.key_id()).await?;
        c.commit().await?;
        Ok(moved)
    }
}
