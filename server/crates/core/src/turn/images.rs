//! Images that a message names by address are fetched once and kept with the message, so that the history does not
//! depend on an address that may be gone tomorrow, and no provider has to reach into the operator's network.

use base64::{Engine, engine::general_purpose::STANDARD};
use mneme_domain::{
    content::{Content, ContentPart, ImageSource},
    request::MessageCreate,
};

use crate::{Core, CoreError, Result};

/// Bytes of one image.
const MAX_BYTES: usize = 10 << 20;

impl Core {
    /// Replaces the addresses of images by the images.
    pub(super) async fn fetch_images(&self, messages: &mut [MessageCreate]) -> Result<()> {
        for message in messages {
            let Content::Parts(parts) = &mut message.content else { continue };
            for part in parts {
                let ContentPart::Image { source } = part else { continue };
                match source {
                    ImageSource::Url { url } => *source = self.fetch_image(url).await?,
                    ImageSource::Base64 { media_type, data, .. } => check(media_type, data)?,
                    ImageSource::Letta { .. } => {}
                }
            }
        }
        Ok(())
    }

    async fn fetch_image(&self, url: &str) -> Result<ImageSource> {
        if let Some((media_type, data)) = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) {
            check(media_type, data)?;
            return Ok(ImageSource::Base64 { media_type: media_type.into(), data: data.into(), detail: None });
        }
        let fetched = self.outbound.fetch(url, MAX_BYTES).await;
        let (kind, bytes) =
            fetched.map_err(|error| CoreError::Invalid(format!("The image could not be fetched: {error}")))?;
        let media_type = sniff(&bytes).or_else(|| kind.as_deref().filter(|kind| kind.starts_with("image/")));
        let Some(media_type) = media_type else {
            return Err(CoreError::Invalid("The address of the image holds no image".into()));
        };
        Ok(ImageSource::Base64 { media_type: media_type.to_owned(), data: STANDARD.encode(&bytes), detail: None })
    }
}

/// What the first bytes say.
fn sniff(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

fn check(media_type: &str, data: &str) -> Result<()> {
    if !media_type.starts_with("image/") {
        return Err(CoreError::Invalid(format!("'{media_type}' is no type of image")));
    }
    if data.len() > MAX_BYTES / 3 * 4 + 4 {
        return Err(CoreError::Invalid(format!("An image may have at most {MAX_BYTES} bytes")));
    }
    match STANDARD.decode(data) {
        Ok(bytes) if !bytes.is_empty() => Ok(()),
        _ => Err(CoreError::Invalid("The image is not valid base64".into())),
    }
}
