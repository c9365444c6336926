//! `docs/API-COMPAT.md` tells the truth: the routes it calls done exist, and those it calls planned do not.

use std::path::Path;

use mneme_tests::{Server, http_client};
use reqwest::Method;
use serde_json::Value;

struct Operation {
    method: Method,
    path: String,
    done: bool,
}

/// The rows of the page's tables: method, path, operation, state, notes.
fn operations() -> Vec<Operation> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/API-COMPAT.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    let (listed, _) = page.split_once("## Beyond the description").expect("the page has its last part");
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, method, path, _, state, ..] = cells[..] else {
            return None;
        };
        let method = method.parse().ok().filter(|_| path.starts_with("`/v1/"))?;
        Some(Operation { method, path: path.trim_matches('`').to_owned(), done: state == "**done**" })
    };
    listed.lines().filter_map(row).collect()
}

/// Whether a path with this operation's parameters filled in could be taken for that other route.
fn shadows(route: &Operation, other: &Operation) -> bool {
    let (route_parts, other_parts): (Vec<&str>, Vec<&str>) =
        (route.path.split('/').collect(), other.path.split('/').collect());
    route.method == other.method
        && route_parts.len() == other_parts.len()
        && route_parts.iter().zip(&other_parts).all(|(a, b)| a == b || a.starts_with('{') || b.starts_with('{'))
}

fn concrete(path: &str) -> String {
    let fill = |part: &str| {
        if part.starts_with('{') { "nobody".to_owned() } else { part.to_owned() }
    };
    path.split('/').map(fill).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn the_page_agrees_with_the_server() {
    let server = Server::builder().start().await;
    let operations = operations();
    assert_eq!(operations.len(), 190);
    let mut wrong = Vec::new();
    for operation in &operations {
        let is_shadowed = operations.iter().any(|other| other.done && shadows(other, operation));
        if !operation.done && is_shadowed {
            continue;
        }
        let url = format!("{}{}", server.url(), concrete(&operation.path));
        let answer = http_client().request(operation.method.clone(), url).send().await.expect("the server answers");
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.unwrap_or(Value::Null);
        // An object that is not there is a 404 too; only a route that is not there says no more than this.
        let exists = status != 405 && !(status == 404 && body["detail"] == "Not Found");
        if exists != operation.done {
            wrong.push(format!("{} {}: {status} {body}", operation.method, operation.path));
        }
    }
    assert!(wrong.is_empty(), "the page and the server disagree on:\n{}", wrong.join("\n"));
}
