//! Each form: right, wrong, near misses, caps, hostile bytes.

use proptest::prelude::*;

use super::meter::metered;
use super::{EACH, PASSWORD};
use crate::crypto::password::{self, Checked, HashError, Sent, Verdict};
use crate::crypto::stored::{Stored, Work};

fn unsupported(stored: &str) -> String {
    match password::check_stored(stored) {
        Err(HashError::Unsupported(why)) => why,
        other => panic!("{stored}: {other:?}"),
    }
}

#[test]
fn every_form_matches_its_password_and_no_other() {
    for (maker, stored) in EACH {
        assert_eq!(password::check_stored(stored), Ok(()), "{maker}");
        assert_eq!(password::verify(PASSWORD.as_bytes(), stored), Ok(Verdict::Match), "{maker}");
        for wrong in ["", "pass wörd 73", "pass wörd 72 ", "Pass wörd 72", "pass wo\u{308}rd 72"] {
            assert_eq!(password::verify(wrong.as_bytes(), stored), Ok(Verdict::Mismatch), "{maker}: {wrong:?}");
        }
        let sent = Sent::new(PASSWORD.as_bytes());
        assert_eq!(password::verify_sent(&sent, stored), Ok(Checked::Right), "{maker}");
    }
}

#[test]
fn a_password_with_a_nul_never_equals_one_without() {
    for (maker, stored) in EACH {
        for with_nul in [format!("{PASSWORD}\0"), format!("{PASSWORD}\0{PASSWORD}"), format!("{PASSWORD}\0x")] {
            assert_eq!(password::verify(with_nul.as_bytes(), stored), Ok(Verdict::Mismatch), "{maker}");
        }
    }
}

#[test]
fn what_cannot_be_a_password_is_never_right() {
    // Hashes of nothing, as `htpasswd -b users alice ''` makes them.
    for stored in ["{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "$apr1$saltsalt$a8ml/vK5HEjiZ5oypDWA7/"] {
        assert_eq!(password::verify(b"", stored), Ok(Verdict::Match), "{stored}");
        assert_eq!(password::verify_sent(&Sent::new(b""), stored), Ok(Checked::Wrong), "{stored}");
        assert_eq!(password::verify_sent(&Sent::new(&[b'x'; 1025]), stored), Ok(Checked::Wrong), "{stored}");
    }
}

#[test]
fn old_forms_take_the_password_as_it_was_given_and_new_hashes_as_rfc_8265_prepares_it() {
    let cost = password::Cost { memory_kib: 32, iterations: 1, parallelism: 1 };
    // Decomposed, as some keyboards write it: another text than its composed form, and the same password.
    let (given, prepared) = ("pass wo\u{308}rd 72", PASSWORD);
    let new = password::hash(prepared.as_bytes(), cost).unwrap();
    assert_eq!(password::verify_sent(&Sent::new(given.as_bytes()), &new), Ok(Checked::Right));
    let old = "{SHA}JnBbnMPM00gMxK6VUE7LeIfe21M=";
    assert_eq!(password::verify_sent(&Sent::new(given.as_bytes()), old), Ok(Checked::Wrong), "made from the other");
    let elsewhere = password::hash(given.as_bytes(), cost).unwrap();
    assert_eq!(password::verify_sent(&Sent::new(given.as_bytes()), &elsewhere), Ok(Checked::RightAsGiven));
    assert_eq!(password::verify_sent(&Sent::new(prepared.as_bytes()), &elsewhere), Ok(Checked::Wrong));
    // Bytes that are no UTF-8 can be right only for what others made of them.
    let latin1 = Sent::new(b"pass w\xf6rd 72");
    assert_eq!(latin1.prepared(), None);
    assert_eq!(password::verify_sent(&latin1, &new), Ok(Checked::Wrong));
    assert_eq!(password::verify_sent(&latin1, "{SHA}bbMeG8tdLdvcMINo/fO3C/an9IU="), Ok(Checked::RightAsGiven));
}

#[test]
fn bcrypt_looks_at_72_octets_as_its_hashes_were_made() {
    let long = "a".repeat(80);
    let stored = format!("$2y$04${}", bcrypt::hash_with_salt(&long, 4, [7; 16]).unwrap().to_string().get(7..).unwrap());
    for (password, verdict) in [(80, Verdict::Match), (72, Verdict::Match), (71, Verdict::Mismatch)] {
        assert_eq!(password::verify("a".repeat(password).as_bytes(), &stored), Ok(verdict), "{password}");
    }
    let cost = password::Cost { memory_kib: 32, iterations: 1, parallelism: 1 };
    assert!(password::is_weaker(&stored, cost), "replaced by a hash of the whole password at the first good login");
}

#[test]
fn what_crypt_cannot_have_made_is_neither_right_nor_worth_the_time() {
    let of_511 =
        "$6$rounds=1000$salt$lZ.wFK7OAdCcgvqIPhZyOij9xOymdmsD2RSyI29dHomGqgMZ9GKPsU9sDQoDKrlHKdS4ij3VGXJFyNkz/Tn4M0";
    // By passlib, which has another limit.
    let of_512 =
        "$6$rounds=1000$salt$pkpJWSPWF7wZ0yJdrBGMQi.crLHPI9Zv5LgB4BOgM9FhhXvuUgFKvChon8hqgMbe5Q.IE8ubYoElZOd0fFETL0";
    assert_eq!(password::verify(&[b'a'; 511], of_511), Ok(Verdict::Match));
    assert_eq!(password::verify(&[b'a'; 512], of_512), Ok(Verdict::Mismatch));
    let of_nothing = "$apr1$saltsalt$a8ml/vK5HEjiZ5oypDWA7/";
    assert_eq!(password::verify(b"", of_nothing), Ok(Verdict::Match));
    assert_eq!(password::verify(&[b'a'; 512], of_nothing), Ok(Verdict::Mismatch), "it does not pass for nothing");
    for (length, hashed) in [(511, 511), (512, 0), (1024, 0)] {
        let (_, done) = metered(|| password::verify(&vec![b'a'; length], of_511));
        assert_eq!(done.keys().map(|(_, password)| password.len()).collect::<Vec<_>>(), [hashed]);
    }
}

#[test]
fn a_changed_character_is_refused_or_matches_nothing() {
    for (maker, stored) in EACH {
        for position in 0..stored.len() {
            let mut changed = stored.to_owned().into_bytes();
            changed[position] = if changed[position] == b'1' { b'2' } else { b'1' };
            let changed = String::from_utf8(changed).unwrap();
            // Dear ones are not run: what counts is that no change passes for the original.
            let Ok(read) = Stored::parse(&changed) else { continue };
            if read.work() == Stored::parse(stored).unwrap().work() && position % 7 == 0 {
                let verdict = password::verify(PASSWORD.as_bytes(), &changed);
                let unused = read == Stored::parse(stored).unwrap();
                let wanted = if unused { Verdict::Match } else { Verdict::Mismatch };
                assert_eq!(verdict, Ok(wanted), "{maker}: {changed}");
            }
        }
    }
}

#[test]
fn what_is_cut_off_or_continued_is_refused() {
    for (maker, stored) in EACH {
        // An output or a salt of another length is another hash where a form allows several.
        let several = matches!(Stored::parse(stored), Ok(Stored::Argon2(_) | Stored::Scrypt(_) | Stored::Sha1(_)));
        for end in 0..stored.len() {
            assert!(several || Stored::parse(&stored[..end]).is_err(), "{maker}: {}", &stored[..end]);
            assert_ne!(Stored::parse(&stored[..end]), Stored::parse(stored));
        }
        for more in ["$", "=", "1", " ", "\n", "\0", "é", ":"] {
            let continued = Stored::parse(&format!("{stored}{more}"));
            assert!(continued.is_err() || several && more == "1", "{maker}: with {more:?}");
            assert!(Stored::parse(&format!("{more}{stored}")).is_err(), "{maker}: behind {more:?}");
        }
    }
}

#[test]
fn costs_over_the_caps_are_refused_before_any_work() {
    let bcrypt = "$2y$04$..........................................................".get(..60).unwrap();
    let sha512 = EACH.iter().find(|(maker, _)| *maker == "passlib sha512_crypt").unwrap().1;
    let scrypt = EACH.iter().find(|(maker, _)| *maker == "passlib scrypt").unwrap().1;
    let pbkdf2 = EACH.iter().find(|(maker, _)| *maker == "passlib pbkdf2_sha256").unwrap().1;
    let django = EACH.iter().find(|(maker, _)| *maker == "scrypt Django").unwrap().1;
    assert!(Stored::parse(bcrypt).is_ok());
    for (from, from_text, texts) in [
        (bcrypt, "$04$", &["$16$", "$31$"][..]),
        (sha512, "rounds=1000$", &["rounds=1000001$", "rounds=999999999$", "rounds=4294967295$"]),
        (
            scrypt,
            "ln=4,r=8,p=1",
            &["ln=21,r=8,p=1", "ln=63,r=1,p=1", "ln=4,r=65,p=1", "ln=17,r=8,p=64", "ln=30,r=64,p=64"],
        ),
        (pbkdf2, "$10$", &["$10000001$", "$4294967295$"]),
        (django, "$16$", &["$16777216$"]),
    ] {
        assert!(from.contains(from_text), "{from}");
        for text in texts {
            let why = unsupported(&from.replacen(from_text, text, 1));
            assert!(why.contains("too much work"), "{text}: {why}");
        }
    }
    for (from, from_text, texts) in [
        (bcrypt, "$04$", &["$03$", "$32$", "$99$", "$4$", "$+4$", "$ 4$", "$004$"][..]),
        (sha512, "rounds=1000$", &["rounds=999$", "rounds=01000$", "rounds=$", "rounds=-1$", "rounds=4294967296$"]),
        (scrypt, "ln=4,r=8,p=1", &["ln=0,r=8,p=1", "ln=4,r=0,p=1", "ln=4,r=8,p=0", "ln=04,r=8,p=1", "r=8,ln=4,p=1"]),
        (pbkdf2, "$10$", &["$0$", "$-1$", "$010$", "$$", "$4294967296$"]),
        (django, "$16$", &["$17$", "$0$", "$1$"]),
    ] {
        for text in texts {
            unsupported(&from.replacen(from_text, text, 1));
        }
    }
}

#[test]
fn what_is_not_taken_is_told_with_what_to_do_and_never_shown() {
    for (stored, says) in [
        ("is51Bcy22Caa2", "DES"),
        ("_J9..CCCCXBrJUJV154M", "DES"),
        ("{PLAIN}hunter2secret", "gatepost user passwd"),
        ("hunter2secret!", "htpasswd -p"),
        ("$2x$04$......................9Wm1UFxSYnPcnzPyXYYQTxIrcmzXO", "different passwords"),
        ("$y$j9T$salt$hunter2secret", "yescrypt"),
        ("sha1$salt$hunter2secret", "set a new password"),
        ("{MD5}hunter2secret", "set a new password"),
        ("!hunter2secret", "--no-password"),
        ("*", "--no-password"),
        ("x", "--no-password"),
        ("", "--no-password"),
        ("alice:hunter2secret", "no password hash"),
    ] {
        let why = unsupported(stored);
        assert!(why.contains(says), "{stored}: {why}");
        assert!(!why.contains("hunter2secret"), "{why}");
        assert!(password::work(stored).is_none());
    }
}

#[test]
fn a_form_has_a_name_and_the_weak_ones_a_mark() {
    for (stored, name, weak) in [
        ("$apr1$dERJvhBp$ytvnSc9oa9HsECfW7w7P00", "apr1 (MD5)", true),
        ("{SHA}JnBbnMPM00gMxK6VUE7LeIfe21M=", "{SHA} (SHA-1, no salt)", true),
        ("$2b$04$oM/zfW88kNlTIdlnDfswaeuk7hnttilkbOENzcyt.va1E7Xiam18C", "bcrypt, cost 4", false),
    ] {
        let form = password::form(stored).unwrap();
        assert_eq!((form.name.as_str(), form.weak), (name, weak));
    }
    let names: Vec<String> = EACH.iter().map(|(_, stored)| password::form(stored).unwrap().name).collect();
    for name in ["Argon2i, 64 KiB, 1 passes, 1 lanes", "bcrypt over SHA-256, cost 4", "PBKDF2-SHA256, 10 iterations"] {
        assert!(names.iter().any(|own| own == name), "{name}: {names:?}");
    }
}

#[test]
fn the_text_of_a_work_reads_back_as_the_work() {
    for (maker, stored) in EACH {
        let work = password::work(stored).unwrap();
        assert_eq!(Work::parse(&work.to_text()), Some(work), "{maker}");
        assert_eq!(work.specimen().work(), work, "{maker}");
        assert_eq!(password::work(stored), Some(work));
    }
    for text in [
        "",
        "bcrypt",
        "bcrypt 31",
        "bcrypt 4 4",
        "scrypt 63 8 1",
        "sha512-crypt 16 999999999",
        "sha2 1 1",
        "pbkdf2-sha256 1 4294967295",
        "pbkdf2-sha256 200 10",
        "pbkdf2-md5 1 1",
        "argon2id$v=19$m=1,t=1,p=1",
        "sha1 1",
        "argon2id$v=19$m=4294967295,t=1,p=1",
        "md5-crypt 256",
        " sha1",
        "bcrypt  4",
    ] {
        assert_eq!(Work::parse(text), None, "{text:?}");
    }
}

proptest! {
    #[test]
    fn rustsec_2026_0199_no_stored_bytes_panic(text in any::<String>()) {
        let _ = Stored::parse(&text);
        let _ = Work::parse(&text);
    }

    #[test]
    fn near_misses_of_every_form_do_not_panic_and_stay_within_the_caps(
        (which, at, with, cut) in (0..EACH.len(), any::<prop::sample::Index>(), "[ -~é\u{0}]{0,6}", 0..3usize)
    ) {
        let stored = EACH[which].1;
        let at = at.index(stored.len());
        let text = format!("{}{with}{}", &stored[..at], stored.get(at + cut..).unwrap_or_default());
        if let Ok(read) = Stored::parse(&text) {
            prop_assert!(read.work().amount() <= 10_000_000, "{text}");
            prop_assert!(read.work().own_kib() <= 1 << 20 && read.work().blocks() <= 1 << 20, "{text}");
        }
    }
}
