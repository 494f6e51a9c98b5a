//! Endpoints that somebody else finds.

use std::{
    fmt,
    task::{Context, Poll},
};

use portcullis_core::Name;

use super::Endpoints;

/// A change of the set of endpoints.
#[derive(Clone)]
pub enum Change<S> {
    /// There is an endpoint of this name, or the one of this name has another service.
    Insert(Name, S),
    /// There is none of this name any more.
    Remove(Name),
}

impl<S> Endpoints<S> {
    /// Makes the changes that `next` tells, until there are no more; the endpoints stay then. Dropped, it stops.
    ///
    /// `next` is what polls a stream of changes. For a `Discover` of tower, whose keys can be shown, in a task of
    /// its own:
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), portcullis::BoxError> {
    /// use std::{pin::pin, task::Poll};
    /// use portcullis::{BoxError, Endpoints, Name, Outliers, balance};
    /// use tower::{discover::{Change, Discover, ServiceList}, service_fn};
    ///
    /// async fn follow<D>(endpoints: Endpoints<D::Service>, discover: D) -> Result<(), D::Error>
    /// where
    ///     D: Discover<Key: ToString>,
    /// {
    ///     let mut discover = pin!(discover);
    ///     let named = |key: D::Key| Name::from(key.to_string());
    ///     let change = |change| match change {
    ///         Change::Insert(key, service) => balance::Change::Insert(named(key), service),
    ///         Change::Remove(key) => balance::Change::Remove(named(key)),
    ///     };
    ///     endpoints.follow(|cx| discover.as_mut().poll_discover(cx).map_ok(change)).await
    /// }
    ///
    /// let endpoints = Endpoints::new(Outliers::new("inventory"));
    /// let services = [1, 2].map(|n| service_fn(move |(): ()| async move { Ok::<_, BoxError>(n) }));
    /// follow(endpoints.clone(), ServiceList::new::<()>(services)).await?;
    /// assert_eq!(endpoints.len(), 2);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The first that `next` tells; the endpoints stay.
    pub async fn follow<E, N>(&self, mut next: N) -> Result<(), E>
    where
        N: FnMut(&mut Context<'_>) -> Poll<Option<Result<Change<S>, E>>>,
    {
        while let Some(change) = std::future::poll_fn(&mut next).await.transpose()? {
            match change {
                Change::Insert(name, service) => self.insert(name, service),
                Change::Remove(name) => {
                    self.remove(&name);
                }
            }
        }
        Ok(())
    }
}

impl<S> fmt::Debug for Change<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Insert(name, _) => f.debug_tuple("Insert").field(name).finish_non_exhaustive(),
            Self::Remove(name) => f.debug_tuple("Remove").field(name).finish(),
        }
    }
}
