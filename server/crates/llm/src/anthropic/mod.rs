//! Anthropic's Messages API.

mod request;
mod response;
mod thinking;

pub(crate) use request::body;
pub(crate) use response::MessagesDecoder;
