//! Portcullis's refusals on their way out of a chain.

use portcullis::{Breaker, BreakerLayer, FromRejection, Registry, Rejection};
use portcullis_reqwest::{NextError, TowerMiddleware};

use crate::support::{chain, find, nowhere, soon};

fn isolated() -> Breaker {
    let breaker = Breaker::builder("inventory").registry(&Registry::new()).build().expect("in range");
    breaker.isolate();
    breaker
}

#[tokio::test]
async fn a_refusal_is_found_whatever_the_protocol() {
    let url = nowhere();
    let breaker = isolated();
    let clients = [
        chain().with(TowerMiddleware::new(BreakerLayer::new(breaker.clone()))).build(),
        chain().with(TowerMiddleware::new(BreakerLayer::new(breaker.clone()).http_client())).build(),
        chain().with(TowerMiddleware::new(BreakerLayer::new(breaker.clone()).typed())).build(),
    ];
    for client in clients {
        let error = soon(client.get(&url).send()).await.expect_err("refused");
        assert_eq!(find::<Rejection>(&error).expect("among the sources").policy().to_string(), "inventory");
    }
    assert_eq!(breaker.status().refused, 3);
}

#[tokio::test]
async fn an_outer_stack_does_not_count_the_refusals_of_an_inner_one() {
    let outer = Breaker::builder("outer").registry(&Registry::new()).build().expect("in range");
    for client in [
        chain().with(TowerMiddleware::new(BreakerLayer::new(outer.clone()).http_client())),
        chain().with(TowerMiddleware::new(BreakerLayer::new(outer.clone()).typed())),
    ] {
        let client = client.with(TowerMiddleware::new(BreakerLayer::new(isolated()))).build();
        soon(client.get(nowhere()).send()).await.expect_err("refused");
    }
    assert_eq!((outer.status().ignored, outer.status().failures), (2, 0));
}

#[test]
fn an_error_of_the_chain_carries_a_rejection() {
    let rejection = isolated().try_admit().expect_err("isolated");
    let error = NextError::from_rejection(rejection.clone());
    assert_eq!(error.as_rejection(), Some(&rejection));

    let other = reqwest_middleware::Error::middleware(std::io::Error::other("no"));
    assert_eq!(NextError::from(other).as_rejection(), None);
}
