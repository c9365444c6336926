//! Queries whose text depends on what is asked for: filters, pages, rows of an insert.
//!
//! The text is put together from literals of this crate only (`&'static str`); values are always bound.

use std::fmt::Write;

use crate::{Engine, sql::Arg};

/// The most binds of one statement of many rows. SQLite's driver finds the place of every bind by looking through the names
/// of all that stand before it, so the time of a statement grows with the square of its binds.
const SQLITE_BINDS: usize = 256;
/// To PostgreSQL every trip counts, and it takes 65,535.
const POSTGRES_BINDS: usize = 30_000;

/// How many rows go into one statement when each has this many binds.
pub(crate) fn at_once(engine: Engine, binds: usize) -> usize {
    let most = match engine {
        Engine::Sqlite => SQLITE_BINDS,
        Engine::Postgres => POSTGRES_BINDS,
    };
    (most / binds.max(1)).max(1)
}

/// A query under construction.
pub(crate) struct Query<'a> {
    engine: Engine,
    text: String,
    args: Vec<Arg<'a>>,
}

impl<'a> Query<'a> {
    pub(crate) fn new(engine: Engine, start: &'static str) -> Self {
        Self { engine, text: start.to_owned(), args: Vec::new() }
    }

    pub(crate) fn engine(&self) -> Engine {
        self.engine
    }

    pub(crate) fn into_parts(self) -> (String, Vec<Arg<'a>>) {
        (self.text, self.args)
    }

    /// Appends text.
    pub(crate) fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends the text of the engine at hand.
    pub(crate) fn push_either(&mut self, sqlite: &'static str, postgres: &'static str) -> &mut Self {
        self.push(match self.engine {
            Engine::Sqlite => sqlite,
            Engine::Postgres => postgres,
        })
    }

    /// Appends a bind.
    pub(crate) fn bind(&mut self, arg: impl Into<Arg<'a>>) -> &mut Self {
        self.args.push(arg.into());
        // Writing to a string cannot fail.
        let _ = write!(self.text, "${}", self.args.len());
        self
    }

    /// Appends a number as it is, where a bind cannot be: in the name or the type of something.
    pub(crate) fn number(&mut self, number: i64) -> &mut Self {
        let _ = write!(self.text, "{number}");
        self
    }

    /// Appends `text` and a bind.
    pub(crate) fn with(&mut self, text: &'static str, arg: impl Into<Arg<'a>>) -> &mut Self {
        self.push(text).bind(arg)
    }

    /// Appends `text` and a bind, when there is a value.
    pub(crate) fn maybe<T: Into<Arg<'a>>>(&mut self, text: &'static str, arg: Option<T>) -> &mut Self {
        match arg {
            Some(arg) => self.with(text, arg),
            None => self,
        }
    }

    /// Appends a test of what comes before against a list.
    pub(crate) fn any(&mut self, list: Vec<String>) -> &mut Self {
        self.push_either(" in (select value from json_each(", " = any(");
        self.bind(Arg::List(list));
        self.push_either("))", ")")
    }

    /// Appends ` and <column> contains <part>`, whatever the case; every character of the part stands for itself.
    pub(crate) fn and_contains(&mut self, column: &'static str, part: &'a str) -> &mut Self {
        self.push_either(" and instr(lower(", " and strpos(lower(");
        self.push(column).push("), lower(").bind(part).push(")) > 0")
    }

    /// Appends `insert into <table> (<columns>) values (…), …`.
    pub(crate) fn insert(engine: Engine, table: &'static str, columns: &'static str, rows: Vec<Vec<Arg<'a>>>) -> Self {
        let mut query = Self::new(engine, "insert into ");
        query.push(table).push(" (").push(columns).push(") values ");
        for (index, row) in rows.into_iter().enumerate() {
            query.push(if index == 0 { "(" } else { ", (" });
            for (index, arg) in row.into_iter().enumerate() {
                if index > 0 {
                    query.push(", ");
                }
                query.bind(arg);
            }
            query.push(")");
        }
        query
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_numbered_binds() {
        let mut query = Query::new(Engine::Postgres, "select 1 from t where a = ");
        query
            .bind("x")
            .maybe(" and b = ", Some(2_i64))
            .maybe(" and c = ", None::<bool>)
            .push(" and d")
            .any(vec!["y".into()]);
        query.and_contains("e", "50%");
        let (text, args) = query.into_parts();
        assert_eq!(text, "select 1 from t where a = $1 and b = $2 and d = any($3) and strpos(lower(e), lower($4)) > 0");
        assert_eq!(args.len(), 4);
    }

    #[test]
    fn statements_of_many_rows_stay_as_small_as_their_database_likes() {
        for binds in [1, 5, 27, 40, 256] {
            assert!((1..=SQLITE_BINDS).contains(&(at_once(Engine::Sqlite, binds) * binds)), "{binds}");
            assert!((1..65_535).contains(&(at_once(Engine::Postgres, binds) * binds)), "{binds}");
        }
        assert_eq!((at_once(Engine::Sqlite, 27), at_once(Engine::Postgres, 27)), (9, 1111));
        assert_eq!((at_once(Engine::Sqlite, 1000), at_once(Engine::Sqlite, 0)), (1, 256));
    }

    #[test]
    fn rows_of_an_insert_share_one_statement() {
        let rows = vec![vec![Arg::from(1_i64), Arg::from("a")], vec![Arg::from(2_i64), Arg::from("b")]];
        let (text, args) = Query::insert(Engine::Sqlite, "t", "n, s", rows).into_parts();
        assert_eq!(text, "insert into t (n, s) values ($1, $2), ($3, $4)");
        assert_eq!(args.len(), 4);
    }
}
