//! Without a subscriber nothing is made.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use portcullis::{BoxError, ObserveLayer, Registry};
use tower::{Service, ServiceBuilder, service_fn};

use crate::support::observer;

#[test]
fn nothing_is_allocated_when_nobody_looks() {
    let observer = observer(&Registry::new());
    let mut service = ServiceBuilder::new()
        .layer(ObserveLayer::calls(observer.clone()))
        .layer(ObserveLayer::attempts(observer.clone()))
        .service(service_fn(|n: u32| std::future::ready(Ok::<_, BoxError>(n))));
    let mut call = || {
        let cx = &mut Context::from_waker(Waker::noop());
        let Poll::Ready(Ok(())) = Service::<u32>::poll_ready(&mut service, cx) else {
            panic!("always ready")
        };
        let Poll::Ready(Ok(7)) = pin!(service.call(7)).poll(cx) else { panic!("ready at once") };
    };
    call(); // the first time, the thread gets its number
    let info = allocation_counter::measure(call);
    assert_eq!((info.count_total, observer.status().attempts.successes), (0, 2));
}
