//! Model providers, by unique name within an organisation; their secrets are encrypted at rest.

use mneme_domain::{Actor, EntityId, Page, ProviderId, Timestamp, clock::from_micros};
use mneme_macros::boxed;

use crate::{
    Conn, Result, StoreError,
    page::Keyset,
    secrets::Place,
    sql::{Arg, args, statements},
};

/// A model provider. Its secrets are clear here, so `Debug` leaves them out.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredProvider {
    /// Identifier.
    pub id: ProviderId,
    /// The part of a handle before the slash; unique within the organisation.
    pub name: String,
    /// The wire format: `openai`, `anthropic`, …
    pub provider_type: String,
    /// `base` (set up by the operator) or `byok` (added by a user).
    pub category: String,
    /// Where its API is, when not at the usual place.
    pub base_url: Option<String>,
    /// The API key.
    pub api_key: Option<String>,
    /// A second credential that some providers want.
    pub access_key: Option<String>,
    /// The region, where a provider has several.
    pub region: Option<String>,
    /// The API's version, where a provider has several.
    pub api_version: Option<String>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl std::fmt::Debug for StoredProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredProvider")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("provider_type", &self.provider_type)
            .field("category", &self.category)
            .finish_non_exhaustive()
    }
}

/// The columns that [`ProviderRow`] reads, of `providers p`.
macro_rules! columns {
    () => {
        "p.id, p.name, p.provider_type, p.category, p.base_url, p.api_key_enc, p.access_key_enc, p.region, \
         p.api_version, p.created_at, p.updated_at"
    };
}

statements! {
    GET: concat!("select ", columns!(), " from providers p where p.org_id = $1 and p.id = $2");
    BY_NAME: concat!("select ", columns!(), " from providers p where p.org_id = $1 and p.name = $2");
    INSERT: "insert into providers (org_id, id, name, provider_type, category, base_url, api_key_enc, access_key_enc,
            region, api_version, created_at, updated_at, created_by_id, last_updated_by_id)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)";
    UPDATE: "update providers set name = $3, provider_type = $4, category = $5, base_url = $6, api_key_enc = $7,
            access_key_enc = $8, region = $9, api_version = $10, created_at = $11, updated_at = $12,
            last_updated_by_id = $13
        where org_id = $1 and id = $2";
    UPSERT_BASE: "insert into providers (org_id, id, name, provider_type, category, base_url, created_at, updated_at)
        values ($1, $2, $3, $4, 'base', $5, $6, $6)
        on conflict (org_id, name) do update set
            provider_type = excluded.provider_type, base_url = excluded.base_url, updated_at = excluded.updated_at
        where providers.category = 'base' and (providers.provider_type <> excluded.provider_type
            or providers.base_url is distinct from excluded.base_url)";
    DELETE: "delete from providers where org_id = $1 and id = $2";
}

const KEYSET: Keyset =
    Keyset { lookup: "select seq as key, seq from providers where org_id = ", key: None, seq: "p.seq" };

#[derive(mneme_macros::FromRow)]
struct ProviderRow {
    id: String,
    name: String,
    provider_type: String,
    category: String,
    base_url: Option<String>,
    api_key_enc: Option<String>,
    access_key_enc: Option<String>,
    region: Option<String>,
    api_version: Option<String>,
    created_at: i64,
    updated_at: i64,
}

/// Decrypts a row of the actor's organisation.
fn read(c: &Conn, a: &Actor, row: ProviderRow) -> Result<StoredProvider> {
    let context = c.context();
    let open = |name, stored: Option<String>| {
        stored.map(|stored| context.secrets.open(Place(a.org.as_str(), &row.id, name), &stored)).transpose()
    };
    Ok(StoredProvider {
        api_key: open("api_key", row.api_key_enc)?,
        access_key: open("access_key", row.access_key_enc)?,
        id: ProviderId::trusted(row.id),
        name: row.name,
        provider_type: row.provider_type,
        category: row.category,
        base_url: row.base_url,
        region: row.region,
        api_version: row.api_version,
        created_at: from_micros(row.created_at),
        updated_at: from_micros(row.updated_at),
    })
}

/// The arguments of `INSERT` and `UPDATE`.
fn arguments<'a>(c: &Conn, a: &'a Actor, provider: &'a StoredProvider) -> Result<Vec<Arg<'a>>> {
    let context = c.context();
    let seal = |name, secret: &Option<String>| {
        let place = Place(a.org.as_str(), provider.id.as_str(), name);
        secret.as_ref().map(|secret| context.secrets.seal(place, secret)).transpose()
    };
    Ok(args![
        &a.org,
        &provider.id,
        &provider.name,
        &provider.provider_type,
        &provider.category,
        &provider.base_url,
        seal("api_key", &provider.api_key)?,
        seal("access_key", &provider.access_key)?,
        &provider.region,
        &provider.api_version,
        provider.created_at,
        provider.updated_at,
        &a.user,
    ])
}

/// Makes sure that the operator's provider of this name exists with this type and URL, and returns it. A provider
/// that a user added under the name stays as it is and is returned.
#[boxed]
pub async fn upsert_base(
    c: &mut Conn,
    a: &Actor,
    name: &str,
    provider_type: &str,
    base_url: Option<&str>,
) -> Result<StoredProvider> {
    let env = c.context().env.clone();
    let id = ProviderId::from_uuid(env.uuid());
    c.run(&UPSERT_BASE, args![&a.org, &id, name, provider_type, base_url, env.now()]).await?;
    let row: Option<ProviderRow> = c.one(&BY_NAME, args![&a.org, name]).await?;
    read(c, a, row.ok_or(StoreError::NotFound)?)
}

/// Adds a provider; `Conflict("providers_org_id_name")` when its name is taken.
#[boxed]
pub async fn insert(c: &mut Conn, a: &Actor, provider: &StoredProvider) -> Result<()> {
    let arguments = arguments(c, a, provider)?;
    c.run(&INSERT, arguments).await.map(drop)
}

/// A provider.
#[boxed]
pub async fn get(c: &mut Conn, a: &Actor, id: &ProviderId) -> Result<Option<StoredProvider>> {
    let row: Option<ProviderRow> = c.one(&GET, args![&a.org, id]).await?;
    row.map(|row| read(c, a, row)).transpose()
}

/// A page of providers in the order of their creation, of a name and a type when these are given.
#[boxed]
pub async fn list(
    c: &mut Conn,
    a: &Actor,
    name: Option<&str>,
    provider_type: Option<&str>,
    page: &Page,
) -> Result<Vec<StoredProvider>> {
    let mut query = c.query(concat!("select ", columns!(), " from providers p where p.org_id = "));
    query.bind(&a.org).maybe(" and p.name = ", name).maybe(" and p.provider_type = ", provider_type);
    let rows: Vec<ProviderRow> = KEYSET.page(c, a, query, page).await?;
    rows.into_iter().map(|row| read(c, a, row)).collect()
}

/// Writes every field of a provider. [`StoreError::NotFound`] when there is none,
/// `Conflict("providers_org_id_name")` when its new name is taken.
#[boxed]
pub async fn update(c: &mut Conn, a: &Actor, provider: &StoredProvider) -> Result<()> {
    let arguments = arguments(c, a, provider)?;
    match c.run(&UPDATE, arguments).await? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

/// Removes a provider; false when there was none.
#[boxed]
pub async fn delete(c: &mut Conn, a: &Actor, id: &ProviderId) -> Result<bool> {
    Ok(c.run(&DELETE, args![&a.org, id]).await? > 0)
}
