//! Protocols over `http::Request` and `http::Response`.

mod advice;
mod body;
mod call_error;
mod client;
mod deadline;
#[cfg(feature = "hyper")]
pub(crate) mod delivery;
mod grpc;
mod head;
mod refusal;
mod server;
mod status;

pub use body::ResponseBody;
pub use call_error::CallError;
pub use client::HttpClient;
pub use deadline::Deadline;
pub(crate) use deadline::{Told, grpc_timeout, write_grpc_timeout, write_millis};
pub use grpc::Grpc;
pub use head::{Head, Wire};
pub use refusal::refusal;
use refusal::response as refusal_response;
pub(crate) use refusal::without_content;
pub use server::HttpServer;

use ::http::Response;
use http_body::Body;
use portcullis_core::Verdict;

use crate::Ticket;

/// Hands the ticket over to the body. A failure is settled at once, because nothing after it can make
/// it a success; the ticket itself stays until the body ends. What nobody heeds is not judged.
#[inline]
fn guard<B: Body, T: Ticket>(
    response: Response<B>,
    ticket: Option<T>,
    wire: Wire,
    judge: impl FnOnce(&Response<B>) -> Option<Verdict>,
) -> Response<ResponseBody<B, T>> {
    let Some(mut ticket) = ticket else { return response.map(ResponseBody::inner) };
    let rest = match wire {
        _ if ticket.heeds() => answered(&mut ticket, judge(&response)),
        Wire::Grpc => body::Rest::Trailers,
        Wire::Http | Wire::Head => body::Rest::Known,
    };
    response.map(|body| ResponseBody::guarded(body, ticket, rest, wire))
}

/// Tells the ticket what the head of the response says.
#[inline]
fn answered<T: Ticket>(ticket: &mut T, verdict: Option<Verdict>) -> body::Rest {
    ticket.answered(verdict);
    match verdict {
        Some(Verdict::Success) => body::Rest::Success,
        Some(verdict) => {
            ticket.settle(verdict);
            body::Rest::Known
        }
        None => body::Rest::Trailers,
    }
}
