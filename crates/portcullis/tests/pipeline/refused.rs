//! What is not built, by types, names and reasons.

use portcullis::{
    Breaker, Hedge, HedgeLayer, Pipeline, Registry, RetryPolicy,
    pipeline::{Named, PipelineError, Place, Wrong},
};

use crate::support::ms;

fn wrong<T>(built: Result<T, PipelineError>) -> Wrong {
    let wrong = built.err().and_then(|error| match error {
        PipelineError::Wrong(wrong) => Some(wrong),
        _ => None,
    });
    wrong.unwrap()
}

#[test]
fn an_attempt_longer_than_the_call_is_refused() {
    let built = Pipeline::client("shop")
        .attempt_timeout(ms(300))
        .deadline(ms(200))
        .registry(&Registry::new())
        .build();
    let wrong = wrong(built);
    let named = |place| Named { place, name: "shop".into() };
    assert_eq!(
        (wrong.first(), wrong.second()),
        (Some(named(Place::AttemptTimeout)), Some(named(Place::Deadline)))
    );
    assert!(wrong.to_string().ends_with("its limit of 300ms is longer than the 200ms of the whole call"));
}

#[test]
fn two_for_one_place_are_refused_with_both_names() {
    let registry = Registry::new();
    let breaker = |name: &'static str| Breaker::builder(name).registry(&registry).build().unwrap();
    let built = Pipeline::client("shop").breaker(breaker("one")).breaker(breaker("two")).build();
    let Wrong::Twice(first, second) = wrong(built) else { panic!() };
    assert_eq!((&*first.name, &*second.name, first.place), ("one", "two", Place::Breaker));
    let built = Pipeline::client("shop").deadline(ms(1)).deadline(ms(2)).build();
    assert!(matches!(wrong(built), Wrong::Twice(..)));
}

#[test]
fn the_other_sides_policies_are_refused() {
    let registry = Registry::new();
    let client = Pipeline::client("shop").registry(&registry).load_shed(portcullis::shed::Config::default());
    assert!(
        wrong(client.build()).to_string().starts_with("load_shed 'shop' has no place in a client pipeline")
    );
    let server = Pipeline::server("shop").registry(&registry).retry(portcullis::retry::Config::default());
    assert!(wrong(server.build()).to_string().starts_with("retry 'shop' has no place in a server pipeline"));
}

#[test]
fn nothing_is_no_pipeline() {
    assert_eq!(wrong(Pipeline::server("shop").build()), Wrong::Empty(portcullis::pipeline::Side::Server));
}

#[test]
fn hedges_want_to_know_what_may_be_made_twice() {
    let registry = Registry::new();
    let hedge = || Hedge::builder("h").registry(&registry).build().unwrap();
    let start = || Pipeline::client("shop").registry(&registry);
    assert!(matches!(wrong(start().hedge(hedge()).build()), Wrong::UnsafeHedge(_)));
    // Told for all calls, and by requests that say it.
    assert!(start().hedge(HedgeLayer::new(hedge()).idempotent()).build().is_ok());
    assert!(start().hedge(hedge()).http_client().build().is_ok());
    assert!(start().hedge(HedgeLayer::new(hedge()).http_client()).build().is_ok());
    assert!(start().hedge(HedgeLayer::new(hedge()).idempotent_if(|n: &u32| *n > 1)).build().is_ok());
}

#[test]
fn retries_and_hedges_share_one_budget() {
    let registry = Registry::new();
    let start = || Pipeline::client("shop").registry(&registry).http_client();
    let retry = RetryPolicy::builder("r").registry(&registry).build().unwrap();
    let hedge = |budget: Option<portcullis::RetryBudget>| {
        let hedge = Hedge::builder("h").registry(&registry);
        match budget {
            Some(budget) => hedge.budget(&budget).build().unwrap(),
            None => hedge.build().unwrap(),
        }
    };
    assert!(matches!(
        wrong(start().retry(retry.clone()).hedge(hedge(None)).build()),
        Wrong::BudgetsApart(..)
    ));
    let both_count = start().hedge(hedge(Some(retry.budget().clone()))).retry(retry.clone()).build();
    assert!(matches!(wrong(both_count), Wrong::CountedTwice { .. }));
    let shared = start().hedge(hedge(Some(retry.budget().withdraw_only()))).retry(retry.clone()).build();
    assert_eq!(shared.unwrap().explain().amplification.many_calls, Some(1.2));
    // Made from settings they do so by themselves.
    let made = start()
        .hedge(portcullis::hedge::Config::default())
        .retry(portcullis::retry::Config::default())
        .build();
    assert_eq!(made.unwrap().explain().amplification.one_call, 6);
    let to_a_handle = start().hedge(portcullis::hedge::Config::default()).retry(retry).build();
    assert!(to_a_handle.is_ok());
}

#[test]
fn settings_outside_their_range_name_their_field() {
    let bulkhead = portcullis::bulkhead::Config { max_in_flight: 0, ..Default::default() };
    let built = Pipeline::client("shop").bulkhead(bulkhead).build();
    let Err(PipelineError::Config(error)) = built else { panic!() };
    assert_eq!(error.field(), "bulkhead.max_in_flight");
}
