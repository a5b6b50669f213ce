//! `switchyard completions`: what a shell has to know to complete the command.

use clap::{Command, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Failure, Status};

/// Print a script that completes the command in a shell
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  switchyard completions bash > ~/.local/share/bash-completion/completions/switchyard
  switchyard completions zsh > ~/.zfunc/_switchyard   (with ~/.zfunc in fpath before compinit)
  switchyard completions fish > ~/.config/fish/completions/switchyard.fish")]
pub(super) struct Args {
    /// The shell
    shell: Shell,
}

pub(super) fn run(args: &Args) -> Result<Status, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut shown(Cli::command()), "switchyard", &mut script);
    super::print(script.trim_ascii_end())?;
    Ok(Status::Done)
}

/// The command without what is nobody's business, which some shells would offer.
fn shown(whole: Command) -> Command {
    let commands = whole.get_subcommands().filter(|command| !command.is_hide_set());
    Command::new("switchyard")
        .disable_help_subcommand(true)
        .args(whole.get_arguments())
        .subcommands(commands)
}
