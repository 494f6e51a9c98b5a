//! One answer for many callers.

use portcullis::{
    Grpc,
    share::{Share, ShareError},
};
use tonic::Status;

use crate::Tonic;

/// As [`Grpc`] does it: a stream is shared when it has ended, and only within the cap.
#[diagnostic::do_not_recommend]
impl<C, Res> Share<Res> for Tonic<C>
where
    Grpc: Share<Res>,
{
    type Response = <Grpc as Share<Res>>::Response;
    type Shared = <Grpc as Share<Res>>::Shared;
    type Collecting = <Grpc as Share<Res>>::Collecting;

    fn collect(&self, response: Res, max_body: usize) -> Self::Collecting {
        Grpc::default().collect(response, max_body)
    }

    fn alone(&self, response: Res) -> Self::Response {
        Grpc::default().alone(response)
    }

    fn open(&self, shared: Self::Shared) -> Self::Response {
        Share::<Res>::open(&Grpc::default(), shared)
    }

    fn size(shared: &Self::Shared) -> usize {
        <Grpc as Share<Res>>::size(shared)
    }
}

/// Everyone gets the same [`Status`].
impl<C> ShareError<Status> for Tonic<C> {
    type Shared = Status;

    fn share(&self, error: Status) -> Status {
        error
    }

    fn open(&self, shared: Status) -> Status {
        shared
    }
}
