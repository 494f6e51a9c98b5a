//! What the tests share.

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    time::Duration,
};

use portcullis::{Registry, Rejection, ThreadPool, pool::ThreadPoolBuilder};

/// What most tests' work comes to.
pub(crate) type Done<T = ()> = Result<T, Rejection>;

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// So many threads, in a registry of its own.
pub(crate) fn pool(threads: u32) -> ThreadPoolBuilder {
    ThreadPool::builder("pool").threads(threads).registry(&Registry::new())
}

/// Work that says that it has begun, and blocks until it is let go.
pub(crate) struct Blocked {
    pub(crate) begun: Receiver<()>,
    pub(crate) go: Sender<()>,
}

pub(crate) fn blocked() -> (Blocked, impl FnOnce() -> Done + Send + 'static) {
    let (begins, begun) = channel();
    let (go, goes) = channel();
    let work = move || {
        begins.send(()).unwrap();
        // Nobody may be left to let it go.
        let _ = goes.recv();
        Ok(())
    };
    (Blocked { begun, go }, work)
}

/// Lets everything else run until it waits.
pub(crate) async fn settle() {
    tokio::time::sleep(ms(1)).await;
}

/// Tells when it is dropped.
pub(crate) struct Tells(pub(crate) Sender<&'static str>);

impl Drop for Tells {
    fn drop(&mut self) {
        let _ = self.0.send("dropped");
    }
}

/// Waits, off the runtime, until what threads do after their call's answer is done.
pub(crate) fn eventually(holds: impl Fn() -> bool) {
    while !holds() {
        std::thread::yield_now();
    }
}
