//! RetryInfo, made with prost and as others make it.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use prost::Message;

use super::{
    super::retry_info::{Any, DETAILS, Delay, RetryInfo, Status},
    *,
};

fn info(seconds: i64, nanos: i32) -> Any {
    let info = RetryInfo { retry_delay: Some(Delay { seconds, nanos }) };
    Any { type_url: "type.googleapis.com/google.rpc.RetryInfo".into(), value: info.encode_to_vec() }
}

/// A detail of another kind.
fn other() -> Any {
    Any { type_url: "type.googleapis.com/google.rpc.DebugInfo".into(), value: vec![10, 1, b'x'] }
}

fn encoded(details: Vec<Any>) -> Vec<u8> {
    Status { details }.encode_to_vec()
}

fn delay(value: &str) -> Option<Duration> {
    grpc(&[(DETAILS, value)]).retry_after
}

#[test]
fn reads_a_delay_with_and_without_padding_and_beside_others() {
    // Lengths of every remainder, so that there is one, two and no padding.
    for more in 0..3 {
        let status = encoded(vec![other(), info(2, 500_000_000 + more * 100_000_000), other()]);
        let wait = Some(Duration::from_millis(2500 + more.unsigned_abs() as u64 * 100));
        assert_eq!(delay(&STANDARD.encode(&status)), wait);
        assert_eq!(delay(&STANDARD_NO_PAD.encode(&status)), wait);
    }
    let joined = [encoded(vec![other()]), encoded(vec![info(3, 0)])].map(|bytes| STANDARD.encode(bytes));
    assert_eq!(delay(&joined.join(", ")), Some(Duration::from_secs(3)));
    assert_eq!(
        grpc(&[(DETAILS, &joined[0]), (DETAILS, &joined[1])]).retry_after,
        Some(Duration::from_secs(3))
    );
}

/// google.rpc.Status { code: 14, message: "busy", details: RetryInfo of 5.25 s }, as protoc encodes it.
#[test]
fn reads_what_others_encode() {
    let mut status = vec![0x08, 14, 0x12, 4];
    status.extend(b"busy");
    status.extend([0x1a, 53, 0x0a, 40]);
    status.extend(b"type.googleapis.com/google.rpc.RetryInfo");
    status.extend([0x12, 9, 0x0a, 7, 0x08, 5, 0x10, 0x80, 0xe5, 0x9a, 0x77]);
    assert_eq!(delay(&STANDARD.encode(&status)), Some(Duration::from_millis(5250)));
    assert_eq!(delay(&STANDARD.encode(&status[..status.len() - 1])), None, "cut short");
}

#[test]
fn a_pushback_wins_and_what_is_no_delay_is_ignored() {
    let details = STANDARD.encode(encoded(vec![info(9, 0)]));
    let both = |pushback| grpc(&[(PUSHBACK, pushback), (DETAILS, &details)]);
    assert_eq!(both("10").retry_after, Some(Duration::from_millis(10)));
    assert!(both("-1").do_not_retry && both("-1").retry_after.is_none());

    let none = RetryInfo { retry_delay: None }.encode_to_vec();
    let none = Any { type_url: "x/google.rpc.RetryInfo".into(), value: none };
    let broken = Any { value: vec![0xff], ..none.clone() };
    for details in [vec![], vec![other()], vec![info(-1, 0)], vec![info(0, -1)], vec![none], vec![broken]] {
        assert_eq!(delay(&STANDARD.encode(encoded(details.clone()))), None, "{details:?}");
    }
    assert_eq!(delay(&STANDARD.encode(encoded(vec![info(i64::MAX, i32::MAX)]))), Some(LONGEST));
    assert_eq!([delay(""), delay("!"), delay("AAAA"), delay(",,")], [None; 4]);
}

proptest! {
    #[test]
    fn a_delay_comes_back(seconds in 0_i64..=86_400, nanos in 0_i32..1_000_000_000, padded: bool) {
        let status = encoded(vec![other(), info(seconds, nanos)]);
        let text = if padded { STANDARD.encode(status) } else { STANDARD_NO_PAD.encode(status) };
        let sent = Duration::new(seconds.unsigned_abs(), nanos.unsigned_abs());
        prop_assert_eq!(delay(&text), Some(sent.min(LONGEST)));
    }
}
