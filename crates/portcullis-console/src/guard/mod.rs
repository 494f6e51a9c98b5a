//! Who may ask for what. Everything goes through here; see the crate's documentation for the rules.

pub(crate) mod headers;
mod host;
pub(crate) mod limits;
mod origin;
mod peer;
pub(crate) mod token;

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{console::Shared, page, problem::Problem};

/// The longest path with its query that anything here is asked by: a name of a kilobyte, percent-encoded, and more.
const LONGEST_URI: usize = 8 * 1024;
/// The largest body: the settings of a thousand policies.
pub(crate) const LARGEST_BODY: usize = 256 * 1024;

/// Who asked for a change: the name of the token.
#[derive(Clone, Debug)]
pub(crate) struct By(pub(crate) Arc<str>);

/// What a request wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wants {
    /// Whether the process lives, and wants traffic: a bit each, for whatever watches it.
    Probe,
    /// The page, in which nothing of the service stands.
    Page,
    /// What the service is and does.
    Read,
    /// To change something.
    Change,
}

impl Wants {
    fn of(method: &Method, path: &str) -> Self {
        match (method, path) {
            (&Method::GET | &Method::HEAD, "/livez" | "/readyz") => Self::Probe,
            (&Method::GET | &Method::HEAD, path) if page::is_part(path) => Self::Page,
            (&Method::GET | &Method::HEAD, _) => Self::Read,
            // Whatever has no business here, too.
            _ => Self::Change,
        }
    }
}

/// Lets a request through, or answers it.
pub(crate) async fn guard(State(console): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let mut response = match admit(&console, request) {
        Ok((request, _room)) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    headers::add(response.headers_mut());
    response
}

fn admit(
    console: &Arc<Shared>,
    mut request: Request,
) -> Result<(Request, Option<portcullis::bulkhead::BulkheadTicket>), Problem> {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        console.watch(&runtime);
    }
    if request.uri().path_and_query().is_some_and(|path| path.as_str().len() > LONGEST_URI) {
        return Err(Problem::new(414, format!("the address is longer than {LONGEST_URI} bytes")));
    }
    let wants = Wants::of(request.method(), request.uri().path());
    match wants {
        Wants::Probe => return Ok((request, None)),
        Wants::Page if console.is_writable() => {}
        Wants::Page => nearby(console, &request)?,
        Wants::Read => may_read(console, &request)?,
        Wants::Change => {
            let by = may_change(console, &request)?;
            request.extensions_mut().insert(by);
        }
    }
    if wants == Wants::Page {
        console.limits.page()?;
    } else {
        console.limits.read()?;
    }
    let room = console.limits.request()?;
    Ok((request, Some(room)))
}

/// Whether it comes from this machine, by a name of this machine.
fn nearby(console: &Shared, request: &Request) -> Result<(), Problem> {
    if !peer::is_local(request.extensions(), request.headers()) {
        return Err(Problem::forbidden(
            "without a token, only requests from this machine itself are answered: set one with \
             `Console::builder(registry).token(\"name\", secret)`. Behind `axum::serve`, the peer is known by \
             `into_make_service_with_connect_info::<SocketAddr>()`; a request that came through a proxy is not of this \
             machine.",
        ));
    }
    let host = host::asked(request.uri(), request.headers());
    if !host.is_some_and(|host| host::is_known(&host, &console.hosts)) {
        return Err(Problem::new(
            421,
            "without a token, this is answered by the name `localhost`, by an address of this machine alone, and by names \
             that were told with `ConsoleBuilder::host`",
        ));
    }
    Ok(())
}

fn may_read(console: &Shared, request: &Request) -> Result<(), Problem> {
    if !console.is_writable() {
        return nearby(console, request);
    }
    match identify(console, request.headers()) {
        Err(_) if console.open_on_loopback && !request.headers().contains_key(header::AUTHORIZATION) => {
            nearby(console, request).map_err(|_| unknown())
        }
        identified => identified.map(drop),
    }
}

fn may_change(console: &Shared, request: &Request) -> Result<By, Problem> {
    if !console.is_writable() {
        return Err(Problem::forbidden(
            "nothing can be changed here, because no token is set: set one with \
             `Console::builder(registry).token(\"name\", secret)`",
        ));
    }
    let host = host::asked(request.uri(), request.headers());
    let by = identify(console, request.headers())?;
    origin::check(request.headers(), host.as_ref())?;
    let length =
        request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: u64| length > LARGEST_BODY as u64) {
        return Err(too_large());
    }
    console.limits.change()?;
    Ok(by)
}

pub(crate) fn too_large() -> Problem {
    Problem::new(413, format!("the body is larger than {LARGEST_BODY} bytes"))
}

fn unknown() -> Problem {
    Problem::new(401, "a token is needed: `Authorization: Bearer <token>`")
}

/// Whose token it is.
fn identify(console: &Shared, headers: &HeaderMap) -> Result<By, Problem> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(first), None) = (given.next(), given.next()) else { return Err(unknown()) };
    let (scheme, secret) = first.as_bytes().split_at_checked(7).unwrap_or_default();
    if scheme.eq_ignore_ascii_case(b"bearer ") {
        if let Some(name) = token::find(&console.tokens, secret.trim_ascii()) {
            return Ok(By(name.clone()));
        }
    }
    console.limits.wrong()?;
    Err(unknown())
}
