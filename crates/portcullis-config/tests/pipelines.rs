//! Pipelines from files: made, changed while they run, and refused where they cannot be right.

#![expect(clippy::unwrap_used, reason = "what helps the tests may panic as they do")]

use std::{fs, path::PathBuf, time::Duration};

use portcullis::{BoxError, Breaker, Registry, RetryPolicy, Timeout, pipeline::Place};
use portcullis_config::{Format, Live, Settings};
use tower::{Layer, ServiceExt, service_fn};

const SHOP: &str = r#"
[pipeline.inventory]
kind = "client"
retry = "inventory"
deadline = "call"
breaker = "inventory"
hedge = "inventory"

[retry.inventory]
max_attempts = 3
[hedge.inventory]
[breaker.inventory]
[timeout.call]
limit = "2s"
[timeout.attempt]
limit = "3s"
[load_shed.shop]
"#;

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shop.toml");
    fs::write(&path, text).unwrap();
    (dir, path)
}

fn load(text: &str) -> Result<Settings, portcullis_config::Error> {
    Settings::builder().text("shop.toml", Format::Toml, text).load()
}

fn refused(text: &str) -> String {
    load(text).unwrap().pipeline("inventory").unwrap_err().to_string()
}

#[test]
fn a_pipeline_is_what_its_file_says_and_follows_it() {
    let (_dir, path) = file(SHOP);
    let registry = Registry::new();
    let mut live = Live::new(Settings::builder().file(&path)).unwrap().registry(&registry);
    let pipeline = live.client("inventory").unwrap().http_client().build().unwrap();
    let explained = pipeline.explain();
    let places: Vec<_> = explained.order.iter().map(|step| step.place).collect();
    assert_eq!(places, [Place::Deadline, Place::Retry, Place::Hedge, Place::Breaker]);
    assert_eq!((explained.amplification.one_call, explained.amplification.many_calls), (6, Some(1.2)));
    assert_eq!(explained.latency.call, Some(Duration::from_secs(2)));
    assert_eq!(registry.pipelines().len(), 1);

    fs::write(&path, SHOP.replace("max_attempts = 3", "max_attempts = 2").replace("2s", "1s")).unwrap();
    assert_eq!(live.reload().unwrap(), ["retry.inventory", "timeout.call"]);
    assert_eq!(pipeline.explain().amplification.one_call, 4);
    assert_eq!(pipeline.explain().latency.call, Some(Duration::from_secs(1)));
}

#[test]
fn of_other_policies_it_is_only_made_anew() {
    let (_dir, path) = file(SHOP);
    let mut live = Live::new(Settings::builder().file(&path)).unwrap().registry(&Registry::new());
    let pipeline = live.client("inventory").unwrap().http_client().build().unwrap();
    fs::write(
        &path,
        SHOP.replace("breaker = \"inventory\"\n", "").replace("max_attempts = 3", "max_attempts = 2"),
    )
    .unwrap();
    let errors = live.reload().unwrap_err().to_string();
    assert!(errors.contains("shop.toml:2:1: pipeline.inventory: is made of other policies"), "{errors}");
    assert_eq!(pipeline.explain().amplification.one_call, 6, "whole or nothing");
    let pipeline_wrong =
        SHOP.replace("deadline = \"call\"", "deadline = \"call\"\nattempt_timeout = \"attempt\"");
    fs::write(&path, pipeline_wrong).unwrap();
    assert!(live.reload().unwrap_err().to_string().contains("does not go with deadline 'call'"));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let with =
        |line: &str| SHOP.replace("retry = \"inventory\"\n", &format!("retry = \"inventory\"\n{line}\n"));
    assert_eq!(
        refused(&with("bulkhead = \"inventroy\"")),
        "shop.toml:5:12: pipeline.inventory: no bulkhead is called `inventroy`"
    );
    assert_eq!(
        refused(&with("attempt_timeout = \"attempt\"")),
        "shop.toml:5:19: pipeline.inventory: attempt_timeout 'attempt' does not go with deadline 'call': its limit of 3s \
         is longer than the 2s of the whole call"
    );
    let other_side = refused(&with("load_shed = \"shop\""));
    let start = "shop.toml:5:13: pipeline.inventory: load_shed 'shop' has no place in a client pipeline: ";
    assert!(other_side.starts_with(start), "{other_side}");
    let misspelt = refused(&with("braker = \"inventory\""));
    assert!(misspelt.starts_with("shop.toml:") && misspelt.contains("unknown field `braker`"), "{misspelt}");
    let kind = refused(&SHOP.replace("\"client\"", "\"clint\""));
    assert!(kind.starts_with("shop.toml:3:8: pipeline.inventory: ") && kind.contains("clint"), "{kind}");
    assert_eq!(load(&with("bulkhead = \"x\"")).unwrap().check().len(), 1);
    assert_eq!(load(SHOP).unwrap().check().len(), 0);
    assert!(refused("[pipeline.other]\nkind = \"client\"\n").contains("is not in shop.toml"));
}

#[test]
fn sides_are_not_mixed_up() {
    let text = "[pipeline.shop]\nkind = \"server\"\nload_shed = \"shop\"\n[load_shed.shop]\n";
    let builder = || Settings::builder().text("shop.toml", Format::Toml, text);
    let mut live = Live::new(builder()).unwrap().registry(&Registry::new());
    assert_eq!(
        live.client("shop").unwrap_err().to_string(),
        "pipeline.shop: is for a server, and not for a client"
    );
    let pipeline = live.server("shop").unwrap().http_server().build().unwrap();
    assert_eq!(pipeline.explain().order.len(), 1);
}

#[tokio::test]
async fn pipelines_share_the_policies_that_both_name() {
    let text = r#"
        [pipeline.read]
        kind = "client"
        breaker = "db"
        [pipeline.write]
        kind = "client"
        breaker = "db"
        [breaker.db]
    "#;
    let builder = Settings::builder().text("shop.toml", Format::Toml, text);
    let mut live = Live::new(builder).unwrap().registry(&Registry::new());
    let (read, write) =
        (live.client("read").unwrap().build().unwrap(), live.client("write").unwrap().build().unwrap());
    let answers = service_fn(|n: u32| async move { Ok::<_, BoxError>(n) });
    let (read, write) = (read.layer(answers), write.layer(answers));
    assert_eq!((read.clone().oneshot(1).await.unwrap(), write.oneshot(1).await.unwrap()), (1, 1));
    let breaker = live.policy::<Breaker>("db").unwrap();
    assert_eq!(breaker.status().successes, 2);
    assert!(live.policy::<Breaker>("read").is_none() && live.policy::<Timeout>("db").is_none());
    assert!(live.policy::<RetryPolicy>("db").is_none());
    breaker.isolate();
    assert!(read.oneshot(1).await.is_err());
}

/// The attempts are observed with the calls, and both as the file says.
#[tokio::test]
async fn an_observer_of_a_file_sees_calls_and_attempts() {
    let text = format!("{SHOP}\n[observer.inventory]\n")
        .replace("hedge = \"inventory\"\n", "")
        .replace("kind = \"client\"", "kind = \"client\"\nobserve = \"inventory\"");
    let (_dir, path) = file(&text);
    let mut live = Live::new(Settings::builder().file(&path)).unwrap().registry(&Registry::new());
    let pipeline = live.client("inventory").unwrap().build().unwrap();
    let places: Vec<_> = pipeline.explain().order.iter().map(|step| step.place).collect();
    let around = [Place::Observe, Place::Deadline, Place::Retry];
    assert_eq!(places, [around.as_slice(), &[Place::Attempts, Place::Breaker]].concat());
    let service = pipeline.layer(service_fn(|n: u32| async move { Ok::<_, BoxError>(n + 1) }));
    assert_eq!(service.clone().oneshot(1).await.unwrap(), 2);
    let observer = live.policy::<portcullis::Observer>("inventory").unwrap();
    assert_eq!((observer.status().calls.successes, observer.status().attempts.successes), (1, 1));

    fs::write(&path, text.replace("[observer.inventory]", "[observer.inventory]\nenabled = false")).unwrap();
    assert_eq!(live.reload().unwrap(), ["observer.inventory"]);
    assert_eq!(service.oneshot(1).await.unwrap(), 2);
    assert_eq!(observer.status().calls.successes, 1);
}

/// It is off until the file says otherwise, and off again without a restart.
#[tokio::test]
async fn faults_are_turned_on_and_off_by_the_file() {
    let faults = "faults = [{ share = 1.0, what = { error = \"internal\" } }]";
    for (kind, is_client) in [("client", true), ("server", false)] {
        let text =
            format!("[pipeline.inventory]\nkind = \"{kind}\"\nchaos = \"day\"\n[chaos.day]\n{faults}\n");
        let (_dir, path) = file(&text);
        let mut live = Live::new(Settings::builder().file(&path)).unwrap().registry(&Registry::new());
        let inner = service_fn(|n: u32| async move { Ok::<_, BoxError>(n) });
        let service: tower::util::BoxCloneService<u32, u32, BoxError> = if is_client {
            let pipeline = live.client("inventory").unwrap().build().unwrap();
            assert_eq!(pipeline.explain().order[0].place, Place::Chaos);
            tower::util::BoxCloneService::new(pipeline.layer(inner))
        } else {
            tower::util::BoxCloneService::new(live.server("inventory").unwrap().build().unwrap().layer(inner))
        };
        assert_eq!(service.clone().oneshot(1).await.unwrap(), 1);
        fs::write(&path, format!("{text}enabled = true\n")).unwrap();
        assert_eq!(live.reload().unwrap(), ["chaos.day"]);
        let met = service.clone().oneshot(1).await.unwrap_err();
        assert!(met.to_string().starts_with("chaos 'day' made it fail"), "{met}");
        fs::write(&path, &text).unwrap();
        live.reload().unwrap();
        assert_eq!(service.oneshot(2).await.unwrap(), 2);
    }
}
