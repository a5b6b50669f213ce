//! What `run` says without an Envoy; what it does with one is among the end-to-end tests.

use super::{Outcome, directory, switchyard};

const RIGHT: &str = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a}\nspec: {host: a}\n";

/// Runs on this document, with an Envoy that does what the shell says.
fn run(document: &str, envoy: &str, args: &[&str]) -> Outcome {
    let files = [
        ("m/a.yaml", document),
        ("switchyard.wasm", ""),
        ("envoy", &format!("#!/bin/sh\n{envoy}\n")),
    ];
    let directory = directory(&files);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(directory.path().join("envoy"), mode).unwrap();
    let defaults =
        "run -f m --envoy envoy --wasm switchyard.wasm --admin 127.0.0.1:0 --ready 127.0.0.1:0 --events human";
    switchyard(
        directory.path(),
        &[&defaults.split(' ').collect::<Vec<_>>(), args].concat(),
        "",
    )
}

#[test]
fn strict_starts_on_nothing_that_is_wrong() {
    let outcome = run(
        &RIGHT.replace("host", "hots"),
        "echo started >&2; exit 3",
        &["--strict"],
    );
    assert_eq!(outcome.status, 1);
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    assert!(
        lines[0].starts_with("m/a.yaml:4:8: error: DestinationRule default/a hots: "),
        "{lines:?}"
    );
    assert_eq!(
        lines.last(),
        Some(&"error: nothing is started: --strict, and a document is refused")
    );
    assert!(!outcome.stderr.contains("started\n"), "{lines:?}");
}

#[test]
fn an_envoy_that_does_not_start_is_quoted() {
    let outcome = run(RIGHT, "echo 'critical main: no such thing' >&2; exit 3", &[]);
    assert_eq!(outcome.status, 2);
    assert!(
        outcome
            .stderr
            .contains("error: Envoy has ended\n  critical main: no such thing\n"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn what_is_missing_is_named_with_what_would_name_it() {
    let directory = directory(&[("m/a.yaml", RIGHT)]);
    let outcome = switchyard(
        directory.path(),
        &["run", "-f", "m", "--envoy", "none", "--ready", "127.0.0.1:0"],
        "",
    );
    assert_eq!(
        (outcome.status, outcome.stderr.as_str()),
        (2, "error: none (from --envoy) is not a file\n")
    );
    let args = [
        "run",
        "-f",
        "m",
        "--envoy",
        "m/a.yaml",
        "--wasm",
        "m/a.yaml",
        "--ready",
        "192.0.2.1:1",
    ];
    let outcome = switchyard(directory.path(), &args, "");
    assert_eq!(outcome.status, 2);
    assert!(
        outcome.stderr.starts_with("error: --ready 192.0.2.1:1: "),
        "{}",
        outcome.stderr
    );
}
