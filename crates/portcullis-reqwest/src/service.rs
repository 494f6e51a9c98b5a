use std::task::{Context, Poll};

use reqwest::Body;
use tower_service::Service;

use crate::future::ResponseFuture;

/// A [`reqwest::Client`] as a service of [`http::Request`], for layers that speak `http`.
///
/// Any other service of [`reqwest::Request`] does as well, a
/// `reqwest_middleware::ClientWithMiddleware` among them, as long as its error can hold a
/// [`reqwest::Error`].
///
/// The request's extensions are kept, and with them the timeout of a
/// [`reqwest::RequestBuilder`]. So is the URL of the answer, after redirects: turned back by
/// [`reqwest::Response::from`], the answer still knows it.
///
/// # Errors
///
/// The client's own, unchanged. A request that reqwest cannot send, say because its URI has no
/// host, ends with a [`reqwest::Error`] that says [`is_builder`](reqwest::Error::is_builder), and
/// never reaches the client.
///
/// # Cancellation
///
/// Dropping the future drops the client's future, which closes or resets what was under way.
/// Dropping the answer's body does the same for the rest of the body.
///
/// # Example
///
/// ```
/// use portcullis_reqwest::ReqwestService;
/// use tower::{Service, ServiceExt};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut service = ReqwestService::new(reqwest::Client::new());
/// let request = http::Request::get("http://127.0.0.1:8080/").body("hello".into())?;
/// let response = service.ready().await?.call(request).await?;
/// println!("{}", response.status());
/// # Ok(()) }
/// # drop(example());
/// ```
#[derive(Clone, Debug)]
pub struct ReqwestService<C = reqwest::Client> {
    client: C,
}

impl<C> ReqwestService<C> {
    /// Puts `client` under the layers.
    ///
    /// Never fails; the client is not contacted before the first call.
    pub const fn new(client: C) -> Self {
        Self { client }
    }
}

impl<C> From<C> for ReqwestService<C> {
    fn from(client: C) -> Self {
        Self::new(client)
    }
}

impl<C> Service<http::Request<Body>> for ReqwestService<C>
where
    C: Service<reqwest::Request, Response = reqwest::Response>,
    C::Error: From<reqwest::Error>,
{
    type Response = http::Response<Body>;
    type Error = C::Error;
    type Future = ResponseFuture<C::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.client.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        match reqwest::Request::try_from(request) {
            Ok(request) => ResponseFuture::sent(self.client.call(request)),
            Err(error) => ResponseFuture::unsendable(error),
        }
    }
}
