//! Paths that are not shed.

/// Where gRPC asks for health, by whatever method.
pub(super) const GRPC_HEALTH: &str = "/grpc.health.v1.Health/*";

/// A few paths, each exact or all below one.
#[derive(Clone, Debug, Default)]
pub(super) struct Paths {
    exact: Vec<Box<str>>,
    /// With the slash at their ends.
    below: Vec<Box<str>>,
}

impl Paths {
    pub(super) fn new<I: IntoIterator<Item = T>, T: Into<String>>(paths: I) -> Self {
        let mut known = Self::default();
        for path in paths.into_iter().map(Into::into) {
            match path.strip_suffix('*').filter(|below| below.ends_with('/')) {
                Some(below) => known.below.push(below.into()),
                None => known.exact.push(path.into()),
            }
        }
        known
    }

    pub(super) fn contain(&self, path: &str) -> bool {
        self.exact.iter().any(|exact| **exact == *path)
            || self.below.iter().any(|below| path.starts_with(&**below))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_exact_or_all_below() {
        let paths = Paths::new(["/livez", "/health/*", GRPC_HEALTH]);
        for path in ["/livez", "/health/", "/health/db", "/grpc.health.v1.Health/Check"] {
            assert!(paths.contain(path), "{path}");
        }
        for path in ["/", "/livez/", "/livezz", "/health", "/healthy", "/grpc.health.v1.Healthy/Check", "*"] {
            assert!(!paths.contain(path), "{path}");
        }
    }
}
