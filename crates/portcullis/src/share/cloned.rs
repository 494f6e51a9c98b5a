//! Responses and errors that are cloned.

use std::future::{Ready, ready};

use super::{Collected, Share, ShareError, SharedError};
use crate::{BoxError, Boxed, Typed};

macro_rules! shares_by_clone {
    ($protocol:ident) => {
        #[diagnostic::do_not_recommend]
        impl<C, Res: Clone + Send + Sync + 'static> Share<Res> for $protocol<C> {
            type Response = Res;
            type Shared = Res;
            type Collecting = Ready<Collected<Res, Res>>;

            fn collect(&self, response: Res, _: usize) -> Self::Collecting {
                ready(Collected::Shared(response))
            }

            fn alone(&self, response: Res) -> Res {
                response
            }

            fn open(&self, shared: Res) -> Res {
                shared
            }
        }
    };
}

shares_by_clone!(Boxed);
shares_by_clone!(Typed);

impl<C> ShareError<BoxError> for Boxed<C> {
    type Shared = SharedError;

    fn share(&self, error: BoxError) -> SharedError {
        SharedError::new(error)
    }

    fn open(&self, shared: SharedError) -> BoxError {
        shared.into_boxed()
    }
}

#[diagnostic::do_not_recommend]
impl<C, Err: Clone + Send + Sync + 'static> ShareError<Err> for Typed<C> {
    type Shared = Err;

    fn share(&self, error: Err) -> Err {
        error
    }

    fn open(&self, shared: Err) -> Err {
        shared
    }
}
