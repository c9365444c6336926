//! The time, as `oxc-browserslist` asks `js-sys` for it.
//!
//! It takes all WebAssembly for a page's, where only JavaScript has a clock. A component has one of its own, and no JavaScript around it; and
//! `js-sys` comes with a compiler of bindings that takes as long to build as a tool. Local time is UTC in a component.

use std::cell::Cell;
use std::time::{SystemTime, UNIX_EPOCH};

const MS_PER_DAY: f64 = 86_400_000.0;

/// A time in milliseconds since 1970, as JavaScript's `Date` has it.
pub struct Date(Cell<f64>);

impl Date {
    /// The time now.
    #[expect(clippy::disallowed_methods, reason = "a guest's clock is the one that its host gives it")]
    pub fn now() -> f64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_millis() as f64)
    }

    /// The time now.
    pub fn new_0() -> Self {
        Self(Cell::new(Self::now()))
    }

    /// Sets it, and gives what was set.
    pub fn set_time(&self, ms: f64) -> f64 {
        self.0.set(ms);
        ms
    }

    /// The year.
    pub fn get_full_year(&self) -> u32 {
        self.date().0.try_into().unwrap_or(0)
    }

    /// The month, from 0 to 11.
    pub fn get_month(&self) -> u32 {
        self.date().1
    }

    /// Sets year and month, from 0 to 11, and gives the time that this is. A day that the month does not have is one of the next month.
    pub fn set_full_year_with_month(&self, year: u32, month: i32) -> f64 {
        let (days, rest) = (self.days(), self.0.get().rem_euclid(MS_PER_DAY));
        let (old_year, old_month, _) = self.date();
        let day = days - first_day(old_year, old_month);
        let year = i64::from(year) + i64::from(month.div_euclid(12));
        self.set_time((first_day(year, month.rem_euclid(12).unsigned_abs()) + day) as f64 * MS_PER_DAY + rest)
    }

    fn days(&self) -> i64 {
        self.0.get().div_euclid(MS_PER_DAY) as i64
    }

    /// Year, month from 0, day from 0. Years begin in March here, so that the odd day is their last.
    fn date(&self) -> (i64, u32, i64) {
        let days = self.days() + 719_468;
        let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let after_new_year = month >= 10;
        let name = if after_new_year { month - 10 } else { month + 2 };
        (year + era * 400 + i64::from(after_new_year), name as u32, day - (153 * month + 2) / 5)
    }
}

/// The days from 1970 to the first of a month.
fn first_day(year: i64, month: u32) -> i64 {
    let (year, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    era * 146_097 + year * 365 + year / 4 - year / 100 + (153 * i64::from(month) + 2) / 5 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_those_of_the_calendar() {
        let date = Date::new_0();
        for (days, year, month) in
            [(0, 1970, 0), (-1, 1969, 11), (59, 1970, 2), (11_016, 2000, 1), (11_017, 2000, 2), (20_787, 2026, 10)]
        {
            date.set_time(f64::from(days) * MS_PER_DAY);
            assert_eq!((date.get_full_year(), date.get_month()), (year, month), "{days}");
        }
    }

    #[test]
    fn a_day_that_a_month_has_not_is_one_of_the_next() {
        let date = Date::new_0();
        // The 31st of January 2023 at noon, to February: the 3rd of March.
        date.set_time(19_388.5 * MS_PER_DAY);
        assert_eq!(date.set_full_year_with_month(2023, 1), 19_419.5 * MS_PER_DAY);
        assert_eq!((date.get_full_year(), date.get_month()), (2023, 2));
        assert_eq!(date.set_full_year_with_month(2022, 14), 19_419.5 * MS_PER_DAY);
    }
}
