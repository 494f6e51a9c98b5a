//! Where a request comes from.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::ConnectInfo,
    http::{Extensions, HeaderMap},
};

/// What a proxy adds: behind one on the same machine, everybody seems to be on it.
const FORWARDED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// Whether the request was made on this machine, as far as that is known.
pub(crate) fn is_local(extensions: &Extensions, headers: &HeaderMap) -> bool {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    peer.is_some_and(|peer| is_loopback(peer.0.ip()))
        && !FORWARDED.iter().any(|name| headers.contains_key(*name))
}

fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_without_a_proxy_is_local() {
        let from = |peer: &str| {
            let mut extensions = Extensions::new();
            extensions.insert(ConnectInfo::<SocketAddr>(peer.parse().unwrap()));
            extensions
        };
        let none = HeaderMap::new();
        for peer in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert!(is_local(&from(peer), &none), "{peer}");
        }
        for peer in ["10.0.0.1:1", "[::2]:1", "0.0.0.0:1", "[::ffff:10.0.0.1]:1"] {
            assert!(!is_local(&from(peer), &none), "{peer}");
        }
        assert!(!is_local(&Extensions::new(), &none), "nobody knows");
        let proxied =
            HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), "127.0.0.1".parse().unwrap())]);
        assert!(!is_local(&from("127.0.0.1:1"), &proxied));
    }
}
