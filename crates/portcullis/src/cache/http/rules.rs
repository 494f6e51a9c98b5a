//! What may be kept of HTTP.

use std::{sync::Arc, time::Duration};

use ::http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode,
    header::{self, AGE, AUTHORIZATION, COOKIE, DATE, EXPIRES, PRAGMA, SET_COOKIE, VARY},
};

use super::{ByUri, control::Control};
use crate::{
    cache::{Ask, Keep, Lasts, Rules},
    clock,
    share::SharedResponse,
};

/// What may be kept of HTTP. The cache is one that many share: what is for one user is not kept.
///
/// # As it is
///
/// Headers do not say for how long anything is kept: the [`Config`](crate::cache::Config) does. But some say that it
/// must not be. Passed on as if there were no cache:
///
/// - requests with `Authorization` or `Cookie`, as answers to these are for one user;
/// - requests for a part (`Range`), under a condition (`If-…`), and to `Upgrade`.
///
/// Not kept are:
///
/// - responses with `Cache-Control: private`, `no-store` or `no-cache`, and with `Set-Cookie`: nor are they given to
///   those who wait for the call;
/// - those that `Vary` by headers that are not in the [key](crate::CacheLayer::vary);
/// - all but the statuses 200, 203, 204, 300, 301 and 308. Where the configuration says how long
///   [negative](crate::cache::Config::negative_ttl) answers are kept, also 404, 405, 410, 414 and 501.
///
/// # When headers are honoured
///
/// [`honour_headers`](Self::honour_headers) follows these parts of
/// [RFC 9111](https://www.rfc-editor.org/rfc/rfc9111), in addition:
///
/// - 3.5: requests with `Authorization` are looked up and kept, if the response says `public`, `s-maxage` or
///   `must-revalidate`. Those with `Cookie` too, and if it says for how long (`max-age`, `Expires`), or if the cookies
///   are in the key or in its `Vary`: what says nothing may be for one user.
/// - 4.1: responses that `Vary` by other headers than those in the key are kept, one at a time for a key, and serve
///   requests with the same headers. `Vary: *` is not kept.
/// - 4.2: how long it is fresh is, in this order: `s-maxage`, `max-age`, `Expires`, the configuration. Less the `Age`
///   it came with.
/// - 4.2.4: `must-revalidate`, `proxy-revalidate` and `s-maxage` are never served stale. Else
///   `stale-while-revalidate` and `stale-if-error` say for how long ([RFC 5861](https://www.rfc-editor.org/rfc/rfc5861)),
///   or the configuration.
/// - 5.1: what is served from the cache has an `Age`.
/// - 5.2.1: of requests, `no-store`, `no-cache` (or `Pragma`), `max-age` and `min-fresh`. `max-stale` and
///   `only-if-cached` say nothing.
///
/// What is not there: revalidation by a validator (4.3), so that what is stale is fetched as a whole; invalidation by
/// unsafe methods (4.4), for which there is [`invalidate`](crate::Cache::invalidate); parts (3.3, 3.4).
///
/// # gRPC
///
/// A message that did not end with the status 0 is not kept.
#[derive(Clone, Debug, Default)]
pub struct HttpRules {
    honour: bool,
    /// Headers in the key.
    keyed: Arc<[HeaderName]>,
}

/// What is kept of a request that is answered by a call.
#[derive(Clone, Debug)]
pub struct Asked {
    authorized: bool,
    /// With cookies that are not in the key.
    known: bool,
    /// All of them, where it may matter.
    headers: Option<HeaderMap>,
}

/// In the extensions of what is kept: the headers that it varies by, as they were in the request.
#[derive(Clone, Debug)]
struct Varies(Arc<[(HeaderName, Vec<HeaderValue>)]>);

impl HttpRules {
    /// Goes by the headers of responses and requests.
    #[must_use]
    pub fn honour_headers(mut self) -> Self {
        self.honour = true;
        self
    }

    /// Knows which headers are in the key.
    #[must_use]
    pub fn keyed_by(mut self, by: &ByUri) -> Self {
        self.keyed = by.headers.clone();
        self
    }

    /// Whether a response is for all with the same key, or for some of them (`false`); `None`, if it is for one.
    fn audience(&self, asked: &Asked, control: &Control, headers: &HeaderMap) -> Option<bool> {
        let for_one =
            control.private || control.no_store || control.no_cache || headers.contains_key(SET_COOKIE);
        if for_one || !is_allowed(asked.authorized, asked.known, control, headers) {
            return None;
        }
        let others =
            varies_by(headers).filter(|name| !self.keyed.iter().any(|keyed| *name == keyed.as_str()));
        let (mut all, mut any) = (true, false);
        for name in others {
            all = false;
            any |= name == "*";
        }
        (all || (self.honour && !any)).then_some(all)
    }

    /// Whether a request is authorized, and whether it has cookies that are not in the key.
    fn who(&self, headers: &HeaderMap) -> (bool, bool) {
        let known = headers.contains_key(COOKIE) && !self.keyed.contains(&COOKIE);
        (headers.contains_key(AUTHORIZATION), known)
    }

    /// How long a response is kept.
    fn lasts(&self, control: &Control, headers: &HeaderMap) -> Lasts {
        if !self.honour {
            return Lasts::default();
        }
        let age = headers.get(AGE).map_or(Duration::ZERO, age);
        let told = control.s_maxage.or(control.max_age).or_else(|| expires(headers));
        let strict = control.must_revalidate || control.s_maxage.is_some();
        let stale = |told: Option<Duration>| if strict { Some(Duration::ZERO) } else { told };
        Lasts {
            ttl: told.map(|told| told.saturating_sub(age)),
            while_revalidate: stale(control.stale_while_revalidate),
            if_error: stale(control.stale_if_error),
            age,
            negative: false,
        }
    }
}

impl<A, B> Rules<Request<A>, Response<B>, SharedResponse> for HttpRules {
    type Asked = Asked;

    fn ask(&self, request: &Request<A>) -> Ask {
        let headers = request.headers();
        let has = |name: &HeaderName| headers.contains_key(name);
        if PARTIAL.iter().any(has) {
            return Ask::Pass;
        }
        if !self.honour {
            return if has(&AUTHORIZATION) || has(&COOKIE) { Ask::Pass } else { Ask::Look };
        }
        let control = Control::of(headers);
        let no_cache =
            || headers.get(PRAGMA).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"no-cache"));
        if control.no_store {
            Ask::Pass
        } else if control.no_cache || (!has(&header::CACHE_CONTROL) && no_cache()) {
            Ask::Reload
        } else {
            Ask::Look
        }
    }

    fn fits(&self, request: &Request<A>, kept: &SharedResponse, age: Duration) -> bool {
        if !self.honour {
            return true;
        }
        let headers = request.headers();
        let varies = kept.head().extensions.get::<Varies>();
        let same = |(name, values): &(HeaderName, Vec<HeaderValue>)| headers.get_all(name).iter().eq(values);
        if varies.is_some_and(|varies| !varies.0.iter().all(same)) {
            return false;
        }
        let (authorized, known) = self.who(headers);
        let control = Control::of(headers);
        let is_young = control.max_age.is_none_or(|most| age <= most);
        let is_fresh = || {
            let told = Control::of(&kept.head().headers);
            let lifetime = told.s_maxage.or(told.max_age).or_else(|| expires(&kept.head().headers));
            let left = lifetime.map(|lifetime| lifetime.saturating_sub(age));
            control.min_fresh.zip(left).is_none_or(|(least, left)| left >= least)
        };
        let is_for_all = || {
            let told = &kept.head().headers;
            is_allowed(authorized, known, &Control::of(told), told)
        };
        is_young && is_fresh() && ((!authorized && !known) || is_for_all())
    }

    fn asked(&self, request: &Request<A>) -> Asked {
        let headers = request.headers();
        let (authorized, known) = self.who(headers);
        Asked { authorized, known, headers: self.honour.then(|| headers.clone()) }
    }

    fn keep(&self, asked: &Asked, response: &Response<B>, failed: bool) -> Keep {
        let headers = response.headers();
        let control = Control::of(headers);
        let Some(all) = self.audience(asked, &control, headers) else { return Keep::Alone };
        let negative = NEGATIVE.contains(&response.status());
        if !negative && (failed || !POSITIVE.contains(&response.status())) {
            return if all { Keep::Shared } else { Keep::Alone };
        }
        let lasts = Lasts { negative, ..self.lasts(&control, headers) };
        if all { Keep::Yes(lasts) } else { Keep::Choosy(lasts) }
    }

    fn seal(&self, asked: &Asked, read: &SharedResponse) -> Option<SharedResponse> {
        let head = read.head();
        let grpc = head
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
        if grpc {
            let in_trailers = read.trailers().and_then(|trailers| trailers.get("grpc-status"));
            let status = in_trailers.or_else(|| head.headers.get("grpc-status"));
            return status.is_some_and(|status| status == "0").then(|| read.clone());
        }
        let keyed = |name: &str| self.keyed.iter().any(|keyed| name == keyed.as_str());
        let names = varies_by(&head.headers).filter(|name| !keyed(name));
        let names: Vec<_> = names.filter_map(|name| HeaderName::try_from(name).ok()).collect();
        if names.is_empty() {
            return Some(read.clone());
        }
        let asked = asked.headers.as_ref()?;
        let values = |name: HeaderName| (name.clone(), asked.get_all(name).iter().cloned().collect());
        let mut head = head.clone();
        head.extensions.insert(Varies(names.into_iter().map(values).collect()));
        Some(read.with_head(head))
    }

    fn serve(&self, kept: SharedResponse, age: Duration) -> SharedResponse {
        if !self.honour {
            return kept;
        }
        let mut head = kept.head().clone();
        head.headers.insert(AGE, age.as_secs().into());
        kept.with_head(head)
    }
}

/// Those for a part of a resource, or under a condition.
const PARTIAL: [HeaderName; 7] = [
    header::RANGE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    header::IF_RANGE,
    header::UPGRADE,
];

/// Those of [RFC 9110, section 15.1](https://www.rfc-editor.org/rfc/rfc9110#section-15.1) that say something.
const POSITIVE: [StatusCode; 6] = [
    StatusCode::OK,
    StatusCode::NON_AUTHORITATIVE_INFORMATION,
    StatusCode::NO_CONTENT,
    StatusCode::MULTIPLE_CHOICES,
    StatusCode::MOVED_PERMANENTLY,
    StatusCode::PERMANENT_REDIRECT,
];

/// Those that say that there is nothing.
const NEGATIVE: [StatusCode; 5] = [
    StatusCode::NOT_FOUND,
    StatusCode::METHOD_NOT_ALLOWED,
    StatusCode::GONE,
    StatusCode::URI_TOO_LONG,
    StatusCode::NOT_IMPLEMENTED,
];

/// Whether a response may be kept that was asked for by somebody, or be given to somebody.
fn is_allowed(authorized: bool, known: bool, control: &Control, headers: &HeaderMap) -> bool {
    let for_all = control.public || control.s_maxage.is_some() || control.must_revalidate;
    let lasts = control.max_age.is_some() || headers.contains_key(EXPIRES);
    let by_cookies = || varies_by(headers).any(|name| name == COOKIE.as_str());
    for_all || (!authorized && (!known || lasts || by_cookies()))
}

/// The names in `Vary`, in small letters; what cannot be read is `*`.
fn varies_by(headers: &HeaderMap) -> impl Iterator<Item = String> + '_ {
    let names = headers.get_all(VARY).iter().flat_map(|value| value.to_str().unwrap_or("*").split(','));
    names.map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty())
}

/// What cannot be read is very old.
fn age(value: &HeaderValue) -> Duration {
    let seconds = value.to_str().ok().and_then(|value| value.trim().parse().ok());
    Duration::from_secs(seconds.unwrap_or(u64::MAX))
}

/// How long after its `Date` a response is fresh by `Expires`; what cannot be read is over.
fn expires(headers: &HeaderMap) -> Option<Duration> {
    let time = |value: &HeaderValue| httpdate::parse_http_date(value.to_str().ok()?).ok();
    let expires = time(headers.get(EXPIRES)?);
    let date = headers.get(DATE).and_then(time).unwrap_or_else(|| clock::wall(Duration::ZERO));
    Some(expires.and_then(|expires| expires.duration_since(date).ok()).unwrap_or_default())
}
