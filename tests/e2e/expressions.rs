//! Regular expressions, as Envoy's own RE2 reads them and as the library does. `testdata/differences.md` lists what is not alike.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};
use switchyard::dice::{Dice, Wyrand};
use switchyard::matcher::Regex;

use crate::support::envoy::Envoy;
use crate::support::http::{Connection, get};
use crate::support::ports::Port;
use crate::support::turn;

const MEMORY: usize = 1 << 20;
/// How many expressions are made up.
const RANDOM: usize = 150;

/// What both know.
#[rustfmt::skip]
const BOTH: [&str; 113] = [
    "a", "a(?i)*", ".", ".*", "a|ab", "a||b", "(|a)*", "()", "(?:)", "(a)(b)?", "a$", "^a", "$^", "a$b", "(?m)^a$",
    "(?s).", "^*", "^*?", r"\b*", r"\b{2}", r"\b{start}", r"\ba\b", r"\Ba", r"\Aa\z", "a+?", "a??", "a{2}", "a{2}?",
    "a{2,}", "a{0}", "a{1,3}", "a{1000}", "a{1000,}", "(a{100}){10}", "((a{2})b){400}", "(?:(?:a{9}){9}){9}",
    "a{999}b{999}", "(?:a*)*", "(?:a{2})*", "(a+)+", "x{", "x{a}", "x{1", "x{1,", "a{,5}", "a{ 2}", "a{01}",
    "a{99999999999}", "/{id}", "}", "]", "(?i)a", "(?i)ab|k", "(?i:a)b", "a(?i)b(?-i)c", "(?U)a+?", "(?U:a+)",
    "(?s-i)a", "(?i-s:a)", "(?ii)a", "(?i-i)a", "(?)a", "(?-i)a", "(?P<n>a)(?P<m>b)", "(?P<1a>a)", "(?<n>a)",
    "(?P<n>a)(?P<n>b)", r"\d+", r"\D", r"\w+", r"\W", r"a\sb", r"a\Sb", r"[\s]", r"a[\S]b", r"[\d\D]", r"\.", r"\ ",
    r"\_", r"\-", r"\<a\>", r"\101", r"\12", r"\0", r"\08", r"\x61", r"\x{61}", r"\x{0061}", r"\xe9", r"(?i)\xe9",
    r"\Qa.b\E", r"\Qa", r"a\Qb\E*", r"a\Q\E*", r"\Qé\E+", r"\C+", "é+", "[é]+", "[à-é]+", r"[^\x00-\x7f]", "[a-c-]+",
    r"[\w-.]+", r"[\d-z]", "[a-b-z]+", "[---]", "[+--]", "[]a]+", "[^]a]", "[a&&b]+", "[^[]+", "[[:alpha:]_]+",
    "[[:alpha]", "[^[:^alpha:]]",
];

/// What neither knows.
#[rustfmt::skip]
const NEITHER: [&str; 50] = [
    "*", "|*", "(*)", "(?i)*", "{2}", "a{2,1}", "a**", "a*+", "a???", "a{2}{3}", "a{2}*", "a|*", "a{1001}",
    "a{1001,}", "a{0,1001}", "(a{100}){11}", "(a{2}|b{3}){400}", "((a?){999}){2}", "(", ")", "a)", "(?", "(?i",
    "(?P<a", "(?P<>x)", "(?P<a.b>x)", "(?-)", "(?i-)", "(?--i)", "(?z)", "(?x)a", "(?=a)", "(?!a)", "(?<=a)", "(?>a)",
    "(?P=a)", "(?#c)", r"\", r"\1", r"\8", r"\777", r"\x6", r"\x{100}", r"\x+1", r"\E", r"\Z", r"\u0061", r"[\b]",
    "[a", r"[a-\d]",
];

/// What RE2 alone knows.
const RE2_ALONE: [&str; 3] = [r"\pL", r"[\pN]", r"\p{Greek}"];

/// Values, as bytes on the wire.
#[rustfmt::skip]
const VALUES: [&[u8]; 36] = [
    b"", b"a", b"A", b"b", b"aa", b"aaa", b"aaaa", b"ab", b"AB", b"abc", b"aBc", b"a b", b"a\tb", b"axb", b"a.b",
    b"a-b.c", b"a{,5}", b"a{ 2}", b"a{01}", b"x{1", b"x{a}", b"/{id}", b"1", b"-", b",", b".", b"_", b"[", b"]",
    b"<a>", b"k", b"K", "é".as_bytes(), "éé".as_bytes(), b"\xe9", b"\xc9",
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
    let configuration = configuration(&port, &BOTH, Some(&discovered));
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

    let values = VALUES.map(<[u8]>::to_vec);
    for (index, pattern) in BOTH.iter().enumerate() {
        matches_alike(port.address(), index, pattern, &values).await;
    }
}

/// `SEED` sets another number.
#[tokio::test]
async fn random_expressions_match_and_replace_as_re2_does() {
    let _turn = turn::alongside().await;
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let mut chance = Chance(Wyrand::new(seed.unwrap_or(7)));
    let patterns: Vec<String> = (0..RANDOM).map(|_| chance.pattern(3)).collect();
    let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
    let directory = tempfile::tempdir().unwrap();
    let port = Port::reserve();
    let _envoy = Envoy::start(&configuration(&port, &patterns, None), directory.path()).await;
    for (index, pattern) in patterns.iter().enumerate() {
        let values: Vec<Vec<u8>> = (0..30).map(|_| chance.value()).collect();
        matches_alike(port.address(), index, pattern, &values).await;
        replaces_alike(port.address(), index, pattern, &values).await;
    }
}

/// Whether the library takes the same values as Envoy.
async fn matches_alike(to: SocketAddr, index: usize, pattern: &str, values: &[Vec<u8>]) {
    let ours = Regex::new(pattern, MEMORY).unwrap_or_else(|error| panic!("{error}"));
    let mut connection = Connection::open(to).await.unwrap();
    for value in values {
        let call = get("test", &format!("/{index}")).header("x-value", value);
        let re2 = connection.send(call).await.status == 200;
        let text = value.escape_ascii();
        assert_eq!(ours.is_full_match(value), re2, "{pattern} with `{text}`");
    }
}

/// Whether the library makes the same of paths as Envoy.
async fn replaces_alike(to: SocketAddr, index: usize, pattern: &str, values: &[Vec<u8>]) {
    let ours = Regex::unanchored(pattern, MEMORY).unwrap();
    let mut connection = Connection::open(to).await.unwrap();
    for value in values {
        let path = format!("/{}", std::str::from_utf8(value).unwrap());
        let call = get("test", &path).header("x-pattern", index.to_string());
        let answer = connection.send(call).await;
        let re2 = answer.header("location");
        let ours = ours.replace_all(path.as_bytes(), substitution(pattern).as_bytes());
        let ours = String::from_utf8(ours).unwrap();
        // Envoy puts a slash before a path that has lost it.
        let slash = if ours.starts_with('/') { "" } else { "/" };
        assert_eq!(format!("http://test{slash}{ours}"), re2, "{pattern} in {path}");
    }
}

/// Everything that was matched, and what the first group took if there is one.
fn substitution(pattern: &str) -> &'static str {
    let groups = Regex::unanchored(pattern, MEMORY).map_or(0, |regex| regex.groups());
    if groups > 0 { r"<\0,\1>" } else { r"<\0>" }
}

/// Random expressions that RE2 takes, and values they may take.
struct Chance(Wyrand);

impl Chance {
    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.0.next() % all.len() as u64).unwrap()]
    }

    fn value(&mut self) -> Vec<u8> {
        let length = self.of(&[0, 1, 2, 3, 5, 8]);
        (0..length).map(|_| self.of(b"aabbAc-_1/")).collect()
    }

    fn pattern(&mut self, depth: usize) -> String {
        let parts = self.of(&[1, 1, 2, 3]);
        let concatenation: String = (0..parts).map(|_| self.part(depth)).collect();
        match self.of(&[true, false, false, false]) {
            true => format!("{concatenation}|{}", self.part(depth)),
            false => concatenation,
        }
    }

    fn part(&mut self, depth: usize) -> String {
        let repeated = ["*", "+", "?", "{2}", "{0,2}", "{1,}", "*?", "+?", "??", "{1,2}?"];
        let item = if depth > 0 && self.of(&[true, false]) {
            let begin = self.of(&["(", "(", "(?:", "(?i:", "(?U:", "(?P<n>"]);
            format!("{begin}{})", self.pattern(depth - 1))
        } else {
            let plain = ["a", "b", "ab", "c", "A", "-", "/", r"\.", "."];
            let classes = [r"\w", r"\W", r"\d", "[ab]", "[^a]", "[a-c-]", "[[:alpha:]_]", r"[\W1]"];
            let looks = ["^", "$", r"\b", r"\B"];
            match self.of(&[0, 0, 0, 1, 1, 2]) {
                0 => self.of(&plain).to_owned(),
                1 => self.of(&classes).to_owned(),
                _ => return self.of(&looks).to_owned(),
            }
        };
        match self.of(&[true, false]) {
            true => format!("{item}{}", self.of(&repeated)),
            false => item,
        }
    }
}

/// An Envoy with a listener for `patterns`, and those that it finds in a file.
fn configuration(port: &Port, patterns: &[&str], discovered: Option<&Path>) -> Value {
    json!({
        "node": {"id": "test", "cluster": "test"},
        // Istio's bound; Envoy's own is 100.
        "layered_runtime": {"layers": [{"name": "test", "static_layer": {"re2.max_program_size.error_level": 32768}}]},
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        "static_resources": {"listeners": [listener(port.address().port(), true, patterns)]},
        "dynamic_resources": discovered.map(|path| json!({"lds_config": {"path_config_source": {"path": path}}})),
    })
}

/// A listener that says 200 at `/0` to a value that the first pattern takes, and so on; and that redirects a path by the pattern that
/// `x-pattern` names.
fn listener(port: u16, binds: bool, patterns: &[&str]) -> Value {
    let matching = |(index, pattern): (usize, &&str)| {
        let value = json!({"name": "x-value", "string_match": {"safe_regex": {"regex": pattern}}});
        json!({"match": {"path": format!("/{index}"), "headers": [value]}, "direct_response": {"status": 200}})
    };
    let replacing = |(index, pattern): (usize, &&str)| {
        let named = json!({"name": "x-pattern", "string_match": {"exact": index.to_string()}});
        let rewrite = json!({"pattern": {"regex": pattern}, "substitution": substitution(pattern)});
        json!({"match": {"prefix": "/", "headers": [named]}, "redirect": {"regex_rewrite": rewrite}})
    };
    let patterns = || patterns.iter().enumerate();
    let routes: Vec<Value> = patterns().map(matching).chain(patterns().map(replacing)).collect();
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
