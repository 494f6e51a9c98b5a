//! Runs `wrk`, and reads what it says.

use anyhow::{Context, Result, bail, ensure};
use xshell::{Shell, cmd};

use super::server::Placement;

/// Connections that are kept alive, each with one request at a time: enough that the server never waits for one.
pub(crate) const CONNECTIONS: u32 = 32;

/// A load of fixed length.
pub(crate) struct Load<'a> {
    pub(crate) shell: &'a Shell,
    pub(crate) seconds: u64,
    pub(crate) connections: u32,
}

/// What was answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Answered {
    pub(crate) requests: u64,
    /// In which they were answered.
    pub(crate) seconds: f64,
    /// How many of them were no success.
    pub(crate) refused: u64,
}

impl Load<'_> {
    /// Asks for this URL, as fast as it is answered.
    ///
    /// # Errors
    ///
    /// A connection that broke, or no answer at all.
    pub(crate) fn ask(&self, url: &str, placement: Placement) -> Result<Answered> {
        let (seconds, connections) = (self.seconds.to_string(), self.connections.to_string());
        let wrk = ["wrk", "--threads", "1", "--connections", &connections, "--duration", &seconds, url];
        let mut words = placement.of_load().iter().copied().chain(wrk);
        let program = words.next().context("a command line has a first word")?;
        let said = cmd!(self.shell, "{program} {words...}").quiet().read()?;
        parse(&said).with_context(|| format!("wrk said\n{said}"))
    }
}

/// What wrk says: `215371 requests in 2.10s, 30.40MB read` among other lines; and others for what went wrong.
fn parse(said: &str) -> Result<Answered> {
    let lines = || said.lines().map(str::trim);
    if let Some(wrong) = lines().find(|line| line.starts_with("Socket errors:")) {
        bail!("{wrong}");
    }
    let (requests, rest) = lines()
        .find_map(|line| line.split_once(" requests in "))
        .context("no line says how many requests")?;
    let (time, _) = rest.split_once(',').context("no time is said")?;
    let refused = lines().find_map(|line| line.strip_prefix("Non-2xx or 3xx responses: "));
    let refused = refused.map_or(Ok(0), str::parse).context("a number of refusals that is none")?;
    let answered = Answered { requests: requests.parse()?, seconds: seconds(time)?, refused };
    ensure!(answered.requests > 0 && answered.seconds > 0.0, "nothing was answered");
    Ok(answered)
}

/// A time as wrk says it: `2.10s`, `980.12ms`, `1.02m`.
fn seconds(time: &str) -> Result<f64> {
    let (number, unit) = time.split_at(time.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(time.len()));
    let scale = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => bail!("not a time: {time}"),
    };
    Ok(number.parse::<f64>().with_context(|| format!("not a time: {time}"))? * scale)
}

#[cfg(test)]
mod tests {
    use super::{Answered, parse, seconds};

    const SAID: &str = "\
Running 2s test @ http://127.0.0.1:43625/stock/tea
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   301.26us  142.36us   8.01ms   95.13%
    Req/Sec   108.11k     3.58k  112.52k    90.48%
  225937 requests in 2.10s, 28.87MB read
Requests/sec: 107594.42
Transfer/sec:     13.75MB
";

    #[test]
    fn requests_and_time_are_read() {
        assert_eq!(parse(SAID).unwrap(), Answered { requests: 225_937, seconds: 2.10, refused: 0 });
    }

    #[test]
    fn refusals_are_counted_and_what_broke_off_is_no_figure() {
        let with = |line: &str| parse(&SAID.replace("Requests/sec", &format!("{line}\nRequests/sec")));
        assert_eq!(with("  Non-2xx or 3xx responses: 12").unwrap().refused, 12);
        assert!(with("  Non-2xx or 3xx responses: many").is_err());
        assert!(with("  Socket errors: connect 0, read 1, write 0, timeout 0").is_err());
    }

    #[test]
    fn nothing_answered_is_no_figure() {
        assert!(parse("").is_err());
        assert!(parse("  0 requests in 2.10s, 0.00B read").is_err());
        assert!(parse("unable to connect to 127.0.0.1:1 Connection refused").is_err());
    }

    #[test]
    fn times_have_units() {
        assert!((seconds("980.00ms").unwrap() - 0.98).abs() < 1e-9);
        assert!((seconds("1.50m").unwrap() - 90.0).abs() < 1e-9);
        assert!(seconds("2.10").is_err());
        assert!(seconds("fast").is_err());
    }
}
