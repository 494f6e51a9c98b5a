//! Which endpoint a call goes to.

use std::collections::BTreeMap;

use portcullis::{
    Balance, BoxError, Breaker, BreakerLayer, Endpoints, HttpClient, Outliers, Registry,
    balance::{DEFAULT_DECAY, Measure},
    keyed::by,
    protocol::Tried,
};
use tower::{Layer, Service, ServiceExt};

use super::support::{Act, Host, Readiness, calls, fleet, is_ejected, ms, outliers};

fn shares(answers: &[Option<usize>]) -> BTreeMap<usize, f64> {
    let mut shares = BTreeMap::new();
    for answer in answers.iter().flatten() {
        *shares.entry(*answer).or_default() += 1.0 / answers.len() as f64;
    }
    shares
}

#[tokio::test(start_paused = true)]
async fn calls_are_spread_evenly() {
    let (_, endpoints) = fleet(&outliers().build().unwrap(), 4);
    let shares = shares(&calls(&mut Balance::new(endpoints), 4000).await);
    assert!(shares.len() == 4 && shares.values().all(|share| (share - 0.25).abs() < 0.03), "{shares:?}");
}

#[tokio::test(start_paused = true)]
async fn calls_are_spread_by_weight() {
    let endpoints = Endpoints::new(outliers().build().unwrap());
    for (number, weight) in [1, 2, 7].into_iter().enumerate() {
        endpoints.insert_weighted(number.to_string(), weight, Host::new(number));
    }
    let shares = shares(&calls(&mut Balance::new(endpoints), 5000).await);
    let close = |number, share: f64| (shares[&number] - share).abs() < 0.03;
    assert!(close(0, 0.1) && close(1, 0.2) && close(2, 0.7), "{shares:?}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_endpoint_gets_less() {
    let (hosts, endpoints) = fleet(&outliers().build().unwrap(), 4);
    hosts.iter().for_each(|host| host.delay(ms(10)));
    hosts[2].delay(ms(100));
    let mut balance = Balance::new(endpoints);
    for _ in 0..4000 {
        let call = ServiceExt::<()>::ready(&mut balance).await.unwrap().call(());
        tokio::spawn(call);
        tokio::time::sleep(ms(1)).await;
    }
    let all: u64 = hosts.iter().map(Host::calls).sum();
    assert!(hosts[2].calls() * 8 < all, "{} of {all}", hosts[2].calls());
}

/// A breaker around one endpoint refuses in no time. That is not taken for having nothing to do.
#[tokio::test(start_paused = true)]
async fn an_endpoint_whose_breaker_refuses_attracts_no_calls() {
    let registry = Registry::new();
    for measure in [Measure::InFlight, Measure::PeakEwma(DEFAULT_DECAY)] {
        let endpoints = Endpoints::measuring(outliers().build().unwrap(), measure).unwrap();
        let breakers = ["a", "b", "c", "d"].map(|name| {
            let breaker = Breaker::builder(name).registry(&registry).build().unwrap();
            let host = Host::new(0);
            host.delay(ms(10));
            endpoints.insert(name, BreakerLayer::new(breaker.clone()).layer(host));
            breaker
        });
        breakers[1].isolate();
        let balance = Balance::new(endpoints);
        let calls: Vec<_> = (0..1000u64)
            .map(|n| {
                let balance = balance.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(ms(n * 3)).await;
                    balance.oneshot(()).await.is_err()
                })
            })
            .collect();
        let mut refused = 0;
        for call in calls {
            refused += u32::from(call.await.unwrap());
        }
        // For three seconds.
        assert!((1..=8).contains(&refused), "{refused} of 1000, {measure:?}");
        breakers[1].release();
        tokio::time::sleep(ms(1000)).await;
        let mut well = 0;
        for _ in 0..100 {
            well += u32::from(balance.clone().oneshot(()).await.is_ok());
        }
        assert_eq!(well, 100);
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_stays_where_it_is_when_others_go() {
    let (_, endpoints) = fleet(&outliers().build().unwrap(), 5);
    let mut balance = Balance::new(endpoints.clone()).by_key(|key: &u64| Some(*key));
    let mut before = Vec::new();
    for key in 0..500u64 {
        before.push(balance.ready().await.unwrap().call(key).await.unwrap());
    }
    endpoints.remove("3");
    for key in 0..500u64 {
        let after = balance.ready().await.unwrap().call(key).await.unwrap();
        let was = before[key as usize];
        assert!(after == was || was == 3, "{key}: {was} {after}");
    }
    let spread: std::collections::BTreeSet<_> = before.into_iter().collect();
    assert_eq!(spread.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn the_keys_of_an_ejected_endpoint_move_and_come_back() {
    let outliers = outliers().build().unwrap();
    let (_, endpoints) = fleet(&outliers, 3);
    let mut balance = Balance::new(endpoints).by_key(by::text(|key: &String| Some(key)));
    let home = balance.ready().await.unwrap().call("tenant".to_owned()).await.unwrap();
    assert!(outliers.eject(&home.to_string(), ms(100)));
    let away = balance.ready().await.unwrap().call("tenant".to_owned()).await.unwrap();
    assert_ne!(away, home);
    tokio::time::sleep(ms(100)).await;
    assert_eq!(balance.ready().await.unwrap().call("tenant".to_owned()).await.unwrap(), home);
}

#[tokio::test(start_paused = true)]
async fn without_a_key_any_endpoint_will_do() {
    let (hosts, endpoints) = fleet(&outliers().build().unwrap(), 2);
    let mut balance = Balance::new(endpoints).by_key(|_: &()| None::<u64>);
    for _ in 0..40 {
        balance.ready().await.unwrap().call(()).await.unwrap();
    }
    assert!(hosts.iter().all(|host| host.calls() > 5));
}

/// A call with a key waits for its own endpoint, and others do not wait for it.
#[tokio::test(start_paused = true)]
async fn a_key_waits_for_its_endpoint_only() {
    let (hosts, endpoints) = fleet(&outliers().build().unwrap(), 2);
    let mut balance = Balance::new(endpoints).by_key(|key: &u64| Some(*key));
    let mut homes = Vec::new();
    for key in 0..20u64 {
        homes.push(balance.ready().await.unwrap().call(key).await.unwrap());
    }
    let key_of = |host| homes.iter().position(|home| *home == host).unwrap() as u64;
    hosts[0].readiness(Readiness::Never);
    let stuck = tokio::spawn(balance.ready().await.unwrap().call(key_of(0)));
    assert_eq!(balance.ready().await.unwrap().call(key_of(1)).await.unwrap(), 1);
    hosts[0].readiness(Readiness::Ready);
    assert_eq!(stuck.await.unwrap().unwrap(), 0);
}

/// Services of HTTP, each with its number.
fn web(
    outliers: &Outliers,
    count: u16,
) -> Endpoints<
    impl Service<http::Request<String>, Response = http::Response<String>, Error = BoxError, Future: Send>
    + Clone
    + use<>,
> {
    let endpoints = Endpoints::new(outliers.clone());
    for number in 0..count {
        let service = tower::service_fn(move |_: http::Request<String>| async move {
            let mut response = http::Response::new(String::new());
            *response.status_mut() = http::StatusCode::from_u16(500 + number).unwrap();
            Ok::<_, BoxError>(response)
        });
        endpoints.insert((500 + number).to_string(), service);
    }
    endpoints
}

#[tokio::test(start_paused = true)]
async fn a_further_attempt_goes_elsewhere() {
    let endpoints = web(&outliers().max_ejected_share(0.0).build().unwrap(), 3);
    for _ in 0..50 {
        let tried = Tried::default();
        let mut seen = Vec::new();
        for _ in 0..4 {
            let mut request = http::Request::new(String::new());
            request.extensions_mut().insert(tried.clone());
            let balance = Balance::new(endpoints.clone()).protocol(HttpClient::default());
            seen.push(balance.oneshot(request).await.unwrap().status().as_u16());
        }
        seen[..3].sort_unstable();
        assert_eq!(seen[..3], [500, 501, 502], "all before any twice");
    }
}

#[tokio::test(start_paused = true)]
async fn an_ejected_endpoint_gets_no_calls() {
    let outliers = outliers().build().unwrap();
    let (hosts, endpoints) = fleet(&outliers, 3);
    hosts[1].act(Act::Fail);
    let mut balance = Balance::new(endpoints);
    super::support::until_ejected(&mut balance, "1").await;
    let before = hosts[1].calls();
    assert!(calls(&mut balance, 100).await.iter().all(Option::is_some));
    assert_eq!((hosts[1].calls(), is_ejected(&outliers, "1")), (before, true));
}
