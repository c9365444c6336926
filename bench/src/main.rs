//! Measures the real server binary against an instant scripted model, both on this machine.
//!
//! `cargo xtask bench` builds the server and this program and runs them; `docs/BENCHMARKS.md` says what each measure
//! means.

mod catalogue;
mod client;
mod failure;
mod figures;
mod load;
mod measures;
mod options;
mod peer;
mod procfs;
mod provider;
mod report;
mod retired;
mod server;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use serde_json::{Value, json};

use catalogue::MEASURES;
use failure::{Failure, Result};
use measures::Bench;
use options::Options;
use provider::Provider;
use report::Row;
use server::Launch;

fn main() -> ExitCode {
    let options = Options::parse();
    if options.list {
        for measure in MEASURES {
            println!("{:16} {}", measure.name, measure.title);
        }
        return ExitCode::SUCCESS;
    }
    match run(&options) {
        Ok(rows) if rows.iter().any(Row::is_broken) => ExitCode::FAILURE,
        Ok(rows) if options.strict && rows.iter().any(Row::misses) => ExitCode::FAILURE,
        Ok(_) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<Vec<Row>> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::while_doing("starting"))?;
    // Stops when dropped, so it has to outlive the servers.
    let postgres = options.postgres.then(mneme_tests::Postgres::start);
    let made = postgres.as_ref().map(mneme_tests::Postgres::create_database);
    let provider = Provider::start()?;
    let launch = Launch {
        binary: binary(options)?,
        provider: provider.base_url(),
        database_url: options.database_url.clone().or(made),
    };
    let mut bench = Bench::new(options.clone(), launch.clone(), provider);
    runtime.block_on(async {
        let mut rows = Vec::new();
        println!("{}", report::head());
        for measure in MEASURES.iter().filter(|measure| options.wants(measure)) {
            let outcome = bench.measure(measure).await;
            let row = Row { measure, target: measure.target_on(launch.is_postgres()), outcome };
            println!("{}", row.line());
            rows.push(row);
        }
        println!();
        for note in rows.iter().filter_map(Row::note) {
            println!("{note}");
        }
        if let Some(path) = &options.json {
            report::write_json(path, circumstances(options, &launch, &bench), &rows)?;
        }
        bench.finish().await?;
        Ok(rows)
    })
}

/// The server's binary: as told, else beside this program.
fn binary(options: &Options) -> Result<PathBuf> {
    let binary = match &options.server {
        Some(binary) => binary.clone(),
        None => std::env::current_exe()
            .map_err(Failure::while_doing("finding the server's binary"))?
            .with_file_name("mneme"),
    };
    match binary.is_file() {
        true => Ok(binary),
        false => Err(Failure::Broken(format!("there is no server at {}", binary.display()))),
    }
}

fn circumstances(options: &Options, launch: &Launch, bench: &Bench) -> Value {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor =
        processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name);
    json!({
        "server": bench.version(),
        "database": if launch.is_postgres() { "postgres" } else { "sqlite" },
        "quick": options.quick,
        "optimised": !cfg!(debug_assertions),
        "cores": std::thread::available_parallelism().ok().map(usize::from),
        "processor": processor,
    })
}
