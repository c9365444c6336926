//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::catalogue::Measure;
use crate::load::Limit;

/// Measures the server's binary against a model that answers at once.
#[derive(Debug, Clone, Parser)]
#[command(name = "cargo xtask bench")]
pub struct Options {
    /// Run only measures whose name contains this; may be repeated. `--list` shows the names.
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Show the measures and end.
    #[arg(long)]
    pub list: bool,
    /// Short runs, about 20 seconds in all: to see that everything works, not to compare figures.
    #[arg(long)]
    pub quick: bool,
    /// Fail when a target is missed.
    #[arg(long)]
    pub strict: bool,
    /// Also write the raw figures to this file.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Run on this database instead of a SQLite file in a fresh data directory. What the bench makes stays there.
    #[arg(long, value_name = "URL", conflicts_with = "postgres")]
    pub database_url: Option<String>,
    /// Run on a throw-away Postgres, which is downloaded once.
    #[arg(long)]
    pub postgres: bool,
    /// How many turns the measure of memory growth takes.
    #[arg(long, value_name = "COUNT", default_value_t = 20_000)]
    pub turns: u64,
    /// How long each measure of a rate lasts, in seconds.
    #[arg(long, default_value_t = 5.0, value_name = "SECONDS")]
    pub seconds: f64,
    /// The server's binary; without it, the one beside this program.
    #[arg(long, value_name = "FILE")]
    pub server: Option<PathBuf>,
}

impl Options {
    /// Whether a measure is to be run.
    pub fn wants(&self, measure: &Measure) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| measure.name.contains(part))
    }

    /// The bounds of a warm-up and of the run after it, for a measure that ends after `count` operations at most.
    pub fn limits(&self, count: u64) -> (Limit, Limit) {
        let (count, seconds) = match self.quick {
            true => (count.div_ceil(10), self.seconds.min(0.7)),
            false => (count, self.seconds),
        };
        let run = Limit { time: Duration::from_secs_f64(seconds), count };
        let warm_up = Limit { time: run.time / 5, count: count.div_ceil(5) };
        (warm_up, run)
    }

    /// How often the server is started to time its start.
    pub fn starts(&self) -> u32 {
        if self.quick { 2 } else { 10 }
    }

    /// Turns of the measure of memory growth.
    pub fn growth_turns(&self) -> u64 {
        if self.quick { self.turns.min(400) } else { self.turns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Options {
        Options::parse_from(["bench"].iter().chain(words))
    }

    #[test]
    fn only_picks_measures_by_a_part_of_their_name() {
        let wanted = |words: &[&str]| -> Vec<&str> {
            let options = parsed(words);
            crate::catalogue::MEASURES
                .iter()
                .filter(|measure| options.wants(measure))
                .map(|measure| measure.name)
                .collect()
        };
        assert_eq!(wanted(&["--only", "agent-get"]), ["agent-get-1", "agent-get-8", "agent-get-32"]);
        assert_eq!(wanted(&["--only", "health", "--only", "turn-8"]), ["health-32", "turn-8"]);
        assert_eq!(wanted(&[]).len(), crate::catalogue::MEASURES.len());
    }

    #[test]
    fn quick_runs_are_short_and_bounded() {
        let (warm_up, run) = parsed(&["--quick"]).limits(5000);
        assert_eq!((warm_up.count, run.count), (100, 500));
        assert!(run.time < Duration::from_secs(1) && warm_up.time < run.time);
        assert_eq!(parsed(&["--quick"]).growth_turns(), 400);
        assert_eq!(parsed(&["--turns", "7"]).growth_turns(), 7);
    }

    #[test]
    fn a_database_is_given_or_made_not_both() {
        let both = ["bench", "--postgres", "--database-url", "postgres://x"];
        assert!(Options::try_parse_from(both).is_err());
    }
}
