//! By which name the console was asked: a page of elsewhere can make its own name point here.

use std::net::IpAddr;

use axum::http::{HeaderMap, Uri, header, uri::Authority};

/// The host that was asked for, when it is told exactly once.
pub(crate) fn asked(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    if let Some(authority) = uri.authority() {
        return Some(authority.clone());
    }
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next()?;
    if hosts.next().is_some() {
        return None;
    }
    host.to_str().ok()?.parse().ok()
}

/// Whether this name can only mean this machine, or is one of those that were told.
pub(crate) fn is_known(host: &Authority, known: &[String]) -> bool {
    let name = host.host();
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    // A name that is an address was looked up by nobody.
    name.eq_ignore_ascii_case("localhost")
        || address.is_ok_and(|ip| ip.to_canonical().is_loopback())
        || known.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_known() {
        let known = ["console.shop".to_owned()];
        let is = |host: &str| host.parse().is_ok_and(|host| is_known(&host, &known));
        for host in ["localhost", "LOCALHOST:80", "127.0.0.1:9", "127.3.2.1", "[::1]:9", "console.shop:1"] {
            assert!(is(host), "{host}");
        }
        for host in
            ["localhost.evil.example", "127.0.0.1.evil.example", "evil.example:80", "10.0.0.1", "[::2]", ""]
        {
            assert!(!is(host), "{host}");
        }
    }

    #[test]
    fn two_hosts_are_none() {
        let mut headers = HeaderMap::new();
        assert!(asked(&Uri::from_static("/"), &headers).is_none());
        headers.append(header::HOST, "localhost".parse().unwrap());
        assert!(asked(&Uri::from_static("/"), &headers).is_some());
        headers.append(header::HOST, "localhost".parse().unwrap());
        assert!(asked(&Uri::from_static("/"), &headers).is_none());
    }
}
