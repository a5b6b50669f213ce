//! What stands on the terminal, as `testdata/terminal/*.txt` have it: commands behind `$`, and below each what it prints. Escapes are
//! written as `\e`. `UPDATE=1` writes the files anew.

use std::fmt::Write;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/terminal")
}

/// A shell with a command, which finds `switchyard`.
fn shell(command: &str) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_switchyard")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(folder()).env("PATH", path);
    for name in ["COLUMNS", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        shell.env_remove(name);
    }
    shell
}

/// A command with what it prints, as it would stand in a transcript.
fn transcript(command: &str) -> String {
    let output = shell(&format!("exec 2>&1; {command}")).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap().replace('\u{1b}', "\\e");
    let mut transcript = format!("$ {command}\n{printed}");
    match output.status.code() {
        Some(0) => {}
        status => writeln!(transcript, "(exit status {})", status.unwrap()).unwrap(),
    }
    transcript
}

fn holds(name: &str) {
    let file = folder().join(name);
    let expected = fs::read_to_string(&file).unwrap();
    let commands = expected.lines().filter_map(|line| line.strip_prefix("$ "));
    let printed = commands.map(transcript).collect::<Vec<_>>().join("\n");
    if std::env::var_os("UPDATE").is_some() {
        return fs::write(&file, printed).unwrap();
    }
    let differs = printed
        .lines()
        .zip(expected.lines())
        .find(|(printed, expected)| printed != expected);
    assert!(
        printed == expected,
        "{name} differs, first in {differs:#?}; all of it:\n{printed}"
    );
}

#[test]
fn findings_stand_as_they_did() {
    holds("check.txt");
}

#[test]
fn explanations_stand_as_they_did() {
    holds("explain.txt");
}

#[test]
fn differences_stand_as_they_did() {
    holds("diff.txt");
}

#[test]
fn readme_shows_what_is_printed() {
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    let readme = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"));
    let transcripts = ["check.txt", "explain.txt", "diff.txt"].map(|name| read(&folder().join(name)));
    let shown = readme
        .split("```console\n")
        .skip(1)
        .filter_map(|block| block.split("```").next());
    let mut shown = shown
        .filter(|block| block.contains("switchyard ") && block.contains(" shop"))
        .peekable();
    assert!(shown.peek().is_some());
    for block in shown {
        assert!(
            transcripts.iter().any(|transcript| transcript.contains(block)),
            "{block}"
        );
    }
}

#[test]
fn mistakes_are_one_clear_message() {
    holds("mistakes.txt");
}

#[test]
fn help_has_examples() {
    holds("help.txt");
}

/// Text without the escapes that colour it.
fn plain(text: &str) -> String {
    let mut parts = text.split("\\e[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').unwrap().1)
}

#[test]
fn no_line_is_longer_than_the_terminal_unless_a_word_is() {
    for width in [40, 60, 80] {
        for command in [
            "switchyard check shop | grep -v '|'",
            "switchyard explain -f shop http://reviews:9080/slow -H 'end-user: bob' --seed 2 --color always",
            "switchyard explain -f shop --requests access.log",
        ] {
            let printed = transcript(&format!("export COLUMNS={width}; {command}"));
            for line in printed.lines().skip(1).map(plain) {
                let is_word = line.split_whitespace().count() == 1;
                assert!(line.chars().count() <= width || is_word, "{width}: {line}");
            }
        }
    }
}

/// What a person sees of a command on a terminal of so many columns.
fn seen(columns: u16, command: &str) -> String {
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&person).unwrap();
    unlockpt(&person).unwrap();
    let size = Winsize {
        ws_row: 50,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&person, size).unwrap();
    let path = ptsname(&person, Vec::new()).unwrap();
    let terminal = File::options()
        .read(true)
        .write(true)
        .open(path.to_str().unwrap())
        .unwrap();
    let mut shell = shell(command);
    shell
        .env("TERM", "xterm")
        .stdout(terminal.try_clone().unwrap())
        .stderr(terminal);
    let mut child = shell.spawn().unwrap();
    drop(shell);
    let mut bytes = Vec::new();
    // It ends with an error once nobody writes any more.
    let _ = File::from(person).read_to_end(&mut bytes);
    child.wait().unwrap();
    String::from_utf8(bytes)
        .unwrap()
        .replace("\r\n", "\n")
        .replace('\u{1b}', "\\e")
}

#[test]
fn a_terminal_gets_colour_and_its_own_width() {
    let explain = "switchyard explain -f shop http://reviews:9080/slow -H 'end-user: bob'";
    for columns in [40, 80] {
        let seen = seen(columns, explain);
        assert!(seen.contains("\\e[31mno\\e[0m"), "{seen}");
        let piped = transcript(&format!("COLUMNS={columns} {explain}"));
        assert_eq!(plain(&seen), piped.split_once('\n').unwrap().1);
    }
    assert!(!seen(80, &format!("NO_COLOR=1 {explain}")).contains("\\e["));
    assert!(!seen(80, &format!("{explain} --color never")).contains("\\e["));
    assert!(seen(80, "switchyard check shop").contains("\\e[1m\\e[91merror[IST0101]"));
}

#[test]
fn long_work_shows_how_far_it_has_come_and_only_on_a_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("many.jsonl");
    fs::write(&file, "{\"url\": \"reviews:9080/slow\"}\n".repeat(20_000)).unwrap();
    let command = format!("switchyard explain -f shop --requests {}", file.display());
    let on_terminal = seen(80, &command);
    assert!(on_terminal.contains(" of 20,000 requests, "), "{on_terminal}");
    // The bar is gone at the end, and the table stays.
    let last = on_terminal.rsplit("\\e[2K").next().unwrap();
    assert!(
        last.starts_with("requests  share  rule\n   20000  100 %"),
        "{on_terminal}"
    );
    let piped = transcript(&command);
    assert!(piped.contains("20000  100 %") && !piped.contains("20,000"), "{piped}");
}
