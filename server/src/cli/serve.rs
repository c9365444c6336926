//! `mneme serve`: starts the server, and ends it in good order.

use std::{process::ExitCode, sync::Arc, time::Duration};

use mneme_core::Core;
use mneme_sandbox::Sandbox;
use mneme_store::Presence;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{CommandError, banner, discover, logging, resident, runtime, services};
use crate::{
    app::AppState,
    config::{Config, seconds},
    http::{
        door::Door,
        listener::{self, Limits},
    },
    router,
};

/// Runs the command.
pub fn run(config: Config) -> Result<ExitCode, CommandError> {
    logging::start(&config);
    let runtime = runtime()?;
    let outcome = runtime.block_on(serve(&config));
    // What is still blocked, on a file or a name server, must not hold the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome
}

async fn serve(config: &Config) -> Result<ExitCode, CommandError> {
    let stop = stop_on_signals()?;
    let address = config.address();
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| CommandError::new(format!("cannot listen on {address}"), error))?;
    let address = listener.local_addr().unwrap_or(address);
    let (core, _presence) = tokio::select! {
        opened = open(config, address.port()) => opened?,
        () = stop.cancelled() => return Ok(ExitCode::SUCCESS),
    };

    banner::show(config, address);
    tokio::spawn(banner::models(Arc::clone(&core), config.log_format));
    tokio::spawn(resident::after_start());
    let app = AppState::new(Arc::clone(&core), config);
    core.open_door(Arc::new(Door::new(app.clone())));
    let service = router::build(app);
    let drained = listener::serve(listener, service, Limits::new(config), stop.cancelled()).await;

    // Turns that go on without a client get what is left of the time.
    let stopped = Instant::now();
    let left = if drained { seconds(config.shutdown_seconds) } else { Duration::ZERO };
    core.shutdown(left).await;
    tracing::info!(in_time = drained, turns_ms = stopped.elapsed().as_millis() as u64, "stopped");
    Ok(ExitCode::SUCCESS)
}

async fn open(config: &Config, port: u16) -> Result<(Arc<Core>, Presence), CommandError> {
    services::data_dir(&config.data_dir)?;
    let (sandbox, llm) = (services::sandbox(config, Some(port))?, services::llm(config)?);
    tokio::spawn(reload_runtimes(sandbox.clone()));
    let mut providers = services::providers(config);
    let search =
        async { if providers.is_empty() && config.discover_local { discover::local(&llm).await } else { Vec::new() } };
    let database = async {
        let store = services::store(config).await?;
        let serve = |error| CommandError::new("cannot serve from the database", error);
        // Before the secrets' key is looked at, so that nobody changes it from then on.
        let presence = store.announce().await.map_err(serve)?;
        store.migrate().await.map_err(|error| CommandError::new("cannot bring the database up to date", error))?;
        Ok::<_, CommandError>((store, presence))
    };
    let (found, store) = tokio::join!(search, database);
    providers.extend(found);
    let (store, presence) = store?;
    let core = services::core(config, providers, store, sandbox, llm)?;
    core.start().await.map_err(|error| CommandError::new("cannot start", error))?;
    core.prepare_reader();
    Ok((core, presence))
}

/// The start does not wait for it, and a call that comes meanwhile waits for what is left.
async fn reload_runtimes(sandbox: Sandbox) {
    if let Err(error) = sandbox.reload_runtimes().await {
        tracing::warn!(%error, "a language runtime cannot be loaded");
    }
}

/// A token that the first SIGINT or SIGTERM cancels; the second one ends the process at once.
fn stop_on_signals() -> Result<CancellationToken, CommandError> {
    let on = |kind| signal(kind).map_err(|error| CommandError::new("cannot wait for signals", error));
    let (mut interrupt, mut terminate) = (on(SignalKind::interrupt())?, on(SignalKind::terminate())?);
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    tokio::spawn(async move {
        either(&mut interrupt, &mut terminate).await;
        tracing::info!("stopping; once more to stop at once");
        stopping.cancel();
        either(&mut interrupt, &mut terminate).await;
        std::process::exit(130);
    });
    Ok(stop)
}

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}
