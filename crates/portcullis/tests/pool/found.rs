//! What a call finds on its thread.

#[cfg(feature = "tracing")]
#[tokio::test(start_paused = true)]
async fn the_callers_span() {
    use tracing::Instrument;

    use super::support::{Done, ms, pool};

    // For all threads: one that is set for a thread alone does not follow.
    let _ = tracing::subscriber::set_global_default(
        tracing_subscriber::fmt().with_writer(std::io::sink).finish(),
    );
    let name = || tracing::Span::current().metadata().map(tracing::Metadata::name);
    let pool = pool(1).build().unwrap();
    let inside = async {
        let run = pool.run(move || Done::Ok(name())).await.unwrap();
        let call = pool.call(move || async move {
            tokio::time::sleep(ms(1)).await;
            Done::Ok(name())
        });
        (run, call.await.unwrap())
    };
    let found = inside.instrument(tracing::info_span!("request")).await;
    assert_eq!(found, (Some("request"), Some("request")));
    assert_eq!(pool.run(move || Done::Ok(name())).await.unwrap(), None, "and nobody else's");
}

/// A runtime of threads drives the timers of a call by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_runtime_of_its_caller() {
    use super::support::{Done, ms, pool};

    let pool = pool(1).build().unwrap();
    let here = tokio::runtime::Handle::current().id();
    let there = pool.call(|| async {
        tokio::time::sleep(ms(1)).await;
        Done::Ok(tokio::runtime::Handle::current().id())
    });
    assert_eq!(there.await.unwrap(), here);
}
