//! Starts a throw-away Postgres for scripts: prints the URL of an empty database on standard output, and stops
//! when standard input closes.

use std::io::{self, Read, Write};

fn main() -> io::Result<()> {
    let postgres = mneme_tests::Postgres::start();
    println!("{}", postgres.create_database());
    io::stdout().flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
