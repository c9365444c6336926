//! OpenAI's Responses API, which its reasoning models need to show and to keep their reasoning.

mod request;
mod response;

pub(crate) use request::body;
pub(crate) use response::ResponsesDecoder;
