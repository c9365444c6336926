//! A bound on how large a schema may become. Types that use each other would multiply without one.

use serde_json::Value;

use crate::{Object, Result, SourceError};

/// Bytes of JSON, roughly.
const MAX_SCHEMA: usize = 256 * 1024;
/// What an object costs beside its texts.
const OBJECT: usize = 32;
/// How deep types may contain each other.
pub const MAX_DEPTH: usize = 24;
/// How deep a schema may become by what is filled in for type parameters, in levels of JSON: a type's members are two below it.
const MAX_LEVELS: usize = 2 * MAX_DEPTH;

/// What may still be written.
#[derive(Debug)]
pub struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(MAX_SCHEMA)
    }
}

impl Budget {
    /// Pays for one object with this many bytes of text.
    ///
    /// # Errors
    /// [`SourceError::SchemaTooLarge`] when nothing is left.
    pub fn spend(&mut self, text: usize) -> Result<()> {
        self.0 = self.0.checked_sub(OBJECT.saturating_add(text)).ok_or(SourceError::SchemaTooLarge)?;
        Ok(())
    }
}

/// Bytes of a schema, roughly, that is to stand at this level of another. Types that use each other's parameters multiply.
///
/// # Errors
/// [`SourceError::SchemaTooLarge`] when it would be too deep there.
pub fn weight(schema: &Object, level: usize) -> Result<usize> {
    if level > MAX_LEVELS {
        return Err(SourceError::SchemaTooLarge);
    }
    let mut sum = 0;
    for (name, value) in schema {
        sum += name.len() + weight_of(value, level + 1)?;
    }
    Ok(sum)
}

fn weight_of(value: &Value, level: usize) -> Result<usize> {
    const EACH: usize = 8;
    let mut sum = EACH;
    match value {
        Value::Object(inner) => sum += weight(inner, level)?,
        Value::String(text) => sum += text.len(),
        Value::Array(items) => {
            for item in items {
                sum += weight_of(item, level + 1)?;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(sum)
}
