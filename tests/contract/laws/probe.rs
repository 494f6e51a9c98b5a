//! The probe layer, which lets calls pass by: the laws are about the calls, not about the probes.
//!
//! The probe asks a dependency of its own here. One that asks through the layer uses the inner service
//! besides the callers, so that what the laws count would not be what the callers did.

use portcullis::{BoxError, Probe, ProbeLayer, Registry};
use portcullis_testkit::{
    laws,
    laws::{Call, Exchange, Http, HttpRequest},
    laws_http,
};

use crate::exchange::{Rpc, Shop};

fn probe<Req>(request: fn() -> Req) -> ProbeLayer<fn() -> Req> {
    let probe = Probe::builder("probe").registry(&Registry::new()).build().unwrap();
    probe.spawn(|| std::future::ready(Ok::<_, BoxError>(())));
    ProbeLayer::new(probe, request)
}

fn call() -> Call {
    Call(0)
}

fn put() -> HttpRequest {
    Http::request(0)
}

fn buy() -> <Rpc as Exchange>::Request {
    Rpc::request(0)
}

laws!(boxed, || probe(call));
laws!(typed in Shop, || probe(call).typed());
laws_http!(http_server, || probe(put).http_server());
laws_http!(http_client, || probe(put).http_client());
laws!(grpc in Rpc, || probe(buy).grpc());
