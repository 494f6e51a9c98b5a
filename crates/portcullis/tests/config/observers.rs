//! What a file says of an observer is what it gets.

use portcullis::{Observer, Registry, config, observe::Config};

fn settings(text: &str) -> config::Observer {
    toml::from_str(text).unwrap()
}

#[test]
fn every_field_is_read_and_written() {
    let config = settings("enabled = false\ndurations = true\n").build().unwrap();
    assert_eq!(config, Config { enabled: false, durations: true });
    assert_eq!(
        settings(&toml::to_string(&config::Observer::from(&config)).unwrap()).build().unwrap(),
        config
    );
    assert_eq!(settings("").build(), Ok(Config::default()));
}

#[test]
fn a_reload_changes_what_it_says() {
    let observer = Observer::builder("shop").durations(true).registry(&Registry::new()).build().unwrap();
    observer.reconfigure(settings("enabled = false").over(&observer.config()).unwrap()).unwrap();
    assert_eq!(observer.config(), Config { enabled: false, durations: true });
    observer.reconfigure(settings("").reload(&observer.config()).unwrap()).unwrap();
    assert_eq!(observer.config(), Config::default());
}

#[test]
fn what_is_wrong_is_told_by_its_field() {
    let unknown = toml::from_str::<config::Observer>("duration = true").unwrap_err();
    assert!(unknown.message().contains("unknown field `duration`"), "{unknown}");
    let wrong = toml::from_str::<config::Observer>("durations = 1").unwrap_err();
    assert!(wrong.message().contains("observer.durations"), "{wrong}");
}
