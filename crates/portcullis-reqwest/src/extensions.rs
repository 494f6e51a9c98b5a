//! Extensions from a middleware chain into a stack, and out of it into the rest of the chain.
//!
//! A chain passes its extensions beside the request; a stack has only the request's own. On the
//! way in both become one, on the way out there are two copies of it.

use std::time::Duration;

use http::Extensions;
use reqwest::{Body, Request};

use crate::link::Link;

/// The timeout that the request had when its extensions were copied into the chain's.
///
/// reqwest keeps a request's timeout in the request's extensions, under a type of its own. The
/// chain's copy of it is out of date as soon as a middleware sets another timeout.
#[derive(Clone, Copy)]
struct CopiedTimeout(Option<Duration>);

/// The request as the stack sees it: the chain's extensions added, and the way back.
pub(crate) fn enter(
    request: Request,
    chain: &Extensions,
    link: Link,
) -> reqwest::Result<http::Request<Body>> {
    let timeout = request.timeout().copied();
    let outdated = chain.get::<CopiedTimeout>().is_some_and(|copied| copied.0 != timeout);
    let mut request = http::Request::try_from(request)?;
    request.extensions_mut().extend(chain.clone());
    if outdated {
        request = with_timeout(request, timeout)?;
    }
    request.extensions_mut().insert(link);
    Ok(request)
}

/// The request for the rest of the chain, and the chain's extensions with all that layers added.
pub(crate) fn leave(request: http::Request<Body>) -> reqwest::Result<(Request, Extensions)> {
    let mut chain = request.extensions().clone();
    let request = Request::try_from(request)?;
    chain.insert(CopiedTimeout(request.timeout().copied()));
    Ok((request, chain))
}

fn with_timeout(
    request: http::Request<Body>,
    timeout: Option<Duration>,
) -> reqwest::Result<http::Request<Body>> {
    let mut request = Request::try_from(request)?;
    *request.timeout_mut() = timeout;
    request.try_into()
}
