//! What counts for what, and where errors point.

use std::{collections::BTreeMap, ffi::OsString, time::Duration};

use portcullis::config;
use portcullis_config::{Builder, Error, Format, Settings};
use proptest::prelude::*;

fn toml(text: &str) -> Builder {
    Settings::builder().text("shop.toml", Format::Toml, text)
}

fn with(text: &str, name: &str, value: &str) -> Result<Settings, Error> {
    let variables: [(OsString, OsString); 1] = [(name.into(), value.into())];
    toml(text).variables("SHOP", variables).load()
}

fn message(error: Error) -> String {
    error.to_string()
}

#[test]
fn what_counts_for_more() {
    let text = r#"
        [defaults.retry]
        max_attempts = 2
        total_time = "1s"
        max_retry_after = "1s"
        retry_refusals = true

        [retry.a]
        total_time = "2s"
        max_retry_after = "2s"

        [retry.b]
        base = "a"
        max_retry_after = "3s"

        [environments.production.defaults.retry]
        max_attempts = 9
        total_time = "9s"

        [environments.production.retry.b]
        max_retry_after = "9s"
    "#;
    let [plain, production] = [toml(text), toml(text).environment("production")].map(|b| b.load().unwrap());
    let second = Duration::from_secs;

    let b = plain.retry("b").unwrap();
    assert_eq!((b.max_attempts, b.total_time, b.max_retry_after), (2, Some(second(2)), second(3)));
    assert!(b.retry_refusals);
    // A default of the environment counts for less than the policy's own setting.
    let b = production.retry("b").unwrap();
    assert_eq!((b.max_attempts, b.total_time, b.max_retry_after), (9, Some(second(2)), second(9)));
    let a = production.retry("a").unwrap();
    assert_eq!((a.max_attempts, a.max_retry_after), (9, second(2)));
}

#[test]
fn a_preset_is_what_all_starts_from() {
    let text = r#"
        [defaults.breaker]
        open_for = "9s"
        [breaker.a]
        preset = "fast_api"
        permits = 7
    "#;
    let a = toml(text).load().unwrap().breaker("a").unwrap();
    let preset = portcullis::breaker::Preset::FastApi.config();
    assert_eq!((a.open_for, a.permits), (preset.open_for, 7));
}

#[test]
fn a_base_may_have_a_base_and_a_circle_is_an_error() {
    let text = "[bulkhead.c]\nbase = \"b\"\n[bulkhead.b]\nbase = \"a\"\n[bulkhead.a]\nmax_in_flight = 3\n";
    assert_eq!(toml(text).load().unwrap().bulkhead("c").unwrap().max_in_flight, 3);

    let circle = "[bulkhead.a]\nbase = \"b\"\n[bulkhead.b]\nbase = \"a\"\n";
    let error = toml(circle).load().unwrap_err();
    assert_eq!(message(error), "shop.toml:4:8: bulkhead.a: a circle: a < b < a");

    let nobody = "[bulkhead.a]\nbase = \"x\"\n";
    let error = toml(nobody).load().unwrap_err();
    let says = "shop.toml:2:8: bulkhead.a: inherits from `x`, and no bulkhead is called that";
    assert_eq!(message(error), says);
}

#[test]
fn later_files_and_variables_count_for_more() {
    let dir = tempfile::tempdir().unwrap();
    let [first, second] = ["first.toml", "second.yaml"].map(|name| dir.path().join(name));
    std::fs::write(&first, "[hedge.a]\nmax_attempts = 2\nmax_retry_after = \"1s\"\n").unwrap();
    std::fs::write(&second, "hedge:\n  a:\n    max_attempts: 3\n").unwrap();

    let builder = Settings::builder().file(&first).file(&second).file_if_there(dir.path().join("third.json"));
    let a = builder.clone().load().unwrap().hedge("a").unwrap();
    assert_eq!((a.max_attempts, a.max_retry_after), (3, Duration::from_secs(1)));

    let variables: [(OsString, OsString); 3] = [
        ("SHOP__HEDGE__A__MAX_ATTEMPTS".into(), "4".into()),
        ("SHOPPING__HEDGE__A__MAX_ATTEMPTS".into(), "5".into()),
        ("SHOP".into(), "open".into()),
    ];
    let a = builder.variables("SHOP", variables).load().unwrap().hedge("a").unwrap();
    assert_eq!(a.max_attempts, 4);

    let error = Settings::read(dir.path().join("third.json")).unwrap_err();
    assert!(message(error).contains("third.json:1:1: cannot be read: "));
    let error = Settings::read(dir.path().join("third")).unwrap_err();
    assert!(message(error).ends_with("must end in .toml, .yaml, .yml or .json"));
}

#[test]
fn variables_name_policies_as_shells_can() {
    let text = "[rate_limit.\"api.v1-west\"]\npermits = 5\n";
    let settings =
        with(text, "SHOP__RATE_LIMIT__API_V1_WEST__WARMUP", "{ from = 0.5, time = \"1s\" }").unwrap();
    let limit = settings.rate_limit("api.v1-west").unwrap();
    assert_eq!((limit.permits, limit.warmup.unwrap().from), (5, 0.5));

    let settings = with(text, "SHOP__RATE_LIMIT__DEFAULTS__PERIOD", "10s").unwrap();
    assert_eq!(settings.rate_limit("api.v1-west").unwrap().period, Duration::from_secs(10));

    let refused = |name: &str| message(with(text, name, "1").unwrap_err());
    assert_eq!(refused("SHOP__RATE_LIMIT__X"), "$SHOP__RATE_LIMIT__X: must be SHOP__KIND__POLICY__FIELD");
    assert_eq!(
        refused("SHOP__RATE_LIMIT__WEST__PERMITS"),
        "$SHOP__RATE_LIMIT__WEST__PERMITS: no rate_limit is called `west`: there are api.v1-west"
    );
    assert!(
        refused("SHOP__RATES__WEST__PERMITS").starts_with("$SHOP__RATES__WEST__PERMITS: `rates` is no kind")
    );

    let settings = with(text, "SHOP__RATE_LIMIT__API_V1_WEST__PERMITS", "0").unwrap();
    assert_eq!(
        message(settings.rate_limit("api.v1-west").unwrap_err()),
        "$SHOP__RATE_LIMIT__API_V1_WEST__PERMITS: rate_limit.api.v1-west: \
         rate.permits is 0: allowed is 1 to 1000000"
    );
}

/// The same mistake in each format, and where it is said to be.
#[test]
fn errors_point_at_the_line_in_every_format() {
    let texts = [
        (Format::Toml, "[breaker.a]\nopen_for = \"5s\"\nslow_calls = { after = \"0s\" }\n", (3, 24)),
        (Format::Yaml, "breaker:\n  a:\n    open_for: 5s\n    slow_calls:\n      after: 0s\n", (5, 14)),
        (Format::Json, "{ \"breaker\": { \"a\": {\n  \"slow_calls\": { \"after\": \"0s\" }\n} } }", (2, 28)),
    ];
    for (format, text, (line, column)) in texts {
        let settings = Settings::builder().text("f", format, text).load().unwrap();
        let error = settings.breaker("a").unwrap_err();
        let place = error.place().unwrap();
        assert_eq!((place.line(), place.column()), (line, column), "{format:?}: {error}");
        assert_eq!(error.out_of_range().unwrap().field(), "breaker.slow_calls.after");
    }
}

#[test]
fn what_is_not_known_or_of_a_wrong_type_is_shown() {
    let says = |text: &str| match toml(text).load() {
        Ok(settings) => message(settings.check().remove(0)),
        Err(error) => message(error),
    };
    assert!(says("[breakers.a]\n").starts_with("shop.toml:1:2: `breakers` is no kind of policy: there are "));
    assert!(
        says("[breaker.a]\nopen_fro = \"5s\"\n")
            .starts_with("shop.toml:2:1: breaker.a: unknown field `open_fro`")
    );
    assert!(
        says("[breaker.a]\nopen_for = 5\n")
            .starts_with("shop.toml:2:12: breaker.a: invalid value: integer `5`")
    );
    assert!(says("breaker = 5\n").starts_with("shop.toml:1:11: a table of policies by name is a number"));
    assert!(says("[breaker.a]\n[breaker.a]\n").starts_with("shop.toml:2:"));
    let missing = toml("[breaker.a]\n").load().unwrap().breaker("b").unwrap_err();
    assert_eq!(message(missing), "breaker.b: is not in shop.toml: of this kind there is a");
}

#[test]
fn an_environment_that_no_file_knows_is_a_mistake() {
    let text = "[environments.production.breaker.a]\n[environments.test]\n";
    let error = toml(text).environment("prod").load().unwrap_err();
    assert_eq!(message(error), "there is no environment `prod`: there are production, test");
    assert!(toml("").environment("prod").load().is_ok());
    let names = |settings: Settings| settings.names::<config::Breaker>().count();
    assert_eq!(names(toml(text).environment("production").load().unwrap()), 1);
    assert_eq!(names(toml(text).environment("test").load().unwrap()), 0);
}

#[test]
fn yaml_is_refused_where_it_could_surprise() {
    let says = |text: &str| message(Settings::builder().text("f", Format::Yaml, text).load().unwrap_err());
    assert_eq!(says("breaker:\n  a: &x {}\n  b: *x\n"), "f:3:6: aliases are not followed: use `base`");
    assert!(says("breaker:\n  a: {}\n  a: {}\n").starts_with("f:3:3: `a` was given already, at f:2:3"));
    assert_eq!(
        says("---\nbreaker: {}\n---\nretry: {}\n"),
        "f:3:1: a file is one document, and this is a second"
    );
    let deep = |tables: usize| "- ".repeat(tables) + "x";
    assert!(says(&format!("breaker:\n  {}", deep(30))).contains("must be a table"));
    assert!(
        says(&format!("breaker:\n  {}", deep(40))).contains("it stands in more than 32 tables and lists")
    );
    assert!(!says(&deep(10_000)).is_empty());
    assert!(!says(&format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))).is_empty());
    assert!(Settings::builder().text("f", Format::Yaml, "").load().is_ok());
}

/// Texts that have something to do with settings.
fn text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "[breaker.a]",
        "[defaults.retry]",
        "[environments.x.hedge.b]",
        "breaker:",
        "  a:",
        "    base: a",
        "base = \"a\"",
        "open_for = \"5s\"",
        "permits = 99999999999999999999",
        "x = { y = [1, 2",
        "}",
        "]",
        "{",
        "\"",
        "'''",
        "- -",
        "? :",
        "&x",
        "*x",
        "!!int x",
        "\u{0}",
        "\u{feff}",
        "ü = 1",
        "---",
        "...",
        "%YAML 1.2",
        "null",
        "~",
        "0x1F",
        "1e999",
        "-",
        "2020-01-01",
        "{\"breaker\":{\"a\":{",
        "}}}",
        "\t",
        "#",
        "\\",
    ]);
    let pieces = prop::collection::vec((piece, prop::sample::select(vec!["", " ", "\n"])), 0..24);
    pieces.prop_map(|pieces| pieces.into_iter().flat_map(|(piece, end)| [piece, end]).collect())
}

proptest! {
    #[test]
    fn no_text_is_too_much(text in text(), any in ".{0,200}") {
        for text in [text, any] {
            for format in [Format::Toml, Format::Yaml, Format::Json] {
                if let Ok(settings) = Settings::builder().text("f", format, text.as_str()).load() {
                    settings.check();
                }
            }
        }
    }

    /// A number outside its range is refused with its field and its line, wherever it stands.
    #[test]
    fn a_number_that_is_too_large_is_found(line in 0_usize..20, number in 1001_i64..i64::MAX) {
        let mut lines = vec!["[breaker.a]".to_owned()];
        lines.extend((0..line).map(|_| "# nothing".to_owned()));
        lines.push(format!("permits = {number}"));
        let settings = toml(&lines.join("\n")).load().unwrap();
        let error = settings.breaker("a").unwrap_err();
        prop_assert_eq!(error.place().unwrap().line(), line + 2);
        prop_assert!(message(error).contains("permits"));
    }
}

#[test]
fn names_are_those_of_the_file() {
    let text = "[breaker.b]\n[breaker.a]\n[retry.c]\n";
    let settings = toml(text).load().unwrap();
    assert_eq!(settings.names::<config::Breaker>().collect::<Vec<_>>(), ["a", "b"]);
    let all: BTreeMap<_, _> =
        settings.names::<config::Retry>().map(|name| (name, settings.retry(name).unwrap())).collect();
    assert_eq!(all["c"], portcullis::retry::Config::default());
}
