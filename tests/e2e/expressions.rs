//! Regular expressions, as Envoy's own RE2 reads them and as the library does. `testdata/differences.md` lists what is not alike.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use switchyard::matcher::Regex;

use crate::support::envoy::Envoy;
use crate::support::http::{Connection, get};
use crate::support::ports::Port;
use crate::support::turn;

const MEMORY: usize = 1 << 20;

/// What both know.
const BOTH: [&str; 113] = [
    "a",
    "a(?i)*",
    ".",
    ".*",
    "a|ab",
    "a||b",
    "(|a)*",
    "()",
    "(?:)",
    "(a)(b)?",
    "a$",
    "^a",
    "$^",
    "a$b",
    "(?m)^a$",
    "(?s).",
    "^*",
    "^*?",
    r"\b*",
    r"\b{2}",
    r"\b{start}",
    r"\ba\b",
    r"\Ba",
    r"\Aa\z",
    "a+?",
    "a??",
    "a{2}",
    "a{2}?",
    "a{2,}",
    "a{0}",
    "a{1,3}",
    "a{1000}",
    "a{1000,}",
    "(a{100}){10}",
    "((a{2})b){400}",
    "(?:(?:a{9}){9}){9}",
    "a{999}b{999}",
    "(?:a*)*",
    "(?:a{2})*",
    "(a+)+",
    "x{",
    "x{a}",
    "x{1",
    "x{1,",
    "a{,5}",
    "a{ 2}",
    "a{01}",
    "a{99999999999}",
    "/{id}",
    "}",
    "]",
    "(?i)a",
    "(?i)ab|k",
    "(?i:a)b",
    "a(?i)b(?-i)c",
    "(?U)a+?",
    "(?U:a+)",
    "(?s-i)a",
    "(?i-s:a)",
    "(?ii)a",
    "(?i-i)a",
    "(?)a",
    "(?-i)a",
    "(?P<n>a)(?P<m>b)",
    "(?P<1a>a)",
    "(?<n>a)",
    "(?P<n>a)(?P<n>b)",
    r"\d+",
    r"\D",
    r"\w+",
    r"\W",
    r"a\sb",
    r"a\Sb",
    r"[\s]",
    r"a[\S]b",
    r"[\d\D]",
    r"\.",
    r"\ ",
    r"\_",
    r"\-",
    r"\<a\>",
    r"\101",
    r"\12",
    r"\0",
    r"\08",
    r"\x61",
    r"\x{61}",
    r"\x{0061}",
    r"\xe9",
    r"(?i)\xe9",
    r"\Qa.b\E",
    r"\Qa",
    r"a\Qb\E*",
    r"a\Q\E*",
    r"\Qé\E+",
    r"\C+",
    "é+",
    "[é]+",
    "[à-é]+",
    r"[^\x00-\x7f]",
    "[a-c-]+",
    r"[\w-.]+",
    r"[\d-z]",
    "[a-b-z]+",
    "[---]",
    "[+--]",
    "[]a]+",
    "[^]a]",
    "[a&&b]+",
    "[^[]+",
    "[[:alpha:]_]+",
    "[[:alpha]",
    "[^[:^alpha:]]",
];

/// What neither knows.
const NEITHER: [&str; 50] = [
    "*",
    "|*",
    "(*)",
    "(?i)*",
    "{2}",
    "a{2,1}",
    "a**",
    "a*+",
    "a???",
    "a{2}{3}",
    "a{2}*",
    "a|*",
    "a{1001}",
    "a{1001,}",
    "a{0,1001}",
    "(a{100}){11}",
    "(a{2}|b{3}){400}",
    "((a?){999}){2}",
    "(",
    ")",
    "a)",
    "(?",
    "(?i",
    "(?P<a",
    "(?P<>x)",
    "(?P<a.b>x)",
    "(?-)",
    "(?i-)",
    "(?--i)",
    "(?z)",
    "(?x)a",
    "(?=a)",
    "(?!a)",
    "(?<=a)",
    "(?>a)",
    "(?P=a)",
    "(?#c)",
    r"\",
    r"\1",
    r"\8",
    r"\777",
    r"\x6",
    r"\x{100}",
    r"\x+1",
    r"\E",
    r"\Z",
    r"\u0061",
    r"[\b]",
    "[a",
    r"[a-\d]",
];

/// What RE2 alone knows.
const RE2_ALONE: [&str; 3] = [r"\pL", r"[\pN]", r"\p{Greek}"];

/// Values, as bytes on the wire.
const VALUES: [&[u8]; 36] = [
    b"",
    b"a",
    b"A",
    b"b",
    b"aa",
    b"aaa",
    b"aaaa",
    b"ab",
    b"AB",
    b"abc",
    b"aBc",
    b"a b",
    b"a\tb",
    b"axb",
    b"a.b",
    b"a-b.c",
    b"a{,5}",
    b"a{ 2}",
    b"a{01}",
    b"x{1",
    b"x{a}",
    b"/{id}",
    b"1",
    b"-",
    b",",
    b".",
    b"_",
    b"[",
    b"]",
    b"<a>",
    b"k",
    b"K",
    "é".as_bytes(),
    "éé".as_bytes(),
    b"\xe9",
    b"\xc9",
];

#[tokio::test]
async fn expressions_are_read_as_re2_reads_them() {
    let _turn = turn::alongside().await;
    let directory = tempfile::tempdir().unwrap();
    let port = Port::reserve();
    let deep = format!("{}a{}", "(".repeat(300), ")".repeat(300));
    let all: Vec<&str> = [&BOTH[..], &NEITHER, &RE2_ALONE, &[deep.as_str()]].concat();
    // Envoy takes each listener of a file or refuses it, alone.
    let alone = all.iter().zip(1_u16..).map(|(pattern, number)| {
        let mut listener = listener(number, false, &[pattern]);
        listener["@type"] = "type.googleapis.com/envoy.config.listener.v3.Listener".into();
        listener
    });
    let discovered = directory.path().join("listeners.json");
    fs::write(&discovered, json!({"resources": alone.collect::<Vec<_>>()}).to_string()).unwrap();
    let configuration = json!({
        "node": {"id": "test", "cluster": "test"},
        // Istio's bound; Envoy's own is 100.
        "layered_runtime": {"layers": [{"name": "test", "static_layer": {"re2.max_program_size.error_level": 32768}}]},
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        "static_resources": {"listeners": [listener(port.address().port(), true, &BOTH)]},
        "dynamic_resources": {"lds_config": {"path_config_source": {"path": discovered}}},
    });
    let envoy = Envoy::start(&configuration, directory.path()).await;

    let listeners = envoy.admin.get("/listeners").await;
    let taken: BTreeSet<&str> = listeners
        .text()
        .lines()
        .filter_map(|line| line.split("::").next())
        .collect();
    for (pattern, number) in all.iter().zip(1_u16..) {
        let ours = Regex::new(pattern, MEMORY);
        let re2 = taken.contains(number.to_string().as_str());
        let expected = (BOTH.contains(pattern), !NEITHER.contains(pattern));
        assert_eq!((ours.is_ok(), re2), expected, "{pattern}: {ours:?}");
    }

    let mut connection = Connection::open(port.address()).await.unwrap();
    for (index, pattern) in BOTH.iter().enumerate() {
        let ours = Regex::new(pattern, MEMORY).unwrap();
        for value in VALUES {
            let call = get("test", &format!("/{index}")).header("x-value", value);
            let re2 = connection.send(call).await.status == 200;
            let text = value.escape_ascii();
            assert_eq!(ours.is_full_match(value), re2, "{pattern} with `{text}`");
        }
    }
}

/// A listener that says 200 at `/0` to what the first pattern takes, and so on.
fn listener(port: u16, binds: bool, patterns: &[&str]) -> Value {
    let route = |(index, pattern): (usize, &&str)| {
        let value = json!({"name": "x-value", "string_match": {"safe_regex": {"regex": pattern}}});
        json!({"match": {"path": format!("/{index}"), "headers": [value]}, "direct_response": {"status": 200}})
    };
    let routes: Vec<Value> = patterns.iter().enumerate().map(route).collect();
    let router = json!({"name": "router", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}});
    let manager = json!({"name": "manager", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "test",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [router],
    }});
    json!({
        "name": port.to_string(),
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "bind_to_port": binds,
        "filter_chains": [{"filters": [manager]}],
    })
}
