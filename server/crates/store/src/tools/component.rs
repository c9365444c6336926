//! Compiled code that users uploaded as tools: kept once for each organisation, for as long as a tool is in it.

use mneme_domain::{Actor, Timestamp, ToolId};
use mneme_macros::boxed;
use sha2::{Digest, Sha256};

use crate::{
    Conn, Result, StoreError,
    sql::{args, statements},
};

/// How much work the compression may be. Code shrinks to a third at once and to little less with ten times the work.
const LEVEL: i32 = 3;

statements! {
    PUT: "insert into tool_components (org_id, hash, size, code, created_at) values ($1, $2, $3, $4, $5)
        on conflict (org_id, hash) do nothing";
    KNOWN: "select size from tool_components where org_id = $1 and hash = $2";
    POINT: "update tools set component = $3 where org_id = $1 and id = $2";
    OF_TOOL: "select component from tools where org_id = $1 and id = $2";
    CODE: "select size, code from tool_components where org_id = $1 and hash = $2";
    SWEEP: "delete from tool_components where org_id = $1 and not exists (
        select 1 from tools t where t.org_id = tool_components.org_id and t.component = tool_components.hash)";
}

/// SHA-256 of code in hexadecimal: what it is known by.
pub fn code_hash(code: &[u8]) -> String {
    Sha256::digest(code).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Code ready to be written. Made outside of a transaction, since compressing takes a while.
#[derive(Debug, Clone)]
pub struct PackedCode {
    hash: String,
    size: u32,
    packed: Vec<u8>,
}

impl PackedCode {
    /// Compresses code.
    ///
    /// # Errors
    /// For more than 4 GB.
    pub fn of(code: &[u8]) -> Result<Self> {
        let broken = |error: &dyn std::fmt::Display| StoreError::Corrupt(format!("compressing a component: {error}"));
        let size = u32::try_from(code.len()).map_err(|error| broken(&error))?;
        let packed = zstd::encode_all(code, LEVEL).map_err(|error| broken(&error))?;
        Ok(Self { hash: code_hash(code), size, packed })
    }

    /// What the code is known by.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

/// Keeps code; the same code twice is kept once. A tool has to point at it within the same transaction.
#[boxed]
pub async fn put_code(c: &mut Conn, a: &Actor, code: &PackedCode, now: Timestamp) -> Result<()> {
    if c.one::<(i64,)>(&KNOWN, args![&a.org, &code.hash]).await?.is_some() {
        return Ok(());
    }
    c.run(&PUT, args![&a.org, &code.hash, code.size, code.packed.clone(), now]).await.map(drop)
}

/// Says which code a tool is in; false when there is no such tool.
#[boxed]
pub async fn set_component(c: &mut Conn, a: &Actor, tool: &ToolId, hash: Option<&str>) -> Result<bool> {
    Ok(c.run(&POINT, args![&a.org, tool, hash]).await? > 0)
}

/// What the code that a tool is in is known by.
#[boxed]
pub async fn component_of(c: &mut Conn, a: &Actor, tool: &ToolId) -> Result<Option<String>> {
    Ok(c.one::<(Option<String>,)>(&OF_TOOL, args![&a.org, tool]).await?.and_then(|(hash,)| hash))
}

/// Code by its hash, checked against it.
#[boxed]
pub async fn code(c: &mut Conn, a: &Actor, hash: &str) -> Result<Option<Vec<u8>>> {
    let Some((size, packed)) = c.one::<(i64, Vec<u8>)>(&CODE, args![&a.org, hash]).await? else { return Ok(None) };
    let unpack = move || {
        let corrupt = |what: &str| StoreError::Corrupt(format!("a component: {what}"));
        let size = usize::try_from(size).map_err(|_| corrupt("its size"))?;
        let code = zstd::bulk::decompress(&packed, size).map_err(|error| corrupt(&error.to_string()))?;
        if code.len() == size { Ok(code) } else { Err(corrupt("it has another size than it had")) }
    };
    let code = tokio::task::spawn_blocking(unpack).await.map_err(|error| StoreError::Corrupt(error.to_string()))??;
    if code_hash(&code) != hash {
        return Err(StoreError::Corrupt("a component is not what it was".into()));
    }
    Ok(Some(code))
}

/// Forgets the code of an organisation that no tool is in.
#[boxed]
pub async fn sweep_code(c: &mut Conn, a: &Actor) -> Result<()> {
    c.effect(&SWEEP, args![&a.org]).await
}
