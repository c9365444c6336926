//! A vector as a column: little-endian floats in SQLite, pgvector's type in PostgreSQL, which hands it over as `real[]`.

use sqlx::{
    Decode, Postgres, Sqlite, Type, error::BoxDynError, postgres::PgTypeInfo, postgres::PgValueRef,
    sqlite::SqliteTypeInfo, sqlite::SqliteValueRef,
};

/// The numbers of a stored vector.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Vector(pub(crate) Vec<f32>);

/// A vector as SQLite stores it.
pub(crate) fn bytes_of(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// The numbers of a vector as SQLite stores it.
pub(crate) fn numbers_of(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

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

/// The cosine of the angle between two vectors; 0 when one has no direction.
pub(crate) fn cosine(one: &[f32], other: &[f32]) -> f32 {
    let (mut product, mut own, mut theirs) = (0.0_f32, 0.0_f32, 0.0_f32);
    for (x, y) in one.iter().zip(other) {
        product += x * y;
        own += x * x;
        theirs += y * y;
    }
    let length = (own * theirs).sqrt();
    if length > 0.0 && length.is_finite() { product / length } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cosine_goes_by_direction_alone() {
        assert!((cosine(&[1.0, 0.0], &[5.0, 0.0]) - 1.0).abs() < 1e-6);
        assert!((cosine(&[1.0, 0.0], &[0.0, 2.0])).abs() < 1e-6);
        assert!((cosine(&[1.0, 1.0], &[-1.0, -1.0]) + 1.0).abs() < 1e-6);
        assert_eq!(cosine(&[0.0, 0.0], &[1.0, 1.0]), 0.0);
    }

    #[test]
    fn numbers_come_back_as_they_were() {
        let vector = [0.5, -1.25, 1e-30, f32::MAX];
        assert_eq!(numbers_of(&bytes_of(&vector)), vector);
    }
}
