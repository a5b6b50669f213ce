use super::*;
use crate::dice::{Dice, Wyrand};
use crate::header::map::HeaderMap;
use crate::matcher::{HeaderMatcher, QueryParameterMatcher, Regex, RouteMatch};
use crate::route::{Routes, Rule, VirtualHost};

/// Few words, so that random rules and requests meet.
const PATHS: [&str; 10] = ["/", "/a", "/a/b", "/ab", "/b", "/a/b/c", "", "/A", "/b/", "/a?b"];
const NAMES: [&str; 4] = ["x", "y", "cookie", ":method"];
const VALUES: [&str; 7] = ["", "1", "12", "2", "GET", "2;1", "1;12;"];
/// For paths and for headers.
const EXPRESSIONS: [&str; 9] = [
    "/a/[a-z]+",
    "/[a-z]+/b(/.*)?",
    "/[a-z]*/b/[a-z]+",
    "/a(/b)?",
    "^(.*?;)?(1)(;.*)?$",
    "(.*;)?12(;.*)?",
    "1[0-9]*",
    "12",
    ".*2",
];

struct Chance(Wyrand);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        (self.0.next() % n as u64) as usize
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn pick(&mut self, from: &[StringMatcher]) -> StringMatcher {
        from[self.below(from.len())].clone()
    }

    fn string(&mut self, words: &[&str]) -> StringMatcher {
        let word = self.of(words);
        match self.below(5) {
            0 => StringMatcher::Present,
            1 => StringMatcher::Prefix(word.as_bytes().into()),
            2 => StringMatcher::Regex(Regex::new(&format!("{}.*", word.replace('?', r"\?")), 1 << 20).unwrap()),
            _ => StringMatcher::Exact(word.as_bytes().into()),
        }
    }

    fn route(&mut self, template: &Route, number: usize, regexes: &[StringMatcher]) -> Route {
        let uri = if self.below(4) == 0 {
            self.below(regexes.len())
        } else {
            regexes.len()
        };
        let uri = regexes.get(uri).cloned().unwrap_or_else(|| match self.below(3) {
            0 => StringMatcher::Present,
            1 => StringMatcher::Prefix(self.of(&PATHS).as_bytes().into()),
            _ => StringMatcher::Exact(self.of(&PATHS).as_bytes().into()),
        });
        let headers = (0..self.below(3)).map(|_| HeaderMatcher {
            name: self.of(&NAMES).into(),
            value: match self.below(6) {
                4 | 5 => self.pick(regexes),
                0 => StringMatcher::Present,
                1 => StringMatcher::Prefix(self.of(&VALUES).as_bytes().into()),
                _ => StringMatcher::Exact(self.of(&VALUES).as_bytes().into()),
            },
            without: self.below(4) == 0,
        });
        let headers = headers.collect();
        let query_parameters = (0..self.below(2)).map(|_| QueryParameterMatcher {
            name: "b".into(),
            value: StringMatcher::Present,
        });
        Route {
            rule: Rule {
                http: number,
                ..template.rule.clone()
            },
            matches: RouteMatch {
                port: None,
                query_parameters: query_parameters.collect(),
                path: PathMatcher::new(uri, self.below(6) == 0),
                headers,
            },
            action: Arc::clone(&template.action),
        }
    }

    fn request(&mut self) -> HeaderMap {
        let mut map = HeaderMap::default();
        map.push(":method", self.of(&["GET", "1", "POST"]).as_bytes());
        map.push(":path", self.of(&PATHS).as_bytes());
        for _ in 0..self.below(4) {
            map.push(self.of(&NAMES[..3]), self.of(&VALUES).as_bytes());
        }
        map
    }
}

fn template() -> Route {
    let json = r#"{"resources": [{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "a"},
        "spec": {"hosts": ["a"], "http": [{"directResponse": {"status": 200}}]}}]}"#;
    let plugin = crate::plugin::Plugin::load(json.as_bytes()).unwrap();
    Route::clone(&plugin.table.virtual_hosts[0].routes.as_ref().unwrap()[0])
}

/// A million pairs of tables and requests: `PAIRS` sets another number.
#[test]
fn the_index_finds_what_a_scan_finds() {
    let pairs: usize = std::env::var("PAIRS")
        .ok()
        .and_then(|pairs| pairs.parse().ok())
        .unwrap_or(1_000_000);
    let mut chance = Chance(Wyrand::new(7));
    let template = template();
    let expression = |written: &&str| StringMatcher::Regex(Regex::new(written, 1 << 20).unwrap());
    let mut regexes: Vec<StringMatcher> = EXPRESSIONS.iter().map(expression).collect();
    regexes.extend([0; 3].map(|_| chance.string(&PATHS)));
    let mut hits = 0;
    for _ in 0..pairs / 200 {
        let count = chance.below(24);
        let routes = (0..count)
            .map(|number| Arc::new(chance.route(&template, number, &regexes)))
            .collect();
        let host = VirtualHost {
            name: "a".into(),
            routes: Some(Arc::new(Routes::new(routes))),
            default_cluster: None,
            https_redirect: false,
        };
        for _ in 0..200 {
            let headers = chance.request();
            let request = Request::new(&headers);
            let path = request.path_only();
            let mut scan = host.routes.iter().flat_map(|routes| routes.iter());
            let scanned = scan
                .find(|route| route.matches.matches(&request, path))
                .map(|route| route.rule.http);
            let found = host.find(&request).map(|route| route.rule.http);
            assert_eq!(found, scanned, "{headers:?} in {:#?}", host.routes);
            hits += usize::from(found.is_some());
        }
    }
    assert!(hits > pairs / 4 && hits < pairs, "{hits} of {pairs} found something");
}

#[test]
fn all_prefixes_of_a_path_are_found_the_longest_first() {
    let texts: [&[u8]; 6] = [b"/a", b"/a/b", b"/a/b/c", b"/a/bb", b"/b", b""];
    let prefixes = Prefixes::new(
        texts
            .iter()
            .zip(0..)
            .map(|(text, number)| (*text, vec![number]))
            .collect(),
    );
    let of = |path: &[u8]| prefixes.of(path).flatten().copied().collect::<Vec<u32>>();
    assert_eq!(of(b"/a/b/x"), [1, 0, 5]);
    assert_eq!(of(b"/a/bb/x"), [3, 1, 0, 5]);
    assert_eq!(of(b"/c"), [5]);
    assert_eq!(of(b""), [5]);
}
