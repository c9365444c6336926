//! One kept-alive HTTP/1.1 connection. Thinner than a general client: it shares two cores with what it measures.

use std::net::Ipv4Addr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::failure::{Failure, Result};

/// How long any answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much of an unexpected answer a failure shows, in bytes.
const SHOWN: usize = 300;

const JSON: &str = "application/json";
const BOUNDARY: &str = "mneme-bench-boundary";

/// A client of a server on this machine.
#[derive(Debug)]
pub struct Client {
    port: u16,
    host: String,
    connection: SendRequest<Full<Bytes>>,
}

impl Client {
    /// Connects to a port of the loopback interface.
    pub async fn connect(port: u16) -> Result<Self> {
        let connection = open(port).await?;
        Ok(Self { port, host: format!("127.0.0.1:{port}"), connection })
    }

    /// `GET`: the body of a 200.
    pub async fn get(&mut self, path: &str) -> Result<Bytes> {
        self.call(Method::GET, path, Bytes::new()).await
    }

    /// `POST` of JSON: the body of a 200.
    pub async fn post(&mut self, path: &str, body: impl Into<Bytes>) -> Result<Bytes> {
        self.call(Method::POST, path, body.into()).await
    }

    /// `POST` of a form with one file: the body of a 200.
    pub async fn upload(&mut self, path: &str, name: &str, file: &[u8]) -> Result<Bytes> {
        let head =
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
        let body = [head.as_bytes(), file, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat();
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        self.call_with(Method::POST, path, &kind, body.into()).await
    }

    /// `PATCH` of JSON: the body of a 200.
    pub async fn patch(&mut self, path: &str, body: impl Into<Bytes>) -> Result<Bytes> {
        self.call(Method::PATCH, path, body.into()).await
    }

    /// `PUT` of JSON: the body of a 200.
    pub async fn put(&mut self, path: &str, body: impl Into<Bytes>) -> Result<Bytes> {
        self.call(Method::PUT, path, body.into()).await
    }

    /// `DELETE`: the body of a 200, or nothing of a 204.
    pub async fn delete(&mut self, path: &str) -> Result<Bytes> {
        self.call(Method::DELETE, path, Bytes::new()).await
    }

    async fn call(&mut self, method: Method, path: &str, body: Bytes) -> Result<Bytes> {
        self.call_with(method, path, JSON, body).await
    }

    async fn call_with(&mut self, method: Method, path: &str, kind: &str, body: Bytes) -> Result<Bytes> {
        let whole = async {
            let response = self.send(method, path, kind, body).await?;
            let status = response.status();
            let body = response.into_body().collect().await;
            let body = body.map_err(Failure::while_doing(path))?.to_bytes();
            accepted(path, status, body)
        };
        timeout(PATIENCE, whole).await.map_err(Failure::while_doing(path))?
    }

    /// `POST` of JSON that is answered by a stream: calls `look` with everything that has come so far, after each
    /// chunk, and reads to the end.
    pub async fn stream(&mut self, path: &str, body: impl Into<Bytes>, mut look: impl FnMut(&[u8])) -> Result {
        let whole = async {
            let response = self.send(Method::POST, path, JSON, body.into()).await?;
            let status = response.status();
            let mut body = response.into_body();
            let mut so_far = Vec::new();
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(Failure::while_doing(path))?;
                if let Some(data) = frame.data_ref() {
                    so_far.extend_from_slice(data);
                    look(&so_far);
                }
            }
            accepted(path, status, so_far.into()).map(drop)
        };
        timeout(PATIENCE, whole).await.map_err(Failure::while_doing(path))?
    }

    /// As [`Client::stream`], for long streams: only collects what comes.
    pub async fn stream_quietly(&mut self, path: &str, body: impl Into<Bytes>, all: &mut Vec<u8>) -> Result {
        let whole = async {
            let response = self.send(Method::POST, path, JSON, body.into()).await?;
            let status = response.status();
            let mut body = response.into_body();
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(Failure::while_doing(path))?;
                if let Some(data) = frame.data_ref() {
                    all.extend_from_slice(data);
                }
            }
            accepted(path, status, Bytes::copy_from_slice(&all[..all.len().min(SHOWN)])).map(drop)
        };
        timeout(PATIENCE, whole).await.map_err(Failure::while_doing(path))?
    }

    async fn send(&mut self, method: Method, path: &str, kind: &str, body: Bytes) -> Result<Response<Incoming>> {
        if self.connection.ready().await.is_err() {
            self.connection = open(self.port).await?;
        }
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.host)
            .header("user-agent", "mneme-bench")
            .header("content-type", kind)
            .body(Full::new(body))
            .map_err(Failure::while_doing(path))?;
        let sent = self.connection.send_request(request).await;
        sent.map_err(Failure::while_doing(path))
    }
}

async fn open(port: u16) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await;
    let stream = stream.map_err(Failure::while_doing("connecting"))?;
    stream.set_nodelay(true).map_err(Failure::while_doing("connecting"))?;
    let (connection, driver) =
        http1::handshake(TokioIo::new(stream)).await.map_err(Failure::while_doing("connecting"))?;
    // An error of the connection reaches whoever waits for an answer on it.
    tokio::spawn(driver);
    Ok(connection)
}

fn accepted(path: &str, status: StatusCode, body: Bytes) -> Result<Bytes> {
    if matches!(status, StatusCode::OK | StatusCode::NO_CONTENT) {
        return Ok(body);
    }
    let shown = String::from_utf8_lossy(&body[..body.len().min(SHOWN)]);
    let what = format!("{path} answered {status}: {shown}");
    match status.as_u16() {
        404 | 405 | 501 => Err(Failure::Unserved(what)),
        _ => Err(Failure::Broken(what)),
    }
}
