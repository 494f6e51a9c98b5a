//! One file a law, and what provokes layers to show how they treat the inner service.

mod abandoned;
mod drop;
mod errors;
mod permits;
mod provoke;
mod readiness;
mod refusal;
mod response;
mod shared;
mod wakers;

use super::{
    Law,
    bench::{Finding, Lab},
    exchange::Exchange,
};

pub(super) async fn check<X: Exchange>(law: Law, lab: &Lab<'_, X>) -> Finding {
    match law {
        Law::SameInstance => readiness::same_instance(lab).await,
        Law::FreshReadiness => readiness::fresh_readiness(lab).await,
        Law::OnePermit => permits::check(lab).await,
        Law::Drop => drop::check(lab).await,
        Law::Wakers => wakers::check(lab).await,
        Law::Errors => errors::check(lab).await,
        Law::Shared => shared::check(lab).await,
        Law::Response => response::check(lab).await,
        Law::Abandoned => abandoned::check(lab).await,
        Law::Refusal => refusal::check(lab).await,
    }
}
