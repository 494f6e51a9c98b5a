//! What a file says of a drain is what it gets.

use std::time::Duration;

use portcullis::{
    Drain, Registry, config,
    drain::{Config, Preset},
};

fn settings(text: &str) -> config::Drain {
    toml::from_str(text).unwrap()
}

#[test]
fn every_field_is_read_and_written() {
    let text = "announce = \"1s\"\ngrace = \"2m\"\nretry_after = \"250ms\"\n";
    let config = settings(text).build().unwrap();
    let millis = Duration::from_millis;
    assert_eq!(config, Config { announce: millis(1000), grace: millis(120_000), retry_after: millis(250) });
    assert_eq!(settings(&toml::to_string(&config::Drain::from(&config)).unwrap()).build().unwrap(), config);
}

#[test]
fn a_preset_is_where_it_starts() {
    let config = settings("preset = \"long_work\"\nannounce = \"1s\"").build().unwrap();
    assert_eq!(config, Config { announce: Duration::from_secs(1), ..Preset::LongWork.config() });
}

#[test]
fn a_reload_changes_what_it_says() {
    let drain =
        Drain::builder("shop").grace(Duration::from_secs(7)).registry(&Registry::new()).build().unwrap();
    drain.reconfigure(settings("announce = \"0s\"").over(&drain.config()).unwrap()).unwrap();
    assert_eq!((drain.config().announce.as_secs(), drain.config().grace.as_secs()), (0, 7));
}

#[test]
fn what_is_wrong_is_told_by_its_field() {
    let error = |text| settings(text).build().unwrap_err().to_string();
    assert_eq!(error("grace = \"48h\""), "drain.grace is 172800s: allowed is 0ns to 86400s");
    assert_eq!(error("retry_after = \"2h\""), "drain.retry_after is 7200s: allowed is 0ns to 3600s");
    let unknown = toml::from_str::<config::Drain>("patience = \"1s\"").unwrap_err();
    assert!(unknown.message().contains("unknown field `patience`"), "{unknown}");
}
