//! What the end of a gRPC call asks for.

use std::time::Duration;

use ::http::{HeaderMap, HeaderValue};
use portcullis_core::Failure;

#[cfg(feature = "grpc-details")]
use super::retry_info::read as retry_info;
use super::{LONGEST, number};

pub(in super::super) const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// The failure with what stands beside its status: a pushback (gRFC A6), which was made for retries; else,
/// with the feature `grpc-details`, a google.rpc.RetryInfo.
pub(in super::super) fn advised(failure: Failure, beside: &HeaderMap) -> Failure {
    match beside.get(PUSHBACK).map(pushback) {
        Some(Some(wait)) => failure.retry_after(Some(wait.min(LONGEST))),
        Some(None) => failure.do_not_retry(),
        None => failure.retry_after(retry_info(beside).map(|wait| wait.min(LONGEST))),
    }
}

/// Milliseconds; `None`, which means "do not", for what is negative or no number.
fn pushback(value: &HeaderValue) -> Option<Duration> {
    number(value.to_str().ok()?.trim()).map(Duration::from_millis)
}

#[cfg(not(feature = "grpc-details"))]
fn retry_info(_: &HeaderMap) -> Option<Duration> {
    None
}
