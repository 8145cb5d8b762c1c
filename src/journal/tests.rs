use super::*;
use crate::ffi::os::fork::in_a_child;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

fn to(path: &Path) -> Events {
    Events { sink: EventSink::File(path.to_owned()), ..Events::default() }
}

fn journal(path: &Path) -> Journal {
    Journal::new(Output::open(&to(path), "Orders", None).unwrap())
}

fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn lines_wait_until_they_are_written_and_the_file_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    let journal = journal(&path);
    assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    journal.push("{\"a\":1}");
    journal.push("{\"a\":2}");
    assert_eq!((lines(&path).len(), journal.waiting()), (0, 2));
    assert_eq!(journal.write(0), None);
    assert_eq!(lines(&path), ["{\"a\":1}", "{\"a\":2}"]);
    assert_eq!((journal.waiting(), journal.written(), journal.lost()), (0, 2, 0));

    let shared = folder.path().join("shared.jsonl");
    Output::open(&Events { group: true, ..to(&shared) }, "Orders", None).unwrap();
    assert_eq!(std::fs::metadata(&shared).unwrap().mode() & 0o777, 0o640);
}

#[test]
fn a_file_that_was_moved_away_is_made_anew_and_one_that_was_truncated_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (path, old) = (folder.path().join("log.jsonl"), folder.path().join("log.jsonl.1"));
    let journal = journal(&path);
    journal.push("{\"a\":1}");
    journal.write(0);
    std::fs::rename(&path, &old).unwrap();
    // Noticed by the second at the latest.
    let mut count = 1;
    while !path.exists() {
        count += 1;
        journal.push(&format!("{{\"a\":{count}}}"));
        journal.write(0);
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!(count < 100, "never noticed");
    }
    let whole = [lines(&old), lines(&path)].concat();
    assert_eq!(whole, (1..=count).map(|n| format!("{{\"a\":{n}}}")).collect::<Vec<_>>(), "nothing lost, nothing twice");

    // logrotate's copytruncate.
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(0).unwrap();
    journal.push("{\"b\":1}");
    journal.write(0);
    assert_eq!(std::fs::read(&path).unwrap(), b"{\"b\":1}\n", "no hole of zeros before it");
}

#[test]
fn a_line_behind_one_that_was_cut_short_stands_on_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    std::fs::write(&path, "{\"a\":1}\n{\"a\":").unwrap();
    let journal = journal(&path);
    journal.push("{\"a\":3}");
    journal.write(0);
    assert_eq!(lines(&path), ["{\"a\":1}", "{\"a\":", "{\"a\":3}"]);
}

#[test]
fn where_nothing_can_be_written_lines_wait_and_the_newest_are_lost_counted_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    std::fs::create_dir(&inner).unwrap();
    let path = inner.join("log.jsonl");
    let journal = journal(&path);
    std::fs::remove_dir_all(&inner).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let line = format!("{{\"a\":\"{}\"}}", "x".repeat(1_000));
    journal.push("{\"first\":1}");
    assert_eq!(journal.write(0), None);
    assert_eq!(journal.waiting(), 1);
    assert!(journal.failure().unwrap().contains("No such file"), "{:?}", journal.failure());
    for _ in 0..2_000 {
        journal.push(&line);
    }
    let lost = journal.lost();
    assert!((900..1_000).contains(&lost), "{lost}");
    journal.write(0);
    std::fs::create_dir(&inner).unwrap();
    let told = journal.write(1_795_435_200_000).unwrap();
    assert!(
        told.starts_with("{\"time\":\"2026-11-23T12:00:00.000Z\",\"event\":\"events_lost\",\"severity\":\"error\"")
    );
    assert!(told.contains(&format!("\"count\":{}", journal.lost())) && told.contains("No such file"), "{told}");
    let written = lines(&path);
    assert_eq!(written.first().unwrap(), "{\"first\":1}");
    assert_eq!(written.last().unwrap(), &told, "it stands where they would");
    assert_eq!(u64::try_from(written.len()).unwrap(), 1 + 2_000 - journal.lost() + 1);
    assert_eq!((journal.waiting(), journal.failure()), (0, None));
}

#[test]
fn writers_of_one_file_in_several_threads_and_journals_never_mix_their_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    let journals: Vec<Journal> = (0..3).map(|_| journal(&path)).collect();
    std::thread::scope(|scope| {
        for (who, journal) in journals.iter().enumerate() {
            for thread in 0..3 {
                scope.spawn(move || {
                    for count in 0..200 {
                        journal.push(&format!("{{\"{who}.{thread}\":{count},\"pad\":\"{}\"}}", "x".repeat(count)));
                        journal.write(0);
                    }
                });
            }
        }
    });
    // Whoever came while another wrote left his line to him.
    journals.iter().for_each(|journal| assert_eq!(journal.waiting(), 0));
    let written = lines(&path);
    assert_eq!(written.len(), 3 * 3 * 200);
    for line in &written {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(value.as_object().unwrap().len(), 2);
    }
}

#[test]
fn a_child_does_not_write_what_its_parent_has_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    let journal = journal(&path);
    journal.push("{\"a\":1}");
    let code = in_a_child(|| {
        journal.write(0);
        if std::fs::metadata(&path).unwrap().len() == 0 { 7 } else { 8 }
    });
    assert_eq!(code, 7);
    journal.write(0);
    assert_eq!(lines(&path).len(), 1);
}

#[test]
fn what_cannot_be_opened_is_an_error_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    for (path, says) in [
        (folder.path().join("none/log.jsonl"), "make its folder"),
        (folder.path().to_owned(), "name a file in that folder"),
        (folder.path().join("pipe"), "name a plain file"),
    ] {
        if path.ends_with("pipe") {
            rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Socket, rustix::fs::Mode::RUSR, 0)
                .unwrap();
        }
        let error = Output::open(&to(&path), "Orders", None).unwrap_err();
        assert!(error.message().contains(says), "{}", error.message());
        assert!(error.message().contains(path.to_str().unwrap()));
    }
}

#[test]
fn a_new_place_gets_only_what_comes_after_the_change() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let journal = journal(&one);
    journal.push("{\"a\":1}");
    journal.turn_to(Output::open(&to(&two), "Orders", None).unwrap(), 0);
    journal.push("{\"a\":2}");
    journal.write(0);
    assert_eq!((lines(&one), lines(&two)), (vec!["{\"a\":1}".into()], vec!["{\"a\":2}".into()]));
    journal.turn_to(Output::none(), 0);
    journal.push("{\"a\":3}");
    assert_eq!(journal.waiting(), 0, "nobody would ever read it");
}
