//! What the layers have in common.

/// The shorthands by which a layer takes another protocol: the layer has the fields `$field` and
/// `protocol`, and the protocol is the last of its parameters.
macro_rules! protocol_shorthands {
    ($layer:ident $(<$($generic:ident),+>)?, $($field:ident),+) => {
        impl<$($($generic,)+)? P> $layer<$($($generic,)+)? P> {
            /// The same layer with this [protocol](crate::protocol).
            pub fn protocol<Q>(self, protocol: Q) -> $layer<$($($generic,)+)? Q> {
                $layer { $($field: self.$field,)+ protocol }
            }

            /// For services with an error type of their own; see [`Typed`](crate::Typed).
            pub fn typed(self) -> $layer<$($($generic,)+)? crate::Typed> {
                self.protocol(crate::Typed::default())
            }

            /// For HTTP servers; see [`HttpServer`](crate::HttpServer).
            #[cfg(feature = "http")]
            pub fn http_server(self) -> $layer<$($($generic,)+)? crate::HttpServer> {
                self.protocol(crate::HttpServer::default())
            }

            /// For HTTP clients; see [`HttpClient`](crate::HttpClient).
            #[cfg(feature = "http")]
            pub fn http_client(self) -> $layer<$($($generic,)+)? crate::HttpClient> {
                self.protocol(crate::HttpClient::default())
            }

            /// For gRPC; see [`Grpc`](crate::Grpc).
            #[cfg(feature = "http")]
            pub fn grpc(self) -> $layer<$($($generic,)+)? crate::Grpc> {
                self.protocol(crate::Grpc::default())
            }
        }
    };
}

pub(crate) use protocol_shorthands;
