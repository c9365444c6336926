//! Hostile and slow clients on real sockets.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::Request,
    routing::{get, post},
};
use futures::stream;
use mneme::http::listener::{Limits, serve};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(20);

struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    server: JoinHandle<bool>,
}

fn limits() -> Limits {
    Limits { connections: 16, header: LONG, write: LONG, drain: LONG }
}

async fn start(router: Router, limits: Limits) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let server = tokio::spawn(async move { serve(listener, router, limits, stopped.cancelled()).await });
    Running { address, stop, server }
}

fn hello() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

async fn connect(running: &Running) -> TcpStream {
    TcpStream::connect(running.address).await.unwrap()
}

/// What the server sends until it closes the connection.
async fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    // A reset is as good an end as any.
    let _ = timeout(LONG, stream.read_to_end(&mut text)).await.expect("the connection stays open");
    String::from_utf8_lossy(&text).into_owned()
}

const CLOSE: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn a_slow_head_is_cut_off_while_others_are_served() {
    let running = start(hello(), Limits { header: SHORT, ..limits() }).await;
    let mut slow = connect(&running).await;
    slow.write_all(b"GET / HTTP/1.1\r\nhost: loc").await.unwrap();
    let mut quick = connect(&running).await;
    quick.write_all(CLOSE).await.unwrap();
    assert!(rest(&mut quick).await.ends_with("hello"));
    let answer = rest(&mut slow).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let running = start(hello(), Limits { header: SHORT, ..limits() }).await;
    assert_eq!(rest(&mut connect(&running).await).await, "");
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let running = start(hello(), limits()).await;
    let mut stream = connect(&running).await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n").await.unwrap();
    let line = format!("x-filler: {}\r\n", "x".repeat(1000));
    let flood = async { while stream.write_all(line.as_bytes()).await.is_ok() {} };
    timeout(LONG, flood).await.expect("the server reads for ever");
}

#[tokio::test]
async fn no_more_connections_than_allowed_are_served_at_once() {
    let running = start(hello(), Limits { connections: 2, ..limits() }).await;
    let (first, second) = (connect(&running).await, connect(&running).await);
    let mut third = connect(&running).await;
    third.write_all(CLOSE).await.unwrap();
    let mut byte = [0];
    assert!(timeout(SHORT, third.read(&mut byte)).await.is_err(), "the third has to wait");
    drop(first);
    assert!(rest(&mut third).await.ends_with("hello"));
    drop(second);
}

/// A route that streams until its reader is gone, and reports then.
fn endless() -> (Router, mpsc::Receiver<()>) {
    struct Report(mpsc::Sender<()>);
    impl Drop for Report {
        fn drop(&mut self) {
            let _ = self.0.try_send(());
        }
    }
    let (sender, ended) = mpsc::channel(8);
    let handler = move || {
        let report = Report(sender.clone());
        async move {
            Body::from_stream(stream::repeat_with(move || {
                let _ = &report;
                Ok::<_, Infallible>("x".repeat(64 << 10))
            }))
        }
    };
    (Router::new().route("/", get(handler)), ended)
}

#[tokio::test]
async fn a_reader_that_never_reads_is_cut_off() {
    let (router, mut ended) = endless();
    let running = start(router, Limits { write: SHORT, ..limits() }).await;
    let mut stream = connect(&running).await;
    stream.write_all(CLOSE).await.unwrap();
    timeout(LONG, ended.recv()).await.expect("the answer is held for ever").unwrap();
}

#[tokio::test]
async fn a_reader_that_leaves_ends_its_stream() {
    let (router, mut ended) = endless();
    let running = start(router, limits()).await;
    let mut stream = connect(&running).await;
    stream.write_all(CLOSE).await.unwrap();
    let mut some = [0; 1024];
    assert!(stream.read(&mut some).await.unwrap() > 0);
    drop(stream);
    timeout(LONG, ended.recv()).await.expect("the stream goes on").unwrap();
}

/// A route whose answer waits for the test.
fn gated() -> (Router, mpsc::Receiver<()>, CancellationToken) {
    let gate = CancellationToken::new();
    let opened = gate.clone();
    let (begun, begins) = mpsc::channel(64);
    let handler = move |_: Request| {
        let (opened, begun) = (opened.clone(), begun.clone());
        async move {
            begun.send(()).await.unwrap();
            opened.cancelled().await;
            "done"
        }
    };
    (Router::new().route("/", get(handler.clone())).route("/post", post(handler)), begins, gate)
}

#[tokio::test]
async fn what_is_under_way_ends_before_the_server_does() {
    let (router, mut begins, gate) = gated();
    let running = start(router, limits()).await;
    let mut streams = Vec::new();
    for _ in 0..10 {
        let mut stream = connect(&running).await;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        begins.recv().await.unwrap();
        streams.push(stream);
    }
    let idle = connect(&running).await;
    running.stop.cancel();
    while TcpStream::connect(running.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!running.server.is_finished(), "the server waits for its requests");
    gate.cancel();
    for stream in &mut streams {
        assert!(rest(stream).await.ends_with("done"));
    }
    assert!(timeout(LONG, running.server).await.expect("the server does not end").unwrap());
    drop(idle);
}

#[tokio::test]
async fn the_server_does_not_wait_for_ever() {
    let (router, mut begins, _gate) = gated();
    let running = start(router, Limits { drain: SHORT, ..limits() }).await;
    let mut stream = connect(&running).await;
    stream.write_all(CLOSE).await.unwrap();
    begins.recv().await.unwrap();
    running.stop.cancel();
    let in_time = timeout(LONG, running.server).await.expect("the server does not end").unwrap();
    assert!(!in_time);
}
