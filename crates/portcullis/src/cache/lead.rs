//! Making a call, once for all who want the same, and keeping what it comes to.

use std::sync::{Arc, Weak};

use tower_service::Service;

use super::{
    CacheProtocol, Keep, Key, Rules, Value,
    entry::{Entry, Served},
    measure::Count,
    service::Work,
    shared::{Course, Found, Shared},
    why::Why,
};
use crate::{
    flight::{Joined, Leader, Turn},
    oneshot::Oneshot,
    share::{Collected, Share, ShareError, Unshared},
};

/// Who makes the call for others, too.
type Lead<K, V, E> = Leader<Course<K>, Result<Served<V>, E>>;

/// What became of a call.
pub(super) struct Led<T, E> {
    pub(super) result: Result<T, E>,
    /// Whether that is kept now.
    pub(super) kept: bool,
}

/// What a caller gets of what was kept, or given by another.
pub(super) fn open<P, R, Req, Res, V>(protocol: &P, rules: &R, served: Served<V>) -> P::Response
where
    P: Share<Res, Shared = V>,
    R: Rules<Req, Res, V>,
{
    let Served { value, age } = served;
    Share::open(
        protocol,
        match age {
            Some(age) => rules.serve(value, age),
            None => value,
        },
    )
}

/// Waits for another's call of this key, or makes it.
pub(super) async fn fetch<S, Req, P, R, K, V>(
    work: Work<S, Req, P, R, K, V>,
    course: Course<K>,
    entry: Option<Arc<Entry<V>>>,
) -> Result<<P as Share<S::Response>>::Response, P::Error>
where
    K: Key,
    V: Value,
    S: Service<Req>,
    P: CacheProtocol<Req, S::Response, S::Error, V>,
    R: Rules<Req, S::Response, V>,
{
    let joined = work.shared.upgrade().map(|shared| shared.join::<P::SharedError>(course.clone()));
    let leader = match joined {
        Some(Joined::Leader(leader)) => Some(leader),
        Some(Joined::Full) | None => None,
        Some(Joined::Waiter(waiter)) => match waiter.await {
            Turn::Lead(leader) => Some(leader),
            Turn::Alone => None,
            // It fits the one who made the call; who has waited may be somebody else.
            Turn::Shared(outcome) if !is_for(&work, &outcome) => None,
            Turn::Shared(outcome) => {
                if let Some(shared) = work.shared.upgrade() {
                    shared.count(Count::Coalesced);
                }
                return match Result::clone(&outcome) {
                    Ok(served) => Ok(open(&work.protocol, &work.rules, served)),
                    Err(error) => Err(ShareError::open(&work.protocol, error)),
                };
            }
        },
    };
    // Between the look and now, or while this one waited, another may have kept what is wanted.
    if let Some(served) = again(&work, &course) {
        if let Some(leader) = leader {
            leader.settle(Ok(served.clone()));
        }
        return Ok(open(&work.protocol, &work.rules, served));
    }
    lead(work, leader, course, entry).await.result
}

/// Whether what another's call has come to answers this request.
fn is_for<S, Req, P, R, K, V, E>(work: &Work<S, Req, P, R, K, V>, outcome: &Result<Served<V>, E>) -> bool
where
    S: Service<Req>,
    R: Rules<Req, S::Response, V>,
{
    let fits =
        |served: &Served<V>| work.rules.fits(&work.request, &served.value, served.age.unwrap_or_default());
    outcome.as_ref().map_or(true, fits)
}

/// Looks once more.
fn again<S, Req, P, R, K, V>(work: &Work<S, Req, P, R, K, V>, course: &Course<K>) -> Option<Served<V>>
where
    K: Key,
    V: Value,
    S: Service<Req>,
    R: Rules<Req, S::Response, V>,
{
    let shared = work.shared.upgrade()?;
    match shared.find(&course.key, |value, age| work.rules.fits(&work.request, value, age)) {
        Found::Fresh(entry) => {
            shared.count(Count::Coalesced);
            Some(Served::of(&entry, crate::clock::now()))
        }
        Found::Stale(_) | Found::Nothing(_) => None,
    }
}

/// Makes the call in the background. Whether there is something new since.
pub(super) async fn refresh<S, Req, P, R, K, V>(
    work: Work<S, Req, P, R, K, V>,
    leader: Lead<K, V, P::SharedError>,
    course: Course<K>,
) -> bool
where
    K: Key,
    V: Value,
    S: Service<Req>,
    P: CacheProtocol<Req, S::Response, S::Error, V>,
    R: Rules<Req, S::Response, V>,
{
    call(work, Some(leader), course, None).await.kept
}

/// Makes the call of a caller.
pub(super) async fn lead<S, Req, P, R, K, V>(
    work: Work<S, Req, P, R, K, V>,
    leader: Option<Lead<K, V, P::SharedError>>,
    course: Course<K>,
    entry: Option<Arc<Entry<V>>>,
) -> Led<<P as Share<S::Response>>::Response, P::Error>
where
    K: Key,
    V: Value,
    S: Service<Req>,
    P: CacheProtocol<Req, S::Response, S::Error, V>,
    R: Rules<Req, S::Response, V>,
{
    if let Some(shared) = work.shared.upgrade() {
        shared.count(Count::Miss);
    }
    call(work, leader, course, entry).await
}

/// Makes the call, keeps what it comes to, and gives that to all who wait.
async fn call<S, Req, P, R, K, V>(
    work: Work<S, Req, P, R, K, V>,
    leader: Option<Lead<K, V, P::SharedError>>,
    course: Course<K>,
    entry: Option<Arc<Entry<V>>>,
) -> Led<<P as Share<S::Response>>::Response, P::Error>
where
    K: Key,
    V: Value,
    S: Service<Req>,
    P: CacheProtocol<Req, S::Response, S::Error, V>,
    R: Rules<Req, S::Response, V>,
{
    let Work { shared, service, request, protocol, rules, max_body } = work;
    let (context, asked) = (protocol.context(&request), rules.asked(&request));
    let after = After { shared, protocol, rules, asked, course, entry };
    let result = Oneshot::unready(service, request).await;
    match after.head::<Req, _, S::Error>(&context, result, leader, max_body) {
        Next::Done(result) => Led { result, kept: false },
        Next::Read { reading, leader, keep } => {
            let read = reading.await;
            let (response, kept) = after.whole::<Req, S::Response, S::Error>(read, leader, keep);
            Led { result: Ok(response), kept }
        }
    }
}

/// What a call is judged and kept by, when it was made.
struct After<P, R, A, K, V> {
    shared: Weak<Shared<K, V>>,
    protocol: P,
    rules: R,
    asked: A,
    course: Course<K>,
    entry: Option<Arc<Entry<V>>>,
}

/// What there is to do after the head of a response.
enum Next<T, E, C, L> {
    Done(Result<T, E>),
    /// It is read.
    Read {
        reading: C,
        leader: Option<L>,
        keep: Keep,
    },
}

impl<P, R, A, K: Key, V: Value> After<P, R, A, K, V> {
    /// After the head of a response. What nobody else gets is not read.
    #[expect(clippy::type_complexity, reason = "all of it is of one call")]
    fn head<Req, Res, Err>(
        &self,
        context: &P::Context,
        result: Result<Res, Err>,
        leader: Option<Lead<K, V, P::SharedError>>,
        max_body: usize,
    ) -> Next<<P as Share<Res>>::Response, P::Error, P::Collecting, Lead<K, V, P::SharedError>>
    where
        P: CacheProtocol<Req, Res, Err, V>,
        R: Rules<Req, Res, V, Asked = A>,
    {
        let result = result.map_err(|error| self.protocol.lift(error));
        let why = Why::of(&self.protocol, context, result.as_ref());
        let shared = self.shared.upgrade();
        let instead = why.zip(shared.as_ref());
        if let Some(served) = instead.and_then(|(why, shared)| shared.instead(self.entry.as_ref(), why)) {
            drop(result);
            settle(leader, || Ok(served.clone()));
            return Next::Done(Ok(open(&self.protocol, &self.rules, served)));
        }
        let response = match result {
            Ok(response) => response,
            Err(error) => return Next::Done(Err(fail(&self.protocol, leader, error))),
        };
        let keep = self.rules.keep(&self.asked, &response, why.is_some());
        let keep = match keep {
            Keep::Yes(lasts) | Keep::Choosy(lasts)
                if !shared.as_ref().is_some_and(|shared| shared.keeps(&lasts)) =>
            {
                keep.unkept()
            }
            keep => keep,
        };
        let leader = match keep {
            Keep::Alone => {
                dissolve(leader);
                return Next::Done(Ok(self.protocol.alone(response)));
            }
            Keep::Shared => match leader.and_then(|leader| leader.end_alone().err()) {
                None => return Next::Done(Ok(self.protocol.alone(response))),
                leader => leader,
            },
            Keep::Yes(_) | Keep::Choosy(_) => leader,
        };
        Next::Read { reading: self.protocol.collect(response, max_body), leader, keep }
    }

    /// After the whole of a response; whether it is kept.
    fn whole<Req, Res, Err>(
        &self,
        read: Collected<<P as Share<Res>>::Response, V>,
        leader: Option<Lead<K, V, P::SharedError>>,
        keep: Keep,
    ) -> (<P as Share<Res>>::Response, bool)
    where
        P: CacheProtocol<Req, Res, Err, V>,
        R: Rules<Req, Res, V, Asked = A>,
    {
        let value = match read {
            Collected::Shared(value) => value,
            // The next may have better luck; all at once would be a stampede.
            Collected::Only(response, Unshared::Failed) => return (response, false),
            Collected::Only(response, _) => {
                dissolve(leader);
                return (response, false);
            }
        };
        let kept = match (keep, self.shared.upgrade()) {
            (Keep::Yes(lasts) | Keep::Choosy(lasts), Some(shared)) => {
                let sealed = self.rules.seal(&self.asked, &value);
                sealed.is_some_and(|sealed| shared.keep(&self.course, sealed, lasts))
            }
            _ => false,
        };
        match keep {
            Keep::Choosy(_) => dissolve(leader),
            _ => settle(leader, || Ok(Served::new(value.clone()))),
        }
        (Share::open(&self.protocol, value), kept)
    }
}

/// Gives an error to all who wait.
fn fail<P, Req, Res, Err, K, V>(
    protocol: &P,
    leader: Option<Lead<K, V, P::SharedError>>,
    error: P::Error,
) -> P::Error
where
    K: Key,
    V: Value,
    P: CacheProtocol<Req, Res, Err, V>,
{
    match leader.map(Leader::end_alone) {
        Some(Err(leader)) => {
            let error = protocol.share(error);
            leader.settle(Err(error.clone()));
            ShareError::open(protocol, error)
        }
        Some(Ok(())) | None => error,
    }
}

fn settle<K: Key, T: Send + Sync + 'static>(
    leader: Option<Leader<Course<K>, T>>,
    outcome: impl FnOnce() -> T,
) {
    if let Some(leader) = leader {
        leader.settle(outcome());
    }
}

fn dissolve<K: Key, T: Send + Sync + 'static>(leader: Option<Leader<Course<K>, T>>) {
    if let Some(leader) = leader {
        leader.dissolve();
    }
}

impl Keep {
    /// The same for a cache that does not keep it.
    fn unkept(self) -> Self {
        match self {
            Self::Yes(_) | Self::Shared => Self::Shared,
            Self::Choosy(_) | Self::Alone => Self::Alone,
        }
    }
}
