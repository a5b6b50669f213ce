//! `decide` alone, natively: the developer's loop. `make micro`.

#![allow(clippy::unwrap_used)]

use bench::shape::{Ask, HEADERS, Shape};
use bench::site::Site;
use divan::{AllocProfiler, Bencher};
use switchyard::decision::decide;
use switchyard::dice::Wyrand;
use switchyard::plugin::{Cache, Plugin};
use switchyard::request::Request;

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const SHAPES: [Shape; 5] = [Shape::Users, Shape::Paths, Shape::Mixed, Shape::Hosts, Shape::Drawn(8)];

fn main() {
    divan::main();
}

/// A request for one of the last rules of so many.
#[divan::bench(args = SHAPES, consts = [2, 100, 10_000])]
fn last_rule<const RULES: usize>(bencher: Bencher, shape: Shape) {
    let rules = shape.rules(RULES, [1, 2, 3]);
    let ask = rules.asks.iter().rev().nth(1).cloned().unwrap_or(Ask::new("/"));
    let site = Site::new(rules.resources).unwrap();
    let headers = ask.header_map(&HEADERS);
    let mut dice = Wyrand::new(1);
    bencher.bench_local(|| decide(&site.plugin.table, &Request::new(&headers), &mut dice));
}

/// A configuration of 10,000 rules, from its JSON.
#[divan::bench(args = SHAPES, sample_count = 5)]
fn load(bencher: Bencher, shape: Shape) {
    let rules = shape.rules(10_000, [1, 2, 3]);
    let json = serde_json::json!({"proxy": {"port": 9080}, "resources": rules.resources}).to_string();
    bencher.bench(|| Plugin::load(json.as_bytes()).unwrap());
}

/// The same where another VM has judged it.
#[divan::bench(args = SHAPES, sample_count = 5)]
fn load_judged(bencher: Bencher, shape: Shape) {
    let rules = shape.rules(10_000, [1, 2, 3]);
    let json = serde_json::json!({"proxy": {"port": 9080}, "resources": rules.resources}).to_string();
    let given = bencher.with_inputs(|| json.clone().into());
    given.bench_values(|json| Cache::default().load(json, |_| true).unwrap());
}

/// The same once more with one rule changed, as a worker takes it over while the one before it is in use.
#[divan::bench(args = SHAPES, sample_count = 5)]
fn change(bencher: Bencher, shape: Shape) {
    let rules = shape.rules(10_000, [1, 2, 3]);
    let json = serde_json::json!({"proxy": {"port": 9080}, "resources": rules.resources}).to_string();
    let middle = json.len() / 2;
    let (before, after) = json.split_at(middle);
    let changed = format!("{before}{}", after.replacen(r#""subset":"v2""#, r#""subset":"v4""#, 1));
    let mut cache = Cache::default();
    let mut in_use = cache.load(json.clone().into(), |_| true).unwrap();
    let mut texts = [changed, json].into_iter().cycle();
    let given = bencher.with_inputs(|| texts.next().unwrap().into());
    given.bench_local_values(|json| in_use = cache.load(json, |_| true).unwrap());
}
