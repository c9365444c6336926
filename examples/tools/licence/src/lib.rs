//! A tool as an Extism plugin: licence keys that depend on a secret. An Extism function takes a text and gives one; for a
//! tool it is the arguments as a JSON object, and the answer. What a model should know of it, `describe` tells.

use extism_pdk::{Error, FnResult, WithReturnCode, config, info, plugin_fn};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

#[derive(Deserialize)]
struct Order {
    product: String,
    seats: u32,
}

/// The tools of this plugin.
#[plugin_fn]
pub fn describe() -> FnResult<String> {
    let parameters = json!({
        "type": "object",
        "properties": {
            "product": { "type": "string", "description": "The product's name." },
            "seats": { "type": "integer", "description": "For how many people, 1 to 1000." },
        },
        "required": ["product", "seats"],
    });
    let description = "Makes a licence key for a product.";
    Ok(json!([{ "name": "licence_key", "description": description, "parameters": parameters }]).to_string())
}

/// Makes a key. The secret comes from the plugin's configuration, which the agent's granted variables are.
#[plugin_fn]
pub fn licence_key(arguments: String) -> FnResult<String> {
    let order: Order = serde_json::from_str(&arguments)?;
    if !(1..=1000).contains(&order.seats) {
        return Err(WithReturnCode::new(Error::msg("seats must be between 1 and 1000"), 1));
    }
    let secret = config::get("LICENCE_SECRET")?.ok_or_else(|| Error::msg("LICENCE_SECRET is not granted"))?;
    info!("a key for {}", order.product);
    let digest = Sha256::digest(format!("{secret}\n{}\n{}", order.product, order.seats));
    let key: Vec<String> = digest.chunks(2).take(4).map(|pair| format!("{:02X}{:02X}", pair[0], pair[1])).collect();
    Ok(key.join("-"))
}
