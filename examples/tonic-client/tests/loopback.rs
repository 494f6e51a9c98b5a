//! The client over real connections, to a server that dies and comes back.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, helpers included")]

use std::time::Duration;

use echo_proto::{EchoRequest, echo_client::EchoClient, echo_server::EchoServer, service::EchoService};
use portcullis::{Breaker, Bulkhead, Registry, Timeout, breaker::State};
use tonic::{Code, Status, service::Routes, transport::Endpoint};
use tonic_client::{Guarded, Policies, client, pushback};
use upstream::{Door, soon, until};

/// More than enough, also on a machine that is busy with other things.
const LONG: Duration = Duration::from_secs(30);

/// How long the breaker stays open where a test waits for it.
const OPEN_FOR: Duration = Duration::from_secs(1);

struct Setup {
    policies: Policies,
    door: Door,
    echo: EchoService,
    client: EchoClient<Guarded>,
}

/// With the policies as they are, but for what `change` does to them, and for time limits that only a
/// test that is about them should meet.
fn setup(echo: EchoService, change: impl FnOnce(&mut Policies)) -> Setup {
    let mut policies = Policies::new("echo", &Registry::new()).unwrap();
    policies.attempt = Timeout::attempt("echo", LONG).unwrap();
    policies.total = Timeout::total("echo", 2 * LONG).unwrap();
    change(&mut policies);
    let door = Door::new().unwrap();
    let channel = Endpoint::from_shared(format!("http://{}", door.address())).unwrap().connect_lazy();
    let client = client(&policies, channel);
    let mut setup = Setup { policies, door, echo, client };
    setup.start();
    setup
}

impl Setup {
    fn start(&mut self) {
        let routes = Routes::new(EchoServer::new(self.echo.clone()));
        self.door.open(routes.into_axum_router()).unwrap();
    }

    async fn unary(&self, request: EchoRequest) -> Result<String, Status> {
        let reply = soon(self.client.clone().unary(request)).await?;
        Ok(reply.into_inner().message)
    }

    fn state(&self) -> State {
        self.policies.breaker.state()
    }
}

fn saying(message: &str) -> EchoRequest {
    EchoRequest { message: message.into(), ..EchoRequest::default() }
}

fn failing(code: Code) -> EchoRequest {
    EchoRequest { fail_code: code.into(), ..EchoRequest::default() }
}

fn reason(status: &Status) -> Option<&str> {
    status.metadata().get("portcullis-reason").map(|value| value.to_str().unwrap())
}

fn one_at_a_time(policies: &mut Policies) {
    policies.bulkhead = Bulkhead::builder("echo").max_in_flight(1).build().unwrap();
}

#[tokio::test]
async fn a_server_that_dies_opens_the_breaker_which_recovers_by_itself() {
    let mut setup = setup(EchoService::default(), |policies| {
        let breaker = Breaker::builder("echo").consecutive_failures(3).open_for(OPEN_FOR);
        policies.breaker = breaker.build().unwrap();
    });
    assert_eq!(setup.unary(saying("alive")).await.unwrap(), "alive");

    setup.door.shut().await.unwrap();
    while setup.state() != State::Open {
        assert_eq!(setup.unary(saying("dead")).await.unwrap_err().code(), Code::Unavailable);
    }

    // A call during which the breaker opens is refused after some attempts; the next one at once.
    let refused = loop {
        let attempts = setup.policies.retry.status().retries;
        let status = setup.unary(saying("refused")).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        if reason(&status) == Some("open") && setup.policies.retry.status().retries == attempts {
            break status;
        }
    };
    assert!(pushback(&refused).is_some_and(|wait| wait <= OPEN_FOR), "{refused:?}");

    setup.start();
    while let Err(status) = setup.unary(saying("back")).await {
        tokio::time::sleep(pushback(&status).expect("refused, and told when to come back")).await;
    }
    while setup.state() != State::Closed {
        assert_eq!(setup.unary(saying("back")).await.unwrap(), "back");
    }
}

#[tokio::test]
async fn a_call_that_says_that_it_may_is_tried_again_with_its_stream() {
    let setup = setup(EchoService::default().fail_first(2, Code::Unavailable), |_| ());
    let mut messages = tonic::Request::new(tokio_stream::iter(["not", "a", "read"].map(saying)));
    messages.extensions_mut().insert(portcullis::retry::Idempotent);
    let reply = soon(setup.client.clone().client_stream(messages)).await.unwrap();
    assert_eq!(reply.into_inner().message, "not a read", "the stream was kept and sent again");
    assert_eq!(setup.echo.calls(), 3);
}

#[tokio::test]
async fn what_may_have_been_done_is_tried_again_only_if_it_reads() {
    for code in [Code::Internal, Code::Unavailable] {
        let reads = setup(EchoService::default().fail_first(2, code), |_| ());
        assert_eq!(reads.unary(saying("read")).await.unwrap(), "read");
        assert_eq!(reads.echo.calls(), 3);

        let writes = setup(EchoService::default().fail_first(2, code), |_| ());
        let result = soon(writes.client.clone().client_stream(tokio_stream::iter([saying("write")]))).await;
        assert_eq!(result.unwrap_err().code(), code);
        assert_eq!(writes.echo.calls(), 1);
    }
}

// A stack whose error is a `BoxError` does not compile here.
#[tokio::test]
async fn it_can_be_used_in_a_task() {
    let setup = setup(EchoService::default(), |_| ());
    let mut client = setup.client.clone();
    let task = tokio::spawn(async move { client.unary(saying("spawned")).await });
    assert_eq!(soon(task).await.unwrap().unwrap().into_inner().message, "spawned");
}

#[tokio::test]
async fn the_callers_own_mistakes_are_neither_failures_nor_tried_again() {
    let setup = setup(EchoService::default(), |_| ());
    let status = setup.unary(failing(Code::InvalidArgument)).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::InvalidArgument, "failed as asked"));
    assert_eq!((setup.echo.calls(), setup.policies.breaker.status().failures), (1, 0));
}

// T46
#[tokio::test]
async fn no_call_outlives_its_deadline() {
    let limit = Duration::from_millis(200);
    let setup = setup(EchoService::default(), |policies| {
        policies.total = Timeout::total("echo", limit).unwrap();
    });
    let endless = EchoRequest { delay_ms: 3_600_000, ..saying("late") };
    let status = setup.unary(endless).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(status.message(), "timeout 'echo' had no answer within 200ms (total)");
    assert_eq!(setup.policies.bulkhead.status().in_flight, 0);
}

#[tokio::test]
async fn a_stream_keeps_its_permit_until_it_ends() {
    let setup = setup(EchoService::default(), one_at_a_time);
    let request = EchoRequest { count: 3, ..saying("tick") };
    let mut stream = soon(setup.client.clone().server_stream(request)).await.unwrap().into_inner();

    let full = setup.unary(saying("hello")).await.unwrap_err();
    assert_eq!((full.code(), reason(&full)), (Code::ResourceExhausted, Some("full")));

    while let Some(reply) = soon(stream.message()).await.unwrap() {
        assert_eq!(reply.message, "tick");
    }
    until(|| setup.policies.bulkhead.status().in_flight == 0).await;
    assert_eq!(setup.unary(saying("hello")).await.unwrap(), "hello");
}

#[tokio::test]
async fn a_stream_is_judged_by_its_end() {
    let setup = setup(EchoService::default(), |_| ());
    let request = EchoRequest { count: 3, fail_code: Code::DataLoss.into(), ..saying("tick") };
    let mut stream = soon(setup.client.clone().server_stream(request)).await.unwrap().into_inner();
    let status = soon(async {
        loop {
            if let Err(status) = stream.message().await {
                return status;
            }
        }
    })
    .await;
    assert_eq!(status.code(), Code::DataLoss);
    until(|| setup.policies.breaker.status().failures == 1).await;
}

#[tokio::test]
async fn the_program_runs_to_its_end() {
    let program =
        tokio::process::Command::new(env!("CARGO_BIN_EXE_tonic-client")).kill_on_drop(true).output();
    let output = soon(program).await.unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("the breaker is closed"), "{output:?}");
}
