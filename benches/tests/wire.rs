//! The servers of all variants answer: one that only refuses would be cheap.

#![expect(clippy::unwrap_used, reason = "what helps the tests may panic as they do")]

use axum::Router;
use http_body_util::{BodyExt, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use portcullis_benches::wire::{self, PATH, Variant};
use tokio::net::TcpListener;

/// So many answers are wanted.
const ANSWERS: usize = 30;
/// Within so many requests: on a busy machine a server finds itself late, and sheds load, as it should.
const REQUESTS: usize = 3000;

async fn start(router: Router) -> http::Uri {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}{PATH}").parse().unwrap()
}

/// How many of the requests were answered as they should; the others were refused.
async fn answers(variant: &Variant) -> usize {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<axum::body::Bytes>>();
    let uri = start((variant.router)().unwrap()).await;
    let mut answers = 0;
    for _ in 0..REQUESTS {
        let answer = client.get(uri.clone()).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        if status == 200 {
            assert_eq!(body, "tea: 12 in stock\n", "{}", variant.name);
            answers += 1;
        } else {
            assert_eq!(status, 503, "{}", variant.name);
        }
        if answers == ANSWERS {
            break;
        }
    }
    answers
}

#[tokio::test]
async fn every_variant_answers() {
    for variant in wire::ALL {
        assert_eq!(answers(variant).await, ANSWERS, "{}", variant.name);
    }
}

#[test]
fn a_variant_is_found_by_its_name() {
    for variant in wire::ALL {
        assert_eq!(wire::named(variant.name).map(|found| found.layers), Some(variant.layers));
    }
    assert_eq!(wire::ALL[0].name, wire::BARE.name);
    assert!(wire::named("nobody").is_none());
}
