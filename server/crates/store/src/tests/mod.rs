//! Tests that need the crate's insides: statements, schemas, migrations, what is written to disk.

mod full_disk;
mod migrations;
mod schema;
mod secrets;
mod traces;

use mneme_tests::Postgres;

use crate::{MasterKey, Store, StoreConfig};

/// An empty database of each kind.
async fn empty() -> [Store; 2] {
    let open = async |url: &str| Store::open(&StoreConfig::new(url, MasterKey::new([1; 32]))).await.unwrap();
    [open("sqlite::memory:").await, open(&Postgres::shared().create_database()).await]
}

/// A migrated database of each kind.
async fn migrated() -> [Store; 2] {
    let stores = empty().await;
    for store in &stores {
        store.migrate().await.unwrap();
    }
    stores
}
