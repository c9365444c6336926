//! Types of the standard library and of pydantic that JSON has numbers or texts for.

use serde_json::{Value, json};

/// The schema of a type that is known by its name alone.
pub fn known(name: &str) -> Option<Value> {
    bounded(name).or_else(|| parsed(name))
}

/// Types of pydantic that are another one with a bound, and what takes anything.
fn bounded(name: &str) -> Option<Value> {
    Some(match name {
        "PositiveInt" => json!({ "type": "integer", "exclusiveMinimum": 0 }),
        "NonNegativeInt" => json!({ "type": "integer", "minimum": 0 }),
        "NegativeInt" => json!({ "type": "integer", "exclusiveMaximum": 0 }),
        "NonPositiveInt" => json!({ "type": "integer", "maximum": 0 }),
        "PositiveFloat" => json!({ "type": "number", "exclusiveMinimum": 0 }),
        "NonNegativeFloat" => json!({ "type": "number", "minimum": 0 }),
        "NegativeFloat" => json!({ "type": "number", "exclusiveMaximum": 0 }),
        "NonPositiveFloat" => json!({ "type": "number", "maximum": 0 }),
        "StrictInt" => json!({ "type": "integer" }),
        "StrictFloat" | "FiniteFloat" => json!({ "type": "number" }),
        "StrictStr" | "StrictBytes" | "Text" => json!({ "type": "string" }),
        "StrictBool" => json!({ "type": "boolean" }),
        "SecretStr" | "SecretBytes" => json!({ "type": "string", "format": "password" }),
        "ByteSize" => json!({ "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string" }] }),
        "JsonValue" | "Hashable" => json!({}),
        "Counter" => json!({ "type": "object", "additionalProperties": { "type": "integer" } }),
        _ => return None,
    })
}

/// Types whose values JSON has as text: the runtime makes them from it, for parameters as for fields of models.
fn parsed(name: &str) -> Option<Value> {
    Some(match name {
        "datetime" | "AwareDatetime" | "NaiveDatetime" | "PastDatetime" | "FutureDatetime" => {
            json!({ "type": "string", "format": "date-time" })
        }
        "date" | "PastDate" | "FutureDate" => json!({ "type": "string", "format": "date" }),
        "time" => json!({ "type": "string", "format": "time" }),
        "timedelta" => json!({ "type": "string", "format": "duration" }),
        "UUID" | "UUID1" | "UUID3" | "UUID4" | "UUID5" => json!({ "type": "string", "format": "uuid" }),
        "EmailStr" => json!({ "type": "string", "format": "email" }),
        "HttpUrl" | "AnyUrl" | "AnyHttpUrl" | "WebsocketUrl" | "AnyWebsocketUrl" | "FileUrl" | "FtpUrl"
        | "PostgresDsn" | "MySQLDsn" | "RedisDsn" | "MongoDsn" | "AmqpDsn" => {
            json!({ "type": "string", "format": "uri" })
        }
        "Path" | "PurePath" | "NewPath" => json!({ "type": "string", "format": "path" }),
        "FilePath" => json!({ "type": "string", "format": "file-path" }),
        "DirectoryPath" => json!({ "type": "string", "format": "directory-path" }),
        "Pattern" => json!({ "type": "string", "format": "regex" }),
        "IPvAnyAddress" => json!({ "type": "string", "format": "ipvanyaddress" }),
        "IPvAnyInterface" => json!({ "type": "string", "format": "ipvanyinterface" }),
        "IPvAnyNetwork" => json!({ "type": "string", "format": "ipvanynetwork" }),
        "Base64Str" | "Base64Bytes" => json!({ "type": "string", "format": "base64" }),
        "bytes" | "Json" => json!({ "type": "string" }),
        "Decimal" => json!({ "type": "number" }),
        _ => return None,
    })
}
