//! Templates, their versions, and which agents were made from them.

use mneme_domain::{
    Actor, AgentId, TemplateId, Timestamp,
    clock::from_micros,
    template::{Template, TemplateState, TemplateVersion},
};
use mneme_macros::boxed;

use crate::{
    Conn, Result, StoreError, json,
    sql::{args, statements},
};

/// The columns that [`TemplateRow`] reads, of `templates t`.
macro_rules! columns {
    () => {
        "t.id, t.name, t.description, t.created_at, t.updated_at, \
         (select coalesce(max(v.number), 0) from template_versions v \
          where v.org_id = t.org_id and v.template_id = t.id) as latest"
    };
}

statements! {
    ADD: "insert into templates (id, org_id, name, description, working, created_at, updated_at, created_by_id)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";
    BY_NAME: concat!("select ", columns!(), " from templates t where t.org_id = $1 and t.name = $2");
    WORKING: "select working from templates where org_id = $1 and id = $2";
    SET_WORKING: "update templates set working = $3, updated_at = $4 where org_id = $1 and id = $2";
    RENAME: "update templates set name = $3, updated_at = $4 where org_id = $1 and id = $2";
    DESCRIBE: "update templates set description = $3, updated_at = $4 where org_id = $1 and id = $2";
    DELETE: "delete from templates where org_id = $1 and id = $2";
    ADD_VERSION: "insert into template_versions (id, org_id, template_id, number, message, state, created_at)
        values ($1, $2, $3, $4, $5, $6, $7)";
    TOUCH: "update templates set updated_at = $3 where org_id = $1 and id = $2";
    VERSION: "select id, number, message, state, created_at from template_versions
        where org_id = $1 and template_id = $2 and number = $3";
    VERSIONS: "select id, number, message, created_at from template_versions
        where org_id = $1 and template_id = $2 order by number desc limit $3 offset $4";
    COUNT_VERSIONS: "select count(*) from template_versions where org_id = $1 and template_id = $2";
    DEPLOYED: "select id from agents where org_id = $1 and deployment_id = $2 and base_template_id = $3 order by seq";
    MADE: "select id from agents where org_id = $1 and base_template_id = $2 order by seq";
}

/// Which templates a list holds.
#[derive(Debug, Clone, Default)]
pub struct TemplateFilter {
    /// The exact identifier.
    pub id: Option<String>,
    /// The exact name.
    pub name: Option<String>,
    /// A part of the name, whatever the case.
    pub search: Option<String>,
    /// Only templates with a version of this number.
    pub version: Option<i64>,
    /// By the time when they were made instead of the time of the last change.
    pub by_creation: bool,
    /// How many at most.
    pub limit: i64,
    /// How many to leave out before.
    pub offset: i64,
}

#[derive(mneme_macros::FromRow)]
struct TemplateRow {
    id: String,
    name: String,
    description: Option<String>,
    created_at: i64,
    updated_at: i64,
    latest: i64,
}

impl From<TemplateRow> for Template {
    fn from(row: TemplateRow) -> Self {
        Self {
            id: TemplateId::trusted(row.id),
            name: row.name,
            description: row.description,
            latest: row.latest,
            created_at: from_micros(row.created_at),
            updated_at: from_micros(row.updated_at),
        }
    }
}

#[derive(mneme_macros::FromRow)]
struct VersionRow {
    id: String,
    number: i64,
    message: Option<String>,
    created_at: i64,
}

impl From<VersionRow> for TemplateVersion {
    fn from(row: VersionRow) -> Self {
        Self {
            id: TemplateId::trusted(row.id),
            number: row.number,
            message: row.message,
            created_at: from_micros(row.created_at),
        }
    }
}

/// Adds a template without versions. [`StoreError::Conflict`] when the name is taken.
#[boxed]
pub async fn insert(c: &mut Conn, a: &Actor, template: &Template, working: &TemplateState) -> Result<()> {
    let row = args![
        &template.id,
        &a.org,
        &template.name,
        &template.description,
        json::text(working)?,
        template.created_at,
        template.updated_at,
        &a.user
    ];
    c.run(&ADD, row).await.map(drop)
}

/// The template of a name.
#[boxed]
pub async fn by_name(c: &mut Conn, a: &Actor, name: &str) -> Result<Option<Template>> {
    Ok(c.one::<TemplateRow>(&BY_NAME, args![&a.org, name]).await?.map(Template::from))
}

/// Templates, the newest first.
#[boxed]
pub async fn list(c: &mut Conn, a: &Actor, filter: &TemplateFilter) -> Result<Vec<Template>> {
    let mut query = c.query(concat!("select ", columns!(), " from templates t where t.org_id = "));
    query.bind(&a.org).maybe(" and t.id = ", filter.id.as_deref()).maybe(" and t.name = ", filter.name.as_deref());
    if let Some(part) = &filter.search {
        query.and_contains("t.name", part);
    }
    if let Some(number) = filter.version {
        query.push(" and exists (select 1 from template_versions n where n.org_id = t.org_id and n.template_id = t.id");
        query.with(" and n.number = ", number).push(")");
    }
    query.push(if filter.by_creation { " order by t.seq desc" } else { " order by t.updated_at desc, t.seq desc" });
    query.with(" limit ", filter.limit).with(" offset ", filter.offset);
    let rows: Vec<TemplateRow> = c.query_all(query).await?;
    Ok(rows.into_iter().map(Template::from).collect())
}

/// The state that is edited. [`StoreError::NotFound`] when there is no such template.
#[boxed]
pub async fn working(c: &mut Conn, a: &Actor, id: &TemplateId) -> Result<TemplateState> {
    let (text,): (String,) = c.one(&WORKING, args![&a.org, id]).await?.ok_or(StoreError::NotFound)?;
    json::value("templates.working", &text)
}

/// Replaces the state that is edited.
#[boxed]
pub async fn set_working(
    c: &mut Conn,
    a: &Actor,
    id: &TemplateId,
    state: &TemplateState,
    now: Timestamp,
) -> Result<()> {
    changed(c.run(&SET_WORKING, args![&a.org, id, json::text(state)?, now]).await?)
}

/// Gives a template another name. [`StoreError::Conflict`] when it is taken.
#[boxed]
pub async fn rename(c: &mut Conn, a: &Actor, id: &TemplateId, name: &str, now: Timestamp) -> Result<()> {
    changed(c.run(&RENAME, args![&a.org, id, name, now]).await?)
}

/// Says what a template is for.
#[boxed]
pub async fn describe(
    c: &mut Conn,
    a: &Actor,
    id: &TemplateId,
    description: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    changed(c.run(&DESCRIBE, args![&a.org, id, description, now]).await?)
}

fn changed(rows: u64) -> Result<()> {
    if rows == 0 { Err(StoreError::NotFound) } else { Ok(()) }
}

/// Removes a template with its versions; agents that were made from it stay. False when there was none.
#[boxed]
pub async fn delete(c: &mut Conn, a: &Actor, id: &TemplateId) -> Result<bool> {
    Ok(c.run(&DELETE, args![&a.org, id]).await? > 0)
}

/// Adds a version. [`StoreError::Conflict`] when somebody else has just saved one of this number.
#[boxed]
pub async fn add_version(
    c: &mut Conn,
    a: &Actor,
    template: &TemplateId,
    version: &TemplateVersion,
    state: &TemplateState,
) -> Result<()> {
    let row =
        args![&version.id, &a.org, template, version.number, &version.message, json::text(state)?, version.created_at];
    c.run(&ADD_VERSION, row).await?;
    changed(c.run(&TOUCH, args![&a.org, template, version.created_at]).await?)
}

/// A version with its state.
#[boxed]
pub async fn version(
    c: &mut Conn,
    a: &Actor,
    template: &TemplateId,
    number: i64,
) -> Result<Option<(TemplateVersion, TemplateState)>> {
    let row: Option<(String, i64, Option<String>, String, i64)> =
        c.one(&VERSION, args![&a.org, template, number]).await?;
    let Some((id, number, message, state, created_at)) = row else { return Ok(None) };
    let version = TemplateVersion { id: TemplateId::trusted(id), number, message, created_at: from_micros(created_at) };
    Ok(Some((version, json::value("template_versions.state", &state)?)))
}

/// The versions of a template, the newest first, and how many there are in all.
#[boxed]
pub async fn versions(
    c: &mut Conn,
    a: &Actor,
    template: &TemplateId,
    limit: i64,
    offset: i64,
) -> Result<(Vec<TemplateVersion>, i64)> {
    let rows: Vec<VersionRow> = c.all(&VERSIONS, args![&a.org, template, limit, offset]).await?;
    let (count,): (i64,) = c.one(&COUNT_VERSIONS, args![&a.org, template]).await?.unwrap_or_default();
    Ok((rows.into_iter().map(TemplateVersion::from).collect(), count))
}

/// The agents of a deployment of a template, oldest first.
#[boxed]
pub async fn deployed(c: &mut Conn, a: &Actor, template: &TemplateId, deployment: &str) -> Result<Vec<AgentId>> {
    let rows: Vec<(String,)> = c.all(&DEPLOYED, args![&a.org, deployment, template]).await?;
    Ok(rows.into_iter().map(|(id,)| AgentId::trusted(id)).collect())
}

/// The agents that were made from any version of a template, oldest first.
#[boxed]
pub async fn agents_of(c: &mut Conn, a: &Actor, template: &TemplateId) -> Result<Vec<AgentId>> {
    let rows: Vec<(String,)> = c.all(&MADE, args![&a.org, template]).await?;
    Ok(rows.into_iter().map(|(id,)| AgentId::trusted(id)).collect())
}
