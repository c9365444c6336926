//! `mneme keys rotate`: another master key for every secret.
//!
//! The new key is on disk before a secret is encrypted under it, all secrets change in one transaction, and the old key
//! goes last. So whenever it is interrupted, the database is whole under a key that is still there, and the next run
//! (or the next start of the server) sees which one that is and does the rest.

use std::{path::Path, process::ExitCode};

use mneme_store::{MasterKey as StoreKey, Store};

use super::{CommandError, logging, runtime, services};
use crate::{
    config::Config,
    master_key::{self, MasterKey},
};

/// Names the new key, where the settings name the old one.
const NEW_KEY: &str = "MNEME_NEW_MASTER_KEY";

/// Runs the command.
pub fn rotate(config: &Config, new_key_file: Option<&Path>) -> Result<ExitCode, CommandError> {
    logging::start(config);
    let given = given(new_key_file)?;
    runtime()?.block_on(change(config, given))?;
    Ok(ExitCode::SUCCESS)
}

/// The new key that the operator gives, if any.
fn given(file: Option<&Path>) -> Result<Option<MasterKey>, CommandError> {
    let (text, from) = match file {
        Some(path) => {
            let wrong = |error| CommandError::new(format!("cannot read {}", path.display()), error);
            (Some(std::fs::read_to_string(path).map_err(wrong)?), path.display().to_string())
        }
        None => (std::env::var(NEW_KEY).ok().filter(|text| !text.trim().is_empty()), NEW_KEY.to_owned()),
    };
    text.map(|text| master_key::parse(&text)).transpose().map_err(|reason| CommandError::new(from, reason))
}

/// The old key and the new one. A new key that nobody gave is on disk already.
fn keys(config: &Config, given: Option<MasterKey>) -> Result<(MasterKey, MasterKey), CommandError> {
    if let Some(text) = &config.master_key {
        let old = master_key::parse(text.reveal()).map_err(|reason| CommandError::new("master_key", reason))?;
        let missing = || {
            let reason = format!("the settings name it, so name the new one in {NEW_KEY} or with --new-key-file");
            CommandError::new("cannot change the master key", reason)
        };
        return Ok((old, given.ok_or_else(missing)?));
    }
    let (path, next) = (config.master_key_file(), master_key::next_file(config));
    let unusable = |path: &Path, error| CommandError::new(format!("cannot use {}", path.display()), error);
    let old = master_key::read(&path).map_err(|error| unusable(&path, error))?;
    if next.exists() {
        let begun = master_key::read(&next).map_err(|error| unusable(&next, error))?;
        return match given {
            Some(given) if given != begun => {
                let reason = format!("a change to another key was interrupted; finish it first, without {NEW_KEY}");
                Err(CommandError::new("cannot change the master key", reason))
            }
            _ => Ok((old, begun)),
        };
    }
    let new = given.unwrap_or_else(master_key::fresh);
    master_key::write(&next, &new).map_err(|error| unusable(&next, error))?;
    Ok((old, new))
}

async fn change(config: &Config, given: Option<MasterKey>) -> Result<(), CommandError> {
    let in_file = config.master_key.is_none();
    let (old, new) = keys(config, given)?;
    let (old, new) = (StoreKey::from(&old), StoreKey::from(&new));
    if old.id() == new.id() {
        return Err(CommandError::new("cannot change the master key", "the new key is the old one"));
    }
    let store = services::open(config, old).await?;
    let moved = moved(&store, &new).await;
    store.close().await;
    // Whatever went wrong, the next key stays: a commit whose answer was lost may have happened.
    let moved = moved.map_err(|error| CommandError::new("cannot change the master key", error))?;
    let file = config.master_key_file();
    if in_file {
        // A server that starts in this moment does the same.
        let done = |_: &std::io::Error| master_key::read(&file).is_ok_and(|key| StoreKey::from(&key).id() == new.id());
        master_key::promote(config)
            .or_else(|error| if done(&error) { Ok(()) } else { Err(error) })
            .map_err(|error| CommandError::new(format!("cannot use {}", file.display()), error))?;
    }
    let database = config.database();
    match moved {
        Some(moved) => println!("{moved} secrets of {database} are encrypted under the key {} now", new.id()),
        None => println!("the secrets of {database} were encrypted under the key {} already", new.id()),
    }
    match in_file {
        true => println!("{} holds the new key; backups from before need the old one", file.display()),
        false => println!("name the new key in master_key before the next start"),
    }
    Ok(())
}

/// How many secrets moved; none when an earlier run has moved them.
async fn moved(store: &Store, new: &StoreKey) -> mneme_store::Result<Option<u64>> {
    if store.key_id().await? == Some(new.id()) {
        return Ok(None);
    }
    store.migrate().await?;
    store.change_key(new).await.map(Some)
}
