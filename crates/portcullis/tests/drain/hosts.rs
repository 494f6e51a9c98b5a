//! Around a server, with its graceful shutdown and without.

use portcullis::drain::{End, Phase};
use tokio::time::Instant;

use crate::support::{drain, secs};

#[tokio::test(start_paused = true)]
async fn a_host_may_close_its_connections_when_all_calls_have_finished() {
    let drain = drain().build().unwrap();
    let signal = drain.signal();
    drain.begin();
    let begun = Instant::now();
    let host = async move {
        signal.await;
        tokio::time::sleep(secs(2)).await;
        Ok::<_, std::io::Error>(())
    };
    let report = drain.serve(host).await.unwrap();
    assert!(report.is_clean());
    assert_eq!(begun.elapsed(), secs(7), "no longer than it took");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_does_not_end_is_dropped() {
    for (stuck, over) in [(true, 15), (false, 15)] {
        let drain = drain().build().unwrap();
        let call = stuck.then(|| drain.try_admit().unwrap());
        drain.begin();
        let begun = Instant::now();
        let report = drain.serve(std::future::pending::<Result<(), std::io::Error>>()).await.unwrap();
        assert_eq!((report.cut(), begun.elapsed()), (u64::from(stuck), secs(over)));
        drop(call);
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_ends_by_itself_ends_the_drain() {
    let drain = drain().build().unwrap();
    let report = drain.serve(std::future::ready(Ok::<_, std::io::Error>(()))).await.unwrap();
    assert_eq!((report.by, drain.phase()), (End::Finished, Phase::Ended));
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_host_is_told_at_once() {
    let drain = drain().build().unwrap();
    let error = drain.serve(std::future::ready(Err(std::io::Error::other("no socket")))).await;
    assert_eq!(error.unwrap_err().to_string(), "no socket");
}
