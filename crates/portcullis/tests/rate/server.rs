//! What HTTP clients see.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::Full;
use portcullis::{BoxError, RateLimit, RateLimitLayer};
use tower::{Layer, ServiceExt, service_fn};

use super::support::{SECOND, limit};

type Body = Full<Bytes>;

async fn answer(_: Request<Body>) -> Result<Response<Body>, BoxError> {
    Ok(Response::new(Full::default()))
}

fn request(content_type: &str) -> Request<Body> {
    Request::post("/").header(header::CONTENT_TYPE, content_type).body(Full::default()).unwrap()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers[name].to_str().unwrap()
}

#[tokio::test(start_paused = true)]
async fn responses_tell_what_is_left() {
    let limit = RateLimit::builder("search \"x\"").rate(2, 60 * SECOND).build().unwrap();
    let service = RateLimitLayer::new(limit).http_server().headers().layer(service_fn(answer));
    for (status, state) in [(200, "r=1;t=30"), (200, "r=0;t=60"), (429, "r=0;t=60")] {
        let response = service.clone().oneshot(request("text/plain")).await.unwrap();
        assert_eq!(response.status(), status);
        let headers = response.headers();
        assert_eq!(text(headers, "ratelimit-policy"), r#""search \"x\"";q=2;w=60"#);
        assert_eq!(text(headers, "ratelimit"), format!(r#""search \"x\"";{state}"#));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_a_429_that_says_when() {
    let limit = limit(1).build().unwrap();
    let service = RateLimitLayer::new(limit).http_server().layer(service_fn(answer));
    service.clone().oneshot(request("text/plain")).await.unwrap();
    let refused = service.clone().oneshot(request("text/plain")).await.unwrap();
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers()[header::RETRY_AFTER], "1");
    assert_eq!(refused.headers()["portcullis-reason"], "rate_limited");
    assert!(!refused.headers().contains_key("ratelimit"), "not asked for");

    let refused = service.oneshot(request("application/grpc")).await.unwrap();
    assert_eq!(
        (refused.status(), &refused.headers()["grpc-status"]),
        (StatusCode::OK, &"8".parse().unwrap())
    );
    assert_eq!(refused.headers()["grpc-retry-pushback-ms"], "1000");
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_deadline_comes_first_is_refused_at_once() {
    let limit = limit(1).queue(9, 9 * SECOND).build().unwrap();
    let service = RateLimitLayer::new(limit).grpc().layer(service_fn(answer));
    service.clone().oneshot(request("application/grpc")).await.unwrap();
    let mut hurried = request("application/grpc");
    hurried.headers_mut().insert("grpc-timeout", "500m".parse().unwrap());
    let refused = service.clone().oneshot(hurried).await.unwrap();
    assert_eq!(refused.headers()["grpc-status"], "8");
    let patient = service.oneshot(request("application/grpc")).await.unwrap();
    assert!(!patient.headers().contains_key("grpc-status"));
}
