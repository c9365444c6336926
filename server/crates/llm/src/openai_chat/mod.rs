//! The chat-completions wire of OpenAI, as spoken by OpenAI itself and by everybody who imitates it.

mod details;
mod request;
mod response;
mod think;
mod vendor;

pub(crate) use request::body;
pub(crate) use response::ChatDecoder;
