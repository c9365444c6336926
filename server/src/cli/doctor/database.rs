//! The database.

use mneme_store::{MasterKey, Store};

use super::Finding;
use crate::{cli::services, config::Config, master_key};

/// Opens the database and asks for its version. One that is not there yet is not made.
pub(super) async fn check(config: &Config) -> Finding {
    let database = config.database();
    let path = database.reveal().trim_start_matches("sqlite:").trim_start_matches("//");
    if database.is_sqlite() && !path.starts_with(':') && !std::path::Path::new(path).exists() {
        return Finding::Good(format!("{database} will be made at the first start"));
    }
    // Any key does for looking at the schema; the right one is another check's business.
    let key = match config.master_key_file().exists() || config.master_key.is_some() {
        true => master_key::load_or_create(config).map_or([0; 32], |key| *key.reveal()),
        false => [0; 32],
    };
    let key = MasterKey::new(key);
    let id = key.id();
    let store = match services::open(config, key).await {
        Ok(store) => store,
        Err(error) => return Finding::bad(error, fix(config)),
    };
    let finding = look(&store, &id).await.unwrap_or_else(|error| Finding::bad(error, fix(config)));
    store.close().await;
    finding
}

async fn look(store: &Store, key: &str) -> mneme_store::Result<Finding> {
    store.ping().await?;
    if let Some(used) = store.key_id().await?.filter(|used| used != key) {
        return Ok(Finding::bad(
            format!("it belongs to the master key {used}, and the one at hand is {key}"),
            "Give the right key. If a change of the key was interrupted, run `mneme keys rotate` again.",
        ));
    }
    let version = store.schema_version().await?;
    Ok(match version {
        0 => Finding::Notice("it is empty; `mneme migrate` or the first start sets it up".into()),
        version => Finding::Good(format!("it answers; its schema has version {version}")),
    })
}

fn fix(config: &Config) -> String {
    if config.database().is_sqlite() {
        "Check that the file belongs to this user and is a database of this server, or restore a backup.".into()
    } else {
        "Check that PostgreSQL runs there, and the user, password and database name in database_url.".into()
    }
}
