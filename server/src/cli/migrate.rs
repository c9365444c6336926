//! `mneme migrate`: brings the schema up to date without starting the server.

use std::process::ExitCode;

use super::{CommandError, logging, runtime, services};
use crate::config::Config;

/// Runs the command.
pub fn run(config: Config) -> Result<ExitCode, CommandError> {
    logging::start(&config);
    runtime()?.block_on(migrate(&config))?;
    Ok(ExitCode::SUCCESS)
}

async fn migrate(config: &Config) -> Result<(), CommandError> {
    services::data_dir(&config.data_dir)?;
    let store = services::store(config).await?;
    let failed = |error| CommandError::new("cannot migrate the database", error);
    let before = store.schema_version().await.map_err(failed)?;
    store.migrate().await.map_err(failed)?;
    let after = store.schema_version().await.map_err(failed)?;
    store.close().await;
    let database = config.database();
    if before == after {
        println!("{database} is up to date (version {after})");
    } else {
        println!("{database} was brought from version {before} to {after}");
    }
    Ok(())
}
