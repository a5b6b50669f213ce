//! What is said of reachability, held against every request of an alphabet that can be listed whole. Which of them
//! a match takes is asked of the compiled table, as in the filter.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::super::analyze;
use crate::config::Config;
use crate::dice::{Dice, Wyrand};
use crate::header::map::HeaderMap;
use crate::plugin::Plugin;
use crate::registry::Registry;
use crate::request::Request;

/// Conditions on the path, on the method, on headers, on the query: one of each makes a match.
fn conditions() -> [Vec<Value>; 4] {
    let paths = [
        json!({}),
        json!({"uri": {"prefix": "/"}}),
        json!({"uri": {"prefix": "/a"}}),
        json!({"uri": {"prefix": "/a/"}}),
        json!({"uri": {"exact": "/a"}}),
        json!({"uri": {"exact": "/ab"}}),
        json!({"uri": {"prefix": "/A"}, "ignoreUriCase": true}),
        json!({"uri": {"exact": "/aB"}, "ignoreUriCase": true}),
        json!({"uri": {"exact": "a"}}),
    ];
    let methods = [
        json!({}),
        json!({"method": {"exact": "GET"}}),
        json!({"method": {"prefix": "P"}}),
        json!({"withoutHeaders": {":method": {"exact": "GET"}}}),
    ];
    let headers = [
        json!({}),
        json!({"headers": {"h": {}}}),
        json!({"headers": {"h": {"exact": "1"}}}),
        json!({"headers": {"h": {"prefix": "1"}}}),
        json!({"withoutHeaders": {"h": {}}}),
        json!({"withoutHeaders": {"h": {"exact": "1"}}}),
        json!({"withoutHeaders": {"h": {"prefix": "1"}}}),
        json!({"headers": {"h": {"prefix": "1"}}, "withoutHeaders": {"h": {"exact": "1"}}}),
    ];
    let queries = [json!({}), json!({"queryParams": {"q": {"exact": "1"}}})];
    [paths.into(), methods.into(), headers.into(), queries.into()]
}

/// Every request that these conditions can tell from another.
fn requests() -> Vec<HeaderMap> {
    let mut paths: Vec<String> = [
        "/", "/a", "/A", "/z", "/ab", "/aB", "/AB", "/aBz", "/a/", "/A/", "/a/z", "/az",
    ]
    .map(str::to_owned)
    .into();
    paths.extend(paths.clone().iter().map(|path| format!("{path}?q=1")));
    let lines: [&[&str]; 8] = [
        &[],
        &[""],
        &["1"],
        &["12"],
        &["z"],
        &["1", "12"],
        &["1", "z"],
        &["12", "z"],
    ];
    let mut all = Vec::new();
    for path in &paths {
        for method in ["GET", "PUT", "DELETE"] {
            for lines in lines {
                let pseudo = [
                    (":method", method),
                    (":path", path),
                    (":scheme", "http"),
                    (":authority", "a"),
                ];
                let lines = lines.iter().map(|line| ("h", *line));
                all.push(pseudo.into_iter().chain(lines).collect());
            }
        }
    }
    all
}

/// One condition of each sort.
fn merged(parts: [&Value; 4]) -> Value {
    let mut fields = serde_json::Map::new();
    for (name, value) in parts.into_iter().flat_map(|part| part.as_object().unwrap()) {
        match fields.get_mut(name).and_then(Value::as_object_mut) {
            Some(before) => before.extend(value.as_object().unwrap().clone()),
            None => drop(fields.insert(name.clone(), value.clone())),
        }
    }
    fields.into()
}

/// Rules by the numbers of their matches.
type Rules = [Vec<usize>];

struct Whole {
    /// Every combination of conditions. The first is none at all.
    matches: Vec<Value>,
    /// Which of the requests each takes, bit by bit.
    taken: Vec<Vec<u64>>,
}

static WHOLE: LazyLock<Whole> = LazyLock::new(|| {
    let [paths, methods, headers, queries] = conditions();
    let mut matches = Vec::new();
    for path in &paths {
        for method in &methods {
            for header in &headers {
                matches.extend(queries.iter().map(|query| merged([path, method, header, query])));
            }
        }
    }
    let requests = requests();
    let taken = matches.iter().map(|entry| taken(entry, &requests)).collect();
    Whole { matches, taken }
});

fn taken(entry: &Value, requests: &[HeaderMap]) -> Vec<u64> {
    let plugin = Plugin::load(&configuration(&[vec![entry]])).unwrap();
    let takes = |headers: &HeaderMap| {
        let request = Request::new(headers);
        let host = plugin.table.virtual_host(&request).unwrap();
        host.find(&request).is_some()
    };
    let chunk = |chunk: &[HeaderMap]| {
        let bits = (0..).zip(chunk);
        bits.fold(0, |bits, (at, headers)| bits | u64::from(takes(headers)) << at)
    };
    requests.chunks(64).map(chunk).collect()
}

/// A list of matches where one takes everything is one that istiod refuses: the rule has none instead.
fn configuration(rules: &[Vec<&Value>]) -> Vec<u8> {
    let rule = |matches: &Vec<&Value>| {
        let route = json!([{"destination": {"host": "b"}}]);
        match matches.iter().any(|entry| **entry == json!({})) {
            true => json!({"route": route}),
            false => json!({"match": matches, "route": route}),
        }
    };
    let http: Vec<Value> = rules.iter().map(rule).collect();
    let object = json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "vs"},
        "spec": {"hosts": ["a"], "http": http}});
    json!({"proxy": {"port": 80}, "resources": [object]})
        .to_string()
        .into_bytes()
}

impl Whole {
    /// The rules and matches that none of the requests gets to.
    fn unreached(&self, rules: &Rules) -> BTreeSet<String> {
        let mut left = vec![u64::MAX; self.taken[0].len()];
        let mut unreached = BTreeSet::new();
        for (http, matches) in rules.iter().enumerate() {
            let mut reached = false;
            for (index, entry) in matches.iter().enumerate() {
                let mut here = 0;
                for (left, taken) in left.iter_mut().zip(&self.taken[*entry]) {
                    here |= *left & taken;
                    *left &= !taken;
                }
                reached |= here != 0;
                if here == 0 && !matches.contains(&0) {
                    unreached.insert(format!("http[{http}].match[{index}]"));
                }
            }
            if !reached {
                unreached.insert(format!("http[{http}]"));
            }
        }
        unreached
    }

    fn check(&self, rules: &Rules) {
        let written: Vec<Vec<&Value>> = rules
            .iter()
            .map(|matches| matches.iter().map(|entry| &self.matches[*entry]).collect())
            .collect();
        let reported = reported(&configuration(&written));
        assert_eq!(reported, self.unreached(rules), "{}", json!(written));
    }
}

/// The rules and matches that are said to be never used.
fn reported(configuration: &[u8]) -> BTreeSet<String> {
    let (config, misread) = Config::from_json(configuration);
    assert_eq!(misread, []);
    let findings = analyze(&config, &Registry::new(&config)).into_iter();
    let findings = findings.filter(|finding| ["IST0130", "IST0131", "SWY0101"].contains(&finding.code));
    findings.map(|finding| finding.path).collect()
}

#[test]
fn of_two_rules_the_hidden_are_reported_and_no_other() {
    let whole = &*WHOLE;
    let mut dice = Wyrand::new(1);
    for first in 0..whole.matches.len() {
        for second in 0..whole.matches.len() {
            if dice.next().is_multiple_of(64) {
                whole.check(&[vec![first], vec![second]]);
            }
        }
    }
}

#[test]
fn of_several_rules_the_hidden_are_reported_and_no_other() {
    let whole = &*WHOLE;
    let mut dice = Wyrand::new(2);
    let mut pick = |below: usize| (dice.next() % below as u64) as usize;
    let mut between = 0;
    for _ in 0..3_000 {
        let rules: Vec<Vec<usize>> = (0..3 + pick(4))
            .map(|_| (0..1 + pick(2)).map(|_| pick(whole.matches.len())).collect())
            .collect();
        whole.check(&rules);
        // That several hide one is no rare case here.
        let last = rules.len() - 1;
        let hidden = |rules: &Rules| whole.unreached(rules).contains(&format!("http[{}]", rules.len() - 1));
        let alone = |other: &Vec<usize>| hidden(&[other.clone(), rules[last].clone()]);
        between += usize::from(hidden(&rules) && !rules[..last].iter().any(alone));
    }
    assert!(between > 20, "{between}");
}

/// Expressions that are not seen through; the listing has text that each takes and text that it does not.
#[test]
fn what_hangs_on_an_expression_is_never_reported_wrongly() {
    let whole = &*WHOLE;
    let requests = requests();
    let expressions = ["/a.+", "/[ab]", "/a?z?", "(?i)/a.*", "/[^a].*|/", "/a/.*|/ab"];
    let expressions = expressions.map(|regex| json!({"uri": {"regex": regex}}));
    let mut taken: Vec<Vec<u64>> = whole.taken.clone();
    taken.extend(expressions.iter().map(|entry| self::taken(entry, &requests)));
    let whole = Whole {
        matches: whole.matches.iter().chain(&expressions).cloned().collect(),
        taken,
    };
    let mut dice = Wyrand::new(3);
    let mut pick = |below: usize| (dice.next() % below as u64) as usize;
    for _ in 0..2_000 {
        let mut any = || match pick(3) {
            0 => whole.matches.len() - 1 - pick(expressions.len()),
            _ => pick(whole.matches.len()),
        };
        let rules: Vec<Vec<usize>> = (0..4).map(|_| vec![any()]).collect();
        let written: Vec<Vec<&Value>> = rules.iter().map(|rule| vec![&whole.matches[rule[0]]]).collect();
        let (reported, unreached) = (reported(&configuration(&written)), whole.unreached(&rules));
        assert!(reported.is_subset(&unreached), "{reported:?} of {}", json!(written));
    }
}
