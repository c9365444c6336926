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

/// Parts rows of binds, all of one length: each part goes into one statement.
pub(crate) fn at_once(engine: Engine, rows: Vec<Vec<Arg<'_>>>) -> Vec<Vec<Vec<Arg<'_>>>> {
    let most = match engine {
        Engine::Sqlite => SQLITE_BINDS,
        Engine::Postgres => POSTGRES_BINDS,
    };
    let Some(binds) = rows.first().map(Vec::len) else { return Vec::new() };
    let most = (most / binds.max(1)).max(1);
    let mut parts = Vec::with_capacity(rows.len().div_ceil(most));
    let mut rows = rows.into_iter();
    while !rows.as_slice().is_empty() {
        parts.push(rows.by_ref().take(most).collect());
    }
    parts
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
        let list = match <[String; 1]>::try_from(list) {
            // An index behind it then has its rows in order, and a page is read without sorting all of them.
            Ok([only]) => return self.with(" = ", only),
            Err(list) => list,
        };
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
        query.push(table).push(" (").push(columns).push(") values ").rows(rows, ("", ""));
        query
    }

    /// The same of a table whose texts are searched. In PostgreSQL the last value of each row is the words, for the
    /// column `search`; in SQLite they are no column of the table.
    pub(crate) fn insert_searched(
        engine: Engine,
        table: &'static str,
        columns: &'static str,
        rows: Vec<Vec<Arg<'a>>>,
    ) -> Self {
        let mut query = Self::new(engine, "insert into ");
        query.push(table).push(" (").push(columns).push_either(") values ", ", search) values ");
        query.rows(
            rows,
            match engine {
                Engine::Sqlite => ("", ""),
                Engine::Postgres => ("array_to_tsvector(", ")"),
            },
        );
        query
    }

    /// Appends `(…), (…)`, the last value of each row between two texts.
    pub(crate) fn rows(&mut self, rows: Vec<Vec<Arg<'a>>>, around_last: (&'static str, &'static str)) -> &mut Self {
        for (index, mut row) in rows.into_iter().enumerate() {
            self.push(if index == 0 { "(" } else { ", (" });
            let last = row.pop();
            for arg in row {
                self.bind(arg).push(", ");
            }
            if let Some(last) = last {
                self.push(around_last.0).bind(last).push(around_last.1);
            }
            self.push(")");
        }
        self
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
            .any(vec!["y".into()])
            .push(" and f")
            .any(vec!["y".into(), "z".into()]);
        query.and_contains("e", "50%");
        let (text, args) = query.into_parts();
        assert_eq!(
            text,
            "select 1 from t where a = $1 and b = $2 and d = $3 and f = any($4) and strpos(lower(e), lower($5)) > 0"
        );
        assert_eq!(args.len(), 5);
    }

    #[test]
    fn statements_of_many_rows_stay_as_small_as_their_database_likes() {
        let parts = |engine, rows: usize, binds: usize| -> Vec<usize> {
            at_once(engine, vec![vec![Arg::from(1_i64); binds]; rows]).iter().map(Vec::len).collect()
        };
        for binds in [1, 5, 27, 40, 256] {
            for (engine, most) in [(Engine::Sqlite, SQLITE_BINDS), (Engine::Postgres, 65_535)] {
                let parts = parts(engine, 2_000, binds);
                assert!(parts.iter().all(|rows| (1..=most).contains(&(rows * binds))), "{binds}: {parts:?}");
                assert_eq!(parts.iter().sum::<usize>(), 2_000);
            }
        }
        assert_eq!(parts(Engine::Sqlite, 20, 27), [9, 9, 2]);
        assert_eq!(parts(Engine::Postgres, 1_112, 27), [1_111, 1]);
        assert_eq!(parts(Engine::Sqlite, 2, 1_000), [1, 1]);
        assert!(parts(Engine::Sqlite, 0, 27).is_empty());
    }

    #[test]
    fn rows_stay_in_their_order() {
        let rows = (0..300_i64).map(|number| vec![Arg::from(number)]).collect();
        let numbers = at_once(Engine::Sqlite, rows).into_iter().flatten().flatten().map(|arg| match arg {
            Arg::Int(number) => number,
            other => panic!("{other:?}"),
        });
        assert!(numbers.eq((0..300_i64).map(Some)));
    }

    #[test]
    fn rows_of_an_insert_share_one_statement() {
        let rows = vec![vec![Arg::from(1_i64), Arg::from("a")], vec![Arg::from(2_i64), Arg::from("b")]];
        let (text, args) = Query::insert(Engine::Sqlite, "t", "n, s", rows).into_parts();
        assert_eq!(text, "insert into t (n, s) values ($1, $2), ($3, $4)");
        assert_eq!(args.len(), 4);
    }

    #[test]
    fn words_are_a_column_of_postgres_alone() {
        let text = |engine, row| Query::insert_searched(engine, "t", "n", vec![row]).into_parts().0;
        assert_eq!(text(Engine::Sqlite, vec![Arg::from(1_i64)]), "insert into t (n) values ($1)");
        let row = vec![Arg::from(1_i64), Arg::List(vec!["a".to_owned()])];
        assert_eq!(text(Engine::Postgres, row), "insert into t (n, search) values ($1, array_to_tsvector($2))");
    }
}
