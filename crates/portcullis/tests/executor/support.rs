//! What the tests share.

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    time::Duration,
};

use portcullis::{Executor, Registry, executor::ExecutorBuilder};
use tokio::runtime::{Builder, Runtime};

/// Longer than anything takes that works.
const LONG: Duration = Duration::from_secs(30);

/// In a registry of its own.
pub(crate) fn executor() -> ExecutorBuilder {
    Executor::builder("reports").registry(&Registry::new())
}

/// A runtime with a thread of its own, of this name.
pub(crate) fn elsewhere() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).thread_name("elsewhere").enable_all().build().unwrap()
}

pub(crate) fn is_elsewhere() -> bool {
    std::thread::current().name() == Some("elsewhere")
}

/// Tells when it is dropped, and where.
pub(crate) struct Tells(Sender<bool>);

/// Whether what tells was dropped on the runtime's thread.
pub(crate) struct Told(Receiver<bool>);

pub(crate) fn tells() -> (Tells, Told) {
    let (tells, told) = channel();
    (Tells(tells), Told(told))
}

impl Drop for Tells {
    fn drop(&mut self) {
        let _ = self.0.send(is_elsewhere());
    }
}

impl Told {
    pub(crate) fn wait(&self) -> bool {
        self.0.recv_timeout(LONG).unwrap()
    }
}
