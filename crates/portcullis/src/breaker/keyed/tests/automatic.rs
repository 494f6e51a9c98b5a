//! Transitions on time.

use tokio::time::sleep;

use super::*;

fn alive_tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

async fn settle() {
    sleep(Duration::from_millis(5)).await;
}

#[tokio::test(start_paused = true)]
async fn all_open_keys_become_half_open_on_time_by_one_task() {
    let hosts = builder().automatic().max_half_open(2 * SECOND).build().unwrap();
    let names: Vec<_> = (0..1000).map(|n| format!("host-{n}")).collect();
    for name in &names {
        fail(&hosts, name);
    }
    assert_eq!(alive_tasks(), 1);
    sleep(SECOND).await;
    fail(&hosts, "late");
    sleep(4 * SECOND).await;
    settle().await;
    assert_eq!((hosts.status().in_state(State::HalfOpen), state(&hosts, "late")), (1000, Some(State::Open)));
    sleep(SECOND).await;
    assert_eq!(state(&hosts, "late"), Some(State::HalfOpen));
    sleep(SECOND).await;
    assert_eq!(hosts.status().in_state(State::Open), 1000, "nobody probed");
}

#[tokio::test(start_paused = true)]
async fn the_task_lives_only_while_something_is_due() {
    let hosts = builder().automatic().build().unwrap();
    succeed(&hosts, "a");
    assert_eq!(alive_tasks(), 0);
    let host = hosts.get("a").unwrap();
    host.isolate_for(60 * SECOND);
    assert_eq!(alive_tasks(), 1);
    host.isolate_for(SECOND);
    sleep(SECOND).await;
    settle().await;
    assert_eq!(host.state(), State::Closed, "by the later order");
    sleep(60 * SECOND).await;
    assert_eq!(alive_tasks(), 0, "closed: nothing is due");
    host.isolate_for(SECOND);
    assert_eq!(alive_tasks(), 1);
    drop((host, hosts));
    settle().await;
    assert_eq!(alive_tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn it_can_be_turned_on_and_off() {
    let hosts = builder().build().unwrap();
    fail(&hosts, "a");
    assert_eq!(alive_tasks(), 0);
    let config = crate::breaker::Config { automatic: true, ..(*hosts.config()).clone() };
    hosts.reconfigure(config.clone()).unwrap();
    sleep(5 * SECOND).await;
    settle().await;
    assert_eq!(state(&hosts, "a"), Some(State::HalfOpen));
    hosts.reconfigure(crate::breaker::Config { automatic: false, ..config }).unwrap();
    sleep(60 * SECOND).await;
    assert_eq!(alive_tasks(), 0);
}

/// What was due is known no more, and has to be asked for again.
#[tokio::test(start_paused = true)]
async fn turned_on_again_it_knows_of_all_that_is_due() {
    let hosts = builder().automatic().build().unwrap();
    let turn = |automatic| {
        let config = crate::breaker::Config { automatic, ..(*hosts.config()).clone() };
        hosts.reconfigure(config).unwrap();
    };
    fail(&hosts, "a");
    sleep(3 * SECOND).await;
    fail(&hosts, "b");
    sleep(SECOND).await;
    turn(false);
    sleep(2 * SECOND).await;
    assert_eq!((state(&hosts, "a"), alive_tasks()), (Some(State::Open), 0), "lazy");
    turn(true);
    sleep(2 * SECOND).await;
    settle().await;
    assert_eq!(["a", "b"].map(|key| state(&hosts, key)), [Some(State::HalfOpen); 2]);
}

#[test]
fn without_a_runtime_nothing_is_kept_for_the_task_that_never_comes() {
    let hosts = builder().automatic().build().unwrap();
    for _ in 0..1000 {
        fail(&hosts, "a");
        hosts.reset();
    }
    assert_eq!(hosts.shared.common.agenda.len(), 0);
}
