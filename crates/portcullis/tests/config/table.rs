//! The documentation's lists of fields say what is so.

use std::collections::BTreeSet;

use portcullis::{
    ConfigError, Mode, balance, breaker, bulkhead, chaos, coalesce, config, drain, fallback, hedge,
    monitor::CheckConfig, observe, pool, probe, rate, reconnect, retry, shed, throttle, timeout,
};
use toml::Table;

use crate::{retry as settings_of_retry, settings};

/// A list, and what it tells of.
pub(crate) struct List {
    pub(crate) heading: &'static str,
    /// What errors call it.
    at: &'static str,
    /// Every field of every table, as they are written.
    everything: fn() -> Table,
    defaults: fn() -> Table,
    /// Reads a text, and builds what it says.
    build: fn(&str) -> Result<(), ConfigError>,
    /// `field = value`, with what it needs besides.
    pub(crate) assignment: fn(&str, &str) -> String,
    /// What must be given, or is nothing by default.
    without_default: &'static [&'static str],
    /// Switches, words and tables.
    without_range: &'static [&'static str],
}

pub(crate) const LISTS: &[List] = &[
    List {
        heading: "Fields of a breaker",
        at: "breaker",
        everything: || {
            let text = "time_window = {}\nslow_calls = { after = \"2s\" }\nmode = { enforce_percent = 1 }";
            let config = settings(text).build().unwrap();
            let table = Table::try_from(config::Breaker::from(&config)).unwrap();
            with(table, "preset", "production")
        },
        defaults: || Table::try_from(config::Breaker::from(&breaker::Config::default())).unwrap(),
        build: |text| settings(text).build().map(drop),
        assignment: |field, value| match field {
            "slow_calls.ratio" => format!("slow_calls = {{ after = \"1s\", ratio = {value} }}"),
            "kind_limits" => format!("kind_limits = {{ panic = {value} }}"),
            _ => format!("{field} = {value}"),
        },
        without_default: &["preset", "slow_calls.after", "mode.enforce_percent"],
        without_range: &["preset", "time_window", "slow_calls", "only_retries", "automatic", "mode"],
    },
    List {
        heading: "Fields of a retry",
        at: "retry",
        everything: || {
            let text = "backoff = { waits = [\"1s\"], jitter = { uniform = 0.5 } }\n\
                        mode = { enforce_percent = 1 }";
            let config = settings_of_retry(text).build().unwrap();
            let mut table = Table::try_from(config::Retry::from(&config)).unwrap();
            // Its fields have a list of their own.
            table.insert("budget".to_owned(), "share".into());
            with(table, "preset", "production")
        },
        defaults: || {
            let mut table = Table::try_from(config::Retry::from(&retry::Config::default())).unwrap();
            table.insert("budget".to_owned(), Table::new().into());
            let usual = with(table.clone(), "backoff", Table::new());
            let backoff = table.remove("backoff").unwrap();
            let fields = backoff.as_table().unwrap().iter();
            let fields = fields.map(|(field, value)| (format!("backoff.{field}"), value.clone()));
            usual.into_iter().chain(fields).collect()
        },
        build: |text| settings_of_retry(text).build().map(drop),
        assignment: |field, value| format!("{field} = {value}"),
        without_default: &["preset", "backoff.jitter.uniform", "backoff.waits", "mode.enforce_percent"],
        without_range: &[
            "preset",
            "backoff",
            "backoff.curve",
            "backoff.jitter",
            "backoff.waits",
            "not_retried",
            "grpc_codes",
            "retry_refusals",
            "mode",
            "budget",
        ],
    },
    List {
        heading: "Fields of a hedge",
        at: "hedge",
        everything: || {
            let config = hedge_settings("mode = { enforce_percent = 1 }").build().unwrap();
            let mut table = Table::try_from(config::Hedge::from(&config)).unwrap();
            // Its fields have a list of their own.
            table.insert("budget".to_owned(), "share".into());
            with(table, "preset", "production")
        },
        defaults: || {
            let table = Table::try_from(config::Hedge::from(&hedge::Config::default())).unwrap();
            with(with(table, "budget", Table::new()), "delay", Table::new())
        },
        build: |text| hedge_settings(text).build().map(drop),
        assignment: |field, value| match field {
            "delay.at_most" => format!("delay = {{ at_least = \"0s\", at_most = {value} }}"),
            _ => format!("{field} = {value}"),
        },
        without_default: &["preset", "mode.enforce_percent"],
        without_range: &["preset", "delay", "fatal", "mode", "budget"],
    },
    List {
        heading: "Fields of a bulkhead",
        at: "bulkhead",
        everything: || {
            let text = "codel = {}\nmode = { enforce_percent = 1 }";
            let config = bulkhead_settings(text).build().unwrap();
            with(Table::try_from(config::Bulkhead::from(&config)).unwrap(), "preset", "production")
        },
        defaults: || Table::try_from(config::Bulkhead::from(&bulkhead::Config::default())).unwrap(),
        build: |text| bulkhead_settings(text).build().map(drop),
        assignment: |field, value| match field {
            "codel.target" => format!("codel = {{ target = {value}, interval = \"1m\" }}"),
            "reserved" => format!("reserved = {{ high = {value} }}"),
            _ => format!("{field} = {value}"),
        },
        without_default: &["preset", "mode.enforce_percent"],
        without_range: &["preset", "order", "codel", "mode"],
    },
    List {
        heading: "Fields of a keyed bulkhead",
        at: "bulkhead",
        everything: || {
            let config =
                keyed_bulkhead_settings("per_key = 1\nmode = { enforce_percent = 1 }").build().unwrap();
            with(Table::try_from(config::KeyedBulkhead::from(&config)).unwrap(), "preset", "production")
        },
        defaults: || {
            Table::try_from(config::KeyedBulkhead::from(&bulkhead::keyed::Config::default())).unwrap()
        },
        build: |text| keyed_bulkhead_settings(text).build().map(drop),
        assignment: |field, value| format!("{field} = {value}"),
        without_default: &["preset", "mode.enforce_percent"],
        without_range: &["preset", "mode"],
    },
    List {
        heading: "Fields of a rate limit",
        at: "rate",
        everything: || {
            let text = "warmup = { from = 0.5, time = \"1s\" }\nmode = { enforce_percent = 1 }";
            let config = rate_settings(text).build().unwrap();
            with(Table::try_from(config::RateLimit::from(&config)).unwrap(), "preset", "production")
        },
        defaults: || Table::try_from(config::RateLimit::from(&rate::Config::default())).unwrap(),
        build: |text| rate_settings(text).build().map(drop),
        assignment: |field, value| match field {
            "warmup.from" => format!("warmup = {{ from = {value}, time = \"1s\" }}"),
            "warmup.time" => format!("warmup = {{ from = 0.5, time = {value} }}"),
            _ => format!("{field} = {value}"),
        },
        without_default: &["preset", "warmup.from", "warmup.time", "mode.enforce_percent"],
        without_range: &["preset", "algorithm", "warmup", "mode"],
    },
    List {
        heading: "Fields of a pool of threads",
        at: "thread_pool",
        everything: || {
            let config = pool_settings("mode = { enforce_percent = 1 }").build().unwrap();
            with(Table::try_from(config::ThreadPool::from(&config)).unwrap(), "preset", "production")
        },
        defaults: || Table::try_from(config::ThreadPool::from(&pool::Config::default())).unwrap(),
        build: |text| pool_settings(text).build().map(drop),
        assignment: |field, value| format!("{field} = {value}"),
        without_default: &["preset", "mode.enforce_percent"],
        without_range: &["preset", "newest_first", "mode"],
    },
    List {
        heading: "Fields of a cache",
        at: "cache",
        everything: || {
            let config = read::<config::Cache>("mode = { enforce_percent = 1 }").build().unwrap();
            with(Table::try_from(config::Cache::from(&config)).unwrap(), "preset", "production")
        },
        defaults: || {
            let config = read::<config::Cache>("").build().unwrap();
            Table::try_from(config::Cache::from(&config)).unwrap()
        },
        build: |text| read::<config::Cache>(text).build().map(drop),
        assignment: |field, value| format!("{field} = {value}"),
        without_default: &["preset", "stale_kinds", "mode.enforce_percent"],
        without_range: &["preset", "stale_kinds", "stale_on_refusal", "mode"],
    },
    List {
        heading: "Fields of coalescing",
        at: "coalesce",
        everything: || {
            let config = coalesce::Config { mode: Mode::EnforcePercent(1), ..coalesce::Config::default() };
            Table::try_from(config::Coalesce::from(&config)).unwrap()
        },
        defaults: || Table::try_from(config::Coalesce::from(&coalesce::Config::default())).unwrap(),
        build: |text| toml::from_str::<config::Coalesce>(text).unwrap().build().map(drop),
        assignment: |field, value| format!("{field} = {value}"),
        without_default: &["mode.enforce_percent"],
        without_range: &["on_failure", "mode"],
    },
    List {
        heading: "Fields of a health check",
        at: "health_check",
        everything: || {
            let table = Table::try_from(config::HealthCheck::from(&CheckConfig::default())).unwrap();
            with(table, "preset", "essential")
        },
        defaults: || Table::try_from(config::HealthCheck::from(&CheckConfig::default())).unwrap(),
        build: |text| toml::from_str::<config::HealthCheck>(text).unwrap().build().map(drop),
        assignment: |field, value| format!("{field} = {value}"),
        without_default: &["preset"],
        without_range: &["preset", "critical"],
    },
    List {
        heading: "Fields of a probe",
        at: "probe",
        everything: || Table::try_from(config::Probe::from(&probe::Config::default())).unwrap(),
        defaults: || Table::try_from(config::Probe::from(&probe::Config::default())).unwrap(),
        build: |text| toml::from_str::<config::Probe>(text).unwrap().build().map(drop),
        assignment: |field, value| format!("{field} = {value}"),
        without_default: &[],
        without_range: &["critical"],
    },
    List {
        heading: "Fields of a throttle",
        at: "throttle",
        everything: || {
            let config = throttle_settings("mode = { enforce_percent = 1 }").build().unwrap();
            with(Table::try_from(config::Throttle::from(&config)).unwrap(), "preset", "production")
        },
        defaults: || Table::try_from(config::Throttle::from(&throttle::Config::default())).unwrap(),
        build: |text| throttle_settings(text).build().map(drop),
        assignment: |field, value| format!("{field} = {value}"),
        without_default: &["preset", "mode.enforce_percent"],
        without_range: &["preset", "refused_by", "mode"],
    },
    List {
        heading: "Fields of a drain",
        at: "drain",
        everything: || {
            let table = Table::try_from(config::Drain::from(&drain::Config::default())).unwrap();
            with(table, "preset", "production")
        },
        defaults: || Table::try_from(config::Drain::from(&drain::Config::default())).unwrap(),
        build: |text| drain_settings(text).build().map(drop),
        assignment: |field, value| format!("{field} = {value}"),
        without_default: &["preset"],
        without_range: &["preset"],
    },
    List {
        heading: "Fields of a timeout",
        at: "timeout",
        everything: || {
            let config = timeout_settings("adaptive = {}\nmode = { enforce_percent = 1 }").build().unwrap();
            with(Table::try_from(config::Timeout::from(&config)).unwrap(), "preset", "production")
        },
        defaults: || Table::try_from(config::Timeout::from(&timeout::Config::default())).unwrap(),
        build: |text| timeout_settings(text).build().map(drop),
        assignment: |field, value| format!("{field} = {value}"),
        without_default: &["preset", "mode.enforce_percent"],
        without_range: &["preset", "scope", "whole_response", "mode", "adaptive"],
    },
    List {
        heading: "Fields of a load shedding",
        at: "load_shed",
        everything: || {
            let text = "pressure = { limit = 0.9 }\nmode = { enforce_percent = 1 }";
            let config = shed_settings(text).build().unwrap();
            let mut table = Table::try_from(config::LoadShed::from(&config)).unwrap();
            // Listed as one: their fields are the classes.
            table.insert("shares".to_owned(), "by class".into());
            with(table, "preset", "production")
        },
        defaults: || {
            let table = Table::try_from(config::LoadShed::from(&shed::Config::default())).unwrap();
            with(table, "queue_delay", Table::new())
        },
        build: |text| shed_settings(text).build().map(drop),
        assignment: |field, value| match field {
            "queue_delay.target" => format!("queue_delay = {{ target = {value}, interval = \"1m\" }}"),
            "pressure.cooling" => format!("pressure = {{ limit = 0.5, cooling = {value} }}"),
            _ => format!("{field} = {value}"),
        },
        without_default: &["preset", "pressure.limit", "shares", "mode.enforce_percent"],
        without_range: &["preset", "queue_delay", "pressure", "pressure.source", "shares", "mode"],
    },
    List {
        heading: "Fields of the ejection of outliers",
        at: "outlier",
        everything: || {
            let settings: config::Outlier =
                toml::from_str("slow_start = {}\nmode = { enforce_percent = 1 }").unwrap();
            let settings = config::Outlier::from(&settings.build().unwrap());
            with(Table::try_from(settings).unwrap(), "preset", "production")
        },
        defaults: || {
            let defaults = Table::try_from(config::Outlier::from(&balance::Config::default())).unwrap();
            // Listed as what a file says: their fields have rows of their own.
            with(with(defaults, "success_rate", Table::new()), "failure_share", Table::new())
        },
        build: |text| toml::from_str::<config::Outlier>(text).unwrap().build().map(drop),
        assignment: |field, value| format!("{field} = {value}"),
        without_default: &["preset", "mode.enforce_percent"],
        without_range: &[
            "preset",
            "split_local",
            "ignored",
            "mode",
            "success_rate",
            "failure_share",
            "slow_start",
        ],
    },
    List {
        heading: "Fields of an observer",
        at: "observer",
        everything: || Table::try_from(config::Observer::from(&observe::Config::default())).unwrap(),
        defaults: || Table::try_from(config::Observer::from(&observe::Config::default())).unwrap(),
        build: |text| read::<config::Observer>(text).build().map(drop),
        assignment: |field, value| format!("{field} = {value}"),
        without_default: &[],
        without_range: &["enabled", "durations"],
    },
    List {
        heading: "Fields of a fallback",
        at: "fallback",
        everything: || {
            let config = read::<config::Fallback>("mode = { enforce_percent = 1 }").build().unwrap();
            Table::try_from(config::Fallback::from(&config)).unwrap()
        },
        defaults: || Table::try_from(config::Fallback::from(&fallback::Config::default())).unwrap(),
        build: |text| read::<config::Fallback>(text).build().map(drop),
        assignment: |field, value| format!("{field} = {value}"),
        without_default: &["kinds", "mode.enforce_percent"],
        without_range: &["kinds", "refusals", "mode"],
    },
    List {
        heading: "Fields of reconnecting",
        at: "reconnect",
        everything: || {
            let table = Table::try_from(config::Reconnect::from(&reconnect::Config::default())).unwrap();
            // Its fields have a list of their own.
            with(table, "backoff", "off")
        },
        defaults: || Table::try_from(config::Reconnect::from(&reconnect::Config::default())).unwrap(),
        build: |text| read::<config::Reconnect>(text).build().map(drop),
        assignment: |field, value| format!("{field} = {value}"),
        without_default: &["backoff"],
        without_range: &["wait", "backoff"],
    },
    List {
        heading: "Fields of chaos",
        at: "chaos",
        everything: || {
            let text = "schedule = { active = \"1s\", every = \"1s\" }";
            let config = read::<config::Chaos>(text).build().unwrap();
            Table::try_from(config::Chaos::from(&config)).unwrap()
        },
        defaults: || Table::try_from(config::Chaos::from(&chaos::Config::default())).unwrap(),
        build: |text| read::<config::Chaos>(text).build().map(drop),
        assignment: |field, value| match field {
            "schedule.active" => format!("schedule = {{ active = {value}, every = \"1h\" }}"),
            "schedule.every" => format!("schedule = {{ active = \"1ms\", every = {value} }}"),
            _ => format!("{field} = {value}"),
        },
        without_default: &["schedule.active", "schedule.every"],
        without_range: &["enabled", "faults", "schedule"],
    },
    List {
        heading: "Fields of a fault",
        at: "chaos",
        everything: || {
            let text = "share = 1\nwhat = { error = \"other\", cut_body = 1, bandwidth = 1, latency = { \
                        exponential = \"1s\", uniform = [\"1s\", \"2s\"], normal = [\"1s\", \"1s\"] } }";
            toml::from_str(text).unwrap()
        },
        defaults: Table::new,
        build: |text| read::<config::Chaos>(text).build().map(drop),
        assignment: |field, value| match field.strip_prefix("what.") {
            None => format!("faults = [{{ {field} = {value}, what = \"panic\" }}]"),
            Some(what) => format!("faults = [{{ share = 1, what = {{ {what} = {value} }} }}]"),
        },
        without_default: &[
            "share",
            "what",
            "what.error",
            "what.latency",
            "what.latency.exponential",
            "what.latency.uniform",
            "what.latency.normal",
            "what.cut_body",
            "what.bandwidth",
        ],
        without_range: &["what", "what.error", "what.latency.uniform", "what.latency.normal"],
    },
    List {
        heading: "Fields of a budget",
        at: "budget",
        everything: || with(budgets(), "shared", "upstream"),
        defaults: || with(budgets(), "kind", "share"),
        build: |text| toml::from_str::<config::Budget>(text).unwrap().build().map(drop),
        assignment: |field, value| {
            let kind = match field {
                "ratio" | "min_per_second" => "share",
                "min_concurrent" => "concurrent",
                "max_tokens" | "token_ratio" => "throttle",
                _ => "cost",
            };
            format!("kind = {kind:?}\n{field} = {value}")
        },
        without_default: &["shared"],
        without_range: &["shared", "kind"],
    },
];

fn read<T: serde::de::DeserializeOwned>(text: &str) -> T {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn bulkhead_settings(text: &str) -> config::Bulkhead {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn keyed_bulkhead_settings(text: &str) -> config::KeyedBulkhead {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn rate_settings(text: &str) -> config::RateLimit {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn pool_settings(text: &str) -> config::ThreadPool {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn throttle_settings(text: &str) -> config::Throttle {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn drain_settings(text: &str) -> config::Drain {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn timeout_settings(text: &str) -> config::Timeout {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn shed_settings(text: &str) -> config::LoadShed {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn hedge_settings(text: &str) -> config::Hedge {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn with(mut table: Table, field: &str, value: impl Into<toml::Value>) -> Table {
    table.insert(field.to_owned(), value.into());
    table
}

/// All kinds of budget, in one table.
fn budgets() -> Table {
    let kinds = ["share", "concurrent", "throttle", "cost", "unlimited"];
    let budget = |kind| toml::from_str::<config::Budget>(&format!("kind = {kind:?}")).unwrap();
    kinds.into_iter().flat_map(|kind| Table::try_from(budget(kind)).unwrap()).collect()
}

/// A row of a list.
pub(crate) struct Row {
    pub(crate) field: String,
    pub(crate) default: Option<String>,
    pub(crate) range: Option<(String, String)>,
}

/// What stands between backticks.
fn literals(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

impl List {
    pub(crate) fn rows(&self) -> Vec<Row> {
        let documentation = include_str!("../../src/config/fields.md");
        let heading = format!("# {}", self.heading);
        let section = documentation.lines().skip_while(|line| *line != heading).skip(1);
        let section = section.take_while(|line| !line.starts_with("# "));
        let row = |row: &str| {
            let cells: Vec<&str> = row.split('|').collect();
            let range = literals(cells[3]);
            Row {
                field: cells[0].trim().trim_end_matches('`').to_owned(),
                default: literals(cells[2]).first().cloned(),
                range: range.first().map(|low| (low.clone(), range[1].clone())),
            }
        };
        section.filter_map(|line| line.strip_prefix("| `")).map(row).collect()
    }
}

/// The paths of all fields of a table, and of the tables in it.
fn paths(table: &Table) -> Vec<String> {
    let within = |field: &str, value: &toml::Value| {
        let inner = value.as_table().map(paths).unwrap_or_default();
        inner.into_iter().map(|path| format!("{field}.{path}")).collect::<Vec<_>>()
    };
    table.iter().flat_map(|(field, value)| [vec![field.clone()], within(field, value)].concat()).collect()
}

fn at<'a>(table: &'a Table, path: &str) -> Option<&'a toml::Value> {
    match path.split_once('.') {
        Some((table_name, rest)) => at(table.get(table_name)?.as_table()?, rest),
        None => table.get(path),
    }
}

#[test]
fn every_field_is_listed_and_no_other() {
    for list in LISTS {
        let fields: BTreeSet<String> = paths(&(list.everything)()).into_iter().collect();
        let listed: BTreeSet<String> = list.rows().into_iter().map(|row| row.field).collect();
        assert_eq!(listed, fields);
        assert_eq!(listed.len(), list.rows().len());
    }
}

#[test]
fn the_defaults_are_as_listed() {
    for list in LISTS {
        let (defaults, everything) = ((list.defaults)(), (list.everything)());
        for Row { field, default, .. } in list.rows() {
            let Some(default) = default else { continue };
            let listed: Table = toml::from_str(&format!("value = {default}")).unwrap();
            let is = defaults.get(&field).or_else(|| at(&everything, &field));
            assert_eq!(is, Some(&listed["value"]), "{field}");
        }
    }
}

#[test]
fn only_what_must_be_given_has_no_default() {
    for list in LISTS {
        let without = list.rows().into_iter().filter(|row| row.default.is_none()).map(|row| row.field);
        assert_eq!(without.collect::<Vec<_>>(), list.without_default);
    }
}

/// The values just outside a range, as far as they can be written.
pub(crate) fn outside(low: &str, high: &str, is_whole: bool) -> Vec<String> {
    match (low, high) {
        ("\"0s\"", "\"1h\"") => vec!["\"1h 1ns\"".to_owned()],
        ("\"0s\"", "\"5s\"") => vec!["\"5001ms\"".to_owned()],
        ("\"5s\"", "\"5m\"") => vec!["\"4999ms\"".to_owned(), "\"5m 1ns\"".to_owned()],
        ("\"1ms\"", "\"1m\"") => vec!["\"999us\"".to_owned(), "\"1m 1ns\"".to_owned()],
        ("\"20ms\"", "\"1m\"") => vec!["\"19999us\"".to_owned(), "\"1m 1ns\"".to_owned()],
        ("\"0s\"", "\"1m\"") => vec!["\"1m 1ns\"".to_owned()],
        ("\"0s\"", "\"24h\"") => vec!["\"24h 1ns\"".to_owned()],
        ("\"1ms\"", "\"1h\"") => vec!["\"999us\"".to_owned(), "\"1h 1ns\"".to_owned()],
        ("\"1s\"", "\"1h\"") => vec!["\"999ms\"".to_owned(), "\"1h 1ns\"".to_owned()],
        ("\"0s\"", "\"8760h\"") => vec!["\"8760h 1ns\"".to_owned()],
        ("\"1ms\"", "\"8760h\"") => vec!["\"999us\"".to_owned(), "\"8760h 1ns\"".to_owned()],
        ("\"1ms\"", "\"720h\"") => vec!["\"999us\"".to_owned(), "\"720h 1ns\"".to_owned()],
        ("\"100us\"", "\"1m\"") => vec!["\"99us\"".to_owned(), "\"1m 1ns\"".to_owned()],
        ("\"5ms\"", "\"1m\"") => vec!["\"4999us\"".to_owned(), "\"1m 1ns\"".to_owned()],
        ("\"10ms\"", "\"24h\"") => vec!["\"9999us\"".to_owned(), "\"24h 1ns\"".to_owned()],
        ("\"1s\"", "\"24h\"") => vec!["\"999ms\"".to_owned(), "\"24h 1ns\"".to_owned()],
        ("\"1ms\"", "\"10s\"") => vec!["\"999us\"".to_owned(), "\"10s 1ns\"".to_owned()],
        ("\"1ms\"", "\"24h\"") => vec!["\"999us\"".to_owned(), "\"24h 1ns\"".to_owned()],
        _ if is_whole => {
            let (low, high): (u64, u64) = (low.parse().unwrap(), high.parse().unwrap());
            low.checked_sub(1).into_iter().chain([high + 1]).map(|number| number.to_string()).collect()
        }
        _ => {
            let (low, high): (f64, f64) = (low.parse().unwrap(), high.parse().unwrap());
            [low - 1e-9, high + 1e-9].map(|number| format!("{number:?}")).to_vec()
        }
    }
}

#[test]
fn the_ranges_are_as_listed() {
    for list in LISTS {
        for Row { field, default, range } in list.rows() {
            let Some((low, high)) = range else { continue };
            // What another field is by default.
            let [low, high] = [low, high].map(|end| match end.as_str() {
                "window" | "overall" => "100".to_owned(),
                "at_most" => "\"5s\"".to_owned(),
                "every" => "\"1h\"".to_owned(),
                "limit" => "\"10s\"".to_owned(),
                "max_cut" => "0.98".to_owned(),
                "codel.target" => "\"5ms\"".to_owned(),
                _ => end,
            });
            let is_whole = !default.is_some_and(|text| text.contains('.')) && !low.contains('.');

            for value in [&low, &high] {
                let text = (list.assignment)(&field, value);
                assert_eq!((list.build)(&text), Ok(()), "{text}");
            }
            for value in outside(&low, &high, is_whole) {
                let text = (list.assignment)(&field, &value);
                let error = (list.build)(&text).expect_err(&text);
                assert_eq!(error.field(), error_field(list.at, &field));
            }
        }
    }
}

/// How an error names a field: a share of jitter is all there is of it, and whatever is wrong with a fault is chaos's.
fn error_field(at: &str, field: &str) -> String {
    let field = field.strip_prefix("what.").unwrap_or(field);
    format!("{at}.{}", field.trim_end_matches(".uniform").trim_end_matches(".exponential"))
}

#[test]
fn every_field_but_switches_has_its_range_listed() {
    for list in LISTS {
        let without = list.rows().into_iter().filter(|row| row.range.is_none()).map(|row| row.field);
        assert_eq!(without.collect::<Vec<_>>(), list.without_range);
    }
}
