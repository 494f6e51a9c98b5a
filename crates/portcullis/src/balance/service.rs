//! The balancer.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use portcullis_core::Time;
use tokio::time::Sleep;
use tower_service::Service;

use super::{
    BalanceTicket, ByKey, ByLoad, Endpoints, ResponseFuture, Route,
    instances::{Asked, Instances},
    policy::Shared,
    view::View,
    waiters::Place,
};
use crate::{Boxed, Protocol, clock, oneshot::Oneshot, protocol::watched};

/// A service that sends each call to one of its [`Endpoints`]. See [the module](super).
///
/// The protocol is [`Boxed`] unless another is chosen.
pub struct Balance<S, P = Boxed, R = ByLoad> {
    target: Target<S, R>,
    protocol: P,
}

/// Where calls go.
struct Target<S, R> {
    endpoints: Endpoints<S>,
    route: R,
    view: Arc<View<S>>,
    instances: Instances<S>,
    waiting: Option<Waiting>,
}

/// What wakes a balancer beside the instances that it asked.
struct Waiting {
    place: Place,
    /// When somebody returns.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<S> Balance<S> {
    /// A balancer over these endpoints, by their load.
    pub fn new(endpoints: Endpoints<S>) -> Self {
        Self { target: Target::new(endpoints, ByLoad), protocol: Boxed::default() }
    }
}

impl<S, P, R> Balance<S, P, R> {
    /// Sends calls of one key to one endpoint, for as long as it can be used; those without a key by load. Such a
    /// balancer is ready as long as there are endpoints, and a call waits for its own.
    ///
    /// ```
    /// use portcullis::{Balance, Endpoints, Outliers, keyed::by};
    ///
    /// struct Order { tenant: String }
    ///
    /// let endpoints = Endpoints::<()>::new(Outliers::new("inventory"));
    /// let balance = Balance::new(endpoints).by_key(by::text(|order: &Order| Some(&order.tenant)));
    /// # let _ = balance;
    /// ```
    pub fn by_key<K>(self, key: K) -> Balance<S, P, ByKey<K>> {
        Balance { target: Target::new(self.target.endpoints, ByKey(key)), protocol: self.protocol }
    }

    /// The endpoints.
    pub fn endpoints(&self) -> &Endpoints<S> {
        &self.target.endpoints
    }
}

impl<S, P, R> Balance<S, P, R> {
    /// The same balancer with this [protocol](crate::protocol).
    pub fn protocol<Q>(self, protocol: Q) -> Balance<S, Q, R> {
        Balance { target: self.target, protocol }
    }

    /// For services with an error type of their own; see [`Typed`](crate::Typed).
    pub fn typed(self) -> Balance<S, crate::Typed, R> {
        self.protocol(crate::Typed::default())
    }
}

#[cfg(feature = "http")]
impl<S, P, R> Balance<S, P, R> {
    /// For HTTP servers, as a gateway is one; see [`HttpServer`](crate::HttpServer).
    pub fn http_server(self) -> Balance<S, crate::HttpServer, R> {
        self.protocol(crate::HttpServer::default())
    }

    /// For HTTP clients; see [`HttpClient`](crate::HttpClient).
    pub fn http_client(self) -> Balance<S, crate::HttpClient, R> {
        self.protocol(crate::HttpClient::default())
    }

    /// For gRPC; see [`Grpc`](crate::Grpc).
    pub fn grpc(self) -> Balance<S, crate::Grpc, R> {
        self.protocol(crate::Grpc::default())
    }
}

impl<S, R> Target<S, R> {
    fn new(endpoints: Endpoints<S>, route: R) -> Self {
        let view = endpoints.view();
        Self { endpoints, route, view, instances: Instances::new(), waiting: None }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.endpoints.outliers().shared
    }

    /// Sees what has changed; gives the time.
    #[inline]
    fn refresh(&mut self) -> Time {
        let shared = self.shared();
        let now = clock::coarse();
        if now >= shared.fleet.due() {
            shared.sweep();
        }
        if shared.fleet.version() != self.view.version {
            self.look();
        }
        now
    }

    #[cold]
    fn look(&mut self) {
        self.view = self.endpoints.view();
        self.instances.fit(&self.view);
        let left = self.instances.ready().filter(|at| !self.view.usable.contains(at));
        if left.is_some() {
            self.instances.give_up();
        }
    }
}

impl<S, P, R> Balance<S, P, R> {
    /// Asks the one that was ready before, or two that are drawn, and then all others. An error, if that is all
    /// there was.
    #[inline]
    fn ask<Req>(&mut self, now: Time, cx: &mut Context<'_>) -> Poll<Result<(), P::Error>>
    where
        S: Service<Req> + Clone,
        P: Protocol<Req, S::Response, S::Error>,
    {
        let Target { view, instances, endpoints, .. } = &mut self.target;
        instances.fit(view);
        let shared = &endpoints.outliers().shared;
        let (first, second) = match instances.ready() {
            Some(ready) => (ready, None),
            None => match view.draw(&view.usable, now, || shared.draw()) {
                Some(drawn) => drawn,
                None => return Poll::Ready(Ok(())),
            },
        };
        match instances.poll_ready(view, first, cx) {
            Asked::Ready => Poll::Ready(Ok(())),
            said => self.ask_others(first, said, second, cx),
        }
    }

    /// The first one was not ready. Apart, so that where it is, nobody thinks of others.
    #[inline(never)]
    fn ask_others<Req>(
        &mut self,
        first: usize,
        said: Asked<S::Error>,
        second: Option<usize>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), P::Error>>
    where
        S: Service<Req> + Clone,
        P: Protocol<Req, S::Response, S::Error>,
    {
        let Target { view, instances, endpoints, .. } = &mut self.target;
        let (mut failed, mut is_pending) = (None, false);
        let others = view.from(first).filter(|at| *at != first && Some(*at) != second);
        let mut rest = second.into_iter().chain(others);
        let mut asked = Some((first, said));
        while let Some((at, said)) = asked {
            match said {
                Asked::Ready => return Poll::Ready(Ok(())),
                Asked::Pending => is_pending = true,
                Asked::Failed(error) => {
                    let error = self.protocol.lift(error);
                    let endpoint = &view.members[at].end.endpoint;
                    let verdict = self.protocol.judge_error(&error);
                    endpoints.outliers().shared.record(endpoint, endpoint.admit(), &verdict);
                    failed = Some(error);
                }
            }
            asked = rest.next().map(|at| (at, instances.poll_ready(view, at, cx)));
        }
        match failed {
            Some(error) if !is_pending => Poll::Ready(Err(error)),
            _ => Poll::Pending,
        }
    }
}

impl<S, R> Target<S, R> {
    /// Sees to it that what changes wakes this one; whether nothing has until now.
    fn wait(&mut self, cx: &mut Context<'_>) -> bool {
        let shared = &self.endpoints.outliers().shared;
        let waiting = self.waiting.get_or_insert_with(|| Waiting { place: Place::new(shared), timer: None });
        waiting.place.register(cx.waker());
        if shared.fleet.version() != self.view.version {
            return false;
        }
        if !self.view.is_short {
            waiting.timer = None;
            return true;
        }
        let due = shared.fleet.due().since(clock::now());
        let timer = waiting.timer.insert(Box::pin(tokio::time::sleep(due)));
        if timer.as_mut().poll(cx).is_pending() {
            return true;
        }
        // After it, what is due next lies ahead.
        shared.sweep();
        false
    }

    /// Where a call goes: to the instance that is ready, unless the request says otherwise.
    fn choose(&self, key: Option<u64>, tried: Option<impl Fn(&str) -> bool>) -> Option<usize> {
        let Some(tried) = tried else {
            return self.choose_among(key, &self.view.usable);
        };
        let is_fresh = |at: &usize| !tried(self.view.members[*at].name());
        let fresh: Vec<usize> = self.view.usable.iter().copied().filter(is_fresh).collect();
        // Where there is no elsewhere, anywhere.
        self.choose_among(key, if fresh.is_empty() { &self.view.usable } else { &fresh })
    }

    fn choose_among(&self, key: Option<u64>, among: &[usize]) -> Option<usize> {
        match (key, self.instances.ready()) {
            (Some(key), _) => self.view.by_key(key, among, clock::coarse()),
            // With all to choose from it is one of them, unless its ejection came in between: then it is ready
            // all the same.
            (None, Some(ready)) if among.len() == self.view.usable.len() || among.contains(&ready) => {
                Some(ready)
            }
            (None, _) => self.view.draw(among, clock::coarse(), || self.shared().draw()).map(|drawn| drawn.0),
        }
    }
}

impl<S, P, R, Req> Service<Req> for Balance<S, P, R>
where
    S: Service<Req> + Clone,
    P: Protocol<Req, S::Response, S::Error> + Clone,
    R: Route<Req>,
{
    type Response = P::Response<BalanceTicket>;
    type Error = P::Error;
    type Future = ResponseFuture<S, P, P::Context, Req>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        loop {
            let now = self.target.refresh();
            // What is chosen by the request, or refused, needs nobody to be ready.
            if !R::IS_FREE || self.target.view.usable.is_empty() {
                return Poll::Ready(Ok(()));
            }
            match self.ask(now, cx) {
                Poll::Ready(result) => {
                    if self.target.waiting.is_some() {
                        self.target.waiting = None;
                    }
                    return Poll::Ready(result);
                }
                Poll::Pending if self.target.wait(cx) => return Poll::Pending,
                Poll::Pending => {} // something has changed since they were asked
            }
        }
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let (context, protocol) = (self.protocol.context(&request), self.protocol.clone());
        let key = self.target.route.key(&request);
        #[cfg(feature = "http")]
        let tried = self.protocol.tried(&request);
        #[cfg(feature = "http")]
        let chosen = self.target.choose(key, tried.map(|tried| |name: &str| tried.contains(name)));
        #[cfg(not(feature = "http"))]
        let chosen = self.target.choose(key, None::<fn(&str) -> bool>);
        let Some(at) = chosen else {
            let rejection = self.target.shared().refuse(self.target.view.members.len());
            return ResponseFuture::refused(rejection, protocol, context);
        };
        let end = &self.target.view.members[at].end;
        #[cfg(feature = "http")]
        if let Some(tried) = tried {
            tried.add(end.endpoint.name().clone());
        }
        let mut ticket = BalanceTicket::new(end);
        let inner = self.target.begin(at, request, &mut ticket);
        ResponseFuture::running(inner, ticket, protocol, context)
    }
}

impl<S, R> Target<S, R> {
    /// Calls the instance that is ready, if it is of this place; else one that waits for its readiness itself,
    /// and gives up what was reserved.
    fn begin<Req>(&mut self, at: usize, request: Req, ticket: &mut BalanceTicket) -> Oneshot<S, Req>
    where
        S: Service<Req> + Clone,
    {
        if self.instances.ready() == Some(at) {
            if let Some(service) = self.instances.take_ready() {
                return watched(ticket, || Oneshot::new(service, true, request));
            }
        }
        self.instances.give_up();
        self.instances.fit(&self.view);
        let service = self.instances.take(&self.view, at);
        Oneshot::unready(service, request)
    }
}

impl<S, P: Clone, R: Clone> Clone for Balance<S, P, R> {
    /// Without the instances: the clone makes its own when it needs them.
    fn clone(&self) -> Self {
        let Target { endpoints, route, view, .. } = &self.target;
        let (endpoints, route, view) = (endpoints.clone(), route.clone(), view.clone());
        let target = Target { endpoints, route, view, instances: Instances::new(), waiting: None };
        Self { target, protocol: self.protocol.clone() }
    }
}

impl<S, P, R> fmt::Debug for Balance<S, P, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Balance").field("endpoints", &self.target.endpoints).finish_non_exhaustive()
    }
}
