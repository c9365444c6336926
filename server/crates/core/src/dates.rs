//! Dates as people and models write them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;
use mneme_domain::Timestamp;

/// How a date and time without an offset may be written.
const NAIVE: &[&str] = &["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"];

/// A bound of a search: an ISO 8601 date or date and time. Without an offset it is read in `zone`; a date alone means
/// its first moment, or its last one at the `end`.
pub fn bound(text: &str, zone: Tz, end: bool) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(time) =
        DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
    {
        return Some(time.to_utc());
    }
    let clock = if end { NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999)? } else { NaiveTime::MIN };
    let naive = NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .map(|date| date.and_time(clock))
        .ok()
        .or_else(|| NAIVE.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok()))?;
    // At the hour that a clock change skips or repeats, the earlier reading is as good as any.
    let local = zone.from_local_datetime(&naive).earliest();
    Some(local.map_or_else(|| naive.and_utc(), |time| time.to_utc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_a_moment_in_the_zone() {
        let berlin: Tz = "Europe/Berlin".parse().unwrap();
        for (text, end, expected) in [
            ("2026-07-01", false, "2026-06-30T22:00:00+00:00"),
            ("2026-07-01", true, "2026-07-01T21:59:59.999999+00:00"),
            ("2026-07-01T10:30", true, "2026-07-01T08:30:00+00:00"),
            (" 2026-07-01 10:30:15.5 ", false, "2026-07-01T08:30:15.500+00:00"),
            ("2026-07-01T10:30:00Z", false, "2026-07-01T10:30:00+00:00"),
            ("2026-07-01T10:30:00+0200", false, "2026-07-01T08:30:00+00:00"),
            // Does not exist: the clock goes from two to three.
            ("2026-03-29T02:30", false, "2026-03-29T02:30:00+00:00"),
        ] {
            assert_eq!(bound(text, berlin, end).unwrap().to_rfc3339(), expected, "{text}");
        }
        for bad in ["", "soon", "2026-13-01", "01.07.2026"] {
            assert_eq!(bound(bad, berlin, false), None, "{bad}");
        }
    }
}
