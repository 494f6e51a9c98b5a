//! Without tower.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use portcullis::{BoxError, Mode};

use super::support::{hedge, ms};

#[tokio::test(start_paused = true)]
async fn the_first_answer_counts_and_the_other_attempt_is_dropped() {
    let (hedge, running) = (hedge().build().unwrap(), AtomicU32::new(0));
    struct Counted<'a>(&'a AtomicU32);
    impl Drop for Counted<'_> {
        fn drop(&mut self) {
            self.0.fetch_sub(1, SeqCst);
        }
    }
    let answer = hedge.call(|attempt| {
        let running = &running;
        async move {
            running.fetch_add(1, SeqCst);
            let _counted = Counted(running);
            tokio::time::sleep(if attempt.number() == 1 { ms(100) } else { ms(5) }).await;
            assert_eq!(attempt.is_hedge(), attempt.number() == 2);
            Ok::<_, BoxError>(attempt.number())
        }
    });
    assert_eq!(answer.await.unwrap(), 2);
    assert_eq!(running.load(SeqCst), 0);
    assert_eq!(hedge.status().won, 1);
}

#[tokio::test(start_paused = true)]
async fn failures_are_followed_by_the_next_attempt() {
    let hedge = hedge().max_attempts(3).build().unwrap();
    let answer = hedge.call(|attempt| async move {
        match attempt.number() {
            3 => Ok(3),
            n => Err(BoxError::from(format!("attempt {n}"))),
        }
    });
    assert_eq!(answer.await.unwrap(), 3);

    let fails =
        hedge.call(|attempt| async move { Err::<(), _>(BoxError::from(attempt.number().to_string())) });
    assert_eq!(fails.await.unwrap_err().to_string(), "3");
}

#[tokio::test(start_paused = true)]
async fn a_disabled_hedge_only_calls() {
    let hedge = hedge().mode(Mode::Disabled).build().unwrap();
    let calls = AtomicU32::new(0);
    let answer = hedge.call(|_| async {
        calls.fetch_add(1, SeqCst);
        tokio::time::sleep(ms(100)).await;
        Ok::<_, BoxError>(())
    });
    answer.await.unwrap();
    assert_eq!((calls.load(SeqCst), hedge.status().calls), (1, 0));
}

/// It could not: the compiler forgets that a `BoxError` is `'static` when it asks what a task may hold.
#[tokio::test(start_paused = true)]
async fn it_can_be_spawned() {
    let hedge = hedge().build().unwrap();
    let call = async move { hedge.call(|attempt| async move { Ok::<_, BoxError>(attempt.number()) }).await };
    assert_eq!(tokio::spawn(call).await.unwrap().unwrap(), 1);
}

/// A first attempt that has lost must not take the answer along.
#[tokio::test(start_paused = true)]
async fn a_first_attempt_that_panics_when_it_is_dropped_does_not_end_the_call() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    let hedge = hedge().build().unwrap();
    let answer = hedge.call(|attempt| async move {
        if attempt.number() == 1 {
            let _bomb = Bomb;
            std::future::pending::<()>().await;
        }
        Ok::<_, BoxError>(attempt.number())
    });
    assert_eq!(answer.await.unwrap(), 2);
}
