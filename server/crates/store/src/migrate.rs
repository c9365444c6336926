//! Migrations: the same numbers and names for both databases, compiled into the binary.

use mneme_domain::Actor;
use sha2::{Digest, Sha256};

use crate::{
    Conn, Engine, Result, StoreError, passages,
    sql::{args, statements},
    tenants,
};

/// One change of the schema.
pub(crate) struct Migration {
    pub(crate) version: i64,
    pub(crate) name: &'static str,
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

macro_rules! migration {
    ($version:expr, $name:literal) => {
        Migration {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../../../../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../../../../migrations/postgres/", $name, ".sql")),
        }
    };
}

/// After this one, what passages have is brought over by the server: PostgreSQL cannot read packed floats, and neither
/// splits words as the server does.
pub(crate) const VECTORS: i64 = 10;

/// Every migration, in order.
pub(crate) const MIGRATIONS: &[Migration] = &[
    migration!(1, "0001_first"),
    migration!(2, "0002_run_events"),
    migration!(3, "0003_packed_traces"),
    migration!(4, "0004_tool_policies"),
    migration!(5, "0005_tool_components"),
    migration!(6, "0006_archival"),
    migration!(7, "0007_keys_and_denials"),
    migration!(8, "0008_durable_runs"),
    migration!(9, "0009_files"),
    migration!(VECTORS, "0010_vectors"),
    migration!(11, "0011_vectors_moved"),
    migration!(12, "0012_batches"),
    migration!(13, "0013_identities"),
    migration!(14, "0014_mcp_servers"),
    migration!(15, "0015_trace_age"),
    migration!(16, "0016_groups"),
    migration!(17, "0017_templates"),
    migration!(18, "0018_packed"),
    migration!(19, "0019_vectors_place"),
];

statements! {
    // Held to the end of the transaction: one server migrates at a time. On SQLite the transaction itself is the lock.
    LOCK: "select pg_advisory_xact_lock(7237970109966541165)", sqlite: "select 1";
    CREATE: "create table if not exists schema_migrations (
            version bigint not null primary key, name text not null, checksum text not null, applied_at bigint not null)";
    EXISTS: "select count(*) from pg_catalog.pg_class where oid = to_regclass('schema_migrations')",
        sqlite: "select count(*) from sqlite_schema where type = 'table' and name = 'schema_migrations'";
    APPLIED: "select version, checksum from schema_migrations order by version";
    RECORD: "insert into schema_migrations (version, name, checksum, applied_at) values ($1, $2, $3, $4)";
    PGVECTOR: "select count(*) from pg_available_extensions where name = 'vector'", sqlite: "select 1";
    NEWEST: "select coalesce(max(version), 0) from schema_migrations";
}

fn checksum(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Applies what is missing, in the transaction of `c`, which the caller commits.
pub(crate) async fn run(c: &mut Conn, migrations: &[Migration]) -> Result<()> {
    c.run(&LOCK, args![]).await?;
    c.unhurried().await?;
    c.run(&CREATE, args![]).await?;
    let applied: Vec<(i64, String)> = c.all(&APPLIED, args![]).await?;
    let known = migrations.last().map_or(0, |migration| migration.version);
    if let Some((found, _)) = applied.last()
        && *found > known
    {
        return Err(StoreError::TooNew { found: *found, known });
    }
    for migration in migrations {
        let text = match c.engine() {
            Engine::Sqlite => migration.sqlite,
            Engine::Postgres => migration.postgres,
        };
        let checksum = checksum(text);
        match applied.iter().find(|(version, _)| *version == migration.version) {
            Some((_, recorded)) if *recorded == checksum => {}
            Some(_) => {
                return Err(StoreError::Corrupt(format!(
                    "migration {} was changed after it was applied",
                    migration.name
                )));
            }
            None => {
                // A new database gets all at once: not worth a line each.
                if applied.is_empty() {
                    tracing::debug!(migration = migration.name, "applying a migration");
                } else {
                    tracing::info!(migration = migration.name, "applying a migration");
                }
                if migration.version == VECTORS {
                    require_pgvector(c).await?;
                }
                c.script(text).await?;
                if migration.version == VECTORS {
                    passages::move_over(c).await?;
                }
                let now = c.context().env.now();
                c.run(&RECORD, args![migration.version, migration.name, checksum, now]).await?;
            }
        }
    }
    let now = c.context().env.now();
    tenants::ensure(c, &Actor::default_admin(), now).await
}

/// Says what is missing where PostgreSQL would only say that a file is.
async fn require_pgvector(c: &mut Conn) -> Result<()> {
    match c.one::<(i64,)>(&PGVECTOR, args![]).await? {
        Some((1..,)) => Ok(()),
        _ => Err(StoreError::Config(
            "this PostgreSQL has no pgvector, which is needed for search by meaning; install it on the database's machine \
             (on Debian the package postgresql-<version>-pgvector)"
                .into(),
        )),
    }
}

/// The schema's version; 0 of an empty database.
pub(crate) async fn version(c: &mut Conn) -> Result<i64> {
    let (tables,): (i64,) = c.one(&EXISTS, args![]).await?.unwrap_or_default();
    if tables == 0 {
        return Ok(0);
    }
    let (version,): (i64,) = c.one(&NEWEST, args![]).await?.unwrap_or_default();
    Ok(version)
}
