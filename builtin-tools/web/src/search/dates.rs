//! Days, as far as a search needs them.

use mneme_tool_sdk::ToolError;

/// The argument when it begins with an ISO 8601 date; empty counts as absent.
pub fn checked(argument: &str, given: Option<String>) -> Result<Option<String>, ToolError> {
    let Some(text) = given.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    match day(&text) {
        Some(_) => Ok(Some(text)),
        None => Err(ToolError::invalid(format!(
            "the argument `{argument}` must be an ISO 8601 date such as 2025-01-31, not {text:?}"
        ))),
    }
}

/// The date itself, without a time: `YYYY-MM-DD`.
pub fn date_part(text: &str) -> &str {
    text.get(..10).unwrap_or(text)
}

/// Days since 1970-01-01 of a text that begins with `YYYY-MM-DD`.
pub fn day(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let dashed = bytes.get(4) == Some(&b'-') && bytes.get(7) == Some(&b'-');
    let ends = bytes.get(10).is_none_or(|byte| matches!(byte, b'T' | b't' | b' '));
    if !dashed || !ends {
        return None;
    }
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years that start in March have their leap day at the end.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468)
}

/// The day of a moment in milliseconds since the Unix epoch.
pub fn day_of(now: i64) -> i64 {
    now.div_euclid(86_400_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted() {
        assert_eq!(day("1970-01-01"), Some(0));
        assert_eq!(day("2000-02-29T10:00:00Z"), Some(11_016));
        assert_eq!(day_of(951_825_600_000), 11_016);
        for bad in ["", "today", "2025", "2025-13-01", "2025-01-32", "2025/01/01", "2025-01-011", "é025-01-01"] {
            assert_eq!(day(bad), None, "{bad}");
        }
    }
}
