/// Makes a module with one test for each law and host, for a layer that a closure makes.
///
/// See [`laws`](mod@crate::laws) for the laws, and for how the layer is to be configured.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use portcullis_testkit::{laws, laws_http};
/// use tower::{limit::GlobalConcurrencyLimitLayer, timeout::TimeoutLayer};
///
/// laws!(timeout, || TimeoutLayer::new(Duration::from_secs(30)));
///
/// // The options are methods of `Laws`: `limited_to`, `attempts`, `waiting`.
/// laws!(limit, || GlobalConcurrencyLimitLayer::new(4), limited_to = 4, waiting = Duration::from_secs(5));
///
/// // The same over an HTTP service.
/// laws_http!(http_timeout, || TimeoutLayer::new(Duration::from_secs(30)));
/// # fn main() {}
/// ```
///
/// A layer with an error type of its own is checked in an [`Exchange`](crate::laws::Exchange) of
/// that type: `laws!(typed in MyExchange, || layer())`.
#[macro_export]
macro_rules! laws {
    ($(#[$meta:meta])* $name:ident, $make:expr $(, $option:ident = $value:expr)* $(,)?) => {
        $crate::laws!($(#[$meta])* $name in $crate::laws::Plain, $make $(, $option = $value)*);
    };
    ($(#[$meta:meta])* $name:ident in $exchange:ty, $make:expr $(, $option:ident = $value:expr)* $(,)?) => {
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "the closure may name what is in scope around it")]
            use super::*;

            fn laws() -> $crate::laws::Laws<$exchange> {
                $crate::laws::Laws::<$exchange>::of($make)$(.$option($value))*
            }

            $crate::__laws_over!(over_strict, Strict: same_instance SameInstance,
                fresh_readiness FreshReadiness, drop Drop, wakers Wakers, errors Errors, shared Shared,
                response Response, abandoned Abandoned, refusal Refusal);
            $crate::__laws_over!(over_mock, Mock: one_permit OnePermit, errors Errors, response Response);
            $crate::__laws_over!(over_concurrency_limit, ConcurrencyLimit: one_permit OnePermit, drop Drop,
                wakers Wakers, errors Errors, response Response, abandoned Abandoned);
            $crate::__laws_over!(over_buffer, Buffer: one_permit OnePermit, drop Drop, wakers Wakers,
                errors Errors, response Response, abandoned Abandoned);
        }
    };
}

/// [`laws!`](crate::laws!) over an HTTP service: the exchange is [`Http`](crate::laws::Http).
#[macro_export]
macro_rules! laws_http {
    ($(#[$meta:meta])* $name:ident, $make:expr $(, $option:ident = $value:expr)* $(,)?) => {
        $crate::laws!($(#[$meta])* $name in $crate::laws::Http, $make $(, $option = $value)*);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __laws_over {
    ($module:ident, $host:ident: $($test:ident $law:ident),* $(,)?) => {
        mod $module {
            $(
                #[test]
                fn $test() {
                    super::laws().assert($crate::laws::Law::$law, $crate::laws::HostKind::$host);
                }
            )*
        }
    };
}
