//! Held against every request of an alphabet that can be listed whole.

use std::sync::LazyLock;

use super::*;
use crate::dice::{Dice, Wyrand};
use crate::header::map::HeaderMap;
use crate::matcher::{HeaderMatcher, PathMatcher, QueryParameterMatcher, Regex, RouteMatch, StringMatcher};
use crate::request::Request;

fn exact(text: &str) -> StringMatcher {
    StringMatcher::Exact(text.as_bytes().into())
}

fn prefix(text: &str) -> StringMatcher {
    StringMatcher::Prefix(text.as_bytes().into())
}

fn regex(text: &str) -> StringMatcher {
    StringMatcher::Regex(Regex::new(text, 1 << 20).unwrap())
}

fn paths() -> Vec<PathMatcher> {
    let mut all = vec![PathMatcher::Any];
    let texts = [
        prefix("/"),
        prefix("/a"),
        prefix("/a/"),
        exact("/a"),
        exact("/ab"),
        exact("a"),
    ];
    all.extend(texts.into_iter().map(|text| PathMatcher::new(text, false)));
    all.extend(
        [prefix("/A"), exact("/aB")]
            .into_iter()
            .map(|text| PathMatcher::new(text, true)),
    );
    all
}

fn headers() -> Vec<Vec<HeaderMatcher>> {
    let header = |name: &str, value, without| HeaderMatcher {
        name: name.into(),
        value,
        without,
    };
    let mut all = vec![vec![]];
    for value in [StringMatcher::Present, exact("1"), exact(""), prefix("1"), prefix("")] {
        all.push(vec![header("h", value.clone(), false)]);
        all.push(vec![header("h", value, true)]);
    }
    all.push(vec![header("h", prefix("1"), false), header("h", exact("1"), true)]);
    all.push(vec![header("h", exact("12"), false), header("h", exact("1"), false)]);
    all.push(vec![header(":method", exact("GET"), false)]);
    all.push(vec![header(":method", exact("GET"), true)]);
    all.push(vec![
        header("accept", exact("1"), false),
        header("accept", prefix("12"), false),
    ]);
    all
}

fn queries() -> Vec<Vec<QueryParameterMatcher>> {
    let parameter = |value| QueryParameterMatcher {
        name: "q".into(),
        value,
    };
    vec![
        vec![],
        vec![parameter(exact(""))],
        vec![parameter(prefix("1"))],
        vec![parameter(StringMatcher::Present)],
    ]
}

/// Every combination.
fn matches() -> Vec<RouteMatch> {
    let mut all = Vec::new();
    for path in paths() {
        for headers in headers() {
            for query_parameters in queries() {
                all.push(RouteMatch {
                    port: None,
                    path: path.clone(),
                    headers: headers.clone().into(),
                    query_parameters: query_parameters.into(),
                });
            }
        }
    }
    all
}

/// Every request that the matches can tell from another.
fn requests() -> Vec<HeaderMap> {
    let mut paths = vec!["/".to_owned()];
    for length in 0..3 {
        let longer: Vec<String> = paths.iter().filter(|path| path.len() == length + 1).cloned().collect();
        for path in longer {
            paths.extend(["a", "A", "b", "B", "/", "z"].map(|byte| format!("{path}{byte}")));
        }
    }
    paths.retain(|path| path.len() < 4);
    let values = ["", "1", "12", "z"];
    let mut all = Vec::new();
    for path in &paths {
        for query in ["", "?q", "?q=1", "?q=z"] {
            for method in ["GET", "POST"] {
                for lines in 0..16 {
                    for accept in [None, Some("1"), Some("12")] {
                        let path = format!("{path}{query}");
                        let lines = values.iter().enumerate().filter(|(bit, _)| lines >> bit & 1 == 1);
                        let lines = lines.map(|(_, value)| ("h", *value));
                        let accept = accept.map(|value| ("accept", value));
                        let pseudo = [(":path", path.as_str()), (":method", method), (":scheme", "http")];
                        all.push(pseudo.into_iter().chain(lines).chain(accept).collect());
                    }
                }
            }
        }
    }
    all
}

fn takes(matches: &RouteMatch, headers: &HeaderMap) -> bool {
    let request = Request::new(headers);
    matches.matches(&request, request.path_only())
}

/// Which of the requests a match takes, bit by bit.
fn taken(matches: &RouteMatch, requests: &[HeaderMap]) -> Vec<u64> {
    let chunk = |chunk: &[HeaderMap]| {
        (0..)
            .zip(chunk)
            .fold(0, |bits, (at, request)| bits | u64::from(takes(matches, request)) << at)
    };
    requests.chunks(64).map(chunk).collect()
}

struct Whole {
    matches: Vec<RouteMatch>,
    taken: Vec<Vec<u64>>,
}

static WHOLE: LazyLock<Whole> = LazyLock::new(|| {
    let (matches, requests) = (matches(), requests());
    let taken = matches.iter().map(|matches| taken(matches, &requests)).collect();
    Whole { matches, taken }
});

impl Whole {
    /// Whether the listed requests say the same as the search does.
    fn check(&self, within: usize, excluded: &[usize]) {
        let (inside, others) = (
            &self.matches[within],
            excluded.iter().map(|index| &self.matches[*index]),
        );
        let lists: Vec<_> = others.clone().map(literals).collect();
        let left = |excluded: &[usize]| {
            let bits = self.taken[within].iter().enumerate();
            bits.fold(0, |all, (at, bits)| {
                all | bits & !excluded.iter().fold(0, |all, index| all | self.taken[*index][at])
            })
        };
        let about = || format!("{inside:?} without {:?}", others.clone().collect::<Vec<_>>());
        match find(&literals(inside), &lists) {
            Verdict::Inhabited(witness) => {
                let request = witness.headers("h");
                assert!(takes(inside, &request), "{witness:?} is not in {}", about());
                assert!(
                    !others.clone().any(|other| takes(other, &request)),
                    "{witness:?} is not in {}",
                    about()
                );
                assert_ne!(left(excluded), 0, "{witness:?} is listed nowhere: {}", about());
            }
            Verdict::Empty(used) => {
                assert_eq!(left(excluded), 0, "taken for empty: {}", about());
                let used: Vec<usize> = used.iter().map(|index| excluded[*index]).collect();
                assert_eq!(left(&used), 0, "{used:?} do not take everything: {}", about());
                for one in &used {
                    let fewer: Vec<usize> = used.iter().copied().filter(|index| index != one).collect();
                    assert_ne!(left(&fewer), 0, "{one} is not needed: {}", about());
                }
            }
            Verdict::Unknown => panic!("undecided: {}", about()),
        }
    }
}

#[test]
fn every_pair_of_matches_is_judged_as_listing_does() {
    let whole = &*WHOLE;
    let mut dice = Wyrand::new(1);
    for within in 0..whole.matches.len() {
        whole.check(within, &[]);
        for excluded in 0..whole.matches.len() {
            if dice.next().is_multiple_of(32) {
                whole.check(within, &[excluded]);
            }
        }
    }
}

#[test]
fn several_matches_together_are_judged_as_listing_does() {
    let whole = &*WHOLE;
    let mut dice = Wyrand::new(2);
    for _ in 0..10_000 {
        let mut pick = || (dice.next() % whole.matches.len() as u64) as usize;
        let within = pick();
        let excluded: Vec<usize> = (0..pick() % 7).map(|_| pick()).collect();
        whole.check(within, &excluded);
    }
}

fn verdict(within: RouteMatch, excluded: &[RouteMatch]) -> Verdict {
    find(&literals(&within), &excluded.iter().map(literals).collect::<Vec<_>>())
}

fn of_path(path: StringMatcher) -> RouteMatch {
    RouteMatch {
        path: PathMatcher::new(path, false),
        ..RouteMatch::default()
    }
}

#[test]
fn nothing_is_claimed_where_an_expression_decides() {
    let expression = || of_path(regex("/[ab]/.*x"));
    assert_eq!(
        verdict(of_path(prefix("/a/")), &[expression()]),
        Verdict::Inhabited(Witness {
            path: Some(b"/a/".to_vec()),
            ..Witness::default()
        })
    );
    assert_eq!(
        verdict(of_path(regex("/a/[0-9]+")), &[of_path(regex("/a/[1-9]+|/a/.*0.*"))]),
        Verdict::Unknown
    );
    assert_eq!(verdict(of_path(regex("/a^")), &[]), Verdict::Unknown);
}

#[test]
fn an_expression_is_seen_through_where_that_is_safe() {
    assert_eq!(
        verdict(of_path(regex("/api/v[12]/.*")), &[of_path(prefix("/api"))]),
        Verdict::Empty(vec![0])
    );
    assert_eq!(
        verdict(of_path(regex("/x|/y")), &[of_path(regex("/x|/y"))]),
        Verdict::Empty(vec![0])
    );
    assert_eq!(
        verdict(of_path(exact("/api/v1")), &[of_path(regex("/api/v[12]"))]),
        Verdict::Empty(vec![0])
    );
    assert_eq!(
        verdict(of_path(prefix("/api/v1")), &[of_path(regex("/api/.*"))]),
        Verdict::Empty(vec![0])
    );
    let Verdict::Inhabited(witness) = verdict(of_path(regex("/api/v[12]/.*")), &[of_path(prefix("/api/v1"))]) else {
        panic!("a text that the expression takes is not hard to find");
    };
    assert_eq!(witness.path.as_deref(), Some(&b"/api/v2/a"[..]));
}

#[test]
fn parts_may_make_up_the_whole() {
    let host = |scheme: &str| RouteMatch {
        headers: [HeaderMatcher {
            name: ":scheme".into(),
            value: exact(scheme),
            without: false,
        }]
        .into(),
        ..RouteMatch::default()
    };
    assert_eq!(
        verdict(
            RouteMatch::default(),
            &[host("http"), of_path(prefix("/x")), host("https")]
        ),
        Verdict::Empty(vec![0, 2])
    );
}

#[test]
fn ports_are_numbers() {
    let port = |port| RouteMatch {
        port: Some(port),
        ..RouteMatch::default()
    };
    let Verdict::Inhabited(witness) = verdict(RouteMatch::default(), &[port(80), port(443)]) else {
        panic!("there are more ports");
    };
    assert_eq!(witness.port, Some(8080));
}
