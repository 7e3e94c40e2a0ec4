//! What the documents say of the source is true.

use std::collections::BTreeMap;

use crate::repo;

#[test]
fn every_test_that_the_threat_model_names_is_there() {
    let is_source =
        |path: &std::path::Path| path.is_dir() || path.extension().is_some_and(|kind| kind == "rs");
    let mut sources = String::new();
    for folder in ["core", "extension", "native-host", "sandbox", "tests", "xtask"] {
        let mut files = BTreeMap::new();
        repo::collect(&repo::path(folder), &is_source, &mut files).unwrap();
        sources.extend(files.into_values().map(|bytes| String::from_utf8(bytes).unwrap()));
    }
    let text = String::from_utf8(repo::read(&repo::path("docs/threat-model.md")).unwrap()).unwrap();
    let names: Vec<_> =
        text.split('`').skip(1).step_by(2).filter(|name| name.matches('_').count() > 2).collect();
    assert!(names.len() > 30, "{names:?}");
    for name in names {
        assert!(sources.contains(&format!("fn {name}(")), "{name}");
    }
}
