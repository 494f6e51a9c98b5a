//! Where deadlines go.

use http::{Request, Response};
use portcullis::{
    BoxError, DeadlineLayer, Registry, RetryLayer, RetryPolicy, protocol::Deadline, retry::Backoff,
};
use portcullis_testkit::script;
use tokio::time::Instant;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

use super::support::{ms, timeout};

/// The headers that a dependency gets.
async fn sent(
    layer: impl Layer<Echo, Service: tower::Service<Request<()>, Response: Into<Told>, Error: std::fmt::Debug>>,
    request: Request<()>,
) -> http::HeaderMap {
    layer.layer(Echo).oneshot(request).await.unwrap().into().0
}

/// Answers with the headers of the request.
#[derive(Clone)]
struct Echo;

impl tower::Service<Request<()>> for Echo {
    type Response = Response<http_body_util::Empty<bytes::Bytes>>;
    type Error = BoxError;
    type Future = std::future::Ready<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), BoxError>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let mut response = Response::new(http_body_util::Empty::new());
        *response.headers_mut() = request.headers().clone();
        std::future::ready(Ok(response))
    }
}

struct Told(http::HeaderMap);

impl<B> From<Response<B>> for Told {
    fn from(response: Response<B>) -> Self {
        Self(response.headers().clone())
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_tells_what_is_left_less_the_margin() {
    let layer = DeadlineLayer::new(timeout(1000)).http_client();
    let headers = sent(layer.clone(), Request::new(())).await;
    assert_eq!(headers["x-envoy-expected-rq-timeout-ms"], "995");
    let named = layer.margin(ms(20)).header(http::HeaderName::from_static("x-budget"));
    let mut request = Request::new(());
    request.extensions_mut().insert(Deadline::after(ms(300)));
    assert_eq!(sent(named, request).await["x-budget"], "280");
}

#[tokio::test(start_paused = true)]
async fn a_grpc_client_tells_it_in_its_own_header() {
    let grpc = || Request::post("/shop/Buy").header("content-type", "application/grpc");
    let layer = DeadlineLayer::new(timeout(1000)).grpc();
    assert_eq!(sent(layer.clone(), grpc().body(()).unwrap()).await["grpc-timeout"], "995000u");
    let short = grpc().header("grpc-timeout", "100m").body(()).unwrap();
    assert_eq!(sent(layer, short).await["grpc-timeout"], "95000000n");
}

/// A server below keeps the time by the same header, and is not to be the first to say that it is over.
#[tokio::test(start_paused = true)]
async fn a_server_gives_what_is_below_a_little_longer() {
    let request = Request::post("/shop/Buy").header("content-type", "application/grpc");
    let request = request.header("grpc-timeout", "100m").body(()).unwrap();
    let headers = sent(DeadlineLayer::new(timeout(1000)).http_server(), request).await;
    assert_eq!(headers["grpc-timeout"], "105000u");
}

/// Who has nothing left to give is refused before anything is sent, and before anything is waited for.
#[tokio::test(start_paused = true)]
async fn what_comes_too_late_is_not_begun() {
    let (inner, handle) =
        script::of::<Request<()>, Response<http_body_util::Empty<bytes::Bytes>>, BoxError>([]);
    handle.close();
    let timeout = timeout(1000);
    let service = DeadlineLayer::new(timeout.clone()).http_client().layer(inner.clone());
    for left in [0, 1, 5] {
        let mut request = Request::new(());
        request.extensions_mut().insert(Deadline::after(ms(left)));
        let start = Instant::now();
        let error = match service.clone().oneshot(request).await {
            Ok(_) => panic!("{left} ms are enough"),
            Err(error) => error,
        };
        let told = format!("timeout 't' was not ready within {:?} (total)", ms(left));
        assert_eq!((error.to_string(), start.elapsed()), (told, ms(0)));
    }
    assert_eq!((handle.tally().calls, timeout.expired()), (0, 3));
}

/// The layers below know when it is over: a retry begins no wait that would end after it.
#[tokio::test(start_paused = true)]
async fn a_retry_below_keeps_to_it() {
    let policy = RetryPolicy::builder("r")
        .max_attempts(10)
        .backoff(Backoff::fixed(ms(80)).jitter(portcullis::retry::Jitter::None));
    let policy = policy.budget_of(1.0, 100).registry(&Registry::new()).build().unwrap();
    let inner = service_fn(|_: Request<_>| async {
        let response = Response::builder().status(503).body(http_body_util::Empty::<bytes::Bytes>::new());
        Ok::<_, BoxError>(response.unwrap())
    });
    let service = ServiceBuilder::new()
        .layer(DeadlineLayer::new(timeout(300)).http_client())
        .layer(RetryLayer::new(policy.clone()).http_client())
        .service(inner);
    let start = Instant::now();
    let request = Request::get("/").body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap();
    assert_eq!(service.oneshot(request).await.unwrap().status().as_u16(), 503);
    assert_eq!((start.elapsed(), policy.status().retries), (ms(240), 3));
}

/// An attempt that comes later has less time, and says so.
#[tokio::test(start_paused = true)]
async fn each_attempt_tells_what_is_left_then() {
    let attempts = async |grpc: bool| {
        let (tells, told) = std::sync::mpsc::channel();
        let inner = service_fn(move |request: Request<_>| {
            let names = ["grpc-timeout", "x-envoy-expected-rq-timeout-ms"];
            let told = names.map(|name| request.headers().get(name).cloned());
            tells.send(told.into_iter().flatten().next().unwrap()).unwrap();
            let response = Response::builder().status(503).header("grpc-status", "14");
            std::future::ready(Ok::<_, BoxError>(
                response.body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap(),
            ))
        });
        let policy = RetryPolicy::builder("r").max_attempts(3).budget_of(1.0, 100).registry(&Registry::new());
        let backoff = Backoff::fixed(ms(80)).jitter(portcullis::retry::Jitter::None);
        let retry = RetryLayer::new(policy.backoff(backoff).build().unwrap());
        let deadline = DeadlineLayer::new(timeout(300));
        let request = Request::get("/").body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap();
        if grpc {
            let mut request = request;
            *request.method_mut() = http::Method::POST;
            request.headers_mut().insert("content-type", http::HeaderValue::from_static("application/grpc"));
            let service =
                ServiceBuilder::new().layer(deadline.grpc()).layer(retry.grpc().idempotent()).service(inner);
            drop(service.oneshot(request).await.unwrap());
        } else {
            let service =
                ServiceBuilder::new().layer(deadline.http_client()).layer(retry.http_client()).service(inner);
            drop(service.oneshot(request).await.unwrap());
        }
        told.try_iter().collect::<Vec<_>>()
    };
    assert_eq!(attempts(false).await, ["295", "215", "135"]);
    assert_eq!(attempts(true).await, ["295000u", "215000u", "135000u"]);
}

/// Who calls gRPC as the HTTP that it is gives nobody more time than the request itself has.
#[tokio::test(start_paused = true)]
async fn an_http_client_of_grpc_keeps_to_what_the_request_says() {
    let grpc = Request::post("/shop/Buy").header("content-type", "application/grpc");
    let short = grpc.header("grpc-timeout", "100m").body(()).unwrap();
    let headers = sent(DeadlineLayer::new(timeout(1000)).http_client(), short).await;
    assert_eq!(headers["grpc-timeout"], "95000000n");
}
