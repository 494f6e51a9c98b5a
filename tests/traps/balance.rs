//! T20, T42: routers that one endpoint stops, and ejection of everything.

use axum::{Router, routing::get};
use http::StatusCode;
use http_body_util::BodyExt;
use portcullis::{Balance, Endpoints, Outliers, Registry, RetryLayer, RetryPolicy};
use portcullis_tests::{
    net::{Server, nowhere},
    polls::count_polls,
};
use tower::{Service, ServiceBuilder, ServiceExt};

use crate::common::{failing, healthy, secs};

fn outliers(name: &'static str) -> portcullis::balance::OutliersBuilder {
    Outliers::builder(name).registry(&Registry::new())
}

/// A router that needs all backends ready: one hung backend stops all.
#[tokio::test(start_paused = true)]
async fn t20_a_hung_endpoint_stops_nobody() {
    let endpoints = Endpoints::new(outliers("t20").build().unwrap());
    let services = [healthy(), healthy(), healthy()];
    services[0].1.close();
    for (at, (service, _)) in services.iter().enumerate() {
        endpoints.insert(at.to_string(), service.clone());
    }
    let mut balance = Balance::new(endpoints);
    for n in 0..100 {
        assert_eq!(balance.ready().await.unwrap().call(n).await.unwrap(), n);
    }
    let tallies = services.each_ref().map(|(_, handle)| handle.tally());
    assert_eq!(tallies[0].calls, 0);
    assert!(tallies[1].calls > 0 && tallies[2].calls > 0);
    assert!(tallies.iter().all(|tally| tally.misuses.is_empty() && tally.in_flight == 0), "{tallies:?}");
}

/// What waits is woken by who gets ready, and does not ask until then.
#[tokio::test(start_paused = true)]
async fn t04_waiting_for_an_endpoint() {
    let endpoints = Endpoints::new(outliers("t04").build().unwrap());
    let (service, handle) = healthy();
    handle.close();
    endpoints.insert("one", service);
    let open = async {
        tokio::time::sleep(secs(1)).await;
        handle.open();
    };
    let ((result, polls), ()) = tokio::join!(count_polls(Balance::new(endpoints).oneshot(7)), open);
    assert!(result.is_ok() && polls < 10, "{polls} polls");
}

/// All endpoints fail, and all are ejected.
#[tokio::test(start_paused = true)]
async fn t42_not_everything_is_ejected() {
    let outliers = outliers("t42").build().unwrap();
    let endpoints = Endpoints::new(outliers.clone());
    for at in 0..20 {
        endpoints.insert(at.to_string(), failing().0);
    }
    let mut balance = Balance::new(endpoints.clone());
    for n in 0..1000 {
        let _ = balance.ready().await.unwrap().call(n).await;
        assert!(outliers.status().ejected <= 2);
    }
    assert_eq!(outliers.status().ejected, 2, "a tenth of them");
}

/// With a share of all, nearly all are ejected, and what is left falls under the load: then all are used.
#[tokio::test(start_paused = true)]
async fn t42_when_too_many_are_ejected_all_are_used() {
    let outliers = outliers("t42").max_ejected_share(1.0).build().unwrap();
    let endpoints = Endpoints::new(outliers.clone());
    let services: Vec<_> = (0..4).map(|_| failing()).collect();
    for (at, (service, _)) in services.iter().enumerate() {
        endpoints.insert(at.to_string(), service.clone());
    }
    let mut balance = Balance::new(endpoints);
    while !outliers.is_panicking() {
        let _ = balance.ready().await.unwrap().call(1).await;
    }
    let before: Vec<_> = services.iter().map(|(_, handle)| handle.tally().calls).collect();
    for n in 0..200 {
        let _ = balance.ready().await.unwrap().call(n).await;
    }
    let served = services.iter().zip(before).all(|((_, handle), before)| handle.tally().calls > before);
    assert!(served, "everybody");
}

/// An endpoint that was ejected and returns is ejected again by the first failure, because its counts are those of
/// before (envoyproxy/envoy#40697).
#[tokio::test(start_paused = true)]
async fn t42_who_returns_starts_anew() {
    let outliers = outliers("t42").build().unwrap();
    let endpoints = Endpoints::new(outliers.clone());
    let (bad, handle) = failing();
    endpoints.insert("bad", bad);
    endpoints.insert("well", healthy().0);
    let mut balance = Balance::new(endpoints);
    while outliers.status().ejected == 0 {
        let _ = balance.ready().await.unwrap().call(1).await;
    }
    tokio::time::sleep(secs(30)).await;
    let before = handle.tally().calls;
    while handle.tally().calls < before + 4 {
        let _ = balance.ready().await.unwrap().call(1).await;
    }
    assert_eq!(outliers.status().ejected, 0);
}

/// Over sockets: of three servers one answers with errors and one is gone. Retries go elsewhere, no call fails, and
/// soon nobody asks the two any more.
#[tokio::test]
async fn t42_servers_that_fail_are_left_alone() {
    let well = Server::axum(Router::new().route("/", get(|| async { "well" }))).await;
    let ill = Server::axum(Router::new().route("/", get(|| async { StatusCode::SERVICE_UNAVAILABLE }))).await;
    let addresses = [well.url(""), ill.url(""), nowhere()];

    let outliers = outliers("t42").max_ejected_share(0.7).panic_threshold(0.2).build().unwrap();
    let endpoints = Endpoints::new(outliers.clone());
    let executor = hyper_util::rt::TokioExecutor::new();
    for address in addresses {
        let client = hyper_util::client::legacy::Client::builder(executor.clone()).build_http();
        let to = address.clone();
        let service = ServiceBuilder::new()
            .map_request(move |request: http::Request<_>| {
                let (mut parts, body) = request.into_parts();
                parts.uri = format!("{to}{}", parts.uri.path()).parse().unwrap();
                http::Request::from_parts(parts, body)
            })
            .service(client);
        endpoints.insert(address, service);
    }
    let retry = RetryPolicy::builder("t42").max_attempts(3).registry(&Registry::new()).budget_of(1.0, 1000);
    let layer = RetryLayer::new(retry.build().unwrap()).http_client().avoid_tried();
    let balance = ServiceBuilder::new().layer(layer).service(Balance::new(endpoints.clone()).http_client());

    let calls = async {
        for _ in 0..60 {
            let request = http::Request::get("/").body(String::new()).unwrap();
            let response = balance.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "well");
        }
    };
    tokio::time::timeout(secs(30), calls).await.unwrap();
    assert!(endpoints.loads().iter().all(|load| load.in_flight == 0));
    assert_eq!(outliers.status().ejected, 2, "{:?}", outliers.endpoints());
    assert!(outliers.status().failures <= 20, "{:?}", outliers.status());
}
