//! The decision, told to those who know the header that asks for it.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::support::http::{Answer, Call, Http2, get};
use crate::support::manifest::virtual_service;
use crate::support::turn;
use crate::support::web::Web;

const ASKS: &str = "x-why-7f3a";

/// Each is reached by its name as the path.
const RULES: [&str; 8] = [
    "{name: jason, match: [{headers: {end-user: {exact: jason}}}], route: [{destination: {host: web, subset: v2}}]}",
    "{match: [{uri: {exact: /split}}], route: [{destination: {host: web, subset: v1}, weight: 30}, \
        {destination: {host: web, subset: v2}, weight: 70}]}",
    "{match: [{uri: {exact: /mirrored}}], mirror: {host: web, subset: v2}, route: [{destination: {host: web, subset: v1}}]}",
    "{match: [{uri: {exact: /aborted}}], fault: {abort: {percentage: {value: 100}, httpStatus: 418}}, \
        route: [{destination: {host: web, subset: v1}}]}",
    "{match: [{uri: {exact: /delayed}}], fault: {delay: {percentage: {value: 100}, fixedDelay: 0.1s}}, \
        headers: {response: {add: {x-rule: delayed}}}, route: [{destination: {host: web, subset: v1}}]}",
    "{match: [{uri: {exact: /late}}], fault: {delay: {percentage: {value: 100}, fixedDelay: 0.1s}, \
        abort: {percentage: {value: 100}, httpStatus: 503}}, route: [{destination: {host: web, subset: v1}}]}",
    "{match: [{uri: {exact: /moved}}], redirect: {uri: /elsewhere}}",
    "{match: [{uri: {exact: /missing}}], route: [{destination: {host: web, subset: v9}}]}",
];

async fn explaining() -> Web {
    // Nobody cares how the option is spelt.
    let mut web = Web::with_options(json!({"explainHeader": "X-Why-7F3A"}), &RULES).await;
    let some = virtual_service(
        "refused",
        &["{match: [{uri: {exact: /x}}], route: [{destination: {host: web}}]}"],
    );
    web.switchyard.apply(&some).await;
    web
}

fn told(answer: &Answer) -> &str {
    answer.header(ASKS)
}

/// What the command says of the same request.
fn explained(manifests: &Path, host: &str, path: &str, header: &[u8]) -> String {
    let header = format!("end-user: {}", String::from_utf8_lossy(header));
    let output = Command::new(env!("CARGO_BIN_EXE_switchyard"))
        .args([
            "explain",
            "-o",
            "short",
            "-H",
            &header,
            &format!("http://{host}{path}"),
            "-f",
        ])
        .arg(manifests)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

#[tokio::test]
async fn who_asks_is_told_what_the_command_says() {
    let _turn = turn::alongside().await;
    let mut web = explaining().await;
    let manifests = web.switchyard.manifests();
    let to = |subset: &str| format!("; to outbound|8080|{subset}|web.default.svc.cluster.local");
    for (path, status, part) in [
        ("/", 200, to("v1")),
        (
            "/mirrored",
            200,
            "; copied to outbound|8080|v2|web.default.svc.cluster.local".to_owned(),
        ),
        (
            "/aborted",
            418,
            "; aborted with 418; not default/web http[2].match[0]: path is /aborted,".to_owned(),
        ),
        ("/delayed", 200, "; delayed 100 ms; to ".to_owned()),
        ("/late", 503, "; delayed 100 ms; aborted with 503".to_owned()),
        ("/moved", 301, "; answered with 301".to_owned()),
        ("/missing", 503, to("v9")),
    ] {
        let plain = get("web:8080", path).header("end-user", "bob").send(web.address).await;
        let asking = get("web:8080", path).header("end-user", "bob").header(ASKS, "");
        let asked = asking.send(web.address).await;
        assert_eq!(
            (plain.status.as_u16(), asked.status.as_u16()),
            (status, status),
            "{path}"
        );
        assert_eq!(plain.body, asked.body);
        assert_eq!(plain.headers.get(ASKS), None);
        assert!(told(&asked).contains(&part), "{path}: {}", told(&asked));
        assert_eq!(told(&asked), explained(&manifests, "web:8080", path, b"bob"));
    }
    for (host, status) in [("plain:8080", 200), ("refused:8080", 404), ("unheard.of:8080", 404)] {
        let asked = get(host, "/y")
            .header(ASKS, "1")
            .header("end-user", "bob")
            .send(web.address)
            .await;
        assert_eq!(asked.status, status, "{host}");
        assert_eq!(told(&asked), explained(&manifests, host, "/y", b"bob"));
    }
    // Nothing of it goes further, neither upstream nor to a mirror.
    let received = [web.v1.received(), web.v2.receives(2).await].concat();
    assert!(received.len() > 6 && received.iter().all(|request| !request.headers.contains_key(ASKS)));
    web.assert_unharmed().await;
    let log = web.switchyard.access_log("web:8080", 15).await;
    let explained = log.iter().filter(|line| !line["switchyard_explanation"].is_null());
    assert_eq!(explained.count(), 7);
    let late = log.iter().rfind(|line| line["path"] == "/late").unwrap();
    assert!(
        late["switchyard_explanation"]
            .as_str()
            .unwrap()
            .starts_with("by default/web http[5].match[0]; delayed")
    );
}

#[tokio::test]
async fn a_draw_is_told_as_it_fell() {
    let _turn = turn::alongside().await;
    let mut web = explaining().await;
    let client = Http2::open(web.address).await;
    let mut drawn = [0, 0];
    for _ in 0..40 {
        let call = get("web:8080", "/split").header(ASKS, "please");
        let said = told(&client.send(call).await.unwrap()).to_owned();
        let rest = said
            .strip_prefix("by default/web http[1].match[0]; to outbound|8080|v")
            .unwrap();
        let (version, rest) = rest.split_once('|').unwrap();
        let (number, weight) = rest
            .strip_prefix("web.default.svc.cluster.local, drawn ")
            .and_then(|rest| rest.split_once(';')?.0.split_once(" of 100, weight "))
            .unwrap();
        let is_v1 = number.parse::<u32>().unwrap() < 30;
        assert_eq!(
            (version, weight),
            if is_v1 { ("1", "30") } else { ("2", "70") },
            "{said}"
        );
        drawn[usize::from(!is_v1)] += 1;
    }
    assert_eq!([web.v1.received().len(), web.v2.received().len()], drawn);
    web.assert_unharmed().await;
}

#[tokio::test]
async fn no_value_breaks_the_answer_or_makes_it_long() {
    let _turn = turn::alongside().await;
    let mut web = explaining().await;
    let manifests = web.switchyard.manifests();
    let long = vec![b'x'; 50_000];
    let odd: [&[u8]; 4] = [b"\xff\xfe", "caf\u{e9}".as_bytes(), b"a\tb", &long];
    for value in odd {
        let call = || get("web:8080", "/").header("end-user", value);
        let asked = call()
            .header(ASKS, b"\xff")
            .header(ASKS, "again")
            .send(web.address)
            .await;
        assert_eq!(asked.status, 200);
        assert!(told(&asked).bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        assert!(told(&asked).starts_with("by default/web http[8]; to ") && told(&asked).len() <= 4099);
        if value.len() < 100 {
            assert_eq!(told(&asked), explained(&manifests, "web:8080", "/", value));
        }
        let received = web.v1.received().pop().unwrap();
        assert_eq!((received.header("end-user"), received.headers.get(ASKS)), (value, None));
    }
    web.assert_unharmed().await;
}

#[tokio::test]
async fn nobody_is_told_unless_the_option_says_so() {
    let _turn = turn::alongside().await;
    let mut web = Web::with(&RULES).await;
    let asking = |path: &str| -> Call { get("web:8080", path).header(ASKS, "1") };
    for path in ["/", "/aborted", "/moved"] {
        let answer = asking(path).send(web.address).await;
        assert_eq!(answer.headers.get(ASKS), None, "{path}");
    }
    // It is a header as any other.
    assert_eq!(web.v1.received()[0].header(ASKS), b"1");
    web.assert_unharmed().await;
    let log = web.switchyard.access_log("web:8080", 4).await;
    assert!(log.iter().all(|line| line.get("switchyard_explanation").is_none()));
}
