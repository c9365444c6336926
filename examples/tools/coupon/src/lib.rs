//! A tool in Rust: coupons that only the holder of the agent's secret can make, and check.

use hmac::{Hmac, Mac};
use mneme_tool_sdk::{Secret, ToolError, export_tools, tool};
use sha2::Sha256;

/// Characters of a coupon's seal.
const SEAL: usize = 10;

fn seal(key: &Secret, customer: &str, percent: u8) -> Result<String, ToolError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.reveal().as_bytes())
        .map_err(|error| ToolError::failed(format!("the key cannot be used: {error}")))?;
    mac.update(format!("{percent}\n{customer}").as_bytes());
    let bytes = mac.finalize().into_bytes();
    Ok(bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>()[..SEAL].to_owned())
}

/// Makes a coupon for a customer. The code can be checked later with `check_coupon`.
///
/// # Arguments
/// * `customer` - The customer's name or number.
/// * `percent` - The discount, 1 to 50.
#[tool]
fn make_coupon(#[env("COUPON_KEY")] key: Secret, customer: String, percent: u8) -> Result<String, ToolError> {
    if !(1..=50).contains(&percent) {
        return Err(ToolError::invalid("percent must be between 1 and 50"));
    }
    Ok(format!("{percent}-{}", seal(&key, &customer, percent)?))
}

/// Tells whether a coupon was made for this customer.
///
/// # Arguments
/// * `customer` - The customer's name or number.
/// * `code` - The coupon, such as 20-0123456789.
#[tool]
fn check_coupon(#[env("COUPON_KEY")] key: Secret, customer: String, code: String) -> Result<String, ToolError> {
    let parts = code.split_once('-').and_then(|(percent, seal)| Some((percent.parse().ok()?, seal)));
    let Some((percent, given)) = parts else {
        return Ok("invalid: a coupon looks like 20-0123456789".to_owned());
    };
    Ok(if seal(&key, &customer, percent)? == given { format!("valid: {percent} %") } else { "invalid".to_owned() })
}

export_tools!(make_coupon, check_coupon);
