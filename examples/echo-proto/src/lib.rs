//! A gRPC echo service for tests and examples: what the caller asks for is what happens.
//!
//! Use it wherever a real gRPC peer is needed that is slow, fails or breaks off on demand. The
//! messages, [`echo_client`] and [`echo_server`] are made from `proto/echo.proto`;
//! [`EchoService`](service::EchoService) is a server that obeys the fields of each request.
//!
//! ```
//! use echo_proto::{EchoRequest, echo_server::EchoServer, service::EchoService};
//! use tonic::Code;
//!
//! // The first two calls fail, all later ones do as their request says.
//! let server = EchoServer::new(EchoService::default().fail_first(2, Code::Unavailable));
//! // This one is answered by DeadlineExceeded after 20 ms.
//! let request = EchoRequest { delay_ms: 20, fail_code: Code::DeadlineExceeded.into(), ..Default::default() };
//! # drop((server, request));
//! ```

#![forbid(unsafe_code)]

pub mod service;

mod proto {
    tonic::include_proto!("echo.v1");
}

pub use proto::{EchoReply, EchoRequest, echo_client, echo_server};
