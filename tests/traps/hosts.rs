//! Layers among other people's: tower's services that insist on readiness, boxes that are not `Sync`, and
//! axum's router.

use axum::{Router, routing::get};
use http::{Request, Response, StatusCode};
use portcullis::{
    BoxError, Breaker, BreakerLayer, Bulkhead, BulkheadLayer, Health, HealthLayer, Probe, ProbeLayer,
    Registry, RetryLayer, RetryPolicy, Timeout, TimeoutLayer,
};
use portcullis_testkit::script::{self, Handle, Scripted, Step};
use tower::{Service, ServiceBuilder, ServiceExt, util::BoxCloneService};

use crate::common::{ms, secs};

type Shop = Scripted<Request<String>, Response<String>, BoxError>;

/// Fails every third call, and takes a while for each.
fn shop() -> (Shop, Handle<Request<String>, Response<String>, BoxError>) {
    let mut calls = 0;
    script::always(move |_: &Request<String>| {
        calls += 1;
        let step = if calls % 3 == 0 { Step::err("lost".into()) } else { Step::ok(Response::default()) };
        step.yields(1).after(ms(1))
    })
}

/// Makes twenty calls at once, each on a clone, and says how many were answered.
async fn answered<S>(service: S) -> usize
where
    S: Service<Request<String>, Error = BoxError, Future: Send> + Clone + Send + 'static,
    S::Response: Send,
{
    let calls = (0..20).map(|_| tokio::spawn(service.clone().oneshot(Request::default())));
    let ends = futures_util::future::join_all(calls).await;
    ends.into_iter().filter(|end| end.as_ref().expect("no panic").is_ok()).count()
}

/// Over a limit of two and over a buffer of two, this layer lets so many of twenty calls be answered. Both
/// panic when a clone is called that was not polled ready, and the shop below them notices too.
macro_rules! over_both {
    ($layer:expr, $answered:expr) => {{
        let (shop, handle) = shop();
        let limited = ServiceBuilder::new().layer($layer).concurrency_limit(2).service(shop);
        assert_eq!(answered(limited).await, $answered, "over ConcurrencyLimit");
        assert_eq!((handle.tally().high_water, handle.tally().misuses), (2, vec![]));

        let (shop, handle) = self::shop();
        let buffered = ServiceBuilder::new().layer($layer).buffer::<Request<String>>(2).service(shop);
        assert_eq!(answered(buffered).await, $answered, "over Buffer");
        assert_eq!(handle.tally().misuses, []);
    }};
}

/// A clone that was not polled ready is called, and tower panics.
#[tokio::test(start_paused = true)]
async fn t28_every_layer_over_services_that_insist_on_readiness() {
    let queue = || Bulkhead::builder("t28").max_in_flight(3).queue(20, secs(1)).build().unwrap();
    let breaker = || Breaker::builder("t28").failure_ratio(1.0).build().unwrap();

    over_both!(BreakerLayer::new(breaker()), 14);
    over_both!(
        RetryLayer::new(RetryPolicy::builder("t28").max_attempts(9).build().unwrap()).idempotent(),
        20
    );
    over_both!(BulkheadLayer::new(queue()), 14);
    over_both!(TimeoutLayer::new(Timeout::total("t28", secs(1)).unwrap()), 14);
    over_both!(HealthLayer::new(Health::new(&Registry::new())), 14);
    over_both!(
        ServiceBuilder::new()
            .layer(HealthLayer::new(Health::new(&Registry::new())))
            .layer(TimeoutLayer::new(Timeout::total("t28", secs(60)).unwrap()))
            .layer(RetryLayer::new(RetryPolicy::builder("t28").max_attempts(9).build().unwrap()).idempotent())
            .layer(BreakerLayer::new(breaker()))
            .layer(BulkheadLayer::new(queue()))
            .layer(TimeoutLayer::new(Timeout::attempt("t28", secs(1)).unwrap())),
        20
    );
}

/// A probe calls the service that it watches as any other caller must.
#[tokio::test(start_paused = true)]
async fn t28_a_probe_over_services_that_insist_on_readiness() {
    let (shop, handle) = shop();
    let probe = Probe::builder("t28").build().unwrap();
    let layer = ProbeLayer::new(probe.clone(), Request::<String>::default);
    let _service = ServiceBuilder::new().layer(layer).concurrency_limit(1).service(shop);

    tokio::time::sleep(secs(60)).await;

    assert!(probe.status().probes >= 10, "{:?}", probe.status());
    assert_eq!((handle.tally().misuses, handle.tally().high_water), (vec![], 1));
}

/// A layer that is not `Clone`, or wants its service `Sync`, fits neither into a box nor under a router.
#[tokio::test(start_paused = true)]
async fn t38_a_stack_over_a_box_in_a_box() {
    let (shop, _handle) = shop();
    let not_sync: BoxCloneService<_, _, _> = shop.boxed_clone();
    let stack = ServiceBuilder::new()
        .layer(HealthLayer::new(Health::new(&Registry::new())))
        .layer(TimeoutLayer::new(Timeout::total("t38", secs(60)).unwrap()).http_client())
        .layer(RetryLayer::new(RetryPolicy::builder("t38").max_attempts(9).build().unwrap()).idempotent())
        .layer(BreakerLayer::new(Breaker::new("t38")))
        .layer(BulkheadLayer::new(Bulkhead::new("t38")));

    let boxed: BoxCloneService<Request<String>, _, BoxError> = stack.clone().service(not_sync).boxed_clone();

    assert_eq!(answered(boxed.clone()).await, 20);
    assert_eq!(
        boxed.oneshot(Request::get("/livez").body(String::new()).unwrap()).await.unwrap().status(),
        200
    );
}

/// All five layers on a router, by themselves and all together, with no `HandleErrorLayer`.
#[tokio::test(start_paused = true)]
async fn t38_every_layer_on_a_router() {
    let registry = Registry::new();
    let health = HealthLayer::new(Health::new(&registry));
    let timeout = TimeoutLayer::new(Timeout::total("t38", secs(1)).unwrap()).http_server();
    let retry = RetryLayer::new(RetryPolicy::new("t38")).http_server().rebody(axum::body::Body::new);
    let breaker = BreakerLayer::new(Breaker::new("t38")).http_server();
    let bulkhead = BulkheadLayer::new(Bulkhead::new("t38")).http_server();
    let app = || Router::new().route("/", get(async || "hello"));
    let all = (health.clone(), timeout.clone(), retry.clone(), breaker.clone(), bulkhead.clone());

    let apps = [
        app().layer(health),
        app().layer(timeout),
        app().layer(retry),
        app().layer(breaker),
        app().layer(bulkhead),
        app().layer(all),
    ];

    for app in apps {
        let answer = app.oneshot(Request::get("/").body(axum::body::Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }
}

/// A limit on the path of the health probes: pods are killed because they are busy.
#[tokio::test(start_paused = true)]
async fn t44_a_full_bulkhead_refuses_no_health_probe() {
    let registry = Registry::new();
    let bulkhead = Bulkhead::builder("t44").max_in_flight(1).registry(&registry).build().unwrap();
    let app = Router::new()
        .route("/", get(async || "hello"))
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(BulkheadLayer::new(bulkhead.clone()).http_server())
        .layer(HealthLayer::new(Health::new(&registry)));
    let status = async |path: &str| {
        let request = Request::get(path).body(axum::body::Body::empty()).unwrap();
        app.clone().oneshot(request).await.unwrap().status().as_u16()
    };
    let _taken = bulkhead.try_admit().unwrap();

    assert_eq!(status("/").await, 503);
    for path in ["/livez", "/readyz", "/health"] {
        assert_eq!(status(path).await, 200, "{path}");
    }
}
