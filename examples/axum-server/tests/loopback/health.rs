//! The server tells its health.

use portcullis::Probe;
use serde_json::Value;
use upstream::until;

use crate::server::server;

#[tokio::test]
async fn a_server_that_wants_no_traffic_says_so() {
    let server = server(|_, _| ()).await;
    server.policies.health.set_ready(false);
    assert_eq!(server.get("/readyz").await.status, 503);
    assert_eq!(server.get("/livez").await.status, 200);
    assert_eq!(server.get("/echo").await.status, 200, "who comes is served");
}

#[tokio::test]
async fn the_health_document_has_its_published_shape() {
    let server = server(|_, _| ()).await;
    let probe = Probe::builder("database").critical(true).registry(&server.registry).build().unwrap();
    let never_asked = &server.get("/health").await.json()["checks"]["database"];
    for name in ["last_check", "duration_ms", "message"] {
        assert_eq!(never_asked.get(name), Some(&Value::Null), "{name}");
    }
    probe.spawn(|| async { Ok::<_, std::io::Error>(()) });
    until(|| probe.status().probes > 0).await;

    let health = server.get("/health").await;
    assert_eq!((health.status, health.header("content-type")), (200, Some("application/json")));
    let document = health.json();
    assert_eq!(document["overall_status"], "healthy");
    let check = &document["checks"]["database"];
    assert_eq!((&check["status"], &check["critical"]), (&"healthy".into(), &true.into()));
    assert_eq!((check.get("message"), &check["consecutive_failures"]), (Some(&Value::Null), &0.into()));
    assert!(check["duration_ms"].is_f64() && check["last_check"].as_str().unwrap().ends_with('Z'), "{check}");
    assert_eq!(
        document["summary"],
        serde_json::json!({
            "total_checks": 1, "healthy_checks": 1, "warning_checks": 0, "degraded_checks": 0, "critical_checks": 0
        })
    );

    let text = server.get("/health?format=text").await;
    assert!(text.body.starts_with(b"healthy\n"), "{:?}", text.body);
}

#[tokio::test]
async fn a_critical_dependency_that_is_down_takes_the_server_out() {
    let server = server(|_, _| ()).await;
    let probe = Probe::builder("database").critical(true).down_after(1).registry(&server.registry);
    let probe = probe.build().unwrap();
    probe.spawn(|| async { Err::<(), _>(std::io::Error::other("no answer")) });
    until(|| !probe.status().up).await;

    assert_eq!(server.get("/readyz").await.status, 503);
    let health = server.get("/health").await;
    assert_eq!((health.status, &health.json()["overall_status"]), (503, &"critical".into()));
    assert_eq!(health.json()["checks"]["database"]["message"], "no answer");
}
