//! The database goes away or has no room: clients are told to come back, nothing is lost or half
//! written, and the server goes on by itself when the database is back.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use mneme_tests::{Postgres, Provider, Server};
use serde_json::{Value, json};
use sqlx::{Connection, Row, SqliteConnection};

mod support {
    pub mod line;
}
use support::line::Line;

async fn block(server: &Server, value: &str) -> (u16, Value) {
    server.post("/v1/blocks/", &json!({"label": "note", "value": value, "limit": 10_000_000})).await
}

/// Waits until the server takes a block again.
async fn recovered(server: &Server) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while block(server, "again").await.0 != 200 {
        assert!(Instant::now() < deadline, "it never came back:\n{}", server.log());
    }
}

#[tokio::test]
async fn a_postgres_that_restarts_is_waited_for() {
    let provider = Provider::start().await;
    let url = Postgres::shared().create_database();
    let mut line = Line::to(&url).await;
    let server = Server::builder().provider(&provider).database_url(&line.url()).start().await;
    let (status, kept) = block(&server, "kept").await;
    assert_eq!(status, 200, "{kept}");

    line.cut();
    for _ in 0..2 {
        let (status, body) = block(&server, "lost").await;
        assert_eq!((status, body["detail"].is_string()), (503, true), "{body}");
        let (status, body) = server.get("/v1/agents/").await;
        assert_eq!(status, 503, "{body}");
        assert!(!body.to_string().contains("postgres://"), "{body}");
    }
    let (status, _) = server.get("/v1/health/").await;
    assert_eq!(status, 200, "the server itself is well");

    line.restore().await;
    recovered(&server).await;
    let (status, read) = server.get(&format!("/v1/blocks/{}", kept["id"].as_str().unwrap())).await;
    assert_eq!((status, &read["value"]), (200, &json!("kept")));
    let (_, blocks) = server.get("/v1/blocks/?limit=100").await;
    assert!(!blocks.to_string().contains("lost"), "what was refused is not there: {blocks}");
}

#[tokio::test]
async fn a_postgres_that_hangs_holds_nobody_for_ever() {
    let provider = Provider::start().await;
    let url = Postgres::shared().create_database();
    let line = Line::to(&url).await;
    let builder = Server::builder().provider(&provider).database_url(&line.url());
    let server = builder.env("MNEME_DATABASE_CONNECTIONS", "2").start().await;
    assert_eq!(block(&server, "kept").await.0, 200);

    line.stall(true);
    let start = Instant::now();
    // More than there are connections: the others find the pool empty.
    let asked = (0..8).map(|_| block(&server, "late"));
    for (status, body) in futures::future::join_all(asked).await {
        assert_eq!(status, 503, "{body}");
    }
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    line.stall(false);
    recovered(&server).await;
}

/// A small file system in memory; only root can have one.
struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    fn mounted() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let disk = Self { folder };
        disk.mount(&["-t", "tmpfs", "-o", "size=6m", "tmpfs"]).then_some(disk)
    }

    fn mount(&self, options: &[&str]) -> bool {
        let ran = Command::new("mount").args(options).arg(self.folder.path()).output();
        ran.is_ok_and(|output| output.status.success())
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn database(&self) -> PathBuf {
        self.path().join("mneme.db")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the server may still have files open.
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).output();
    }
}

async fn intact(database: &Path) {
    let mut database = SqliteConnection::connect(&format!("sqlite:{}", database.display())).await.unwrap();
    let checked = sqlx::query("PRAGMA integrity_check").fetch_all(&mut database).await.unwrap();
    let checked: Vec<String> = checked.iter().map(|row| row.get(0)).collect();
    assert_eq!(checked, ["ok"]);
}

#[tokio::test]
async fn a_full_disk_is_told_and_harms_nothing() {
    let Some(disk) = SmallDisk::mounted() else {
        println!("SKIPPED: no file system can be mounted here (that takes root), so no full disk was tried");
        return;
    };
    let provider = Provider::start().await;
    let url = format!("sqlite:{}", disk.database().display());
    let mut server = Server::builder().provider(&provider).database_url(&url).start().await;
    let (_, kept) = block(&server, "kept").await;
    let path = format!("/v1/blocks/{}", kept["id"].as_str().unwrap());

    // Full.
    let filler = disk.path().join("filler");
    std::fs::write(&filler, vec![0; 1 << 20]).unwrap();
    let large = "x".repeat(400_000);
    let mut refused = None;
    for _ in 0..40 {
        let (status, body) = block(&server, &large).await;
        if status != 200 {
            refused = Some((status, body));
            break;
        }
    }
    let (status, body) = refused.expect("the disk is full some time");
    assert_eq!((status, body["detail"].is_string()), (503, true), "{body}");
    assert_eq!(server.get(&path).await.1["value"], "kept", "what is there can be read");
    std::fs::remove_file(&filler).unwrap();
    recovered(&server).await;

    server.kill();
    intact(&disk.database()).await;
    server.restart().await;
    assert_eq!(server.get(&path).await.1["value"], "kept");
}
