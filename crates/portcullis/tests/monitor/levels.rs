//! What answers mean.

use portcullis::{
    BoxError, Breaker, Level,
    check::Reading,
    monitor::{CheckConfig, Effect, Grades, Override, Rules},
};

use crate::support::{fails, monitor, well};

#[tokio::test(start_paused = true)]
async fn failed_is_critical_only_where_the_service_cannot_work_without() {
    let monitor = monitor();
    monitor.check("cache").spawn(fails).unwrap();
    assert_eq!(monitor.run_now().await, Level::Degraded);
    monitor.check("database").critical(true).spawn(fails).unwrap();
    assert_eq!(monitor.run_now().await, Level::Critical);

    let level = |name| monitor.status(name).unwrap().level;
    assert_eq!((level("cache"), level("database")), (Level::Degraded, Level::Critical));
    monitor.reconfigure("database", CheckConfig::default()).unwrap();
    assert_eq!((level("database"), monitor.level()), (Level::Degraded, Level::Degraded));
}

#[tokio::test(start_paused = true)]
async fn a_check_may_say_its_level() {
    let monitor = monitor();
    monitor.check("unit").spawn(|| async { Ok::<_, BoxError>(()) }).unwrap();
    monitor.check("level").spawn(|| async { Ok::<_, BoxError>(Level::Warning) }).unwrap();
    let replicas = || async { Ok::<_, BoxError>((Level::Degraded, "two of three replicas")) };
    monitor.check("both").spawn(replicas).unwrap();
    let full = || async { Ok::<_, BoxError>(Reading::new(Level::Critical, "full")) };
    monitor.check("reading").spawn(full).unwrap();

    assert_eq!(monitor.run_now().await, Level::Degraded, "the service can do without all of them");
    let found = monitor.statuses().into_iter().map(|status| (status.level, status.message));
    let found: Vec<_> = found.collect();
    assert_eq!(found[0], (Level::Healthy, None));
    assert_eq!(found[1], (Level::Warning, None));
    assert_eq!(found[2], (Level::Degraded, Some("two of three replicas".into())));
    assert_eq!(found[3], (Level::Critical, Some("full".into())));
}

#[tokio::test(start_paused = true)]
async fn policies_are_checks_by_themselves_and_rules_say_what_they_mean() {
    let monitor = monitor();
    let registry = monitor.registry();
    let breakers =
        ["a", "b", "c", "d"].map(|name| Breaker::builder(name).registry(registry).build().unwrap());
    monitor.check("database").spawn(well).unwrap();
    assert_eq!(monitor.run_now().await, Level::Healthy);

    breakers[0].trip();
    assert_eq!(monitor.level(), Level::Degraded);
    let rules = Rules {
        policies: Effect::at_most(Level::Warning),
        share: Grades { critical: Some(0.5), ..Grades::default() },
        ..Rules::default()
    };
    registry.set_health_rules(rules.clone()).unwrap();
    assert_eq!(monitor.level(), Level::Warning);
    breakers[1].trip();
    assert_eq!(monitor.level(), Level::Critical, "half of them are open");

    let overrides = vec![Override::of_name("a", Effect::NONE), Override::of_name("b", Effect::NONE)];
    registry.set_health_rules(Rules { overrides, share: Grades::default(), ..rules }).unwrap();
    assert_eq!(monitor.level(), Level::Healthy);
}

#[tokio::test(start_paused = true)]
async fn rules_that_cannot_be_change_nothing() {
    let monitor = monitor();
    let rules = Rules { share: Grades { warning: Some(2.0), ..Grades::default() }, ..Rules::default() };
    let error = monitor.registry().set_health_rules(rules).unwrap_err();
    assert_eq!(error.field(), "health.share.warning");
    assert_eq!(*monitor.registry().health_rules(), Rules::default());
}
