//! AWS's signature, version 4.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign as signature_of},
    sign::v4,
};
use reqwest::{RequestBuilder, header::HeaderValue};
use secrecy::ExposeSecret;

use super::Outgoing;
use crate::{error::LlmError, provider::Provider};

/// Signs a request to Bedrock with the provider's access key.
#[expect(clippy::disallowed_methods, reason = "AWS compares the signature's time with the real one")]
pub(super) fn sign(
    provider: &Provider,
    request: RequestBuilder,
    outgoing: &Outgoing<'_>,
) -> Result<RequestBuilder, LlmError> {
    sign_at(provider, request, outgoing, SystemTime::now())
}

fn sign_at(
    provider: &Provider,
    mut request: RequestBuilder,
    outgoing: &Outgoing<'_>,
    time: SystemTime,
) -> Result<RequestBuilder, LlmError> {
    let extras = provider.extras();
    let exposed = |secret: Option<&secrecy::SecretString>| secret.map(|secret| secret.expose_secret().to_owned());
    let identity = Credentials::new(
        exposed(extras.access_key.as_ref()).unwrap_or_default(),
        exposed(provider.api_key()).unwrap_or_default(),
        exposed(extras.session_token.as_ref()),
        None,
        "mneme",
    )
    .into();
    let region = extras.region.clone().or_else(|| region_of(outgoing.url.host_str()?)).unwrap_or_default();
    let unfit = || LlmError::Authentication {
        message: "the request cannot be signed; check the access key and the region".into(),
        status: None,
    };
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(&region)
        .name("bedrock")
        .time(time)
        .settings(SigningSettings::default())
        .build()
        .map_err(|_| unfit())?
        .into();
    let body = SignableBody::Bytes(outgoing.body);
    let signable = SignableRequest::new(outgoing.method.as_str(), outgoing.url.as_str(), std::iter::empty(), body)
        .map_err(|_| unfit())?;
    let (instructions, _) = signature_of(signable, &parameters).map_err(|_| unfit())?.into_parts();
    for header in instructions.into_parts().0 {
        let mut value = HeaderValue::try_from(header.value()).map_err(|_| unfit())?;
        value.set_sensitive(header.sensitive() || header.name() == "authorization");
        request = request.header(header.name(), value);
    }
    Ok(request)
}

/// The region in the name of one of AWS's hosts.
fn region_of(host: &str) -> Option<String> {
    let rest = host.strip_prefix("bedrock-runtime.").or_else(|| host.strip_prefix("bedrock."))?;
    rest.split('.').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hmac_of_the_test::hex_signature;
    use tokio::time::Instant;

    use super::*;
    use crate::{kinds::ProviderKind, provider::Extras};

    /// The signature computed by the words of AWS's documentation, with ring alone.
    mod hmac_of_the_test {
        use ring::{digest, hmac};

        fn mac(key: &[u8], text: &str) -> Vec<u8> {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
        }

        pub fn hex(bytes: &[u8]) -> String {
            bytes.iter().map(|byte| format!("{byte:02x}")).collect()
        }

        pub fn hex_signature(secret: &str, date: &str, time: &str, canonical: &str) -> String {
            let scope = format!("{date}/eu-west-1/bedrock/aws4_request");
            let hashed = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
            let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashed}");
            let key = ["eu-west-1", "bedrock", "aws4_request"]
                .iter()
                .fold(mac(format!("AWS4{secret}").as_bytes(), date), |key, part| mac(&key, part));
            hex(&mac(&key, &text))
        }
    }

    #[test]
    fn requests_are_signed_as_aws_describes_it() {
        crate::install_crypto();
        let extras = Extras {
            access_key: Some("AKIDEXAMPLE".to_owned().into()),
            region: Some("eu-west-1".into()),
            ..Extras::default()
        };
        let base: url::Url = "https://bedrock-runtime.eu-west-1.amazonaws.com".parse().expect("url");
        let provider =
            Provider::new("b", ProviderKind::Bedrock, base.clone(), Some("secret-key".to_owned().into())).with(extras);
        let url = base.join("/model/amazon.nova-lite-v1%3A0/converse").expect("url");
        let outgoing = Outgoing { method: &reqwest::Method::POST, url: &url, body: b"{}", deadline: Instant::now() };
        let client = reqwest::Client::new();
        // 2015-08-30T12:36:00Z, the moment of AWS's own examples.
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160);
        let signed = sign_at(&provider, client.post(url.clone()), &outgoing, time).expect("signed");
        let signed = signed.build().expect("request");
        let header = |name: &str| signed.headers()[name].to_str().expect("text").to_owned();
        assert_eq!(header("x-amz-date"), "20150830T123600Z");
        let payload = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        let canonical = format!(
            "POST\n/model/amazon.nova-lite-v1%253A0/converse\n\nhost:bedrock-runtime.eu-west-1.amazonaws.com\n\
             x-amz-date:20150830T123600Z\n\nhost;x-amz-date\n{payload}"
        );
        let signature = hex_signature("secret-key", "20150830", "20150830T123600Z", &canonical);
        assert_eq!(
            header("authorization"),
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-west-1/bedrock/aws4_request, \
                 SignedHeaders=host;x-amz-date, Signature={signature}"
            )
        );
    }

    #[test]
    fn the_host_names_the_region_when_nobody_else_does() {
        assert_eq!(region_of("bedrock-runtime.us-west-2.amazonaws.com").as_deref(), Some("us-west-2"));
        assert_eq!(region_of("bedrock.us-west-2.amazonaws.com").as_deref(), Some("us-west-2"));
        assert_eq!(region_of("gateway.example"), None);
    }
}
