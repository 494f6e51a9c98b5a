//! The command line.
//!
//! ```text
//! storm                      the whole storm, 50 s, and its verdict
//! storm --serve              the same, and it keeps running
//! storm scenes               the names of the scenes
//! storm scene recovery-cycle one of them
//! ```

use clap::{Parser, Subcommand};

use crate::scenes::Scene;
use crate::storm::Options;

/// Real traffic, real faults: the same storm over a gateway without and with Portcullis.
#[derive(Debug, Parser)]
#[command(version, about, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    /// What to do instead of the storm.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Length of the storm in seconds; phases shrink and grow with it.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(25..=3600))]
    seconds: u64,
    /// Port of the live page on loopback; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Keep everything running after the verdict, until Ctrl-C.
    #[arg(long)]
    serve: bool,
}

impl Cli {
    /// What the main job is told.
    pub(crate) const fn options(&self) -> Options {
        Options { seconds: self.seconds, port: self.port, serve: self.serve }
    }
}

/// What else there is.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the scenes.
    Scenes,
    /// Play one scene.
    Scene {
        /// Its name.
        name: Scene,
    },
}
