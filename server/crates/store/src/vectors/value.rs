//! A vector as a column: little-endian floats in SQLite, pgvector's type in PostgreSQL, which hands it over as `real[]`.

use mneme_vector_math::numbers_of;
use sqlx::{
    Decode, Postgres, Sqlite, Type, error::BoxDynError, postgres::PgTypeInfo, postgres::PgValueRef,
    sqlite::SqliteTypeInfo, sqlite::SqliteValueRef,
};

/// The numbers of a stored vector.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Vector(pub(crate) Vec<f32>);

impl Type<Sqlite> for Vector {
    fn type_info() -> SqliteTypeInfo {
        <Vec<u8> as Type<Sqlite>>::type_info()
    }

    fn compatible(ty: &SqliteTypeInfo) -> bool {
        <Vec<u8> as Type<Sqlite>>::compatible(ty)
    }
}

impl<'r> Decode<'r, Sqlite> for Vector {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(numbers_of(<&[u8] as Decode<Sqlite>>::decode(value)?)))
    }
}

impl Type<Postgres> for Vector {
    fn type_info() -> PgTypeInfo {
        <Vec<f32> as Type<Postgres>>::type_info()
    }

    fn compatible(ty: &PgTypeInfo) -> bool {
        <Vec<f32> as Type<Postgres>>::compatible(ty)
    }
}

impl<'r> Decode<'r, Postgres> for Vector {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(<Vec<f32> as Decode<Postgres>>::decode(value)?))
    }
}
