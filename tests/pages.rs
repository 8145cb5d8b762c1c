//! The pages in a real browser: at three widths, light and dark, in every language. What is checked is what a person
//! would notice; pictures are left in target/tmp for those who want to look.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod browser;
mod engine_support;
mod tools;

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use browser::Browser;
use engine_support as support;
use gatepost::answer::page;
use gatepost::answer::refusal::{Form, Refusal};
use gatepost::catalogue::Language;
use gatepost::decision::HeaderEntry;
use gatepost::engine::Engine;
use gatepost::identity::Scheme;
use gatepost::reason::Reason;
use gatepost::request::{Header, Request};
use serde_json::{Value, json};

const WIDTHS: [u32; 3] = [360, 768, 1280];

/// What a person would notice, asked of the page itself.
const LOOK: &str = r#"(() => {
    const parts = text => text.match(/[\d.]+/g).map(Number);
    const light = rgb => {
        const [r, g, b] = rgb.map(v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = element => {
        for (let e = element; e; e = e.parentElement) {
            const colour = parts(getComputedStyle(e).backgroundColor);
            if (colour.length < 4 || colour[3] > 0) return colour.slice(0, 3);
        }
        return [255, 255, 255];
    };
    const contrast = element => {
        const [a, b] = [light(parts(getComputedStyle(element).color).slice(0, 3)), light(behind(element))];
        return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    };
    const texts = [...document.querySelectorAll('body *')].filter(e => e.getClientRects().length &&
        [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()));
    const wide = document.documentElement.clientWidth;
    const button = document.querySelector('.button');
    const svg = document.querySelector('svg');
    return {
        lang: document.documentElement.lang,
        headings: [...document.querySelectorAll('h1,h2,h3,h4')].map(h => h.tagName).join(),
        overflow: document.documentElement.scrollWidth - wide,
        outside: texts.filter(e => { const r = e.getBoundingClientRect(); return r.left < 0 || r.right > wide + 0.5; }).length,
        clipped: texts.filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline').length,
        texts: texts.length,
        contrast: Math.min(...texts.map(contrast)),
        mark: contrast(svg),
        smallest: Math.min(...texts.map(e => parseFloat(getComputedStyle(e).fontSize))),
        line: Math.max(...texts.map(e => e.getBoundingClientRect().width / parseFloat(getComputedStyle(e).fontSize))),
        button: button && button.getClientRects().length ? button.getBoundingClientRect().height : null,
        paper: getComputedStyle(document.body).backgroundColor,
        styled: document.styleSheets.length,
    };
})()"#;

/// Answers each connection with what `answer` makes of the request's target and fields; notes the targets.
struct Server {
    address: String,
    targets: Arc<Mutex<Vec<String>>>,
}

type Fields = [(String, String)];
type Answer = (u16, Vec<HeaderEntry>, Vec<u8>);
type Answering = dyn Fn(&str, &Fields) -> Answer;

impl Server {
    fn start(answer: impl Fn(&str, &Fields) -> Answer + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (targets, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(answer));
        let noted = Arc::clone(&targets);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream, &noted, &*answer));
            }
        });
        Server { address, targets }
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.targets.lock().unwrap())
    }
}

fn serve(stream: TcpStream, noted: &Mutex<Vec<String>>, answer: &Answering) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    let target = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let fields: Vec<(String, String)> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect();
    noted.lock().unwrap().push(target.clone());
    let (status, headers, body) = answer(&target, &fields);
    let mut head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    for header in headers {
        head += &format!("{}: {}\r\n", header.name, header.value);
    }
    let mut stream = stream;
    let _ = stream.write_all(&[head.as_bytes(), b"\r\n", &body].concat());
}

/// `/reason/language` is that page; `/hostile/…` with names that do not want to be broken.
fn page(target: &str, _: &Fields) -> Answer {
    let parts: Vec<&str> = target.trim_start_matches('/').split('/').collect();
    let [kind, reason, tag] = parts[..] else { return (404, Vec::new(), Vec::new()) };
    let reason = Reason::from_name(reason).unwrap();
    let language = Language::ALL.into_iter().find(|language| language.tag() == tag).unwrap();
    let (service, id) = match kind {
        "long" => ("W".repeat(200), "W".repeat(128)),
        _ => ("Orders".into(), "9f86d081884c7d65-412".into()),
    };
    let offered: &[Scheme] = match reason.status() {
        401 => &[Scheme::Basic, Scheme::Bearer, Scheme::ApiKey],
        _ => &[],
    };
    let retry_after = (reason.status() == 429).then_some(840);
    let refusal =
        Refusal { service: &service, shown: reason.shown(), id: &id, offered, retry_after, language, repeatable: true };
    let mut fields = Vec::new();
    refusal.describe(Form::Page, &mut fields);
    let body = page::body(&refusal).unwrap();
    (reason.status(), fields, body)
}

fn number(look: &Value, member: &str) -> f64 {
    look[member].as_f64().unwrap_or_else(|| panic!("{member} of {look}"))
}

/// Looks at the open page at every width, light and dark.
fn look_at(browser: &mut Browser, name: &str, tag: &str, pictures: bool) {
    let mut papers = Vec::new();
    for dark in [false, true] {
        browser.media("screen", dark);
        for width in WIDTHS {
            browser.resize(width, 800);
            let look = browser.evaluate(LOOK);
            let what = format!("{name}, {width} wide, {}: {look}", if dark { "dark" } else { "light" });
            assert_eq!(look["lang"], tag, "{what}");
            assert!(look["headings"] == "H1,H2", "one title, then what to do: {what}");
            assert!(number(&look, "overflow") <= 0.0 && look["outside"] == 0 && look["clipped"] == 0, "{what}");
            assert!(number(&look, "texts") >= 8.0 && look["styled"] == 1, "{what}");
            assert!(number(&look, "contrast") >= 4.5, "WCAG 2.2, 1.4.3: {what}");
            assert!(number(&look, "mark") >= 3.0, "WCAG 2.2, 1.4.11: {what}");
            assert!(number(&look, "smallest") >= 14.0, "{what}");
            assert!(number(&look, "line") <= 40.0, "a line is no longer than one can read: {what}");
            assert!(look["button"].is_null() || number(&look, "button") >= 44.0, "a finger hits it: {what}");
            papers.push(look["paper"].clone());
            // Each width once, and dark once.
            if pictures && dark == (width == 768) {
                let shade = if dark { "dark" } else { "light" };
                browser.picture(&tools::scratch("pictures").join(format!("{name}-{width}-{shade}.png")));
            }
        }
    }
    assert_ne!(papers.first(), papers.last(), "{name}: dark is another colour");
}

/// Nothing was asked for but the page, and nothing was forbidden or complained of.
fn nothing_else(browser: &mut Browser, server: &Server, target: &str) {
    let asked = server.asked();
    assert_eq!(asked, [target], "the page alone");
    for event in browser.events() {
        let parameters = &event["params"];
        match event["method"].as_str().unwrap_or_default() {
            "Network.requestWillBeSent" => {
                assert_eq!(parameters["request"]["url"], format!("{}{target}", server.address), "{event}");
            }
            "Log.entryAdded" => {
                // That the status is no success is what the page is about.
                let text = parameters["entry"]["text"].as_str().unwrap_or_default();
                assert!(text.starts_with("Failed to load resource: the server responded with a status"), "{event}");
            }
            "Audits.issueAdded" | "Runtime.exceptionThrown" | "Runtime.consoleAPICalled" => panic!("{event}"),
            _ => {}
        }
    }
}

#[test]
fn every_page_can_be_read_on_every_screen_and_asks_for_nothing_else() {
    let server = Server::start(page);
    let mut browser = Browser::start(&tools::scratch("browser").join("every_page"));
    let shown = [
        Reason::CredentialsMissing,
        Reason::CredentialsInvalid,
        Reason::RoleMissing,
        Reason::Throttled,
        Reason::StateUnavailable,
        Reason::TargetAmbiguous,
    ];
    for language in Language::ALL {
        let tag = language.tag();
        // The longest words are German ones; for the other languages some reasons stand for all.
        let all = Reason::ALL.iter().copied().filter(|reason| reason.status() >= 400);
        for reason in all.filter(|reason| language == Language::German || shown.contains(reason)) {
            let target = format!("/page/{reason}/{tag}");
            browser.open(&format!("{}{target}", server.address));
            look_at(&mut browser, &format!("{reason}-{tag}"), tag, shown.contains(&reason));
            nothing_else(&mut browser, &server, &target);
        }
    }
    for tag in ["en", "zh-Hans"] {
        let target = format!("/long/credentials_missing/{tag}");
        browser.open(&format!("{}{target}", server.address));
        look_at(&mut browser, &format!("long-{tag}"), tag, true);
        nothing_else(&mut browser, &server, &target);
    }
}

#[test]
fn a_page_on_paper_is_black_on_white_without_the_button() {
    let server = Server::start(page);
    let mut browser = Browser::start(&tools::scratch("browser").join("paper"));
    browser.open(&format!("{}/page/credentials_missing/en", server.address));
    browser.media("print", true);
    let look = browser.evaluate(LOOK);
    assert_eq!(look["paper"], "rgb(255, 255, 255)", "{look}");
    assert!(look["button"].is_null() && number(&look, "contrast") >= 7.0, "{look}");
}

/// The control: what the tests above look for is seen where it is.
#[test]
fn the_look_sees_what_is_wrong() {
    let server = Server::start(|_, _| {
        let html = "<!DOCTYPE html><html lang=xx><body style='background:#fff'><svg></svg><h2>x</h2><p style='color:#999;width:3000px;font-size:9px'>\
                    pale and wide</p><img src='/elsewhere.png'></body></html>";
        let entry = |name: &'static str, value: &'static str| HeaderEntry {
            name: name.into(),
            value: value.into(),
            mode: gatepost::decision::HeaderMode::Set,
        };
        let fields = vec![
            entry("Content-Type", "text/html"),
            entry("Content-Security-Policy", "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'"),
        ];
        (401, fields, html.into())
    });
    let mut browser = Browser::start(&tools::scratch("browser").join("control"));
    browser.resize(360, 800);
    browser.open(&format!("{}/x", server.address));
    let look = browser.evaluate(LOOK);
    assert!(number(&look, "overflow") > 0.0 && number(&look, "contrast") < 4.5, "{look}");
    assert!(number(&look, "smallest") < 14.0 && look["headings"] == "H2", "{look}");
    assert_eq!(server.asked(), ["/x", "/elsewhere.png"]);
}

#[test]
fn what_a_page_is_made_to_load_the_policy_forbids() {
    let server = Server::start(page);
    let mut browser = Browser::start(&tools::scratch("browser").join("forbidden"));
    browser.open(&format!("{}/page/credentials_missing/en", server.address));
    let paper = browser.evaluate(LOOK)["paper"].clone();
    browser.events();
    for injected in [
        "const i = new Image(); i.src = '/image.png'; document.body.append(i)",
        "const s = document.createElement('style'); s.textContent = 'body{background:red}'; document.head.append(s)",
        "const s = document.createElement('script'); s.textContent = 'document.title = 1'; document.head.append(s)",
        "const f = document.createElement('iframe'); f.src = '/frame'; document.body.append(f)",
        "fetch('/fetched').catch(() => 0)",
    ] {
        browser.evaluate(&format!("{{ {injected} }} 1"));
        let told = browser.wait_for("Log.entryAdded");
        let text = told["entry"]["text"].as_str().unwrap_or_default();
        assert!(text.contains("Content Security Policy"), "{injected}: {told}");
    }
    assert_eq!(server.asked(), ["/page/credentials_missing/en"]);
    assert_eq!(
        (browser.evaluate(LOOK)["paper"].clone(), browser.evaluate("document.title")),
        (paper, json!("Please log in – Orders"))
    );
}

#[test]
fn who_follows_try_again_is_asked_for_the_password_and_comes_in() {
    let policy = format!(
        "[engine]\nname = \"Orders\"\nstate = \":memory:\"\nschemes = [\"basic\"]\n{}[[route]]\npath = \"/orders\"\n",
        support::CHEAP
    );
    let engine = support::engine(&policy);
    support::add_user(&engine, "alice", &[]);
    let server = Server::start(move |target, fields| decided(&engine, target, fields));
    let mut browser = Browser::start(&tools::scratch("browser").join("try_again"));
    browser.order("Fetch.enable", json!({ "handleAuthRequests": true }));
    browser.order("Network.setExtraHTTPHeaders", json!({ "headers": { "Accept-Language": "de" } }));

    let asks = |browser: &mut Browser, answer: Value| {
        let paused = browser.wait_for("Fetch.requestPaused");
        browser.order("Fetch.continueRequest", json!({ "requestId": paused["requestId"] }));
        let asked = browser.wait_for("Fetch.authRequired");
        assert_eq!(asked["authChallenge"]["realm"], "Orders");
        let answered = json!({ "requestId": asked["requestId"], "authChallengeResponse": answer });
        browser.order("Fetch.continueWithAuth", answered);
    };
    // The box of the browser is closed without a word: the page.
    let order = json!({ "expression": format!("location.href = '{}/orders'", server.address) });
    browser.order("Runtime.evaluate", order);
    asks(&mut browser, json!({ "response": "CancelAuth" }));
    browser.until("document.querySelector('h1') !== null");
    assert_eq!(browser.evaluate("document.querySelector('h1').textContent"), "Bitte melden Sie sich an");
    // The link opens it again.
    browser.evaluate("setTimeout(() => document.querySelector('a.button').click(), 0)");
    let login = json!({ "response": "ProvideCredentials", "username": "alice", "password": support::PASSWORD });
    asks(&mut browser, login);
    browser.until("document.querySelector('h1') === null");
    assert_eq!(browser.evaluate("document.body.textContent"), "hello alice");
}

/// As a server decides: the application's answer, or the refusal.
fn decided(engine: &Engine, target: &str, fields: &Fields) -> Answer {
    let headers: Vec<Header<'_>> =
        fields.iter().map(|(name, value)| Header { name: name.as_bytes(), value: value.as_bytes() }).collect();
    let request = Request {
        method: b"GET",
        target: target.as_bytes(),
        peer: b"127.0.0.1",
        headers: &headers,
        now: Some(support::NOW),
        ..Request::default()
    };
    let decision = engine.decide(&request).unwrap();
    match decision.subject() {
        Some(subject) if decision.status == 200 => (200, Vec::new(), format!("hello {subject}").into_bytes()),
        _ => (decision.status, decision.response.to_vec(), decision.body),
    }
}
