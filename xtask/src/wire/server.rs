//! The program `wire` of `portcullis-benches`: builds it, starts it, and asks it.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

/// Where the two sides run, one core each.
const PINNED: [&[&str]; 2] = [&["taskset", "-c", "0"], &["taskset", "-c", "1"]];

/// Which cores the two sides have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    /// One each, by `taskset`.
    Apart,
    /// Wherever the system puts them.
    Anywhere,
}

impl Placement {
    /// Apart, where this process may use both cores.
    fn of(shell: &Shell) -> Self {
        let works = |words: &&[&str]| {
            let [program, arguments @ ..] = *words else { return false };
            cmd!(shell, "{program} {arguments...} true").quiet().ignore_stderr().run().is_ok()
        };
        if PINNED.iter().all(works) { Self::Apart } else { Self::Anywhere }
    }

    /// In words.
    pub(crate) fn told(self) -> &'static str {
        match self {
            Self::Apart => "the server has one core, and wrk another",
            Self::Anywhere => "server and wrk have no cores of their own: there is one only, or no `taskset`",
        }
    }

    /// What a command line begins with for the server.
    pub(crate) fn of_server(self) -> &'static [&'static str] {
        match self {
            Self::Apart => PINNED[0],
            Self::Anywhere => &[],
        }
    }

    /// And for who asks it.
    pub(crate) fn of_load(self) -> &'static [&'static str] {
        match self {
            Self::Apart => PINNED[1],
            Self::Anywhere => &[],
        }
    }
}

/// The built program.
pub(crate) struct Program<'a> {
    shell: &'a Shell,
    path: PathBuf,
    placement: Placement,
}

impl<'a> Program<'a> {
    /// Builds it.
    pub(crate) fn build(shell: &'a Shell) -> Result<Self> {
        cmd!(shell, "cargo build --release --package portcullis-benches --features wire --bin wire").run()?;
        let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
        let path = shell.current_dir().join(target).join("release").join("wire");
        Ok(Self { shell, path, placement: Placement::of(shell) })
    }

    pub(crate) fn placement(&self) -> Placement {
        self.placement
    }

    /// Every variant's name, and what stands before its handlers.
    pub(crate) fn list(&self) -> Result<Vec<(String, String)>> {
        let path = &self.path;
        let list = cmd!(self.shell, "{path} list").quiet().read()?;
        let pair =
            |line: &str| line.split_once('\t').map(|(name, layers)| (name.to_owned(), layers.to_owned()));
        list.lines().map(|line| pair(line).with_context(|| format!("not a variant: {line}"))).collect()
    }

    /// Starts the server of a variant.
    pub(crate) fn start(&self, variant: &str) -> Result<Server> {
        self.start_under(&[], variant)
    }

    /// Starts it under another program.
    pub(crate) fn start_under(&self, under: &[String], variant: &str) -> Result<Server> {
        let pinned = self.placement.of_server().iter().map(|&word| word.into());
        let mut words =
            pinned.chain(under.iter().map(Into::into)).chain([self.path.clone().into_os_string()]);
        let mut command = Command::new(words.next().context("a command line has a first word")?);
        command.args(words).args(["serve", variant]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let child = command.spawn().with_context(|| format!("{command:?} did not start"))?;
        Server::new(child, self.placement)
    }
}

/// A running server; it ends with its input.
pub(crate) struct Server {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    url: String,
    placement: Placement,
}

impl Server {
    fn new(mut child: Child, placement: Placement) -> Result<Self> {
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().context("the server has an output")?);
        let mut server = Self { child, input, output, url: String::new(), placement };
        server.url = server.line()?;
        Ok(server)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn placement(&self) -> Placement {
        self.placement
    }

    /// How long it had a core so far.
    pub(crate) fn cpu(&mut self) -> Result<Duration> {
        let input = self.input.as_mut().context("the server has an input")?;
        writeln!(input, "cpu").context("the server has ended")?;
        Ok(Duration::from_nanos(self.line()?.parse().context("the server says nanoseconds")?))
    }

    /// Ends it, and waits until it has.
    pub(crate) fn end(mut self) -> Result<()> {
        drop(self.input.take());
        let status = self.child.wait()?;
        anyhow::ensure!(status.success(), "the server ended by {status}");
        Ok(())
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        anyhow::ensure!(line.ends_with('\n'), "the server has ended");
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Server {
    /// It ends by itself with its input; nobody waits for ever for one that does not.
    fn drop(&mut self) {
        drop(self.input.take());
        // It may have ended already, and then there is nothing to do.
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}
