//! The documentation of the policy file, made from the table of keys that the reader follows.

mod markdown;
mod schema;

pub use markdown::markdown;
pub use schema::json_schema;

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Compares with the committed file; `UPDATE=1` rewrites it.
    fn committed(name: &str, wanted: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
        if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, wanted).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == wanted, "docs/{name} is not what the table of keys says; run the tests with UPDATE=1");
    }

    #[test]
    fn the_documentation_is_what_the_reader_follows() {
        committed("POLICY.md", &super::markdown());
    }

    #[test]
    fn the_schema_is_what_the_reader_follows() {
        committed("policy.schema.json", &format!("{:#}\n", super::json_schema()));
    }

    #[test]
    fn every_example_in_the_documentation_reads_as_toml_that_the_table_knows() {
        let text = super::markdown();
        let examples: Vec<&str> =
            text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
        assert!(examples.len() >= 3);
        for example in examples {
            let (entries, faults) = crate::policy::tree::parse(example);
            assert!(faults.is_empty(), "{example}");
            let mut report = crate::policy::report::Report::new(example, Path::new("example"));
            crate::policy::document::Document::read(&mut report, &entries);
            assert!(!report.has_errors(), "{example}: {:?}", report.finish(&[]));
        }
    }
}
