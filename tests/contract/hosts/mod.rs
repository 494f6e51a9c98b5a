//! The hosts that take the layers as they are: no `HandleErrorLayer`, no boxing, no type named by hand.
//!
//! Most of it is kept by the compiler alone. Where a host is cheap to run, a call goes through it.

mod axum;
mod hyper;
mod reqwest;
mod spawn;
mod tonic;
mod tower;

/// The recommended stack, from outside: total timeout, retry, breaker, bulkhead, attempt timeout.
macro_rules! stack {
    ($($protocol:ident)? $(, $replay:ident $how:expr)?) => {
        ::tower::ServiceBuilder::new()
            .layer(crate::policies::total()$(.$protocol())?)
            .layer(crate::policies::retry()$(.$protocol())?.idempotent()$(.$replay($how))?)
            .layer(crate::policies::breaker()$(.$protocol())?)
            .layer(crate::policies::bulkhead()$(.$protocol())?)
            .layer(crate::policies::attempt()$(.$protocol())?)
            .into_inner()
    };
}

/// Does the same with each of several layers, whose types differ.
macro_rules! each {
    ($($layer:expr),+ $(,)?; |$name:ident| $body:expr) => {
        $({
            let $name = $layer;
            $body
        })+
    };
}

use {each, stack};
