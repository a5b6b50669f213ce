//! The goldens are all there and can be read.

mod goldens;

use goldens::{Case, cases, folder};

#[test]
fn every_case_is_read() {
    if std::env::var_os("GOLDEN_DIR").is_some() {
        return;
    }
    let count = |name: &str| {
        let cases = cases(&folder().join(name));
        let requests = cases.iter().map(|case| case.expected.len()).sum::<usize>();
        (cases.len(), requests)
    };
    assert_eq!(count("named"), (142, 2070));
    assert_eq!(count("mix"), (150, 18_090));
    assert_eq!(count("invalid"), (100, 0));
}

#[test]
fn a_case_brings_what_stands_beside_its_input() {
    let case = Case::read(&folder().join("named/dr-tls"));
    assert_eq!(case.name, "dr-tls");
    assert!(case.clusters.is_some());
    assert!(!Case::read(&folder().join("invalid/no-action")).messages.is_empty());
}
