//! T39: callbacks that ask the breaker which calls them, and wait for the lock that it holds.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
};

use portcullis::{
    BoxError, Boxed, Breaker, BreakerLayer, Failure, FailureKind, Registry, Ticket, Verdict,
    breaker::{BreakerBuilder, Config, Mode, State},
    event::{EventKind, Interest},
};
use portcullis_tests::net::soon;
use tokio::time::sleep;
use tower::{ServiceBuilder, ServiceExt};

use crate::common::{failing, secs, told};

fn failure() -> Verdict {
    Failure::new(FailureKind::Timeout).into()
}

/// A handle for a callback to the breaker that will have it.
#[derive(Clone, Default)]
struct Within {
    breaker: Arc<OnceLock<Breaker>>,
    /// A callback that does again what it is called for must not do so for ever.
    entered: Arc<AtomicBool>,
    calls: Arc<AtomicU32>,
}

impl Within {
    fn build(&self, builder: BreakerBuilder) -> Breaker {
        let breaker = builder.build().unwrap();
        self.breaker.get_or_init(|| breaker).clone()
    }

    fn calls(&self) -> u32 {
        self.calls.load(SeqCst)
    }

    /// Does something with the breaker, unless it is doing that already.
    fn with(&self, act: impl FnOnce(&Breaker)) {
        if let (Some(breaker), false) = (self.breaker.get(), self.entered.swap(true, SeqCst)) {
            self.calls.fetch_add(1, SeqCst);
            act(breaker);
            self.entered.store(false, SeqCst);
        }
    }
}

/// Everything that only looks.
fn look(breaker: &Breaker) {
    assert_eq!(breaker.state(), breaker.status().state);
    let _ = (breaker.is_refusing(), breaker.name(), format!("{breaker:?}"));
    assert!(breaker.config().check().is_ok());
}

/// Calls through it, in every way a call can end.
fn use_it(breaker: &Breaker) {
    look(breaker);
    for verdict in [Verdict::Success, Verdict::Ignored, failure()] {
        if let Ok(mut ticket) = breaker.try_admit() {
            ticket.settle(verdict);
        }
    }
    drop(breaker.try_admit_retry());
}

/// Every method there is; leaves it closed, with its rules as they were.
fn do_everything(breaker: &Breaker) {
    use_it(breaker);
    let config = breaker.config();
    breaker.reconfigure(Config { window: 500, ..(*config).clone() }).unwrap();
    breaker.reconfigure((*config).clone()).unwrap();
    breaker.set_mode(Mode::Shadow).unwrap();
    breaker.set_mode(Mode::Enforce).unwrap();
    let moves: [fn(&Breaker); 10] = [
        Breaker::trip,
        Breaker::close,
        Breaker::trip,
        Breaker::trip,
        Breaker::isolate,
        |breaker| breaker.isolate_for(secs(1)),
        |breaker| breaker.force_close(None),
        |breaker| breaker.only_measure(None),
        |breaker| breaker.disable(Some(secs(1))),
        Breaker::release,
    ];
    for change in moves {
        change(breaker);
        use_it(breaker);
    }
    breaker.reset();
}

/// On a thread of its own: what waits for its own lock must fail, and not hang.
async fn apart(act: impl FnOnce() + Send + 'static) {
    let (done, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        act();
        let _ = done.send(());
    });
    soon(end).await.expect("it ended as it should");
}

/// The rule that opens it.
#[tokio::test]
async fn t39_a_rule_of_ones_own_may_use_the_breaker() {
    let within = Within::default();
    let asked = within.clone();
    let builder = Breaker::builder("t39").no_consecutive_failures().no_failure_ratio().rule(move |seen| {
        asked.with(do_everything);
        seen.calls.failures >= 3
    });
    let breaker = within.build(builder);

    apart(move || {
        breaker.try_admit().unwrap().settle(failure());
        assert_eq!((breaker.state(), breaker.status().window_calls), (State::Closed, 0), "it was reset");
    })
    .await;
    assert_eq!(within.calls(), 1);
}

/// A rule that only looks sees the call that it is asked about, and its word counts.
#[tokio::test]
async fn t39_a_rule_that_looks_on_is_obeyed() {
    let within = Within::default();
    let asked = within.clone();
    let builder = Breaker::builder("t39").no_consecutive_failures().no_failure_ratio().rule(move |seen| {
        asked.with(|breaker| {
            look(breaker);
            assert_eq!(breaker.status().window_failures, seen.calls.failures);
        });
        seen.calls.failures >= 3
    });
    let breaker = within.build(builder);

    apart(move || {
        for _ in 0..3 {
            assert_eq!(breaker.state(), State::Closed);
            breaker.try_admit().unwrap().settle(failure());
        }
        assert_eq!(breaker.state(), State::Open);
    })
    .await;
    assert_eq!(within.calls(), 3);
}

/// The open time, on every way to an open breaker.
#[tokio::test]
async fn t39_an_open_time_of_ones_own_may_use_the_breaker() {
    let ways: [fn(&Breaker); 3] = [
        |breaker| breaker.try_admit().unwrap().settle(failure()),
        Breaker::trip,
        |breaker| {
            breaker.trip();
            breaker.trip();
        },
    ];
    for open in ways {
        let within = Within::default();
        let asked = within.clone();
        let builder = Breaker::builder("t39").consecutive_failures(1).open_time(move |_| {
            asked.with(do_everything);
            secs(7)
        });
        let breaker = within.build(builder);

        let opened = breaker.clone();
        apart(move || open(&opened)).await;

        assert!(within.calls() > 0);
        // What was done in the meantime was done later than what it was asked for.
        assert_eq!(breaker.state(), State::Closed);
        breaker.try_admit().unwrap().settle(Verdict::Success);
        assert_eq!((breaker.status().window_calls, breaker.status().probes_in_flight), (1, 0));
    }
}

/// The same on the way back from a probe that failed, with nothing but looks: the time it says holds.
#[tokio::test(start_paused = true)]
async fn t39_an_open_time_that_looks_on_is_obeyed() {
    let within = Within::default();
    let asked = within.clone();
    let builder = Breaker::builder("t39").consecutive_failures(1).open_time(move |opening| {
        asked.with(look);
        secs(7 * u64::from(opening.times))
    });
    let breaker = within.build(builder);
    breaker.try_admit().unwrap().settle(failure());
    assert_eq!(told(breaker.status().retry_in), secs(7));
    sleep(secs(7)).await;

    breaker.try_admit().unwrap().settle(failure());

    assert_eq!((told(breaker.status().retry_in), within.calls()), (secs(14), 2));
}

/// Who hears of every change, or of every refusal too. A listener that panics would only not be called again.
#[tokio::test]
async fn t39_a_listener_may_use_the_breaker() {
    for interest in [Interest::Changes, Interest::All] {
        let (within, registry) = (Within::default(), Registry::new());
        let (heard, events) = (within.clone(), registry.events().clone());
        let subscription = registry.events().listen(interest, move |event| {
            heard.with(|breaker| {
                assert!(event.seq <= events.recent().last().map_or(u64::MAX, |last| last.seq));
                do_everything(breaker);
            });
        });
        let breaker = within.build(Breaker::builder("t39").consecutive_failures(1).registry(&registry));

        let opened = breaker.clone();
        apart(move || {
            opened.try_admit().unwrap().settle(failure());
            assert_eq!((opened.state(), opened.status().window_calls), (State::Closed, 0), "it was reset");
            opened.set_mode(Mode::Shadow).unwrap();
        })
        .await;

        assert!(within.calls() >= 2 && subscription.is_active(), "{interest:?}, {} calls", within.calls());
        assert_eq!(breaker.config().mode, Mode::Enforce, "it has the last word");
    }
}

/// One that only looks sees what it is told of.
#[tokio::test]
async fn t39_a_listener_that_looks_on_sees_the_state_that_it_is_told() {
    let (within, registry) = (Within::default(), Registry::new());
    let heard = within.clone();
    let subscription = registry.events().listen(Interest::All, move |event| {
        heard.with(|breaker| {
            look(breaker);
            if let EventKind::StateChange(transition) = &event.what {
                assert_eq!(breaker.state(), transition.to);
            }
        });
    });
    let breaker = within.build(Breaker::builder("t39").consecutive_failures(1).registry(&registry));

    apart(move || {
        breaker.try_admit().unwrap().settle(failure());
        assert!(breaker.try_admit().is_err());
        breaker.isolate();
        breaker.release();
    })
    .await;

    assert_eq!((within.calls(), subscription.is_active()), (4, true));
}

/// The judgement, which may ask for the state, and move it.
#[tokio::test(start_paused = true)]
async fn t39_a_judgement_may_ask_and_move_the_breaker_that_it_is_for() {
    let breaker = Breaker::builder("t39").consecutive_failures(1).build().unwrap();
    let (inner, _dependency) = failing();
    let judged = breaker.clone();
    let protocol = Boxed::default().classify(move |_: Result<&u32, &BoxError>| {
        judged.try_admit().unwrap().settle(failure());
        assert_eq!(judged.status().state, State::Open);
        do_everything(&judged);
        None
    });
    let layer = BreakerLayer::new(breaker.clone()).protocol(protocol);

    ServiceBuilder::new().layer(layer).service(inner).oneshot(1).await.unwrap_err();

    assert_eq!((breaker.state(), breaker.status().late), (State::Closed, 1), "judged after the reset");
}
