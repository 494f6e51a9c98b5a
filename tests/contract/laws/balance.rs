//! The balancer, with one endpoint, by load and by key.

use portcullis::{Balance, Endpoints, Outliers, Registry};
use portcullis_testkit::{laws, laws_http};
use tower::layer::layer_fn;

use crate::{
    exchange::{Rpc, Shop},
    policies::Same,
};

/// Whatever happens, it is not ejected: there is no other.
fn one<S>(service: S) -> Balance<S> {
    let outliers = Outliers::builder("balance").registry(&Registry::new()).build().unwrap();
    let endpoints = Endpoints::new(outliers);
    endpoints.insert("one", service);
    Balance::new(endpoints)
}

laws!(boxed, || layer_fn(one));
laws!(typed in Shop, || layer_fn(|host| one(host).typed()));
laws_http!(http_server, || layer_fn(|host| one(host).http_server()));
laws_http!(http_client, || layer_fn(|host| one(host).http_client()));
laws!(grpc in Rpc, || layer_fn(|host| one(host).grpc()));
laws!(by_key, || layer_fn(|host| one(host).by_key(Same)));
