//! How busy the machine is.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use portcullis::{LoadShed, Overload, Priority};

use super::support::{admit, ms, refused, shed};

/// A policy whose pressure is what the number says, in percent; 1000 is unknown, and 2000 a bug.
fn pressed(percent: &Arc<AtomicU64>) -> LoadShed {
    let percent = percent.clone();
    let measure = move || match percent.load(Relaxed) {
        1000 => None,
        2000 => panic!("it cannot be measured"),
        known => Some(known as f64 / 100.0),
    };
    shed().no_queue_delay().pressure_of(0.8, measure).build().unwrap()
}

/// For so long, with calls.
async fn run(shed: &LoadShed, seconds: u64) {
    for _ in 0..seconds * 10 {
        refused(shed);
        tokio::time::sleep(ms(100)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_busy_machine_sheds_and_cools_down() {
    let percent = Arc::new(AtomicU64::new(50));
    let shed = pressed(&percent);
    run(&shed, 5).await;
    assert_eq!((shed.status().pressure, shed.status().cut), (Some(0.5), 0.0));
    percent.store(100, Relaxed);
    run(&shed, 5).await;
    let status = shed.status();
    assert!(status.pressure > Some(0.9) && status.cut > 0.3, "{status:?}");
    assert_eq!(status.overload, Some(Overload::Pressure));
    assert!(admit(&shed, Priority::Lowest).is_err() && admit(&shed, Priority::Highest).is_ok());
    percent.store(10, Relaxed);
    run(&shed, 10).await;
    assert_eq!((shed.status().cut, shed.status().overload), (0.0, None));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_known_sheds_nobody() {
    let percent = Arc::new(AtomicU64::new(1000));
    let shed = pressed(&percent);
    run(&shed, 5).await;
    assert_eq!((shed.status().pressure, shed.status().cut), (None, 0.0));
    percent.store(2000, Relaxed);
    run(&shed, 2).await;
    assert_eq!((shed.status().pressure, shed.status().cut), (None, 0.0));
    percent.store(100, Relaxed);
    run(&shed, 5).await;
    assert!(shed.status().cut > 0.0, "it is asked again after a panic");
}

/// Outside of paused time: a process that does nothing else than run is busy.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_processor_time_of_a_process_is_seen() {
    let shed = shed().no_queue_delay().pressure(1.0).build().unwrap();
    let end = tokio::time::Instant::now() + ms(60_000);
    while shed.status().pressure.is_none_or(|share| share < 0.05) {
        assert!(tokio::time::Instant::now() < end, "{:?}", shed.status());
        let _ = shed.try_admit();
        tokio::task::yield_now().await;
    }
}
