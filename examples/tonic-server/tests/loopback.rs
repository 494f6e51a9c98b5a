//! The server over real connections, asked by a generated client.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, helpers included")]

use std::{process::Stdio, time::Duration};

use echo_proto::{EchoRequest, echo_client::EchoClient, service::EchoService};
use portcullis::{Breaker, Bulkhead, Registry, Timeout};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpListener,
    process::Command,
};
use tonic::{Code, Status, transport::Channel};
use tonic_server::{Policies, serve};
use upstream::{soon, until};

/// More than enough, also on a machine that is busy with other things.
const LONG: Duration = Duration::from_secs(30);

struct Server {
    policies: Policies,
    echo: EchoService,
    client: EchoClient<Channel>,
}

/// With the policies as they are, but for what `change` does to them, and for a time limit that only a
/// test that is about it should meet.
async fn server(change: impl FnOnce(&mut Policies)) -> Server {
    let mut policies = Policies::new("echo", &Registry::new()).unwrap();
    policies.timeout = Timeout::total("echo", LONG).unwrap();
    change(&mut policies);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let echo = EchoService::default();
    let (served, behind) = (echo.clone(), policies.clone());
    tokio::spawn(async move { serve(listener, served, &behind).await });
    let client = soon(EchoClient::connect(format!("http://{address}"))).await.unwrap();
    Server { policies, echo, client }
}

impl Server {
    async fn unary(&self, request: EchoRequest) -> Result<String, Status> {
        let reply = soon(self.client.clone().unary(request)).await?;
        Ok(reply.into_inner().message)
    }

    fn in_flight(&self) -> u32 {
        self.policies.bulkhead.status().in_flight
    }
}

fn saying(message: &str) -> EchoRequest {
    EchoRequest { message: message.into(), ..EchoRequest::default() }
}

fn failing(code: Code) -> EchoRequest {
    EchoRequest { fail_code: code.into(), ..EchoRequest::default() }
}

fn metadata<'a>(status: &'a Status, name: &str) -> Option<&'a str> {
    status.metadata().get(name).map(|value| value.to_str().unwrap())
}

fn one_at_a_time(policies: &mut Policies) {
    policies.bulkhead = Bulkhead::builder("echo").max_in_flight(1).build().unwrap();
}

#[tokio::test]
async fn what_works_passes_through_all_layers() {
    let server = server(|_| ()).await;
    assert_eq!(server.unary(saying("hello")).await.unwrap(), "hello");
    until(|| server.policies.breaker.status().successes == 1).await;
    until(|| server.in_flight() == 0).await;
}

#[tokio::test]
async fn a_status_of_the_service_is_unchanged() {
    let server = server(|_| ()).await;
    let status = server.unary(failing(Code::NotFound)).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::NotFound, "failed as asked"));
    assert_eq!(server.policies.breaker.status().failures, 0, "what is not found is an answer");
}

#[tokio::test]
async fn a_full_server_is_exhausted() {
    let server = server(one_at_a_time).await;
    let mut client = server.client.clone();
    let endless = EchoRequest { delay_ms: 3_600_000, ..saying("late") };
    let held = tokio::spawn(async move { client.unary(endless).await });
    until(|| server.echo.calls() == 1).await;

    let status = server.unary(saying("hello")).await.unwrap_err();
    assert_eq!(
        (status.code(), metadata(&status, "portcullis-reason")),
        (Code::ResourceExhausted, Some("full"))
    );
    assert_eq!(server.echo.calls(), 1);

    held.abort();
    until(|| server.in_flight() == 0).await;
    assert_eq!(server.unary(saying("hello")).await.unwrap(), "hello");
}

#[tokio::test]
async fn a_stream_keeps_its_permit_until_it_ends() {
    let server = server(one_at_a_time).await;
    let endless = EchoRequest { count: u32::MAX, delay_ms: 5, ..saying("tick") };
    let mut stream = soon(server.client.clone().server_stream(endless)).await.unwrap().into_inner();
    assert_eq!(soon(stream.message()).await.unwrap().unwrap().message, "tick");

    assert_eq!(server.in_flight(), 1);
    assert_eq!(server.unary(saying("hello")).await.unwrap_err().code(), Code::ResourceExhausted);

    drop(stream);
    until(|| server.in_flight() == 0).await;
    assert_eq!(server.unary(saying("hello")).await.unwrap(), "hello");
    until(|| server.policies.breaker.status().abandoned == 1).await;
}

#[tokio::test]
async fn a_stream_that_ends_gives_its_permit_back_and_is_judged_by_its_trailers() {
    let server = server(one_at_a_time).await;
    let three = EchoRequest { count: 3, fail_code: Code::DataLoss.into(), ..saying("tick") };
    let mut stream = soon(server.client.clone().server_stream(three)).await.unwrap().into_inner();
    for _ in 0..3 {
        assert_eq!(soon(stream.message()).await.unwrap().unwrap().message, "tick");
    }
    assert_eq!(soon(stream.message()).await.unwrap_err().code(), Code::DataLoss);
    until(|| server.in_flight() == 0).await;
    until(|| server.policies.breaker.status().failures == 1).await;
}

// T46
#[tokio::test]
async fn what_takes_too_long_exceeds_its_deadline() {
    let limit = Duration::from_millis(50);
    let server = server(|policies| policies.timeout = Timeout::total("echo", limit).unwrap()).await;
    let endless = EchoRequest { delay_ms: 3_600_000, ..saying("late") };
    let status = server.unary(endless).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(status.message(), "timeout 'echo' had no answer within 50ms (total)");
    assert_eq!(server.policies.breaker.status().failures, 1, "the breaker hears of it");
    assert_eq!(server.in_flight(), 0);
}

// T46
#[tokio::test]
async fn a_stream_that_takes_too_long_does_so_too_when_asked() {
    let limit = Duration::from_millis(200);
    let whole = |policies: &mut Policies| {
        policies.timeout = Timeout::builder("echo", limit).whole_response(true).build().unwrap();
    };
    let server = server(whole).await;
    let endless = EchoRequest { count: u32::MAX, delay_ms: 5, ..saying("tick") };
    let mut stream = soon(server.client.clone().server_stream(endless)).await.unwrap().into_inner();
    let status = soon(async {
        loop {
            if let Err(status) = stream.message().await {
                return status;
            }
        }
    })
    .await;
    assert_eq!(status.code(), Code::DeadlineExceeded);
    until(|| server.in_flight() == 0).await;
}

#[tokio::test]
async fn an_open_breaker_makes_it_unavailable() {
    let server = server(|policies| {
        let breaker = Breaker::builder("echo").consecutive_failures(3).open_for(LONG);
        policies.breaker = breaker.build().unwrap();
    })
    .await;
    for _ in 0..3 {
        assert_eq!(server.unary(failing(Code::Internal)).await.unwrap_err().code(), Code::Internal);
    }
    let status = server.unary(saying("hello")).await.unwrap_err();
    assert_eq!((status.code(), metadata(&status, "portcullis-reason")), (Code::Unavailable, Some("open")));
    let pushback: u64 =
        metadata(&status, "grpc-retry-pushback-ms").expect("when to come back").parse().unwrap();
    assert!(pushback <= 30_000, "{pushback}");
    assert_eq!(server.echo.calls(), 3);

    server.policies.breaker.reset();
    assert_eq!(server.unary(saying("hello")).await.unwrap(), "hello");
}

#[tokio::test]
async fn the_program_listens_where_it_is_told() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_tonic-server"))
        .arg("127.0.0.1:0")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let first = soon(lines.next_line()).await.unwrap().expect("it says where it listens");
    let address = first.trim_start_matches("listening on ").to_owned();
    let mut client = soon(EchoClient::connect(address)).await.unwrap();
    assert_eq!(soon(client.unary(saying("hello"))).await.unwrap().into_inner().message, "hello");

    // Told to end it says so, and twice it does so.
    let id = program.id().unwrap().to_string();
    for signal in ["-TERM", "-INT"] {
        let killed = Command::new("kill").args([signal, &id]).status();
        assert!(soon(killed).await.unwrap().success());
    }
    let mut said = String::new();
    while let Some(line) = soon(lines.next_line()).await.unwrap() {
        said.push_str(&line);
    }
    assert!(said.contains("drained in "), "{said}");
    assert!(soon(program.wait()).await.unwrap().success());
}
