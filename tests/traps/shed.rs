//! T44, where a limiter on a shared path refuses health probes, and the orchestrator kills what is only busy; and
//! what else load shedding must not do to those it is there for.

use std::{future::poll_fn, task::Poll, time::Duration};

use axum::{Router, http::HeaderName, routing::get};
use echo_proto::{echo_client::EchoClient, echo_server::EchoServer, service::EchoService};
use futures_util::future::join_all;
use http::StatusCode;
use portcullis::{
    BoxError, Health, HealthLayer, LoadShed, LoadShedLayer, Overload, Registry, Rejection, clock,
    shed::LoadShedBuilder,
};
use portcullis_tests::{
    grpc::{channel, incoming, say},
    net::{Gate, Server, client, soon},
};
use tower::{Layer, Service, ServiceExt, limit::ConcurrencyLimit, service_fn};

use crate::common::{ms, settle};

const PRIORITY: HeaderName = HeaderName::from_static("x-priority");

fn shed() -> LoadShedBuilder {
    LoadShed::builder("t44").registry(&Registry::new())
}

async fn status(url: &str, priority: &str) -> (StatusCode, Option<String>) {
    let answer = soon(client().get(url).header(PRIORITY, priority).send()).await.unwrap();
    let reason = answer.headers().get("portcullis-reason").map(|word| word.to_str().unwrap().to_owned());
    (answer.status(), reason)
}

/// Slow handlers take all that may be in flight. Probes are answered, and so is who matters most.
#[tokio::test]
async fn t44_probes_are_answered_while_calls_are_shed() {
    let (gate, shed) = (Gate::default(), shed().max_in_flight(10).no_queue_delay().build().unwrap());
    let inside = gate.clone();
    let app = Router::new()
        .route("/report", get(async move || inside.pass().await))
        .route("/pay", get(async || "paid"))
        .route("/livez", get(async || "alive"))
        .layer(
            LoadShedLayer::new(shed.clone())
                .priority_header(PRIORITY)
                .exempt_paths(["/livez", "/readyz"])
                .http_server(),
        );
    let server = Server::axum(app).await;
    let running: Vec<_> = (0..8).map(|_| tokio::spawn(client().get(server.url("/report")).send())).collect();
    while gate.inside() < 8 {
        tokio::task::yield_now().await;
    }

    let refused = (StatusCode::SERVICE_UNAVAILABLE, Some("in_flight".to_owned()));
    for class in ["lowest", "low", "normal", "nonsense"] {
        assert_eq!(status(&server.url("/pay"), class).await, refused, "{class}");
    }
    assert_eq!(status(&server.url("/pay"), "highest").await, (StatusCode::OK, None));
    for _ in 0..20 {
        assert_eq!(status(&server.url("/livez"), "lowest").await, (StatusCode::OK, None));
    }
    assert_eq!(shed.status().in_flight, 8, "probes are not counted");
    gate.open();
    for answer in running {
        assert_eq!(soon(answer).await.unwrap().unwrap().status(), StatusCode::OK);
    }
    assert_eq!(status(&server.url("/pay"), "lowest").await, (StatusCode::OK, None));
    assert_eq!(shed.status().in_flight, 0);
}

/// The same with a tonic server, whose health service is exempt by its name. There is none here: that it is not
/// known is what only the router inside can say.
#[tokio::test]
async fn t44_grpc_health_is_asked_while_calls_are_shed() {
    let shed = shed().max_in_flight(1).no_queue_delay().build().unwrap();
    let layer = LoadShedLayer::new(shed.clone()).exempt_grpc_health().http_server();
    let server = Server::start(|listener| async move {
        let echo = EchoServer::new(EchoService::default());
        let server = tonic::transport::Server::builder().layer(layer).add_service(echo);
        server.serve_with_incoming(incoming(listener)).await.unwrap();
    })
    .await;
    let mut echo = EchoClient::new(channel(&server.url("")));
    soon(echo.unary(say(0))).await.unwrap();

    let busy = shed.try_admit().unwrap();
    let refused = soon(echo.unary(say(0))).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unavailable);
    assert!(refused.message().contains("in_flight is 1, allowed is 1"), "{refused}");
    let pushback: u32 =
        refused.metadata().get("grpc-retry-pushback-ms").unwrap().to_str().unwrap().parse().unwrap();
    assert!((1000..=2000).contains(&pushback), "{pushback}");

    let mut raw = channel(&server.url(""));
    for (path, code) in [("/grpc.health.v1.Health/Check", "12"), ("/grpc.health.v2.Health/Check", "14")] {
        let request = http::Request::post(path).header("content-type", "application/grpc");
        let request = request.body(tonic::body::Body::empty()).unwrap();
        let answer = soon(soon(raw.ready()).await.unwrap().call(request)).await.unwrap();
        assert_eq!(answer.headers()["grpc-status"], code, "{path}");
    }
    drop(busy);
    soon(echo.unary(say(0))).await.unwrap();
}

/// What takes the processor for this long.
fn burn(time: Duration) {
    let end = clock::now() + time;
    while clock::now() < end {
        std::hint::spin_loop();
    }
}

/// More work than the runtime can do: forty clients, each of which comes again at once, for handlers that take
/// the processor. Those that matter least are refused, and the others are served, as are probes.
#[tokio::test]
async fn t44_who_matters_and_probes_get_through_an_overload() {
    let shed = shed().build().unwrap();
    let app =
        Router::new().route("/work", get(async || burn(ms(3)))).route("/livez", get(async || "alive")).layer(
            LoadShedLayer::new(shed.clone()).priority_header(PRIORITY).exempt_paths(["/livez"]).http_server(),
        );
    let server = Server::axum(app).await;
    let crawl = || async {
        let (client, mut served, mut refused) = (client(), 0, 0);
        // A client that is refused waits a little, so that it does not take the processor itself.
        while refused < 10 {
            let answer = client.get(server.url("/work")).header(PRIORITY, "lowest").send().await.unwrap();
            if answer.status().is_success() {
                served += 1;
                continue;
            }
            assert_eq!(answer.headers()["portcullis-reason"], "queue_delay");
            refused += 1;
            tokio::time::sleep(ms(50)).await;
        }
        served
    };
    let pay = async {
        while shed.status().overload != Some(Overload::QueueDelay) {
            tokio::time::sleep(ms(5)).await;
        }
        for _ in 0..10 {
            assert_eq!(status(&server.url("/work"), "highest").await.0, StatusCode::OK);
            assert_eq!(status(&server.url("/livez"), "lowest").await.0, StatusCode::OK);
        }
    };
    let (served, ()) = soon(async { tokio::join!(join_all((0..40).map(|_| crawl())), pay) }).await;
    assert!(served.iter().sum::<u32>() > 40, "the server still serves: {served:?}");
    assert!(shed.status().rejected >= 400);
}

/// A refusal waits for nothing, and a call that is exempt waits for the inner service alone.
#[tokio::test(start_paused = true)]
async fn t44_a_full_server_refuses_though_the_inner_service_is_not_ready() {
    let shed = shed().max_in_flight(1).build().unwrap();
    let layer = LoadShedLayer::new(shed.clone()).exempt(|n: &u32| *n == 0);
    let inner = ConcurrencyLimit::new(
        service_fn(|n: u32| async move {
            if n == 1 {
                tokio::time::sleep(ms(50)).await;
            }
            Ok::<_, BoxError>(n)
        }),
        1,
    );
    let mut service = layer.layer(inner);
    let running = tokio::spawn(service.ready().await.unwrap().call(1));
    settle().await;
    let refused = service.ready().await.unwrap().call(2).await.unwrap_err();
    assert!(refused.is::<Rejection>());
    let probe = tokio::spawn(service.ready().await.unwrap().call(0));
    settle().await;
    assert!(!probe.is_finished(), "it waits for the limit inside");
    assert_eq!(probe.await.unwrap().unwrap(), 0);
    assert_eq!(running.await.unwrap().unwrap(), 1);
    assert_eq!((shed.status().in_flight, shed.status().rejected), (0, 1));
}

/// What was reserved is given back with the refusal, or those who run could wait for it for ever.
#[tokio::test(start_paused = true)]
async fn t44_a_refused_call_gives_up_what_was_reserved() {
    let shed = shed().max_in_flight(1).build().unwrap();
    let layer = LoadShedLayer::new(shed.clone());
    let inner = ConcurrencyLimit::new(service_fn(|n: u32| async move { Ok::<_, BoxError>(n) }), 1);
    let mut service = layer.layer(inner.clone());
    service.ready().await.unwrap();
    let running = shed.try_admit().unwrap();
    assert!(service.call(1).await.is_err());
    let mut direct = inner;
    let free = poll_fn(|cx| Poll::Ready(direct.poll_ready(cx).is_ready())).await;
    assert!(free, "the permit is there");
    drop(running);
}

/// The inner service was asked and is not ready: the instance stands in its line, and what it would get there, once it
/// is free, nobody would ever use.
#[tokio::test(start_paused = true)]
async fn t44_a_refused_call_leaves_the_line_of_the_inner_service() {
    let shed = shed().max_in_flight(1).build().unwrap();
    let inner = ConcurrencyLimit::new(
        service_fn(|n: u32| async move {
            tokio::time::sleep(ms(50)).await;
            Ok::<_, BoxError>(n)
        }),
        1,
    );
    let mut first = LoadShedLayer::new(shed.clone()).layer(inner);
    let (mut idle, mut next) = (first.clone(), first.clone());
    let running = tokio::spawn(first.ready().await.unwrap().call(1));
    settle().await;
    assert!(idle.ready().await.unwrap().call(2).await.unwrap_err().is::<Rejection>());
    assert_eq!(running.await.unwrap().unwrap(), 1);
    let served = tokio::time::timeout(ms(1000), async { next.ready().await.unwrap().call(3).await }).await;
    assert_eq!(served.expect("the permit is not kept by who was refused").unwrap(), 3);
    drop(idle);
}

/// An orchestrator asks over one connection for days, and that one's service was polled ready.
#[tokio::test(start_paused = true)]
async fn t44_a_probe_that_is_answered_keeps_nothing_of_the_inner_service() {
    let answer = service_fn(|_: http::Request<String>| async {
        Ok::<_, BoxError>(http::Response::new(String::new()))
    });
    let layer = HealthLayer::new(Health::new(&Registry::new()));
    let get = |path: &str| http::Request::get(path).body(String::new()).unwrap();
    let mut probes = layer.layer(ConcurrencyLimit::new(answer, 1));
    let calls = probes.clone();
    for round in 0..3 {
        assert_eq!(probes.ready().await.unwrap().call(get("/livez")).await.unwrap().status(), 200);
        let served = tokio::time::timeout(ms(1000), calls.clone().oneshot(get("/orders"))).await;
        assert_eq!(served.unwrap_or_else(|_| panic!("round {round}: no place")).unwrap().status(), 200);
    }
}
