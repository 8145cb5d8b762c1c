use super::*;
use crate::journal::{Journal, Output};
use crate::policy::model::{EventSink, Events};

fn key(text: &str) -> ChainKey {
    ChainKey::new(zeroize::Zeroizing::new(text.as_bytes().to_vec()))
}

fn journal(path: &Path) -> Journal {
    let chain = Some(key("a key of this test alone, 32 octets"));
    let events = Events { sink: EventSink::File(path.to_owned()), chain, ..Events::default() };
    Journal::new(Output::open(&events, "Orders", None).unwrap())
}

fn write(journal: &Journal, lines: &[&str]) {
    lines.iter().for_each(|line| journal.push(line));
    journal.write(0);
    assert_eq!(journal.waiting(), 0, "{:?}", journal.failure());
}

fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

/// The place of the first line that does not fit behind the one before it.
fn broken(lines: &[String]) -> Option<usize> {
    let checker = Checker::new(&key("a key of this test alone, 32 octets")).unwrap();
    let mut head = Head::BEGINNING;
    for (place, line) in lines.iter().enumerate() {
        let found = Head::of_line(line);
        if found.is_none_or(|found| found.seq != head.seq + 1) || !checker.fits(&head, line) {
            return Some(place);
        }
        head = found.unwrap();
    }
    None
}

#[test]
fn any_change_of_any_line_breaks_the_chain() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    write(&journal(&path), &[r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#]);
    let good = lines(&path);
    assert_eq!(broken(&good), None);
    assert!(good[0].starts_with(r#"{"a":1,"seq":1,"mac":"hmac-sha256:"#), "{}", good[0]);
    let changed = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = good.clone();
        change(&mut lines);
        broken(&lines)
    };
    assert_eq!(changed(&|lines| lines[1] = lines[1].replace("\"a\":2", "\"a\":7")), Some(1));
    assert_eq!(changed(&|lines| drop(lines.remove(1))), Some(1));
    assert_eq!(changed(&|lines| drop(lines.remove(0))), Some(0));
    assert_eq!(changed(&|lines| lines.swap(0, 1)), Some(0));
    assert_eq!(changed(&|lines| lines.insert(1, r#"{"a":9}"#.into())), Some(1));
    assert_eq!(changed(&|lines| lines.insert(1, lines[0].clone())), Some(1));
    let other = Checker::new(&key("another key of this test, 32 octets")).unwrap();
    assert!(!other.fits(&Head::BEGINNING, &good[0]));
    for place in 0..good[2].len() {
        let mut bytes = good[2].clone().into_bytes();
        bytes[place] ^= 1;
        if let Ok(line) = String::from_utf8(bytes) {
            assert_eq!(changed(&|lines| lines[2] = line.clone()), Some(2), "octet {place}");
        }
    }
}

#[test]
fn the_chain_goes_on_over_restarts_a_move_and_a_truncation() {
    let folder = tempfile::tempdir().unwrap();
    let (path, old) = (folder.path().join("log"), folder.path().join("log.1"));
    write(&journal(&path), &[r#"{"a":1}"#]);
    write(&journal(&path), &[r#"{"a":2}"#]);
    std::fs::rename(&path, &old).unwrap();
    write(&journal(&path), &[r#"{"a":3}"#]);
    let before = [lines(&old), lines(&path)].concat();
    assert_eq!((before.len(), broken(&before)), (3, None));
    let open = journal(&path);
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(0).unwrap();
    write(&open, &[r#"{"a":4}"#]);
    assert_eq!(broken(&[before, lines(&path)].concat()), None);
    let head = Head::beside(&path).unwrap().unwrap();
    assert_eq!(head, Head::of_line(&lines(&path)[0]).unwrap(), "so that lines cut off at the end are missed");
}

#[test]
fn a_head_that_was_lost_or_left_behind_is_mended_from_the_last_line() {
    let folder = tempfile::tempdir().unwrap();
    let (path, head) = (folder.path().join("log"), folder.path().join("log.chain"));
    let journal = journal(&path);
    write(&journal, &[r#"{"a":1}"#]);
    let behind = std::fs::read(&head).unwrap();
    write(&journal, &[r#"{"a":2}"#]);
    std::fs::write(&head, &behind).unwrap();
    write(&journal, &[r#"{"a":3}"#]);
    std::fs::remove_file(&head).unwrap();
    write(&journal, &[r#"{"a":4}"#]);
    std::fs::write(&head, "not a head").unwrap();
    write(&journal, &[r#"{"a":5}"#]);
    assert_eq!((lines(&path).len(), broken(&lines(&path))), (5, None));
}

#[test]
fn several_writers_make_one_chain() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let journals: Vec<Journal> = (0..3).map(|_| journal(&path)).collect();
    std::thread::scope(|scope| {
        for (who, journal) in journals.iter().enumerate() {
            scope.spawn(move || {
                for count in 0..50 {
                    journal.push(&format!("{{\"{who}\":{count}}}"));
                    journal.write(0);
                    // Whoever has the lock may stand still for longer than is waited for it: then the line waits as well.
                    while journal.waiting() > 0 {
                        assert!(journal.failure().is_some_and(|why| why.contains("locked")), "{:?}", journal.failure());
                        journal.write(0);
                    }
                }
            });
        }
    });
    assert_eq!((lines(&path).len(), broken(&lines(&path))), (150, None));
}

#[test]
fn lines_wait_while_somebody_sits_on_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let journal = journal(&path);
    write(&journal, &[r#"{"a":1}"#]);
    let other = File::open(folder.path().join("log.chain")).unwrap();
    flock(&other, FlockOperation::LockExclusive).unwrap();
    journal.push(r#"{"a":2}"#);
    journal.write(0);
    assert_eq!((journal.waiting(), lines(&path).len()), (1, 1));
    assert!(journal.failure().unwrap().contains("locked"), "{:?}", journal.failure());
    // Not by closing it: a child that a test beside this one has just started holds it too.
    flock(&other, FlockOperation::Unlock).unwrap();
    journal.write(0);
    assert_eq!((lines(&path).len(), broken(&lines(&path))), (2, None));
}
