//! The binary: `ready`, its log on standard output, its end.
#![allow(clippy::unwrap_used)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn sample_services(specs: &[&str]) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sample-services"));
    for spec in specs {
        command.args(["--service", spec]);
    }
    Process(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

#[test]
fn it_says_where_it_listens_and_that_it_is_ready_and_ends_at_sigterm_whatever_is_under_way() {
    let mut process = sample_services(&["name=ratings,listen=127.0.0.1:0", "name=details,listen=127.0.0.1:0"]);
    let mut lines = BufReader::new(process.0.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let ratings = lines.next().unwrap();
    let address = ratings.strip_prefix("listening ratings-v1 ").unwrap().to_owned();
    assert!(lines.next().unwrap().starts_with("listening details-v1 127.0.0.1:"));
    assert_eq!(lines.next().unwrap(), "ready");

    let mut caller = TcpStream::connect(&address).unwrap();
    caller
        .write_all(b"GET /ratings/0 HTTP/1.1\r\nhost: ratings:9080\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    caller.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("x-served-by: ratings-v1"),
        "{answer}"
    );
    let line = lines.next().unwrap();
    assert!(
        line.contains(r#""host":"ratings:9080""#) && !line.contains("headers"),
        "{line}"
    );

    let mut caller = TcpStream::connect(&address).unwrap();
    caller
        .write_all(b"GET /ratings/0 HTTP/1.1\r\nhost: a\r\nx-echo-delay-ms: 60000\r\n\r\n")
        .unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let begin = Instant::now();
    assert!(
        Command::new("kill")
            .arg(process.0.id().to_string())
            .status()
            .unwrap()
            .success()
    );
    assert!(process.0.wait().unwrap().success());
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
}

#[test]
fn a_faulty_spec_is_named_and_ends_it() {
    let mut process = sample_services(&["name=reviews,version=v4,listen=127.0.0.1:0"]);
    assert!(!process.0.wait().unwrap().success());
    let mut text = String::new();
    process.0.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(
        text.contains("reviews has no version `v4`; it has v1, v2, v3"),
        "{text}"
    );
}
