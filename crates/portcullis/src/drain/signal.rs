//! Signals by which a process is told to end.

use std::{
    future::{Future, poll_fn},
    io,
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
};

use portcullis_core::drain::Phase;
use tokio::runtime::Handle;

use super::Drain;

impl Drain {
    /// Begins when the process is told to end: by SIGTERM, as orchestrators say it, or SIGINT, as Ctrl-C does. A second
    /// signal ends the grace. The first one ends nothing, also where the end was begun before it by hand, as a hook does
    /// that runs before the signal. (Elsewhere than on Unix: Ctrl-C.)
    ///
    /// What listens ends with the drain, or with its last handle; the process then still does not end by these
    /// signals itself.
    ///
    /// # Errors
    ///
    /// Outside of a tokio runtime, or when the system does not let it listen.
    pub fn on_terminate(&self) -> io::Result<()> {
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let mut signals = Signals::new()?;
        let (drain, mut phases) = (Arc::downgrade(self.shared.value()), self.shared.phases.subscribe());
        runtime.spawn(async move {
            let mut told = false;
            while signals.next(phases.wait_for(|now| *now == Phase::Ended)).await {
                let Some(drain) = drain.upgrade() else { return };
                if std::mem::replace(&mut told, true) {
                    drain.end();
                } else {
                    drain.begin();
                }
            }
        });
        Ok(())
    }
}

#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 2]);

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self([signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?]))
    }

    /// Ready when there was one.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let ready = self.0.iter_mut().any(|signal| signal.poll_recv(cx).is_ready());
        if ready { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[cfg(not(unix))]
struct Signals(std::pin::Pin<Box<dyn Future<Output = ()> + Send>>);

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self(ctrl_c()))
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let polled = self.0.as_mut().poll(cx);
        if polled.is_ready() {
            self.0 = ctrl_c();
        }
        polled
    }
}

#[cfg(not(unix))]
fn ctrl_c() -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

impl Signals {
    /// Whether there was one before `end`.
    async fn next(&mut self, end: impl Future) -> bool {
        let mut end = pin!(end);
        poll_fn(|cx| match self.poll(cx) {
            Poll::Ready(()) => Poll::Ready(true),
            Poll::Pending => end.as_mut().poll(cx).map(|_| false),
        })
        .await
    }
}
