//! google.rpc.RetryInfo, within the google.rpc.Status in `grpc-status-details-bin`.

use std::time::Duration;

use ::http::HeaderMap;
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use prost::Message;

pub(super) const DETAILS: &str = "grpc-status-details-bin";

/// Senders may pad, and need not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The delay of the first RetryInfo there is. Several values may have been joined by commas on the way.
pub(super) fn read(beside: &HeaderMap) -> Option<Duration> {
    let values = beside.get_all(DETAILS).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|joined| joined.split(',')).find_map(|value| {
        let status = Status::decode(BASE64.decode(value.trim()).ok()?.as_slice()).ok()?;
        status.details.iter().find_map(Any::retry_delay)
    })
}

/// google.rpc.Status, but for what stands in headers of its own.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Status {
    #[prost(message, repeated, tag = "3")]
    pub(super) details: Vec<Any>,
}

/// google.protobuf.Any
#[derive(Clone, PartialEq, Message)]
pub(super) struct Any {
    #[prost(string, tag = "1")]
    pub(super) type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) value: Vec<u8>,
}

impl Any {
    fn retry_delay(&self) -> Option<Duration> {
        let (_, name) = self.type_url.rsplit_once('/')?;
        if name != "google.rpc.RetryInfo" {
            return None;
        }
        RetryInfo::decode(self.value.as_slice()).ok()?.retry_delay?.positive()
    }
}

/// google.rpc.RetryInfo
#[derive(Clone, PartialEq, Message)]
pub(super) struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    pub(super) retry_delay: Option<Delay>,
}

/// google.protobuf.Duration
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Delay {
    #[prost(int64, tag = "1")]
    pub(super) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(super) nanos: i32,
}

impl Delay {
    /// As it is, unless it is negative, which no delay can be.
    fn positive(self) -> Option<Duration> {
        Some(Duration::new(self.seconds.try_into().ok()?, self.nanos.try_into().ok()?))
    }
}
