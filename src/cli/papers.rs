//! What a package puts beside the program: shell completions and manual pages, both made of the command line itself.

use clap_complete::Shell;
use clap_mangen::Man;

use super::command;

/// What makes a shell complete commands and options.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "drift-sidecar", &mut script);
    script
}

/// Pages by file name: that of the program, then one for each command.
pub fn manual() -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut program = command().disable_help_subcommand(true);
    program.build();
    let all: Vec<clap::Command> = std::iter::once(&program).chain(program.get_subcommands()).cloned().collect();
    let page = |command: clap::Command| {
        let name = format!("{}.1", command.get_display_name().unwrap_or(command.get_name()));
        let mut text = Vec::new();
        Man::new(command).render(&mut text)?;
        Ok((name, text))
    };
    all.into_iter().map(page).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shell_completes_commands_and_options() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Elvish, Shell::PowerShell] {
            let script = String::from_utf8(completions(shell)).unwrap();
            assert!(script.contains("retrain-webhook") && script.contains("fail-on-drift"), "{shell}");
        }
    }

    #[test]
    fn each_command_has_a_page_with_its_options_and_example() {
        let pages = manual().unwrap();
        let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names[..3], ["drift-sidecar.1", "drift-sidecar-run.1", "drift-sidecar-once.1"]);
        for (name, text) in &pages[1..] {
            let text = String::from_utf8(text.clone()).unwrap();
            assert!(text.starts_with(".ie") && text.contains("Example:"), "{name}: {text}");
        }
        let compare = pages.iter().find(|(name, _)| name == "drift-sidecar-compare.1").unwrap();
        assert!(String::from_utf8_lossy(&compare.1).contains("wasserstein"));
    }
}
