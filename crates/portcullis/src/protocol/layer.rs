//! What the layers have in common.

/// The shorthands by which a layer takes another protocol: the layer has fields `$policy` and `protocol`.
macro_rules! protocol_shorthands {
    ($layer:ident, $policy:ident) => {
        impl<P> $layer<P> {
            /// The same layer with this [protocol](crate::protocol).
            pub fn protocol<Q>(self, protocol: Q) -> $layer<Q> {
                $layer { $policy: self.$policy, protocol }
            }

            /// For services with an error type of their own; see [`Typed`](crate::Typed).
            pub fn typed(self) -> $layer<crate::Typed> {
                self.protocol(crate::Typed::default())
            }

            /// For HTTP servers; see [`HttpServer`](crate::HttpServer).
            #[cfg(feature = "http")]
            pub fn http_server(self) -> $layer<crate::HttpServer> {
                self.protocol(crate::HttpServer::default())
            }

            /// For HTTP clients; see [`HttpClient`](crate::HttpClient).
            #[cfg(feature = "http")]
            pub fn http_client(self) -> $layer<crate::HttpClient> {
                self.protocol(crate::HttpClient::default())
            }

            /// For gRPC; see [`Grpc`](crate::Grpc).
            #[cfg(feature = "http")]
            pub fn grpc(self) -> $layer<crate::Grpc> {
                self.protocol(crate::Grpc::default())
            }
        }
    };
}

pub(crate) use protocol_shorthands;
