//! `cargo xtask bench wire`: what stacks cost a server that `wrk` asks over loopback.
//!
//! Every variant has a process of its own, which is asked for a short time in each round; a round's throughput is held
//! against that of the bare server in the same round. What else the machine does passes by both.

mod count;
mod figures;
mod page;
mod server;
mod wrk;

use anyhow::{Context, Result, bail, ensure};
use xshell::Shell;

use crate::setup::{self, Purpose};
use crate::table;
use figures::{Line, Sample};
use server::{Program, Server};
use wrk::{Answered, CONNECTIONS};

/// The page with the table.
const PAGE: &str = "benches/README.md";
/// Around the table.
const MARKS: [&str; 2] = ["<!-- cargo xtask bench wire: begin -->", "<!-- cargo xtask bench wire: end -->"];
/// The server that the others are held against.
const BARE: &str = "bare";
/// A second process of it, which says how far two that are the same come out apart.
const AGAIN: &str = "bare, again";
/// Enough for quartiles, and over in some minutes.
const ROUNDS: usize = 15;
/// Of each server in each round.
const SECONDS: u64 = 2;
/// Turns of a server whose requests are refused.
const ATTEMPTS: usize = 5;

/// What was asked for.
pub(crate) struct Options {
    /// How often every server has its turn.
    pub(crate) rounds: usize,
    /// How long a turn is.
    pub(crate) seconds: u64,
    /// Only this variant, and the bare server; printed only.
    pub(crate) only: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { rounds: ROUNDS, seconds: SECONDS, only: None }
    }
}

/// Measures, prints the table, and writes it to the page.
pub(crate) fn run(shell: &Shell, options: &Options) -> Result<()> {
    ensure!(options.rounds > 0 && options.seconds > 0, "no rounds, or rounds of no length, measure nothing");
    setup::setup(shell, Purpose::Bench)?;
    let program = Program::build(shell)?;
    let variants = chosen(&program, options)?;
    let load = wrk::Load { shell, seconds: options.seconds, connections: CONNECTIONS };
    println!("xtask bench: {}", program.placement().told());

    let mut lines = rounds(&program, &load, &variants, options.rounds)?;
    for line in lines.iter_mut().filter(|line| line.name != AGAIN) {
        line.instructions = Some(count::per_request(shell, &program, &line.name)?);
    }
    let measured = page::render(&lines, program.placement());
    println!("\n{measured}");
    if options.only.is_none() {
        let page = shell.read_file(PAGE)?;
        shell.write_file(PAGE, table::replace_between(MARKS, &page, &measured)?)?;
        println!("xtask bench: {PAGE} is rewritten");
    }
    Ok(())
}

/// The name of each variant, and what stands before its handlers; the bare server first, and once more.
fn chosen(program: &Program<'_>, options: &Options) -> Result<Vec<Line>> {
    let mut lines: Vec<_> =
        program.list()?.into_iter().map(|(name, layers)| Line::new(name, layers)).collect();
    if let Some(only) = &options.only {
        ensure!(lines.iter().any(|line| line.name == *only), "there is no variant {only}");
        lines.retain(|line| line.name == BARE || line.name == *only);
    }
    ensure!(lines.first().is_some_and(|first| first.name == BARE), "the bare server is not the first");
    lines.insert(1, Line::new(AGAIN.to_owned(), "nothing".to_owned()));
    Ok(lines)
}

/// Every server has its turn in every round.
fn rounds(program: &Program<'_>, load: &wrk::Load<'_>, lines: &[Line], rounds: usize) -> Result<Vec<Line>> {
    let mut lines = lines.to_vec();
    let variant = |name: &str| if name == AGAIN { BARE } else { name }.to_owned();
    let mut servers = Vec::new();
    for line in &lines {
        let mut server = program.start(&variant(&line.name))?;
        // What is made at the first requests is made before anything is measured.
        turn(&mut server, load).with_context(|| format!("{}, to warm up", line.name))?;
        servers.push(server);
    }
    for round in 0..rounds {
        for place in order(round, servers.len()) {
            let (line, server) = (&mut lines[place], &mut servers[place]);
            let sample = turn(server, load).with_context(|| line.name.clone())?;
            println!("round {:2} {:20} {}", round + 1, line.name, sample);
            line.samples.push(sample);
        }
    }
    Ok(lines)
}

/// One turn of one server. Where something was refused it is no figure, and the turn is had again: a server that gets no
/// core finds itself late, and sheds load, as it should.
fn turn(server: &mut Server, load: &wrk::Load<'_>) -> Result<Sample> {
    for _ in 0..ATTEMPTS {
        let before = server.cpu()?;
        let Answered { requests, seconds, refused } = load.ask(server.url(), server.placement())?;
        let cpu = server.cpu()?.saturating_sub(before);
        if refused == 0 {
            return Ok(Sample { requests, seconds, cpu });
        }
        println!("{refused} of {requests} requests were refused: once more");
    }
    bail!("requests were refused {ATTEMPTS} times in a row: the machine does something else")
}

/// Everybody has every place of a round in turn, and forwards and backwards, so that nobody always follows the same.
fn order(round: usize, servers: usize) -> Vec<usize> {
    let mut order: Vec<_> = (0..servers).map(|place| (place + round) % servers).collect();
    if round % 2 == 1 {
        order.reverse();
    }
    order
}

#[cfg(test)]
mod tests {
    use super::order;

    #[test]
    fn everybody_has_a_turn_in_every_round_and_the_order_changes() {
        for round in 0..20 {
            let mut turns = order(round, 7);
            assert_ne!(turns, order(round + 1, 7));
            turns.sort_unstable();
            assert_eq!(turns, [0, 1, 2, 3, 4, 5, 6]);
        }
    }
}
