use std::path::Path;
use std::process::Command;

use super::switchyard;

/// What bash offers for a line that is typed so far, its last word unfinished.
fn offered(line: &[&str]) -> Vec<String> {
    let script = switchyard(Path::new("."), &["completions", "bash"], "").stdout;
    let words: Vec<String> = line.iter().map(|word| format!("'{word}'")).collect();
    let last = line.len() - 1;
    let asked = format!(
        "{script}\nCOMP_WORDS=({})\nCOMP_CWORD={last}\n_switchyard switchyard '{}' '{}'\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
        words.join(" "),
        line[last],
        line[last - 1],
    );
    let output = Command::new("bash").args(["--norc", "-c", &asked]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_flags_and_values() {
    assert_eq!(offered(&["switchyard", "exp"]), ["explain"]);
    assert_eq!(offered(&["switchyard", "check", "--fail"]), ["--fail-on"]);
    assert_eq!(offered(&["switchyard", "check", "--fail-on", "w"]), ["warning"]);
    assert!(!offered(&["switchyard", ""]).contains(&"bound-to-parent".to_owned()));
}

#[test]
fn other_shells_have_scripts_and_unknown_ones_a_message() {
    for (shell, begins) in [
        ("zsh", "#compdef switchyard"),
        ("fish", "# Print an optspec"),
        ("powershell", ""),
        ("elvish", ""),
    ] {
        let outcome = switchyard(Path::new("."), &["completions", shell], "");
        assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""), "{shell}");
        assert!(
            outcome.stdout.starts_with(begins) && outcome.stdout.contains("explain"),
            "{}",
            outcome.stdout
        );
    }
    let outcome = switchyard(Path::new("."), &["completions", "bsh"], "");
    assert_eq!(outcome.status, 2);
    assert!(
        outcome.stderr.contains("a similar value exists: 'bash'"),
        "{}",
        outcome.stderr
    );
}
