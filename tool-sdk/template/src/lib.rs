//! A tool for an agent: it looks an exchange rate up, converts, and notes the rate in the agent's memory.

use mneme_tool_sdk::{Http, MemoryEditor, Secret, ToolError, export_tools, tool};
use serde::Deserialize;

const API: &str = "https://rates.example/v1/latest";
/// The memory block that the rate is noted in, for agents that have it.
const NOTES: &str = "rates";

#[derive(Deserialize)]
struct Latest {
    rate: f64,
}

// The doc comment is what the model reads. Parameters by reference are what the host hands in, `#[env]` names
// variables of the agent, and the others are filled in by the model.

/// Converts an amount of money at today's rate.
///
/// # Arguments
/// * `amount` - How much to convert.
/// * `from` - The currency it is in, such as EUR.
/// * `to` - The currency to convert it to.
#[tool]
fn convert_money(
    http: &Http,
    memory: &MemoryEditor,
    #[env("RATES_API_KEY")] key: Option<Secret>,
    amount: f64,
    from: String,
    #[arg(default = "USD")] to: String,
) -> Result<String, ToolError> {
    let mut request = http.get(API).query("from", &from).query("to", &to);
    if let Some(key) = key {
        request = request.bearer(&key);
    }
    let latest: Latest = request.send()?.ok()?.json()?;
    if memory.blocks()?.iter().any(|block| block.label == NOTES) {
        memory.set(NOTES, &format!("1 {from} is {} {to}", latest.rate))?;
    }
    Ok(format!("{amount} {from} is {:.2} {to}", amount * latest.rate))
}

export_tools!(convert_money);

#[cfg(test)]
mod tests {
    use mneme_tool_sdk::http::Response;
    use mneme_tool_sdk::mock::MockHost;
    use serde_json::json;

    use super::*;

    #[test]
    fn money_is_converted_and_the_rate_noted() {
        let host = MockHost::new()
            .with_block(NOTES, "")
            .with_env("RATES_API_KEY", "k3y")
            .answering("GET", API, Response::new(200).with_json(&json!({"rate": 1.25})));
        let answer = host.call::<convert_money>(json!({"amount": 10, "from": "EUR"}));
        assert_eq!(answer, Ok("10 EUR is 12.50 USD".to_owned()));
        assert_eq!(host.value(NOTES).as_deref(), Some("1 EUR is 1.25 USD"));
        let request = &host.requests()[0];
        assert_eq!(request.url().to_string(), "https://rates.example/v1/latest?from=EUR&to=USD");
        assert_eq!(request.header("authorization"), Some("Bearer k3y"));
    }

    #[test]
    fn what_the_service_says_reaches_the_model() {
        let host = MockHost::new().answering("GET", API, Response::new(404).with_body("no currency XYZ"));
        let error = host.call::<convert_money>(json!({"amount": 1, "from": "XYZ"})).expect_err("refused");
        assert!(error.to_string().contains("no currency XYZ"), "{error}");
    }
}
