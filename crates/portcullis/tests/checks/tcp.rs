//! A connection, for real.

use portcullis::{
    Level,
    check::{Outcome, Tcp},
    monitor::Grades,
};
use tokio::net::TcpListener;

use crate::found;

#[tokio::test]
async fn who_listens_is_well_and_who_no_longer_does_is_not() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let status = found(Tcp::new(&*address).unwrap()).await;
    assert_eq!((status.outcome, status.level), (Some(Outcome::Success), Level::Healthy), "{status:?}");

    let slow = Tcp::new(&*address).unwrap().slow(Grades { warning: Some(0.0), ..Grades::default() }).unwrap();
    let status = found(slow).await;
    assert_eq!(status.level, Level::Warning);
    assert!(status.message.unwrap().starts_with("answered after "));

    drop(listener);
    let status = found(Tcp::new(&*address).unwrap()).await;
    assert_eq!((status.outcome, status.level), (Some(Outcome::Failure), Level::Degraded));
    assert!(status.message.unwrap().starts_with(&address));
}

#[test]
fn an_address_without_a_port_is_an_error() {
    for address in ["", "db", "db:", ":5432", "db:port", "db:65536"] {
        let error = Tcp::new(address).unwrap_err();
        assert_eq!((error.field(), error.value()), ("tcp.address", &*format!("{address:?}")));
    }
    assert!(Tcp::new("[::1]:5432").is_ok());
    let slow = Tcp::new("db:5432").unwrap().slow(Grades { critical: Some(-1.0), ..Grades::default() });
    assert_eq!(slow.unwrap_err().field(), "tcp.slow.critical");
}
