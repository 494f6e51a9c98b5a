//! A call on a task of its own, with an innermost service that is a closure.
//!
//! A closure whose error is a `BoxError` has the lifetime `'static` of that error erased when an `async`
//! block is checked for `Send`: "implementation of `From` is not general enough", for tower's own layers
//! as for these. Spawning the call without such a block, boxing the service, or an error type of one's
//! own are the ways around it, and all of them must stay open.

use std::time::Duration;

use ::tower::{BoxError, Layer, Service, ServiceExt, service_fn};
use http::{Request, Response};
use portcullis::{Breaker, Bulkhead, Timeout};

use super::{each, stack};
use crate::{
    exchange::ShopError,
    policies::{breaker, bulkhead, health, retry, thread_pool, total, whole_response},
};

#[tokio::test]
async fn boxed() {
    each!(
        breaker(), retry(), bulkhead(), thread_pool(), total(), stack!();
        |layer| {
            let leaf = service_fn(|n: u32| async move { if n > 0 { Ok(n) } else { Err(BoxError::from("none")) } });
            let service = layer.layer(leaf);
            assert_eq!(tokio::spawn(service.clone().oneshot(1)).await.unwrap().unwrap(), 1);
            let mut service = service.boxed_clone();
            let call = tokio::spawn(async move { service.ready().await?.call(1).await });
            assert_eq!(call.await.unwrap().unwrap(), 1);
        }
    );
}

async fn disk(number: u32) -> std::io::Result<u32> {
    Ok(number)
}

async fn shop(number: u32) -> Result<u32, ShopError> {
    Ok(number)
}

async fn page<B>(_: Request<B>) -> Result<Response<String>, ShopError> {
    Ok(Response::new(String::from("body")))
}

/// With an error that the layer boxes.
#[tokio::test]
async fn boxed_by_the_layer() {
    each!(
        breaker(), retry(), bulkhead(), thread_pool(), total(), stack!();
        |layer| {
            let service = layer.layer(service_fn(disk));
            let call = tokio::spawn(async move { service.oneshot(1).await });
            assert_eq!(call.await.unwrap().unwrap(), 1);
        }
    );
}

#[tokio::test]
async fn typed() {
    each!(
        breaker().typed(), retry().typed(), bulkhead().typed(), thread_pool().typed(), total().typed(), stack!(typed);
        |layer| {
            let mut service = layer.layer(service_fn(shop));
            let call = tokio::spawn(async move { service.ready().await?.call(1).await });
            assert_eq!(call.await.unwrap().unwrap(), 1);
        }
    );
}

macro_rules! http {
    ($test:ident $(, $more:expr)*) => {
        #[tokio::test]
        async fn $test() {
            each!(
                breaker().$test(), retry().$test(), bulkhead().$test(), thread_pool().$test(), total().$test(),
                whole_response().$test(), stack!($test) $(, $more)*;
                |layer| {
                    let leaf = service_fn(|_| async { Ok::<_, BoxError>(Response::new(String::from("body"))) });
                    let call = tokio::spawn(layer.layer(leaf).oneshot(Request::new(String::new())));
                    assert!(call.await.unwrap().is_ok());
                    let service = layer.layer(service_fn(page));
                    let call = tokio::spawn(async move { service.oneshot(Request::new(String::new())).await });
                    assert!(call.await.unwrap().is_ok());
                }
            );
        }
    };
}

http!(http_server, health());
http!(http_client);
http!(grpc);

/// Policies without a layer, around anything, one within the other.
#[tokio::test]
async fn policies() {
    let (breaker, bulkhead) = (Breaker::new("spawn"), Bulkhead::new("spawn"));
    let timeout = Timeout::total("spawn", Duration::from_secs(30)).unwrap();
    let call = tokio::spawn(async move {
        let attempt = async || bulkhead.call(async || Ok::<_, BoxError>(1)).await;
        timeout.call(async || breaker.call(attempt).await).await
    });
    assert_eq!(call.await.unwrap().unwrap(), 1);
}
