//! Files: a long PDF until it can be searched, and a search for a word in a folder of many files.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Bench;
use super::tool_call::step_of_call;
use super::{fixtures, requests};
use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::figures::Figures;
use crate::load::{self, Worker};
use crate::provider::MODELS;

/// Pages of the PDF.
const PAGES: usize = 300;
/// Lines of a page, each of some 75 characters.
const LINES: usize = 40;
/// Files of the folder; a tenth in quick runs.
const FILES: u64 = 1_000;
/// Lines of a file.
const FILE_LINES: usize = 60;
const INGESTS: u64 = 5;
const GREPS: u64 = 50;
/// How often the state of a file is asked for.
const LOOK: Duration = Duration::from_millis(20);
/// How long a file may take.
const PATIENCE: Duration = Duration::from_secs(120);

fn line(number: usize) -> String {
    format!(
        "Entry {number}: on day {} the harbour of town {} held {} boats and a few more.",
        number % 365,
        number % 89,
        number % 97
    )
}

/// A PDF of pages full of text.
fn pdf(seed: usize) -> Vec<u8> {
    let kids: String = (0..PAGES).map(|page| format!("{} 0 R ", 4 + 2 * page)).collect();
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        format!("<</Type/Pages/Kids[{kids}]/Count {PAGES}>>"),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
    ];
    for page in 0..PAGES {
        let lines: String =
            (0..LINES).map(|row| format!("({}) Tj 0 -16 Td ", line(seed + page * LINES + row))).collect();
        let stream = format!("BT /F1 11 Tf 40 760 Td {lines}ET");
        objects.push(format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents {} 0 R/Resources<</Font<</F1 3 0 R>>>>>>",
            5 + 2 * page
        ));
        objects.push(format!("<</Length {}>>stream\n{stream}\nendstream", stream.len()));
    }
    let mut out = b"%PDF-1.4\n".to_vec();
    let mut table = String::new();
    for (number, body) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", out.len()));
        out.extend_from_slice(format!("{} 0 obj{body} endobj\n", number + 1).as_bytes());
    }
    let (start, size) = (out.len(), objects.len() + 1);
    let tail = format!(
        "xref\n0 {size}\n0000000000 65535 f \n{table}trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF"
    );
    out.extend_from_slice(tail.as_bytes());
    out
}

async fn folder(client: &mut Client, name: &str) -> Result<String> {
    let body = json!({"name": name, "embedding": format!("openai/{}", MODELS[1])}).to_string();
    let body = client.post("/v1/folders/", body).await?;
    let folder: Value = serde_json::from_slice(&body).map_err(Failure::while_doing("a new folder"))?;
    let id = folder["id"].as_str().map(str::to_owned);
    id.ok_or_else(|| Failure::Broken("a new folder has no id".into()))
}

/// Waits until a file is ready.
async fn ready(client: &mut Client, folder: &str, file: &str) -> Result {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let body = client.get(&format!("/v1/sources/{folder}/files/{file}")).await?;
        let state: Value = serde_json::from_slice(&body).map_err(Failure::while_doing("a file's state"))?;
        match state["processing_status"].as_str() {
            Some("completed") if state["chunks_embedded"] == state["total_chunks"] => return Ok(()),
            Some("completed" | "error") => return Err(Failure::Broken(format!("a file was not read: {state}"))),
            _ => tokio::time::sleep(LOOK).await,
        }
    }
    Err(Failure::Broken("a file was not ready in time".into()))
}

struct Uploader {
    client: Client,
    folder: String,
    number: usize,
}

impl Worker for Uploader {
    async fn once(&mut self) -> Result<Duration> {
        self.number += 1;
        let content = pdf(self.number * 1_000_000);
        let begun = Instant::now();
        let path = format!("/v1/folders/{}/upload", self.folder);
        let body = self.client.upload(&path, &format!("{}.pdf", self.number), &content).await?;
        let file: Value = serde_json::from_slice(&body).map_err(Failure::while_doing(&path))?;
        let id = file["id"].as_str().ok_or_else(|| Failure::Broken("an upload has no id".into()))?;
        ready(&mut self.client, &self.folder, id).await?;
        Ok(begun.elapsed())
    }
}

struct Searcher {
    client: Client,
    agents: Vec<String>,
    number: usize,
}

impl Worker for Searcher {
    async fn once(&mut self) -> Result<Duration> {
        let agent = &self.agents[self.number % self.agents.len()];
        self.number += 1;
        let path = format!("/v1/agents/{agent}/messages");
        let message = json!({"messages": [{"role": "user", "content": "GREP needle please"}]}).to_string();
        let body = self.client.post(&path, message).await?;
        requests::check(&body, "Found 1 total matches")?;
        let turn: Value = serde_json::from_slice(&body).map_err(Failure::while_doing(&path))?;
        let step = step_of_call(&turn).ok_or_else(|| Failure::Broken("the tool return names no step".into()))?;
        let path = format!("/v1/steps/{step}/metrics");
        let body = self.client.get(&path).await?;
        let metrics: Value = serde_json::from_slice(&body).map_err(Failure::while_doing(&path))?;
        let took = metrics["tool_execution_ns"].as_u64().map(Duration::from_nanos);
        took.ok_or_else(|| Failure::Unserved(format!("{path} has no tool_execution_ns")))
    }
}

impl Bench {
    pub(super) async fn pdf_ingest(&mut self) -> Result<Figures> {
        let port = self.port().await?;
        let mut client = Client::connect(port).await?;
        let folder = folder(&mut client, "bench-pdf").await?;
        let mut workers = [Uploader { client, folder, number: 0 }];
        let (_, run) = self.options.limits(INGESTS);
        // The first one compiles the reader, unless that was done before.
        load::run(&mut workers, load::Limit { count: 1, ..run }).await?;
        let sample = load::run(&mut workers, run).await?;
        Ok(Figures::of_latencies(&sample))
    }

    pub(super) async fn grep_folder(&mut self) -> Result<Figures> {
        let port = self.port().await?;
        let mut client = Client::connect(port).await?;
        let folder = folder(&mut client, "bench-grep").await?;
        let count = self.options.limits(FILES).1.count;
        let path = format!("/v1/folders/{folder}/upload");
        for number in 0..count {
            let first = usize::try_from(number).unwrap_or(0) * FILE_LINES;
            let mut text: String = (first..first + FILE_LINES).map(|number| line(number) + "\n").collect();
            if number + 1 == count {
                text.push_str("and here is the needle\n");
            }
            let body = client.upload(&path, &format!("{number}.txt"), text.as_bytes()).await?;
            let file: Value = serde_json::from_slice(&body).map_err(Failure::while_doing(&path))?;
            let id = file["id"].as_str().ok_or_else(|| Failure::Broken("an upload has no id".into()))?;
            ready(&mut client, &folder, id).await?;
        }
        let agents = fixtures::agents(port, 5).await?;
        for agent in &agents {
            client.patch(&format!("/v1/agents/{agent}/folders/attach/{folder}"), "{}").await?;
        }
        let (warm_up, run) = self.options.limits(GREPS);
        let mut workers = [Searcher { client, agents, number: 0 }];
        load::run(&mut workers, warm_up).await?;
        let sample = load::run(&mut workers, run).await?;
        Ok(Figures { note: Some(format!("{count} files")), ..Figures::of_latencies(&sample) })
    }
}
