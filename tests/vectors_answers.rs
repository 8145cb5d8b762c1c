//! What RFC 9457 publishes about problem details, held against the engine's answers. The data is not part of the
//! repository; see `vectors`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod engine_support;
mod vectors;

use engine_support as support;
use gatepost::answer::problem;
use gatepost::answer::refusal::Refusal;
use gatepost::catalogue::Language;
use gatepost::reason::Reason;
use serde_json::{Value, json};

/// What a document has against the schema: types, limits, forms.
fn faults(document: &Value, schema: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    if document.is_object() != (schema["type"] == "object") {
        return vec!["no object".into()];
    }
    for (name, rule) in schema["properties"].as_object().unwrap() {
        let Some(value) = document.get(name) else { continue };
        let fits = match rule["type"].as_str().unwrap() {
            "string" => value.is_string(),
            "integer" => value.is_i64(),
            other => panic!("the schema has a {other}, which this test does not know"),
        };
        let number = value.as_i64();
        let within = ["minimum", "maximum"].iter().all(|limit| match (number, rule[*limit].as_i64()) {
            (Some(number), Some(least)) if *limit == "minimum" => number >= least,
            (Some(number), Some(most)) => number <= most,
            _ => true,
        });
        let formed = rule["format"] != "uri-reference" || value.as_str().is_some_and(is_uri_reference);
        if !(fits && within && formed) {
            faults.push(format!("{name}: {value}"));
        }
    }
    faults
}

/// Characters of RFC 3986, and `%` before two digits alone.
fn is_uri_reference(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&b);
    let escapes = text.split('%').skip(1).all(|rest| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2);
    text.bytes().all(allowed) && escapes
}

fn schema() -> Option<Value> {
    // Long lines are folded as RFC 8792 says.
    let text = vectors::read("problem_details/rfc9457_problem.schema.json")?.replace("\\\n", "");
    Some(serde_json::from_str(&text).unwrap())
}

/// The messages of the RFC: head and JSON body.
fn examples() -> Option<Vec<(String, Value)>> {
    let all: Vec<String> = serde_json::from_str(&vectors::read("problem_details/rfc9457_examples.json")?).unwrap();
    let messages = all.iter().filter_map(|text| text.split_once("\n\n"));
    let with_json = messages.filter_map(|(head, body)| Some((head.to_owned(), serde_json::from_str(body).ok()?)));
    Some(with_json.collect())
}

#[test]
fn every_refusal_fits_the_schema_of_rfc_9457() {
    let Some(schema) = schema() else { return };
    for &reason in Reason::ALL {
        for language in Language::ALL {
            let refusal = Refusal {
                service: "Orders",
                shown: reason.shown(),
                id: "9f86d081-1",
                offered: &[],
                retry_after: Some(30),
                language,
                repeatable: true,
            };
            let body: Value = serde_json::from_slice(&problem::Frame::of(&refusal).body(refusal.id)).unwrap();
            assert_eq!(faults(&body, &schema), Vec::<String>::new(), "{reason} {language:?}");
            // `about:blank` wants the status's own phrase, if translated, and so the status itself.
            assert_eq!((&body["type"], &body["status"]), (&json!("about:blank"), &json!(reason.status())));
        }
    }
    let wrong = [
        json!([]),
        json!({ "type": 1 }),
        json!({ "type": "a b" }),
        json!({ "instance": "%zz" }),
        json!({ "status": 99 }),
        json!({ "status": 600 }),
        json!({ "status": "401" }),
        json!({ "title": null }),
        json!({ "detail": [] }),
    ];
    for document in wrong {
        assert_eq!(faults(&document, &schema).len(), 1, "{document}");
    }
}

#[test]
fn the_clients_of_the_rfcs_examples_get_problem_details_shaped_like_its_answers() {
    let (Some(schema), Some(examples)) = (schema(), examples()) else { return };
    let engine =
        support::engine("[engine]\nstate = \":memory:\"\nschemes = [\"basic\"]\n[[route]]\npath = \"/{*all}\"\n");
    let (mut requests, mut answers) = (0, 0);
    for (head, body) in &examples {
        let mut lines = head.lines();
        let first: Vec<&str> = lines.next().unwrap().split(' ').collect();
        let fields: Vec<(&str, &str)> = lines.map(|line| line.split_once(": ").unwrap()).collect();
        if first[0].starts_with("HTTP/") {
            // Theirs: the schema takes it, and ours carries the same fields and members.
            assert_eq!(faults(body, &schema), Vec::<String>::new(), "{body}");
            let ours = support::get("/account").to(&engine);
            for (name, value) in fields {
                assert_eq!(ours.response_header(name), Some(value), "{name}");
            }
            let ours: Value = serde_json::from_slice(&ours.body).unwrap();
            for member in ["type", "title"] {
                assert!(ours[member].is_string() && body[member].is_string(), "{member}");
            }
            answers += 1;
        } else {
            let mut ask = support::get(first[1]).method(first[0]);
            ask.host = Vec::new();
            for (name, value) in fields {
                ask = ask.header(name, value);
            }
            let decision = ask.to(&engine);
            assert_eq!((decision.status, decision.response_header("Content-Type")), (401, Some(problem::CONTENT_TYPE)));
            requests += 1;
        }
    }
    assert_eq!((requests, answers), (2, 2), "messages with a JSON body");
}
