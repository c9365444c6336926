//! A large archive: a hundred thousand passages of 384 dimensions, filled in batches, searched by words and meaning.

use std::cell::Cell;
use std::collections::HashSet;
use std::fs;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;
use tempfile::TempDir;

use super::{Bench, home, timed};
use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::figures::Figures;
use crate::load::{self, Sample, Worker};
use crate::measures::requests::{Call, Requests};
use crate::procfs;
use crate::provider::words;
use crate::server::Server;

/// Passages of the archive; a hundredth in quick runs.
const PASSAGES: u32 = 100_000;
/// Passages of a request.
const BATCH: u32 = 500;
/// Connections that fill.
const FILLERS: u32 = 2;
/// Searches that are timed.
const SEARCHES: u64 = 2_000;
/// Searches whose results are compared with the exact ones.
const COMPARED: u32 = 100;
/// What the server says when new vectors are where large searches look.
const IN_ORDER: &str = "vectors are in order";
/// How long that may take after the last insert.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// The archive with its server.
#[derive(Debug)]
pub struct Large {
    server: Server,
    home: TempDir,
    archive: String,
    count: u32,
    inserted: Figures,
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

#[derive(Deserialize)]
struct Hit {
    passage: Found,
    metadata: Ranks,
}

#[derive(Deserialize)]
struct Found {
    text: String,
}

#[derive(Deserialize)]
struct Ranks {
    vector_rank: Option<u32>,
}

/// A number that only depends on two others.
fn mixed(one: u32, other: u32) -> u32 {
    let mut x = (u64::from(one) << 32 | u64::from(other)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x ^= x >> 29;
    x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (x >> 32) as u32
}

/// A word of a topic, or one that turns up everywhere, the first of them most often.
fn word(topic: u32, seed: u32, place: u32) -> String {
    let random = mixed(seed, place);
    match place % 4 {
        0 => {
            let share = f64::from(random) / f64::from(u32::MAX);
            format!("common{}", (2_000_f64.powf(share)) as u32)
        }
        _ => format!("topic{topic}word{}", random % 60),
    }
}

/// A passage: a number of its own, and a dozen words.
fn text(number: u32) -> String {
    let topic = mixed(number, 1) % 700;
    let words: Vec<String> = (0..12).map(|place| word(topic, number, place + 10)).collect();
    format!("Note n{number}: {}.", words.join(" "))
}

/// A question about some topic.
fn question(number: u32) -> String {
    let topic = mixed(number, 2) % 700;
    let words: Vec<String> = (0..5).map(|place| word(topic, number ^ 0x5555_5555, place + 100)).collect();
    words.join(" ")
}

/// Sends batches; each counts as one operation.
struct Filler {
    client: Client,
    path: String,
    /// The first passage of the next batch, whoever sends it.
    next: Rc<Cell<u32>>,
    end: u32,
}

impl Worker for Filler {
    async fn once(&mut self) -> Result<Duration> {
        let from = self.next.get();
        self.next.set(from + BATCH);
        let bodies: Vec<_> = (from..(from + BATCH).min(self.end)).map(|number| json!({"text": text(number)})).collect();
        let begun = Instant::now();
        self.client.post(&self.path, json!({"passages": bodies}).to_string()).await?;
        Ok(begun.elapsed())
    }
}

impl Bench {
    /// Fills the archive; passages a second.
    pub(super) async fn large_insert(&mut self) -> Result<Figures> {
        Ok(self.large().await?.inserted.clone())
    }

    /// Searches by words and meaning.
    pub(super) async fn large_search(&mut self) -> Result<Figures> {
        self.large().await?;
        let Some(large) = &self.large else { return Err(Failure::Broken("no archive".into())) };
        let mut number = 1_000_000;
        let make = || {
            number += 1;
            search(&large.archive, &question(number), 10)
        };
        let mut workers = [Requests::new(large.server.port, "passage", make).await?];
        let (warm_up, run) = self.options.limits(SEARCHES);
        load::run(&mut workers, warm_up).await?;
        let mut figures = timed(&large.server, &mut workers, run).await?;
        let memory = procfs::memory(large.server.pid())?;
        figures.note = Some(format!("server at {:.0} MiB", memory.resident));
        Ok(figures)
    }

    /// How much of the exact answer the search by meaning finds.
    pub(super) async fn large_recall(&mut self) -> Result<Figures> {
        let large = self.large().await?;
        let begun = Instant::now();
        let recall = recall(large).await?;
        Ok(Figures {
            count: COMPARED as usize,
            seconds: begun.elapsed().as_secs_f64(),
            recall: Some(recall),
            note: Some(format!("{COMPARED} questions, against the cosine with all {} passages", large.count)),
            ..Figures::default()
        })
    }

    /// The first search of a server that was just started on the archive.
    pub(super) async fn large_first(&mut self) -> Result<Figures> {
        self.large().await?;
        let Some(large) = self.large.take() else { return Err(Failure::Broken("no archive".into())) };
        large.server.stop().await?;
        let begun = Instant::now();
        let mut firsts = Vec::new();
        for round in 0..5 {
            let server = self.launch.start(large.home.path()).await?;
            let mut client = Client::connect(server.port).await?;
            let Call::Post(path, body) = search(&large.archive, &question(2_000_000 + round), 10) else { continue };
            let asked = Instant::now();
            client.post(&path, body).await?;
            firsts.push(asked.elapsed());
            server.stop().await?;
        }
        Ok(Figures::of_latencies(&Sample::new(firsts, begun.elapsed())))
    }

    /// The archive, filled when the first measure needs it.
    async fn large(&mut self) -> Result<&Large> {
        if self.large.is_none() {
            self.large = Some(self.fill().await?);
        }
        self.large.as_ref().ok_or_else(|| Failure::Broken("no archive".into()))
    }

    async fn fill(&self) -> Result<Large> {
        let count = if self.options.quick { PASSAGES / 100 } else { PASSAGES };
        let home = home()?;
        let server = self.launch.start(home.path()).await?;
        let mut client = Client::connect(server.port).await?;
        let body = json!({"name": "large", "embedding_config": {
            "embedding_endpoint_type": "openai", "embedding_model": words::MODEL, "embedding_dim": words::DIMENSIONS,
            "handle": format!("openai/{}", words::MODEL),
        }});
        let answer = client.post("/v1/archives/", body.to_string()).await?;
        let archive: Made = serde_json::from_slice(&answer).map_err(Failure::while_doing("a new archive"))?;
        let path = format!("/v1/archives/{}/passages/batch", archive.id);
        let next = Rc::new(Cell::new(0));
        let mut fillers = Vec::new();
        for _ in 0..FILLERS {
            let client = Client::connect(server.port).await?;
            fillers.push(Filler { client, path: path.clone(), next: Rc::clone(&next), end: count });
        }
        let limit = load::Limit { time: PATIENCE, count: u64::from(count.div_ceil(BATCH)) };
        let batches = timed(&server, &mut fillers, limit).await?;
        let each = |figure: Option<f64>| figure.map(|figure| figure / f64::from(BATCH));
        let inserted = Figures {
            count: count as usize,
            rate: batches.rate.map(|rate| rate * f64::from(BATCH)),
            server_cpu_ms: each(batches.server_cpu_ms),
            bench_cpu_ms: each(batches.bench_cpu_ms),
            note: Some(format!("batches of {BATCH} from {FILLERS} clients; latencies are of a batch")),
            ..batches
        };
        let settled = Instant::now();
        self.wait_until_in_order(&home).await?;
        let note = inserted.note.clone().unwrap_or_default();
        let note = Some(format!("{note}; in the index {:.0} s after the last", settled.elapsed().as_secs_f64()));
        Ok(Large { server, home, archive: archive.id, count, inserted: Figures { note, ..inserted } })
    }

    /// Waits until the server has put new vectors where large searches look.
    async fn wait_until_in_order(&self, home: &TempDir) -> Result {
        let log = home.path().join("log");
        let said = || fs::read_to_string(&log).unwrap_or_default().matches(IN_ORDER).count();
        let (begun, before) = (Instant::now(), said());
        // SQLite is as a rule done before the last insert is; PostgreSQL needs minutes.
        let least = Duration::from_secs(if self.launch.database_url.is_some() { 900 } else { 10 });
        while begun.elapsed() < PATIENCE.min(least) && said() == before {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        Ok(())
    }
}

fn search(archive: &str, query: &str, limit: u32) -> Call {
    let body = json!({"query": query, "archive_id": archive, "limit": limit});
    Call::Post("/v1/passages/search".into(), body.to_string().into())
}

/// The share of the exact ten nearest that the search's list by meaning has among its first ten.
async fn recall(large: &Large) -> Result<f64> {
    let vectors: Vec<(String, Vec<f32>)> = (0..large.count)
        .map(|number| {
            let text = text(number);
            let vector = words::vector(&text);
            (text, vector)
        })
        .collect();
    let mut client = Client::connect(large.server.port).await?;
    let (mut hits, mut all) = (0, 0);
    for number in 0..COMPARED {
        let query = question(3_000_000 + number);
        let wanted = words::vector(&query);
        let score = |vector: &[f32]| wanted.iter().zip(vector).map(|(x, y)| x * y).sum::<f32>();
        let mut exact: Vec<(f32, &str)> = vectors.iter().map(|(text, vector)| (score(vector), text.as_str())).collect();
        exact.sort_by(|one, two| two.0.total_cmp(&one.0));
        let Call::Post(path, body) = search(&large.archive, &query, 40) else { continue };
        let answer = client.post(&path, body).await?;
        let found: Vec<Hit> = serde_json::from_slice(&answer).map_err(Failure::while_doing("a search's answer"))?;
        let near = found.iter().filter(|hit| hit.metadata.vector_rank.is_some_and(|rank| rank <= 10));
        let near: HashSet<&str> = near.map(|hit| hit.passage.text.as_str()).collect();
        all += 10;
        hits += exact[..10].iter().filter(|(_, text)| near.contains(text)).count();
    }
    Ok(hits as f64 / f64::from(all))
}
