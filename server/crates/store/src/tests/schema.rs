//! Both databases have the same tables, and both take every statement.

use std::collections::BTreeSet;

use super::migrated;
use crate::{
    Engine, agents, archives, batches, blocks, client_tokens, conn, denials, files, folders, groups, identities, keys,
    mcp, messages, migrate, passages, presence, providers, runs,
    sql::{Arg, Sql, args},
    steps, templates, tenants, tools, variables, vectors,
};

fn all() -> Vec<(&'static str, &'static Sql)> {
    [
        agents::all_statements(),
        archives::all_statements(),
        batches::all_statements(),
        blocks::all_statements(),
        client_tokens::statements(),
        mcp::all_statements(),
        messages::all_statements(),
        conn::statements(),
        denials::statements(),
        files::all_statements(),
        folders::all_statements(),
        groups::all_statements(),
        identities::all_statements(),
        keys::statements(),
        migrate::statements(),
        passages::all_statements(),
        presence::statements(),
        providers::statements(),
        runs::all_statements(),
        steps::all_statements(),
        templates::statements(),
        tenants::statements(),
        tools::all_statements(),
        variables::statements(),
        vectors::all_statements(),
    ]
    .concat()
}

#[tokio::test]
async fn both_databases_take_every_statement() {
    let statements = all();
    assert!(statements.len() > 50, "{}", statements.len());
    for store in migrated().await {
        let mut c = store.read().await.unwrap();
        for (name, statement) in &statements {
            let prepared = c.prepare(statement).await;
            assert!(prepared.is_ok(), "{name} on {:?}: {prepared:?}", store.engine());
        }
    }
}

static SQLITE_COLUMNS: Sql = Sql::new(
    "",
    Some(
        "select t.name, c.name, c.\"notnull\" = 0 from pragma_table_list t join pragma_table_info(t.name) c
         where t.schema = 'main' and t.type = 'table' and t.name not like 'sqlite_%'",
    ),
);

static POSTGRES_COLUMNS: Sql = Sql::new(
    "select cast(table_name as text), cast(column_name as text), is_nullable = 'YES'
     from information_schema.columns where table_schema = current_schema()",
    None,
);

#[tokio::test]
async fn both_databases_have_the_same_columns() {
    let mut found = Vec::new();
    for store in migrated().await {
        let mut c = store.read().await.unwrap();
        let statement = match store.engine() {
            Engine::Sqlite => &SQLITE_COLUMNS,
            Engine::Postgres => &POSTGRES_COLUMNS,
        };
        let columns: Vec<(String, String, bool)> = c.all(statement, args![]).await.unwrap();
        // A secret that the change of a key does not know of would be lost by it.
        let sealed = columns.iter().filter(|(_, column, _)| column.ends_with("_enc"));
        let sealed: BTreeSet<String> = sealed.map(|(table, column, _)| format!("{table}.{column}")).collect();
        assert_eq!(sealed, keys::columns().into_iter().map(str::to_owned).collect::<BTreeSet<_>>());
        let mut columns: BTreeSet<_> = columns.into_iter().collect();
        // SQLite keeps its full-text index in a table of its own.
        for table in ["messages", "passages"] {
            columns.remove(&(table.to_owned(), "search".to_owned(), true));
        }
        found.push(columns);
    }
    assert!(found[0].len() > 150, "{}", found[0].len());
    let only: Vec<_> = found[0].symmetric_difference(&found[1]).collect();
    assert!(only.is_empty(), "{only:?}");
}

/// Statements that are about all there is, or about so little that going through it costs nothing.
const THOROUGH: &[&str] = &[
    "agents::DELETE",
    "batches::lease::DUE",
    "batches::lease::HAND_OVER",
    "blocks::DELETE",
    "client_tokens::SWEEP",
    "mcp::LIST",
    "mcp::COUNT",
    "denials::SWEEP",
    "files::CONTENTS",
    "files::work::DUE",
    "files::work::STRAGGLERS",
    "folders::COUNT",
    "folders::stats::TOTALS",
    "folders::stats::FOLDERS",
    "folders::stats::FILES",
    "identities::GET",
    "identities::GET_MANY",
    "identities::UPDATE",
    "identities::DELETE",
    "identities::attach::CLEAR_AGENTS",
    "keys::RECORDED",
    "migrate::EXISTS",
    "migrate::APPLIED",
    "runs::STOPPED",
    "runs::UNFINISHED",
    "runs::lease::LEAVE_ALL",
    "runs::lease::HAND_OVER",
    "runs::lease::DUE",
    "runs::lease::UNTOLD",
    "tools::component::SWEEP",
    "variables::LIST",
    "variables::VALUES",
    "variables::CLEAR",
    "variables::COUNT",
    "vectors::tidy::LOOSE",
];

#[tokio::test]
async fn sqlite_finds_rows_by_more_than_their_organisation() {
    let stores = migrated().await;
    let store = stores.iter().find(|store| store.engine() == Engine::Sqlite).unwrap();
    let mut c = store.read().await.unwrap();
    let mut thorough = Vec::new();
    for (name, statement) in all() {
        let text = statement.text(Engine::Sqlite);
        let explain: &'static str = Box::leak(format!("explain query plan {text}").into_boxed_str());
        let explain: &'static Sql = Box::leak(Box::new(Sql::new("", Some(explain))));
        let binds = (0..40).take_while(|bind| text.contains(&format!("${}", bind + 1))).map(|_| Arg::Text(None));
        let plan: Vec<(i64, i64, i64, String)> = c.all(explain, binds.collect()).await.unwrap();
        let whole = |step: &str| {
            let scans = step.starts_with("SCAN ") && !step.contains("VIRTUAL TABLE") && !step.contains("CONSTANT ROW");
            scans || step.ends_with("(org_id=?)")
        };
        if let Some((.., step)) = plan.into_iter().find(|(.., step)| whole(step)) {
            thorough.push((name.trim_start_matches("mneme_store::"), step));
        }
    }
    let unexpected: Vec<_> = thorough.iter().filter(|(name, _)| !THOROUGH.contains(name)).collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    assert_eq!(thorough.len(), THOROUGH.len(), "some are not thorough any more");
}
