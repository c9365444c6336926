//! The throw-away Postgres itself: usable, isolated, and gone when its owner is.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mneme_tests::Postgres;
use sqlx::{Connection, PgConnection};

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.expect("the URL accepts connections")
}

#[tokio::test]
async fn serves_sql_and_vectors() {
    let mut db = connect(&Postgres::shared().create_database()).await;
    let version: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::int / 10000")
        .fetch_one(&mut db)
        .await
        .unwrap();
    assert_eq!(version, 16);
    sqlx::query("CREATE EXTENSION vector").execute(&mut db).await.unwrap();
    let distance: f64 =
        sqlx::query_scalar("SELECT '[1,0]'::vector <-> '[1,3]'::vector").fetch_one(&mut db).await.unwrap();
    assert_eq!(distance, 3.0);
    let lowered: String = sqlx::query_scalar("SELECT lower('ÄÖ')").fetch_one(&mut db).await.unwrap();
    assert_eq!(lowered, "äö", "the cluster's locale knows more than ASCII");
}

#[tokio::test]
async fn databases_do_not_see_each_other() {
    let (one, other) = (Postgres::shared().create_database(), Postgres::shared().create_database());
    assert_ne!(one, other);
    sqlx::query("CREATE TABLE only_here (id int)").execute(&mut connect(&one).await).await.unwrap();
    let found: Option<String> = sqlx::query_scalar("SELECT to_regclass('only_here')::text")
        .fetch_one(&mut connect(&other).await)
        .await
        .unwrap();
    assert_eq!(found, None);
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let url = Postgres::shared().create_database();
    let (_, rest) = url.split_once('@').expect("the URL carries credentials");
    assert!(PgConnection::connect(&format!("postgres://mneme:wrong@{rest}")).await.is_err());
}

#[test]
fn drop_stops_the_server() {
    let postgres = Postgres::start();
    let port = postgres.port();
    assert!(reachable(port));
    drop(postgres);
    assert!(!reachable(port));
}

#[test]
fn a_killed_owner_takes_the_server_with_it() {
    let mut owner = Command::new(env!("CARGO_BIN_EXE_mneme-test-postgres"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the helper starts");
    let mut url = String::new();
    BufReader::new(owner.stdout.take().expect("stdout is piped")).read_line(&mut url).expect("the helper prints a URL");
    let port = url.rsplit(':').next().and_then(|rest| rest.split('/').next()).and_then(|port| port.parse().ok());
    let port: u16 = port.unwrap_or_else(|| panic!("no port in {url:?}"));
    assert!(reachable(port));
    owner.kill().expect("SIGKILL is delivered");
    owner.wait().expect("the helper ends");
    let deadline = Instant::now() + Duration::from_secs(20);
    while reachable(port) {
        assert!(Instant::now() < deadline, "Postgres outlived its owner");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn reachable(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}
