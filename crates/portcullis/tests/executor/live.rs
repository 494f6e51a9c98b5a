//! Modes.

use portcullis::{Mode, Rejection};

use super::support::{elsewhere, executor, is_elsewhere};

async fn where_it_runs(executor: &portcullis::Executor) -> bool {
    executor.call(|| async { Ok::<_, Rejection>(is_elsewhere()) }).await.unwrap()
}

#[test]
fn disabled_and_in_shadow_calls_run_in_place() {
    let runtime = elsewhere();
    let executor = executor().runtime(runtime.handle().clone()).build().unwrap();
    pollster::block_on(async {
        assert!(where_it_runs(&executor).await);
        executor.set_mode(Mode::Disabled).unwrap();
        assert!(!where_it_runs(&executor).await);
        executor.set_mode(Mode::Shadow).unwrap();
        assert!(!where_it_runs(&executor).await);
        executor.set_mode(Mode::Enforce).unwrap();
        assert!(where_it_runs(&executor).await);
    });
    assert_eq!((executor.status().shadowed, executor.status().finished), (1, 2));
    assert_eq!(
        executor.set_mode(Mode::EnforcePercent(101)).unwrap_err().field(),
        "executor.mode.enforce_percent"
    );
    assert_eq!(executor.status().mode, Mode::Enforce);
}

#[test]
fn so_many_percent_are_tasks() {
    let runtime = elsewhere();
    let executor =
        executor().runtime(runtime.handle().clone()).mode(Mode::EnforcePercent(25)).seed(1).build().unwrap();
    let mut tasks = 0;
    for _ in 0..1000 {
        tasks += u32::from(pollster::block_on(where_it_runs(&executor)));
    }
    assert!((200..300).contains(&tasks), "{tasks}");
    assert_eq!(executor.status().shadowed, u64::from(1000 - tasks));
}
