//! Who is ejected, and who is not.

use portcullis::{
    Balance, Mode, Outliers, Timeout, TimeoutLayer,
    balance::{Cause, FailureShare, SlowStart, SuccessRate},
};
use tower::{Layer, Service, ServiceExt};

use super::support::{Act, Host, calls, fleet, is_ejected, ms, outliers, secs, until_ejected};

fn ejected(outliers: &Outliers) -> usize {
    outliers.status().ejected
}

#[tokio::test(start_paused = true)]
async fn who_returns_starts_with_nothing_counted() {
    let outliers = outliers().build().unwrap();
    let (hosts, endpoints) = fleet(&outliers, 2);
    hosts[0].act(Act::Fail);
    let mut balance = Balance::new(endpoints);
    until_ejected(&mut balance, "0").await;
    tokio::time::sleep(secs(30)).await;
    assert_eq!(ejected(&outliers), 0);
    let before = hosts[0].calls();
    until_ejected(&mut balance, "0").await;
    assert_eq!(hosts[0].calls() - before, 5, "as many as the first time");
    tokio::time::sleep(secs(59)).await;
    assert!(is_ejected(&outliers, "0"), "longer than the first time");
    tokio::time::sleep(secs(1)).await;
    assert!(!is_ejected(&outliers, "0"));
}

#[tokio::test(start_paused = true)]
async fn the_share_holds_when_all_fail() {
    let outliers = outliers().max_ejected_share(0.3).build().unwrap();
    let (hosts, endpoints) = fleet(&outliers, 10);
    hosts.iter().for_each(|host| host.act(Act::Fail));
    let mut balance = Balance::new(endpoints.clone());
    for _ in 0..500 {
        calls(&mut balance, 1).await;
        assert!(ejected(&outliers) <= 3);
    }
    assert_eq!(ejected(&outliers), 3);
    assert!(outliers.status().held_back > 0);
    for (left, name) in (0..10).rev().zip(["9", "8", "7", "6", "5", "4"]) {
        endpoints.remove(name);
        let allowed = (left * 3 / 10).max(usize::from(left > 1));
        assert!(ejected(&outliers) <= allowed, "{} of {left}", ejected(&outliers));
    }
}

#[tokio::test(start_paused = true)]
async fn when_few_are_left_all_are_used() {
    let outliers = outliers().max_ejected_share(1.0).build().unwrap();
    let (hosts, endpoints) = fleet(&outliers, 4);
    hosts.iter().take(3).for_each(|host| host.act(Act::Fail));
    let mut balance = Balance::new(endpoints);
    while ejected(&outliers) < 3 {
        calls(&mut balance, 1).await;
    }
    assert!(outliers.is_panicking());
    let before = hosts.iter().map(Host::calls).collect::<Vec<_>>();
    calls(&mut balance, 100).await;
    assert!(hosts.iter().zip(before).all(|(host, before)| host.calls() > before + 10));
}

#[tokio::test(start_paused = true)]
async fn a_success_rate_far_below_the_others_ejects() {
    let outliers = outliers().no_consecutive().failure_share(None).build().unwrap();
    let (hosts, endpoints) = fleet(&outliers, 5);
    let mut balance = Balance::new(endpoints);
    for round in 0..1000 {
        hosts[2].act(if round % 2 == 0 { Act::Fail } else { Act::Ok });
        calls(&mut balance, 1).await;
    }
    assert_eq!(ejected(&outliers), 0, "not before the interval ends");
    tokio::time::sleep(secs(10)).await;
    assert!(is_ejected(&outliers, "2"));
    let causes = outliers.status().ejections;
    assert_eq!(causes[Cause::WORDS.iter().position(|word| *word == "success_rate").unwrap()], 1);
}

#[tokio::test(start_paused = true)]
async fn a_share_of_failures_ejects() {
    let rule = FailureShare { threshold: 0.6, min_requests: 10, min_endpoints: 3 };
    let outliers = outliers().no_consecutive().success_rate(None).failure_share(Some(rule)).build().unwrap();
    let (hosts, endpoints) = fleet(&outliers, 3);
    hosts[0].act(Act::Fail);
    calls(&mut Balance::new(endpoints.clone()), 100).await;
    tokio::time::sleep(secs(10)).await;
    assert!(is_ejected(&outliers, "0"));
}

/// Another policy's refusals, and calls that were given up.
#[tokio::test(start_paused = true)]
async fn what_says_nothing_ejects_nobody() {
    let outliers = outliers().consecutive(1).build().unwrap();
    let (hosts, endpoints) = fleet(&outliers, 2);
    hosts.iter().for_each(|host| host.act(Act::Refused));
    let mut balance = Balance::new(endpoints.clone());
    calls(&mut balance, 20).await;
    hosts.iter().for_each(|host| host.act(Act::Hang));
    for _ in 0..20 {
        let call = ServiceExt::<()>::ready(&mut balance).await.unwrap().call(());
        assert!(tokio::time::timeout(ms(1), call).await.is_err());
    }
    assert_eq!((ejected(&outliers), outliers.status().failures), (0, 0));
    assert!(endpoints.loads().iter().all(|load| load.in_flight == 0));
}

/// Around the endpoint's service a time limit tells that it hangs.
#[tokio::test(start_paused = true)]
async fn a_time_limit_of_an_endpoint_makes_a_hung_one_known() {
    let outliers = outliers().build().unwrap();
    let endpoints = portcullis::Endpoints::new(outliers.clone());
    let hosts = [0, 1].map(Host::new);
    let registry = portcullis::Registry::new();
    for (at, host) in hosts.iter().enumerate() {
        let timeout = Timeout::builder("attempt", ms(10)).registry(&registry).build();
        let layer = TimeoutLayer::new(timeout.unwrap());
        endpoints.insert(at.to_string(), layer.layer(host.clone()));
    }
    hosts[1].act(Act::Hang);
    let mut balance = Balance::new(endpoints);
    for _ in 0..50 {
        let _ = ServiceExt::<()>::ready(&mut balance).await.unwrap().call(()).await;
    }
    assert!(is_ejected(&outliers, "1"));
}

#[tokio::test(start_paused = true)]
async fn a_panic_counts_and_leaves_nothing_in_flight() {
    let outliers = outliers().consecutive(2).build().unwrap();
    let (hosts, endpoints) = fleet(&outliers, 2);
    hosts[0].act(Act::Panic);
    let balance = Balance::new(endpoints.clone());
    for _ in 0..40 {
        let _ = tokio::spawn(ServiceExt::<()>::oneshot(balance.clone(), ())).await;
    }
    assert!(is_ejected(&outliers, "0"));
    assert!(endpoints.loads().iter().all(|load| load.in_flight == 0));
}

#[tokio::test(start_paused = true)]
async fn failures_without_an_answer_are_counted_apart_when_asked() {
    let apart = outliers().consecutive(5).split_local(2).build().unwrap();
    let (hosts, endpoints) = fleet(&apart, 2);
    hosts[0].act(Act::Disconnected);
    let mut balance = Balance::new(endpoints);
    until_ejected(&mut balance, "0").await;
    assert_eq!(hosts[0].calls(), 2);
    assert_eq!((apart.status().successes, apart.status().failures), (hosts[1].calls(), 0));
}

#[tokio::test(start_paused = true)]
async fn in_shadow_it_is_only_told() {
    let outliers = outliers().mode(Mode::Shadow).build().unwrap();
    let (hosts, endpoints) = fleet(&outliers, 2);
    hosts[0].act(Act::Fail);
    let mut balance = Balance::new(endpoints);
    until_ejected(&mut balance, "0").await;
    let before = hosts[0].calls();
    calls(&mut balance, 40).await;
    assert!(hosts[0].calls() > before + 10);
    let status = outliers.status();
    assert_eq!((status.ejected, status.told[0], status.ejections[0]), (0, 1, 0));
    outliers.set_mode(Mode::Enforce).unwrap();
    until_ejected(&mut balance, "0").await;
    assert_eq!(outliers.status().ejected, 1);
    outliers.set_mode(Mode::Disabled).unwrap();
    calls(&mut balance, 100).await;
    assert_eq!(outliers.status().ejected, 0);
}

#[tokio::test(start_paused = true)]
async fn who_returns_starts_slowly_when_asked() {
    let slow = SlowStart { window: secs(100), ..SlowStart::default() };
    let outliers = outliers().slow_start(slow).build().unwrap();
    let (hosts, endpoints) = fleet(&outliers, 2);
    tokio::time::sleep(secs(100)).await;
    outliers.eject("0", secs(5));
    tokio::time::sleep(secs(5)).await;
    let mut balance = Balance::new(endpoints);
    let mut shares = Vec::new();
    for _ in 0..3 {
        let before = hosts[0].calls();
        calls(&mut balance, 1000).await;
        shares.push(hosts[0].calls() - before);
        tokio::time::sleep(secs(50)).await;
    }
    assert!((60..140).contains(&shares[0]), "0.1 of 1.1: {shares:?}");
    assert!((270..400).contains(&shares[1]), "0.5 of 1.5: {shares:?}");
    assert!((440..560).contains(&shares[2]), "half: {shares:?}");
}

#[tokio::test(start_paused = true)]
async fn settings_change_while_calls_flow() {
    let outliers = outliers().max_ejected_share(1.0).panic_threshold(0.0).build().unwrap();
    let (hosts, endpoints) = fleet(&outliers, 4);
    hosts.iter().take(2).for_each(|host| host.act(Act::Fail));
    let mut balance = Balance::new(endpoints);
    until_ejected(&mut balance, "0").await;
    until_ejected(&mut balance, "1").await;
    let error = outliers.reconfigure(portcullis::balance::Config {
        success_rate: Some(SuccessRate { min_endpoints: 0, ..SuccessRate::default() }),
        ..outliers.config()
    });
    assert_eq!(error.unwrap_err().field(), "outlier.success_rate.min_endpoints");
    assert_eq!(ejected(&outliers), 2, "nothing has changed");
    let less = portcullis::balance::Config { max_ejected_share: 0.25, ..outliers.config() };
    outliers.reconfigure(less).unwrap();
    assert_eq!(ejected(&outliers), 1, "fewer may be");
}
