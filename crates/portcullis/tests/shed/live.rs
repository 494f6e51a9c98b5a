//! Settings that change while calls flow, and modes.

use portcullis::{
    LoadShed, Mode, Overload, Priority,
    event::EventKind,
    shed::{Config, Preset, Pressure},
};

use super::support::{admit, ms, overload, refused, shed};

#[tokio::test(start_paused = true)]
async fn a_new_limit_counts_what_is_in_flight() {
    let shed = shed().max_in_flight(100).build().unwrap();
    let running: Vec<_> = (0..50).map(|_| shed.try_admit().unwrap()).collect();
    shed.reconfigure(Config { max_in_flight: Some(10), ..shed.config() }).unwrap();
    assert!(admit(&shed, Priority::Highest).is_err());
    assert_eq!(shed.status().in_flight, 50);
    drop(running);
    assert!(shed.try_admit().is_ok());
    let error = shed.reconfigure(Config { max_in_flight: Some(0), ..shed.config() }).unwrap_err();
    assert_eq!((error.field(), shed.config().max_in_flight), ("load_shed.max_in_flight", Some(10)));
    assert_eq!(shed.recent_events().last().unwrap().what, EventKind::ConfigChanged);
}

#[tokio::test(start_paused = true)]
async fn an_overload_outlives_new_settings_but_not_its_signal() {
    let shed = shed().build().unwrap();
    overload(&shed, ms(2000)).await;
    let cut = shed.status().cut;
    shed.reconfigure(Config { max_in_flight: Some(10), ..shed.config() }).unwrap();
    assert_eq!(shed.status().cut, cut);
    shed.reconfigure(Config { queue_delay: None, ..shed.config() }).unwrap();
    for _ in 0..10 {
        refused(&shed);
        tokio::time::sleep(ms(100)).await;
    }
    assert_eq!((refused(&shed), shed.status().sampling), ([0; 5], false));
}

#[tokio::test(start_paused = true)]
async fn in_shadow_calls_pass_and_are_counted() {
    let shed = shed().max_in_flight(1).mode(Mode::Shadow).build().unwrap();
    let running: Vec<_> = (0..5).map(|_| shed.try_admit().unwrap()).collect();
    let status = shed.status();
    assert_eq!((status.in_flight, status.bypassed, status.rejected), (5, 4, 0));
    drop(running);
    assert_eq!(shed.status().in_flight, 0);
    overload(&shed, ms(2000)).await;
    assert_eq!(refused(&shed), [0; 5]);
    assert!(shed.status().bypassed > 100);
}

#[tokio::test(start_paused = true)]
async fn a_percentage_of_the_refusals_is_enforced() {
    let shed = shed().max_in_flight(1).mode(Mode::EnforcePercent(25)).build().unwrap();
    let running = shed.try_admit().unwrap();
    let refused = (0..1000).filter(|_| admit(&shed, Priority::Highest).is_err()).count();
    assert!((180..320).contains(&refused), "{refused}");
    drop(running);
}

#[tokio::test(start_paused = true)]
async fn disabled_it_is_as_if_it_were_not_there() {
    let shed = shed().max_in_flight(1).build().unwrap();
    let running: Vec<_> = (0..2).map(|_| shed.try_admit()).collect();
    assert!(running[1].is_err());
    shed.set_mode(Mode::Disabled).unwrap();
    overload(&shed, ms(2000)).await;
    assert_eq!((refused(&shed), shed.status().cut), ([0; 5], 0.0));
    assert_eq!((shed.status().rejected, shed.status().bypassed), (1, 0));
    shed.set_mode(Mode::Enforce).unwrap();
    assert!(shed.try_admit().is_err(), "what is in flight was counted all the time");
}

#[tokio::test(start_paused = true)]
async fn a_share_is_cut_by_hand() {
    let shed = shed().no_queue_delay().build().unwrap();
    shed.set_cut(0.3).unwrap();
    for _ in 0..100 {
        refused(&shed);
        tokio::time::sleep(ms(20)).await;
    }
    let [lowest, low, rest @ ..] = refused(&shed);
    assert!(lowest == 100 && (30..70).contains(&low) && rest == [0; 3], "{lowest} {low} {rest:?}");
    assert_eq!(shed.status().overload, None, "no signal says so");
    let reason = admit(&shed, Priority::Lowest).unwrap_err().reason();
    assert!(matches!(reason, portcullis::Reason::Overloaded { signal: Overload::Priority, .. }), "{reason}");
    assert_eq!(shed.set_cut(0.99).unwrap_err().field(), "load_shed.cut");
    shed.set_cut(0.0).unwrap();
    drop(shed.try_admit());
    tokio::time::sleep(ms(500)).await;
    assert_eq!(refused(&shed), [0; 5]);
}

#[test]
fn the_defaults_build() {
    let shed = LoadShed::new("defaults");
    assert_eq!((shed.config(), shed.status().limits), (Config::default(), None));
    for preset in [Preset::FastApi, Preset::SlowApi, Preset::Production, Preset::Development] {
        assert_eq!(super::support::shed().preset(preset).build().unwrap().config(), preset.config());
    }
}

/// What a function holds may do anything when it goes: it asks the policy here.
#[test]
fn a_function_that_is_replaced_is_dropped_outside_of_every_lock() {
    struct Asks(LoadShed, std::sync::mpsc::Sender<f64>);
    impl Drop for Asks {
        fn drop(&mut self) {
            self.1.send(self.0.status().cut).unwrap();
        }
    }
    let shed = shed().no_queue_delay().build().unwrap();
    let (asked, answers) = std::sync::mpsc::channel();
    let asks = Asks(shed.clone(), asked);
    let pressure = Pressure::of(0.5, move || Some(asks.0.status().cut));
    let within = shed.clone();
    let calm = shed.config();
    shed.reconfigure(Config { pressure: Some(pressure), ..calm }).unwrap();
    std::thread::spawn(move || within.reconfigure(calm).unwrap());
    assert_eq!(answers.recv_timeout(std::time::Duration::from_secs(10)), Ok(0.0));
}
