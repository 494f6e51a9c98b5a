//! Which page made a request: a browser says it, and no page can make it lie.

use axum::http::{HeaderMap, HeaderName, Uri, header, uri::Authority};

use crate::problem::Problem;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses changes that a page of another site asks for, and forms, which any page may send.
pub(crate) fn check(headers: &HeaderMap, host: Option<&Authority>) -> Result<(), Problem> {
    let mut sites = headers.get_all(FETCH_SITE).iter();
    if sites.any(|site| site != "same-origin" && site != "none") {
        return Err(Problem::forbidden("a page of another site asked for this (Sec-Fetch-Site)"));
    }
    for origin in headers.get_all(header::ORIGIN) {
        let same = origin.to_str().ok().zip(host).is_some_and(|(origin, host)| is_same(origin, host));
        if !same {
            return Err(Problem::forbidden("a page of another origin asked for this (Origin is not Host)"));
        }
    }
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let kind = kinds.next().map(|kind| kind.as_bytes().trim_ascii());
    if kinds.next().is_some() || !kind.is_some_and(|kind| kind.eq_ignore_ascii_case(b"application/json")) {
        return Err(Problem::new(415, "the content type must be application/json, and nothing else"));
    }
    Ok(())
}

/// Whether an origin is the host that was asked.
fn is_same(origin: &str, host: &Authority) -> bool {
    let Ok(uri) = origin.parse::<Uri>() else { return false };
    let default = match uri.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        _ => return false,
    };
    let Some(authority) = uri.authority() else { return false };
    let port = |of: &Authority| of.port_u16().unwrap_or(default);
    authority.host().eq_ignore_ascii_case(host.host()) && port(authority) == port(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_the_host_with_its_port() {
        let same = |origin: &str, host: &str| is_same(origin, &host.parse().unwrap());
        assert!(same("http://localhost:9090", "localhost:9090"));
        assert!(same("http://Shop", "shop:80") && same("https://shop:443", "shop"));
        for (origin, host) in [
            ("http://localhost:9091", "localhost:9090"),
            ("http://evil.example", "localhost"),
            ("http://localhost.evil.example", "localhost"),
            ("null", "localhost"),
            ("", "localhost"),
            ("file://localhost", "localhost"),
            ("http://shop", "shop:443"),
        ] {
            assert!(!same(origin, host), "{origin} is not {host}");
        }
    }
}
