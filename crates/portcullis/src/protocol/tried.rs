//! Where the attempts of a call went.

use std::sync::{Arc, Mutex, PoisonError};

use portcullis_core::Name;

/// In the extensions of every attempt of a call: the endpoints that its attempts went to. A balancer below
/// writes there which it picked, and avoids those it finds.
///
/// [`RetryLayer::avoid_tried`](crate::RetryLayer::avoid_tried) puts it there.
///
/// ```
/// use portcullis::protocol::Tried;
///
/// // In a balancer, which has one endpoint more than it needs.
/// fn pick<'a, B>(request: &http::Request<B>, endpoints: &[&'a str]) -> Option<&'a str> {
///     let tried = request.extensions().get::<Tried>();
///     let fresh = |name: &&&str| !tried.is_some_and(|tried| tried.contains(name));
///     let picked = endpoints.iter().find(fresh).or(endpoints.first())?;
///     if let Some(tried) = tried {
///         tried.add(*picked);
///     }
///     Some(picked)
/// }
///
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(Tried::default());
/// assert_eq!(pick(&request, &["a", "b"]), Some("a"));
/// assert_eq!(pick(&request, &["a", "b"]), Some("b"));
/// assert_eq!(pick(&request, &["a", "b"]), Some("a"), "all were tried");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Tried(Arc<Mutex<Vec<Name>>>);

impl Tried {
    /// Writes down an endpoint.
    pub fn add(&self, endpoint: impl Into<Name>) {
        let endpoint = endpoint.into();
        let mut tried = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // As many as there are attempts.
        if !tried.contains(&endpoint) {
            tried.push(endpoint);
        }
    }

    /// Whether an attempt went to this endpoint.
    pub fn contains(&self, endpoint: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|tried| &**tried == endpoint)
    }
}
