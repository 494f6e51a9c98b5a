//! Every setting of a breaker.

use std::time::Duration;

use portcullis::{
    Breaker, ConfigError, Failure, FailureKind, Registry, Ticket, Verdict,
    breaker::{self, BreakerBuilder, Mode, SlowRule, State, TimeRule},
};

use super::{DAY, MILLI, check, count, share, time};
use crate::common::{ms, secs};

/// Builds it, and uses it through its states.
fn use_breaker(builder: BreakerBuilder) -> Result<(), ConfigError> {
    let breaker = builder.registry(&Registry::new()).build()?;
    let failure = || Verdict::from(Failure::new(FailureKind::Timeout));
    for verdict in [Verdict::Success, failure(), failure(), Verdict::Ignored] {
        if let Ok(mut ticket) = breaker.try_admit() {
            ticket.settle(verdict);
        }
    }
    breaker.trip();
    assert!(breaker.try_admit().is_err() && breaker.status().retry_in.is_some());
    breaker.reset();
    assert!(breaker.try_admit().is_ok());
    Ok(())
}

fn new() -> BreakerBuilder {
    Breaker::builder("t29")
}

#[tokio::test(start_paused = true)]
async fn t29_every_setting_of_a_breaker() {
    // A setting that is added does not compile here until it is tested below.
    let breaker::Config {
        consecutive_failures: _,
        failure_ratio: _,
        window: _,
        minimum_calls: _,
        time_window: _,
        slow_calls: _,
        kind_limits: _,
        rule: _,
        open_for: _,
        open_factor: _,
        open_cap: _,
        open_jitter: _,
        open_reset_after: _,
        open_time: _,
        permits: _,
        successes: _,
        probe_ratio: _,
        probe_chance: _,
        lease: _,
        max_half_open: _,
        ramp: _,
        hung_after: _,
        only_retries: _,
        automatic: _,
        mode: _,
    } = breaker::Config::default();
    let million = 1_000_000;

    count("breaker.consecutive_failures", 1..=million, |n| use_breaker(new().consecutive_failures(n)));
    share("breaker.failure_ratio", 0.0001..=1.0, |share| use_breaker(new().failure_ratio(share)));
    count("breaker.window", 1..=million, |n| use_breaker(new().window(n)));
    count("breaker.minimum_calls", 1..=100, |n| use_breaker(new().minimum_calls(n)));
    count("breaker.minimum_calls", 1..=million, |n| use_breaker(new().window(million).minimum_calls(n)));
    count("breaker.permits", 1..=1000, |n| use_breaker(new().permits(n)));
    count("breaker.successes", 1..=1000, |n| use_breaker(new().successes(n)));
    share("breaker.probe_ratio", 0.0001..=1.0, |share| use_breaker(new().probe_ratio(share)));
    share("breaker.probe_chance", 0.01..=1.0, |share| use_breaker(new().probe_chance(share)));
    time("breaker.lease", MILLI..=DAY, |time| use_breaker(new().lease(time)));
    time("breaker.max_half_open", MILLI..=DAY, |time| use_breaker(new().max_half_open(time)));
    time("breaker.ramp", MILLI..=DAY, |time| use_breaker(new().ramp(time)));
    time("breaker.hung_after", MILLI..=DAY, |time| use_breaker(new().hung_after(time)));
    use_breaker(new().no_consecutive_failures().no_failure_ratio()).unwrap();
    use_breaker(new().automatic()).unwrap();
    use_breaker(new().config(breaker::Config { permits: 0, ..Default::default() })).unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn t29_every_rule_of_a_breaker_that_is_off_by_default() {
    // The same for the settings within a setting.
    let TimeRule { span: _, buckets: _, failure_ratio: _, minimum_calls: _ } = TimeRule::default();
    let SlowRule { after: _, ratio: _ } = SlowRule::after(secs(1));
    let rule = |rule| use_breaker(new().time_rule(rule));
    let rest = TimeRule::default;

    time("breaker.time_window.span", MILLI..=DAY, |span| rule(TimeRule { span, ..rest() }));
    count("breaker.time_window.buckets", 1..=1000, |buckets| rule(TimeRule { buckets, ..rest() }));
    share("breaker.time_window.failure_ratio", 0.0001..=1.0, |failure_ratio| {
        rule(TimeRule { failure_ratio, ..rest() })
    });
    count("breaker.time_window.minimum_calls", 1..=1_000_000, |minimum_calls| {
        rule(TimeRule { minimum_calls, ..rest() })
    });
    time("breaker.slow_calls.after", MILLI..=DAY, |after| use_breaker(new().slow_calls(after, 0.5)));
    share("breaker.slow_calls.ratio", 0.0001..=1.0, |share| use_breaker(new().slow_calls(secs(1), share)));
    for kind in FailureKind::ALL {
        count("breaker.kind_limits", 1..=1_000_000, |n| use_breaker(new().failures_of(kind, n)));
    }
    use_breaker(new().rule(|seen| seen.calls.failures > 1).open_time(|_| Duration::MAX)).unwrap();
    use_breaker(new().rule(|_| true).open_time(|_| Duration::ZERO)).unwrap();
}

#[tokio::test(start_paused = true)]
async fn t29_every_setting_of_a_breakers_open_time() {
    time("breaker.open_for", MILLI..=DAY, |time| use_breaker(new().open_for(time)));
    share("breaker.open_factor", 1.0..=10.0, |factor| use_breaker(new().open_factor(factor)));
    time("breaker.open_cap", MILLI..=DAY, |time| use_breaker(new().open_cap(time)));
    share("breaker.open_jitter", 0.0..=1.0, |share| use_breaker(new().open_jitter(share)));
    time("breaker.open_reset_after", Duration::ZERO..=DAY, |time| use_breaker(new().open_reset_after(time)));
    time("breaker.open_for", MILLI..=DAY, |time| use_breaker(new().open_for_exactly(time)));
}

/// Both when it is built, and while it works.
#[tokio::test(start_paused = true)]
async fn t29_the_percentage_of_a_breakers_mode() {
    let working = Breaker::new("t29");
    let percents = [0, 1, 50, 99, 100, 101, u8::MAX];

    check("breaker.mode.enforce_percent", 0..=100, &percents, |percent| {
        new().mode(Mode::EnforcePercent(percent)).registry(&Registry::new()).build().map(drop)
    });
    check("breaker.mode.enforce_percent", 0..=100, &percents, |percent| {
        let before = working.config().mode;
        let set = working.set_mode(Mode::EnforcePercent(percent));
        assert!(set.is_ok() || working.config().mode == before, "refused, and taken");
        set
    });
}

/// What cannot be reached by any number of trips: a day with the steepest growth, and no time at all.
#[tokio::test(start_paused = true)]
async fn t29_the_ends_of_a_breakers_open_times_work() {
    for (open_for, cap, jitter) in
        [(DAY, DAY, 0.0), (MILLI, DAY, 1.0), (MILLI, MILLI, 1.0), (DAY, MILLI, 0.0)]
    {
        let builder = new().open_for(open_for).open_factor(10.0).open_cap(cap).open_jitter(jitter);
        let breaker = builder.consecutive_failures(1).permits(1).registry(&Registry::new()).build().unwrap();
        for times in 1..=30 {
            breaker.try_admit().unwrap().settle(Failure::new(FailureKind::Other).into());
            let wait = breaker.status().retry_in.unwrap();
            assert!(wait <= cap.max(open_for), "{wait:?} the {times}th time");
            assert_eq!(breaker.status().trips_in_a_row, times);
            tokio::time::sleep(wait + ms(1)).await;
        }
    }
}

/// A threshold of 1.0 is "all of them", and one call is a window.
#[tokio::test(start_paused = true)]
async fn t29_the_ends_of_a_breakers_ranges_mean_what_they_say() {
    let opens_after = |builder: BreakerBuilder| {
        let breaker = builder.no_consecutive_failures().build().unwrap();
        (1..=1000).find(|_| {
            breaker.try_admit().unwrap().settle(Failure::new(FailureKind::Other).into());
            breaker.state() == State::Open
        })
    };
    let recent = |failure_ratio, minimum_calls| {
        let rule = TimeRule { span: DAY, buckets: 1000, failure_ratio, minimum_calls };
        new().no_failure_ratio().time_rule(rule)
    };

    assert_eq!(opens_after(new().failure_ratio(1.0).window(10).minimum_calls(10)), Some(10));
    assert_eq!(opens_after(new().failure_ratio(0.0001).window(1_000_000).minimum_calls(1)), Some(1));
    assert_eq!(opens_after(new().failure_ratio(0.5).window(1)), Some(1));
    assert_eq!(opens_after(recent(1.0, 10)), Some(10));
    assert_eq!(opens_after(recent(0.0001, 1)), Some(1));
    assert_eq!(opens_after(new().no_failure_ratio().failures_of(FailureKind::Other, 3)), Some(3));
    assert_eq!(opens_after(new().no_failure_ratio().failures_of(FailureKind::Timeout, 1)), None);
}
