//! What goes by a call's method.

use std::{borrow::Cow, collections::HashMap, fmt, sync::Arc};

use http::Request;
use portcullis::{Hedge, RetryPolicy, hedge, retry};
use tonic::GrpcMethod;

/// A value for each method, service, or all others: the first that fits, in this order.
///
/// The method of a request is the [`GrpcMethod`] in its extensions, where generated clients put it, or else
/// the end of its path. That makes it independent of a prefix that the channel's origin has.
///
/// With [`RetryPolicy`]s it is what [`RetryLayer::by`](portcullis::RetryLayer::by) wants, and with [`Hedge`]s
/// what [`HedgeLayer::by`](portcullis::HedgeLayer::by) does: calls without one are sent once. For other layers,
/// ask it with [`of`](Self::of).
///
/// ```
/// use portcullis_tonic::ByMethod;
///
/// let cost = ByMethod::default()
///     .method("shop.v1.Shop", "Buy", 5)
///     .service("shop.v1.Shop", 1)
///     .except("shop.v1.Shop", "Pay");
///
/// let call = |path: &str| http::Request::post(path).body(()).unwrap();
/// assert_eq!(cost.of(&call("/shop.v1.Shop/Buy")), Some(&5));
/// assert_eq!(cost.of(&call("/shop.v1.Shop/List")), Some(&1));
/// assert_eq!(cost.of(&call("/shop.v1.Shop/Pay")), None);
/// assert_eq!(cost.of(&call("/other.v1.Other/Buy")), None);
/// ```
#[derive(Clone)]
pub struct ByMethod<T>(Arc<Table<T>>);

#[derive(Clone, Debug)]
struct Table<T> {
    services: HashMap<Box<str>, Service<T>>,
    others: Option<T>,
}

#[derive(Clone, Debug)]
struct Service<T> {
    methods: HashMap<Box<str>, Option<T>>,
    others: Option<T>,
}

/// No value for anything.
impl<T> Default for ByMethod<T> {
    fn default() -> Self {
        Self(Arc::new(Table { services: HashMap::new(), others: None }))
    }
}

impl<T: Clone> ByMethod<T> {
    /// The same with a value for one method of this service, which is named with its package.
    #[must_use]
    pub fn method(self, service: &str, method: &str, value: T) -> Self {
        self.with(service, |known| {
            known.methods.insert(method.into(), Some(value));
        })
    }

    /// The same without a value for one method.
    #[must_use]
    pub fn except(self, service: &str, method: &str) -> Self {
        self.with(service, |known| {
            known.methods.insert(method.into(), None);
        })
    }

    /// The same with a value for all other methods of this service.
    #[must_use]
    pub fn service(self, service: &str, value: T) -> Self {
        self.with(service, |known| known.others = Some(value))
    }

    /// The same with a value for all other services.
    #[must_use]
    pub fn others(mut self, value: T) -> Self {
        Arc::make_mut(&mut self.0).others = Some(value);
        self
    }

    fn with(mut self, service: &str, change: impl FnOnce(&mut Service<T>)) -> Self {
        let known = Arc::make_mut(&mut self.0).services.entry(service.into());
        change(known.or_insert_with(|| Service { methods: HashMap::new(), others: None }));
        self
    }
}

impl<T> ByMethod<T> {
    /// The value for a request.
    pub fn of<B>(&self, request: &Request<B>) -> Option<&T> {
        let named = method_of(request);
        let service = named.and_then(|(service, _)| self.0.services.get(service));
        let (Some((_, method)), Some(service)) = (named, service) else { return self.0.others.as_ref() };
        match service.methods.get(method) {
            Some(value) => value.as_ref(),
            None => service.others.as_ref().or(self.0.others.as_ref()),
        }
    }
}

/// The service and the method that a request calls.
fn method_of<B>(request: &Request<B>) -> Option<(&str, &str)> {
    if let Some(method) = request.extensions().get::<GrpcMethod<'static>>() {
        return Some((method.service(), method.method()));
    }
    let (rest, method) = request.uri().path().rsplit_once('/')?;
    let (_, service) = rest.rsplit_once('/')?;
    Some((service, method))
}

impl<B> retry::Policies<Request<B>> for ByMethod<RetryPolicy> {
    fn policy(&self, request: &Request<B>) -> Option<Cow<'_, RetryPolicy>> {
        self.of(request).map(Cow::Borrowed)
    }
}

impl<B> hedge::Policies<Request<B>> for ByMethod<Hedge> {
    fn policy(&self, request: &Request<B>) -> Option<Cow<'_, Hedge>> {
        self.of(request).map(Cow::Borrowed)
    }
}

impl<T: fmt::Debug> fmt::Debug for ByMethod<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether a request calls one of these: `package.Service/Method`, or `package.Service` for all methods of a
/// service. For [`idempotent_if`](portcullis::RetryLayer::idempotent_if), because no gRPC call says of itself
/// that it may be processed twice.
///
/// ```
/// use portcullis_tonic::methods;
///
/// let reads = methods(["shop.v1.Catalog", "shop.v1.Shop/List"]);
/// let call = |path: &str| http::Request::post(path).body(()).unwrap();
/// assert!(reads(&call("/shop.v1.Catalog/Find")) && reads(&call("/shop.v1.Shop/List")));
/// assert!(!reads(&call("/shop.v1.Shop/Pay")));
/// ```
pub fn methods<B, N>(
    names: impl IntoIterator<Item = N>,
) -> impl Fn(&Request<B>) -> bool + Clone + Send + Sync + 'static
where
    B: 'static,
    N: AsRef<str> + 'static,
{
    let known = names.into_iter().fold(ByMethod::default(), |known, name| {
        let name = name.as_ref().trim_matches('/');
        match name.rsplit_once('/') {
            Some((service, method)) => known.method(service, method, ()),
            None => known.service(name, ()),
        }
    });
    move |request| known.of(request).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(path: &str) -> Request<()> {
        let mut request = Request::default();
        *request.uri_mut() = path.parse().unwrap_or_default();
        request
    }

    #[test]
    fn the_closest_fits() {
        let known = ByMethod::default().method("a.B", "C", 1).service("a.B", 2).except("a.B", "D").others(3);
        for (path, value) in [
            ("/a.B/C", Some(1)),
            ("/prefix/a.B/C", Some(1)),
            ("/a.B/X", Some(2)),
            ("/a.B/D", None),
            ("/a.X/C", Some(3)),
            ("/", Some(3)),
            ("*", Some(3)),
        ] {
            assert_eq!(known.of(&call(path)).copied(), value, "{path}");
        }
    }

    #[test]
    fn a_clients_own_word_goes_before_the_path() {
        let known = ByMethod::default().method("a.B", "C", 1);
        let mut request = call("/elsewhere");
        request.extensions_mut().insert(GrpcMethod::new("a.B", "C"));
        assert_eq!(known.of(&request), Some(&1));
    }

    #[test]
    fn a_hedge_of_a_method_is_that_of_its_calls() {
        let registry = portcullis::Registry::new();
        let hedge = |name: &'static str| Hedge::builder(name).registry(&registry).build().unwrap();
        let hedges = ByMethod::default().method("a.B", "C", hedge("c")).service("a.B", hedge("b"));
        let name = |path| hedge::Policies::policy(&hedges, &call(path)).map(|hedge| hedge.name().to_string());
        assert_eq!(name("/a.B/C").as_deref(), Some("c"));
        assert_eq!(name("/a.B/D").as_deref(), Some("b"));
        assert_eq!(name("/a.X/C"), None, "sent once");
    }

    #[test]
    fn methods_are_named_with_their_service_or_by_it() {
        let reads = methods(["a.B/C", "/a.B/D", "a.E", "/a.F/"]);
        for (path, is) in
            [("/a.B/C", true), ("/a.B/D", true), ("/a.B/X", false), ("/a.E/X", true), ("/a.F/X", true)]
        {
            assert_eq!(reads(&call(path)), is, "{path}");
        }
    }
}
