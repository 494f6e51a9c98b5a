//! Who is asked.

use std::{fmt, str::FromStr};

use http::Uri;

/// Who is asked, and how.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Http(Uri),
    Grpc { address: String, service: String },
}

/// Where there is no path.
const HEALTH: &str = "/health";

impl FromStr for Target {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error| format!("{error}"))?;
        let authority = uri.authority().filter(|authority| !authority.host().is_empty());
        let Some(authority) = authority else { return Err("it has no host".to_owned()) };
        match uri.scheme_str() {
            Some("http") if uri.path() == "/" && uri.query().is_none() && !url.ends_with('/') => {
                let whole = format!("http://{authority}{HEALTH}");
                whole.parse().map(Self::Http).map_err(|error| format!("{error}"))
            }
            Some("http") => Ok(Self::Http(uri)),
            Some("grpc") if authority.port().is_none() => Err("gRPC needs a port".to_owned()),
            Some("grpc") => Ok(Self::Grpc {
                address: format!("http://{authority}"),
                service: uri.path().trim_start_matches('/').to_owned(),
            }),
            Some("https" | "grpcs") => Err("TLS is not spoken: ask inside of the network".to_owned()),
            _ => Err("it must begin with http:// or grpc://".to_owned()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(uri) => uri.fmt(f),
            Self::Grpc { address, service } => {
                write!(f, "{}/{service}", address.replacen("http://", "grpc://", 1))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_asked() {
        for (given, asked) in [
            ("http://shop", "http://shop/health"),
            ("http://shop:3000/internal/health?format=text", "http://shop:3000/internal/health?format=text"),
            ("http://shop/", "http://shop/"),
            ("http://[::1]:80", "http://[::1]:80/health"),
            ("grpc://shop:50051", "grpc://shop:50051/"),
            ("grpc://shop:50051/echo.v1.Echo", "grpc://shop:50051/echo.v1.Echo"),
        ] {
            assert_eq!(
                given.parse::<Target>().map(|target| target.to_string()),
                Ok(asked.to_owned()),
                "{given}"
            );
        }
        for wrong in
            ["", "shop", "shop:80", "/health", "https://shop", "grpc://shop", "ftp://shop", "http:///x"]
        {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
    }
}
