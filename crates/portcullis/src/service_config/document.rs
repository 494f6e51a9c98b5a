//! What a document says, checked.

use std::{collections::BTreeSet, ops::RangeInclusive, time::Duration};

use portcullis_core::{
    GrpcCodes,
    retry::{Backoff, BudgetConfig, Curve, Jitter},
};
use serde_json::Value;

use super::{ServiceConfigError, json::At};
use crate::{hedge, retry};

type Result<T> = std::result::Result<T, ServiceConfigError>;

/// A greater number of attempts is taken as this (gRFC A6).
const MAX_ATTEMPTS: u32 = 5;
/// Waits are 0.8 to 1.2 times what the backoff says (gRFC A6).
const JITTER: f64 = 0.2;

pub(super) const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(1)..=LONGEST;
const BACKOFFS: RangeInclusive<Duration> = Duration::from_nanos(1)..=LONGEST;
const DELAYS: RangeInclusive<Duration> = Duration::ZERO..=LONGEST;

const TIMEOUT: &str = "a duration, 0.001s to 86400s, such as \"1.5s\"";
const BACKOFF: &str = "a duration above 0s, at most 86400s, such as \"0.1s\"";
const DELAY: &str = "a duration, 0s to 86400s, such as \"0.5s\"";
const ATTEMPTS: &str = "a whole number, 2 or more";
const ABOVE_ZERO: &str = "a number above 0";

/// A service config.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) entries: Vec<Entry>,
    pub(super) throttling: BudgetConfig,
}

/// A method config.
#[derive(Debug)]
pub(super) struct Entry {
    /// As the beginnings of paths; see [`read_name`].
    pub(super) names: Vec<Box<str>>,
    pub(super) timeout: Option<Duration>,
    pub(super) attempts: Attempts,
}

/// How often the calls of a method are made.
#[derive(Clone, Debug)]
pub(super) enum Attempts {
    Once,
    Retried(retry::Config),
    Hedged(hedge::Config, GrpcCodes),
}

impl Document {
    pub(super) fn read(json: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(json).map_err(|error| {
            ServiceConfigError::new("", format!("no JSON ({error})"), "a service config as JSON")
        })?;
        let root = At::root(&value);
        let mut names = BTreeSet::new();
        let mut entries = Vec::new();
        for method in root.list("methodConfig")? {
            let entry = Entry::read(&method, &mut names)?;
            // One without names applies to nothing, by the specification.
            if !entry.names.is_empty() {
                entries.push(entry);
            }
        }
        let throttling = root.field("retryThrottling")?.map(|at| throttling(&at)).transpose()?;
        Ok(Self { entries, throttling: throttling.unwrap_or_default() })
    }
}

impl Entry {
    fn read(at: &At<'_>, known: &mut BTreeSet<Box<str>>) -> Result<Self> {
        let names: Result<Vec<_>> = at.list("name")?.iter().map(|name| read_name(name, known)).collect();
        let timeout = at.field("timeout")?.map(|at| at.duration(TIMEOUTS, TIMEOUT)).transpose()?;
        at.field("waitForReady")?.map(|at| at.flag()).transpose()?;
        let attempts = match (at.field("retryPolicy")?, at.field("hedgingPolicy")?) {
            (Some(_), Some(_)) => {
                let (path, both) = (at.path(), "both a retryPolicy and a hedgingPolicy");
                return Err(ServiceConfigError::new(path, both, "one of them, or none"));
            }
            (Some(retry), None) => Attempts::Retried(retry_policy(&retry)?),
            (None, Some(hedge)) => hedging_policy(&hedge)?,
            (None, None) => Attempts::Once,
        };
        Ok(Self { names: names?, timeout, attempts })
    }
}

/// A name as the beginning of the paths that it means: `/package.Service/Method`, `/package.Service/` for all
/// of a service, and nothing for all there are.
fn read_name(at: &At<'_>, known: &mut BTreeSet<Box<str>>) -> Result<Box<str>> {
    let text = |name| at.field(name)?.map_or(Ok(""), |at| at.text());
    let (service, method) = (text("service")?, text("method")?);
    let path: Box<str> = match (service, method) {
        ("", "") => "".into(),
        ("", _) => return Err(at.not("a method with its service")),
        _ => format!("/{service}/{method}").into(),
    };
    if !known.insert(path.clone()) {
        return Err(at.not("a name that no other method config has"));
    }
    Ok(path)
}

fn attempts(at: &At<'_>) -> Result<u32> {
    let attempts = at.required("maxAttempts", ATTEMPTS)?.whole(2..=u32::MAX, ATTEMPTS)?;
    Ok(attempts.min(MAX_ATTEMPTS))
}

fn retry_policy(at: &At<'_>) -> Result<retry::Config> {
    let max_attempts = attempts(at)?;
    let backoff = |name| at.required(name, BACKOFF)?.duration(BACKOFFS, BACKOFF);
    let (initial, longest) = (backoff("initialBackoff")?, backoff("maxBackoff")?);
    let factor = at.required("backoffMultiplier", ABOVE_ZERO)?.positive(ABOVE_ZERO)?;
    let codes = at.required("retryableStatusCodes", "at least one status code")?;
    let codes: GrpcCodes = match at.list("retryableStatusCodes")? {
        none if none.is_empty() => return Err(codes.not("at least one status code")),
        some => some.iter().map(At::code).collect::<Result<_>>()?,
    };
    let config = retry::Config {
        max_attempts,
        backoff: backoff_of(initial, longest, factor),
        grpc_codes: Some(codes),
        ..retry::Config::default()
    };
    config.check().map_err(|error| at.not(error.allowed()))?;
    Ok(config)
}

/// The waits, of which there are four at most, spread to both sides: above the longest one too (gRFC A6).
fn backoff_of(initial: Duration, longest: Duration, factor: f64) -> Backoff {
    let wait = |retry| {
        let wait = initial.as_secs_f64() * factor.powi(retry);
        Duration::try_from_secs_f64(wait).map_or(longest, |wait| wait.min(longest))
    };
    Backoff {
        curve: Curve::list((0..MAX_ATTEMPTS as i32 - 1).map(wait)),
        cap: longest.saturating_add(longest.mul_f64(JITTER)).min(LONGEST),
        jitter: Jitter::Uniform(JITTER),
        ..Backoff::default()
    }
}

fn hedging_policy(at: &At<'_>) -> Result<Attempts> {
    let max_attempts = attempts(at)?;
    let delay = at.field("hedgingDelay")?.map(|at| at.duration(DELAYS, DELAY)).transpose()?;
    let codes = at.list("nonFatalStatusCodes")?.iter().map(At::code).collect::<Result<_>>()?;
    let config = hedge::Config {
        max_attempts,
        delay: hedge::Delay::Fixed(delay.unwrap_or_default()),
        // It goes by code; see `Coded`.
        fatal: BTreeSet::new(),
        ..hedge::Config::default()
    };
    config.check().map_err(|error| at.not(error.allowed()))?;
    Ok(Attempts::Hedged(config, codes))
}

fn throttling(at: &At<'_>) -> Result<BudgetConfig> {
    const TOKENS: &str = "a whole number, 1 to 1000";
    const RATIO: &str = "a number, 0.001 to 1000, of which three decimals count";
    let max_tokens = at.required("maxTokens", TOKENS)?.whole(1..=1000, TOKENS)?;
    let ratio = at.required("tokenRatio", RATIO)?;
    // As text, because what is left of 0.001 after a multiplication may be less.
    let token_ratio = three_decimals(ratio.positive(RATIO)?);
    let config = BudgetConfig::throttle(max_tokens, token_ratio);
    config.check().map_err(|_| ratio.not(RATIO))?;
    Ok(config)
}

/// Cut, not rounded: what follows the third decimal is ignored, by the specification.
fn three_decimals(number: f64) -> f64 {
    let text = number.to_string();
    match text.split_once('.') {
        Some((whole, decimals)) if decimals.len() > 3 => {
            format!("{whole}.{}", &decimals[..3]).parse().unwrap_or(number)
        }
        _ => number,
    }
}
