//! A small Python tool, run by itself.

use serde_json::json;

use super::Bench;
use super::requests::{Call, Requests};
use crate::failure::Result;
use crate::figures::Figures;

const COUNT: u64 = 3_000;
const SOURCE: &str = r#"
def total(first: int, second: int) -> int:
    """
    Adds two numbers.

    Args:
        first (int): One number.
        second (int): The other number.

    Returns:
        int: Their sum.
    """
    return first + second
"#;

impl Bench {
    pub(super) async fn python_tool(&mut self) -> Result<Figures> {
        let port = self.port().await?;
        let mut number = 0;
        let make = || {
            number += 1;
            let arguments = json!({"first": number, "second": 1});
            let body = json!({"source_code": SOURCE, "source_type": "python", "name": "total", "args": arguments});
            Call::Post("/v1/tools/run".into(), body.to_string().into())
        };
        let mut workers = [Requests::new(port, r#""status":"success""#, make).await?];
        self.loaded(&mut workers, COUNT).await
    }
}
