//! The web of a test: answers by method and URL, and what was asked for.

use std::cell::RefCell;

use crate::ToolError;
use crate::http::{Request, Response};

/// Scripted answers and recorded requests.
#[derive(Debug, Default)]
pub struct Web {
    scripts: RefCell<Vec<Script>>,
    requests: RefCell<Vec<Request>>,
}

#[derive(Debug)]
struct Script {
    method: String,
    url: String,
    answer: Result<Response, ToolError>,
    used: bool,
}

impl Script {
    fn fits(&self, request: &Request) -> bool {
        let url = request.url.to_string();
        self.method == request.method && (self.url == url || self.url == url.split('?').next().unwrap_or_default())
    }
}

impl Web {
    pub fn script(&self, method: &str, url: &str, answer: Result<Response, ToolError>) {
        let script = Script { method: method.to_owned(), url: url.to_owned(), answer, used: false };
        self.scripts.borrow_mut().push(script);
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.borrow().clone()
    }

    pub fn exchange(&self, request: &Request) -> Result<Response, ToolError> {
        self.requests.borrow_mut().push(request.clone());
        let mut scripts = self.scripts.borrow_mut();
        let fresh = scripts.iter().position(|script| script.fits(request) && !script.used);
        let Some(chosen) = fresh.or_else(|| scripts.iter().rposition(|script| script.fits(request))) else {
            return Err(ToolError::failed(format!("the test has no answer to {} {}", request.method, request.url)));
        };
        scripts[chosen].used = true;
        let mut response = scripts[chosen].answer.clone()?;
        if response.body.len() > request.max_bytes {
            response.body.truncate(request.max_bytes);
            response.truncated = true;
        }
        Ok(response)
    }
}
