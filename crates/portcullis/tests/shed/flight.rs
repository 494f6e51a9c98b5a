//! Calls in flight.

use portcullis::{Overload, Priority, Reason, shed::Arrival};

use super::support::{admit, shed};

#[tokio::test(start_paused = true)]
async fn each_class_finds_its_share() {
    for (class, limit) in Priority::ALL.into_iter().zip([5, 7, 8, 9, 10]) {
        let shed = shed().max_in_flight(10).build().unwrap();
        let running: Vec<_> = (0..20).map_while(|_| admit(&shed, class).ok()).collect();
        assert_eq!((running.len(), shed.status().in_flight), (limit, limit as u32), "{class}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_highest_go_on_where_the_others_are_refused() {
    let shed = shed().max_in_flight(10).shares([0.2, 0.4, 0.6, 0.8, 1.0]).build().unwrap();
    assert_eq!(shed.status().limits, Some([2, 4, 6, 8, 10]));
    let mut running: Vec<_> = (0..6).map(|_| shed.try_admit().unwrap()).collect();
    let refused = shed.try_admit().unwrap_err();
    let reason = Reason::Overloaded { signal: Overload::InFlight, measured: 6.0, limit: 6.0 };
    assert_eq!(refused.reason(), reason);
    running.extend((0..4).map(|_| admit(&shed, Priority::Highest).unwrap()));
    assert!(admit(&shed, Priority::Highest).is_err());
    running.truncate(1);
    assert!(admit(&shed, Priority::Lowest).is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_exempt_call_is_neither_refused_nor_counted() {
    let shed = shed().max_in_flight(1).build().unwrap();
    let exempt = Arrival { exempt: true, ..Arrival::PLAIN };
    let first = shed.try_admit_as(&exempt).unwrap();
    assert!(!first.is_counted());
    let counted = shed.try_admit().unwrap();
    assert!(counted.is_counted());
    let second = shed.try_admit_as(&exempt);
    assert!(second.is_ok() && shed.try_admit().is_err());
    drop((first, second));
    assert_eq!(shed.status().in_flight, 1);
}

#[tokio::test]
async fn no_more_are_in_flight_than_may_be_from_many_threads() {
    let shed = shed().max_in_flight(7).shares([1.0; 5]).no_queue_delay().build().unwrap();
    let work = |shed: portcullis::LoadShed| {
        move || {
            for _ in 0..20_000 {
                if let Ok(ticket) = shed.try_admit() {
                    assert!(shed.status().in_flight <= 7);
                    drop(ticket);
                }
            }
        }
    };
    let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(work(shed.clone()))).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(shed.status().in_flight, 0);
}
