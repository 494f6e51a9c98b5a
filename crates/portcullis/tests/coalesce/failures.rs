//! Calls that fail.

use std::{error::Error, io};

use portcullis::{
    BoxError, CoalesceLayer, FromRejection, Name, Reason, Rejection, coalesce::OnFailure, share::SharedError,
};
use portcullis_testkit::script::Step;
use tokio_test::{assert_ready_err, assert_ready_ok};
use tower::{Layer, ServiceExt, service_fn};

use super::support::{begun, by_tens, coalesce, dependency, ms};

fn refused() -> io::Error {
    io::ErrorKind::ConnectionRefused.into()
}

#[tokio::test]
async fn everyone_gets_the_failure() {
    let coalesce = coalesce().build().unwrap();
    let (inner, handle) = dependency([Step::err(refused().into()).held()]);
    let service = by_tens(&coalesce, inner);
    let mut calls = [1, 2, 3].map(|n| begun(&service, n));
    handle.release();
    for call in &mut calls {
        let error: BoxError = assert_ready_err!(call.poll());
        assert_eq!(error.to_string(), refused().to_string());
        let source = error.downcast_ref::<SharedError>().unwrap().source().unwrap();
        assert_eq!(source.downcast_ref::<io::Error>().unwrap().kind(), io::ErrorKind::ConnectionRefused);
    }
    assert_eq!(handle.tally().calls, 1);
}

#[tokio::test]
async fn who_is_alone_gets_the_error_itself() {
    let coalesce = coalesce().build().unwrap();
    let (inner, _) = dependency([Step::err(refused().into())]);
    assert!(by_tens(&coalesce, inner).oneshot(1).await.unwrap_err().is::<io::Error>());
}

/// Refusals of layers below stay what they are.
#[tokio::test]
async fn a_rejection_is_a_rejection_for_everyone() {
    let coalesce = coalesce().build().unwrap();
    let rejection = Rejection::new(Name::from("below"), Reason::BulkheadFull { limit: 1, queued: 0 });
    let (inner, handle) = dependency([Step::err(rejection.into()).held()]);
    let service = by_tens(&coalesce, inner);
    let mut calls = [1, 2].map(|n| begun(&service, n));
    handle.release();
    for call in &mut calls {
        assert!(assert_ready_err!(call.poll()).is::<Rejection>());
    }
}

#[tokio::test]
async fn where_failures_are_not_shared_the_next_tries() {
    let coalesce = coalesce().on_failure(OnFailure::Promote).build().unwrap();
    let (inner, handle) = dependency([Step::err(refused().into()).held(), Step::ok(7)]);
    let service = by_tens(&coalesce, inner);
    let [mut leader, mut first, mut second] = [1, 2, 3].map(|n| begun(&service, n));
    handle.release();
    assert!(assert_ready_err!(leader.poll()).is::<io::Error>());
    assert_eq!(assert_ready_ok!(first.poll()), 7);
    assert_eq!(assert_ready_ok!(second.poll()), 7);
    assert_eq!(handle.take_requests(), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn errors_of_ones_own_are_cloned() {
    #[derive(Clone, Debug, PartialEq)]
    enum Own {
        SoldOut,
        Refused(Rejection),
    }

    impl FromRejection for Own {
        fn from_rejection(rejection: Rejection) -> Self {
            Self::Refused(rejection)
        }

        fn as_rejection(&self) -> Option<&Rejection> {
            match self {
                Self::Refused(rejection) => Some(rejection),
                Self::SoldOut => None,
            }
        }
    }

    let layer = CoalesceLayer::new(coalesce().build().unwrap()).by(|n: &u32| Some(*n)).typed();
    let service = layer.layer(service_fn(|_: u32| async {
        tokio::time::sleep(ms(1)).await;
        Err::<u32, _>(Own::SoldOut)
    }));
    let (one, another) = tokio::join!(service.clone().oneshot(1), service.oneshot(1));
    assert_eq!((one, another), (Err(Own::SoldOut), Err(Own::SoldOut)));
}

/// The readiness of the inner service is the leader's, and so is its error.
#[tokio::test]
async fn an_error_of_readiness_is_shared() {
    let coalesce = coalesce().build().unwrap();
    let (inner, handle) = dependency([]);
    handle.close();
    let service = by_tens(&coalesce, inner);
    let mut calls = [1, 2].map(|n| begun(&service, n));
    handle.fail_readiness(|| "not ready".into());
    handle.open();
    for call in &mut calls {
        assert_eq!(assert_ready_err!(call.poll()).to_string(), "not ready");
    }
    assert_eq!(handle.tally().calls, 0);
}
