//! "5m ago": how long ago a timestamp was, roughly.

/// The age of an RFC 3339 timestamp at `now` (milliseconds since the Unix epoch) in the largest
/// fitting unit; `None` if the text is no timestamp.
pub fn time_ago(timestamp: &str, now: i64) -> Option<String> {
    let seconds = (now.div_euclid(1000) - unix_seconds(timestamp)?).max(0);
    Some(match seconds {
        0..60 => format!("{seconds}s ago"),
        60..3_600 => format!("{}m ago", seconds / 60),
        3_600..86_400 => format!("{}h ago", seconds / 3_600),
        _ => format!("{}d ago", seconds / 86_400),
    })
}

/// Reads `YYYY-MM-DDTHH:MM:SS[.fraction](Z|±HH:MM)`, dropping the fraction.
fn unix_seconds(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let zone = text.get(19..)?.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let offset = match zone.get(..1)? {
        "Z" => 0,
        sign @ ("+" | "-") => {
            let (hours, minutes) = zone[1..].split_once(':')?;
            let minutes = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
            if sign == "-" { -minutes } else { minutes }
        }
        _ => return None,
    };
    let days = days_since_epoch(year, month, day);
    Some(((days * 24 + hour) * 60 + minute - offset) * 60 + second)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. Counting years from March puts the
/// leap day at the end of the year.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    const MARCH_OF_YEAR_ZERO: i64 = 719_468;
    365 * year + leap_days + day_of_year - MARCH_OF_YEAR_ZERO
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_read_in_any_zone() {
        assert_eq!(unix_seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(unix_seconds("2000-02-29T12:00:00.5+00:00"), Some(951_825_600));
        assert_eq!(unix_seconds("2000-02-29T14:30:00+02:30"), Some(951_825_600));
        assert_eq!(unix_seconds("2000-02-29T07:00:00-05:00"), Some(951_825_600));
        assert_eq!(unix_seconds("2026-11-23T14:51:02.243395+00:00"), Some(1_795_445_462));
        for bad in ["", "yesterday", "2026-11-23", "2026-11-23T14:51:02", "ü026-11-23T14:51:02Z"] {
            assert_eq!(unix_seconds(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_unit_grows_with_the_age() {
        let ago = |seconds: i64| time_ago("1970-01-01T00:00:00Z", seconds * 1000);
        assert_eq!(ago(-5).as_deref(), Some("0s ago"));
        assert_eq!(ago(59).as_deref(), Some("59s ago"));
        assert_eq!(ago(60).as_deref(), Some("1m ago"));
        assert_eq!(ago(7_200).as_deref(), Some("2h ago"));
        assert_eq!(ago(3 * 86_400 + 5).as_deref(), Some("3d ago"));
    }
}
