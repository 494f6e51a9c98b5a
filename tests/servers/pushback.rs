//! What a gRPC server says, beside an error, about when to come back.

use std::time::Duration;

use tonic::Code;

use crate::grpcio::{Peer, policy};

/// A pushback is how long to wait; the server's own clock says that it was waited for.
#[tokio::test]
async fn a_pushback_is_waited_for() {
    let peer = Peer::start().await;
    let asked = [("times", "2"), ("code", "14"), ("pushback", "250")];

    peer.call(policy(3), true, "FailTimes", &asked).await.unwrap();

    let seen = peer.seen().await;
    assert_eq!(seen.len(), 3);
    for pair in seen.windows(2) {
        let apart = pair[1].at - pair[0].at;
        assert!(apart >= 0.25, "{apart} s");
    }
}

/// It is waited for no longer than the policy allows, and not at all when the caller will be gone by then.
#[tokio::test]
async fn a_pushback_is_not_trusted_blindly() {
    let peer = Peer::start().await;
    let capped = policy(2).max_retry_after(Duration::from_millis(100));
    let asked = [("times", "1"), ("code", "14"), ("pushback", "3600000")];

    peer.call(capped, true, "FailTimes", &asked).await.unwrap();

    let seen = peer.seen().await;
    assert!(seen[1].at - seen[0].at >= 0.1);

    let asked =
        [("times", "1"), ("code", "14"), ("pushback", "3600000"), ("call", "2"), ("grpc-timeout", "20S")];
    let end = peer.call(policy(2), true, "FailTimes", &asked).await;

    assert_eq!(end.unwrap_err().code(), Code::Unavailable);
    assert_eq!(peer.seen().await.len(), 3, "30 s, as long as it may be waited for, is too late");
}

/// Negative, or nothing that can be read: the server does not want it again (gRFC A6). What this server cannot
/// read itself, it sends as a very negative number.
#[tokio::test]
async fn a_pushback_may_mean_never() {
    let peer = Peer::start().await;
    for (n, pushback) in ["-1", "soon", "1.5", ""].into_iter().enumerate() {
        let asked = [("times", "1"), ("code", "14"), ("pushback", pushback), ("call", pushback)];

        let end = peer.call(policy(3), true, "FailTimes", &asked).await;

        assert_eq!(end.unwrap_err().code(), Code::Unavailable, "{pushback}");
        assert_eq!(peer.seen().await.len(), n + 1, "{pushback}");
    }
}
