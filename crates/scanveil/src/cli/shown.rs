//! What people read of the command line, as it was last looked at.

use super::Cli;
use clap::CommandFactory;
use std::fmt::Write;

/// The help of a command and of those below it.
fn helps(command: &mut clap::Command, path: &str, all: &mut String) {
    let path = format!("{path} {}", command.get_name());
    // Writing to a String cannot fail.
    let _ = writeln!(all, "$ scanveil{path} --help\n{}", command.render_long_help());
    for below in command.get_subcommands_mut().filter(|below| !below.is_hide_set()) {
        helps(below, &path, all);
    }
}

#[test]
fn help_is_as_it_was_read() {
    let mut command = Cli::command();
    command.build();
    let mut all = String::new();
    for below in command.get_subcommands_mut().filter(|below| !below.is_hide_set()) {
        if below.get_name() != "help" {
            helps(below, "", &mut all);
        }
    }
    insta::assert_snapshot!(all);
}
