//! Basic: a password that was verified a moment ago, one that an equal request is verifying, or one to be hashed. All
//! three come to the same answer and the same counters; only the work differs.

use std::cell::OnceCell;
use std::sync::Arc;

use crate::credential::basic;
use crate::crypto::name;
use crate::crypto::password::{self, HashError, RightEnds, Sent};
use crate::engine::context::{Context, Failure};
use crate::engine::decide::{Examination, Examined, Mode};
use crate::engine::facts::{Account, UserFact};
use crate::engine::flight::Flight;
use crate::engine::identify::{Facts, Proof};
use crate::engine::job::{Found, Work};
use crate::engine::process::Process;
use crate::engine::stored;
use crate::engine::teller::Teller;
use crate::error::Error;
use crate::event::{Kind, Member};
use crate::policy::Policy;
use crate::reason::Reason;
use crate::throttle::{Attempt, Place, Twins};

/// One check of a password for all equal ones that are under way.
pub(super) type PasswordFlight = Flight<Twins, Checked>;

/// What came of checking a password.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    user: UserFact,
    /// Version of the state at which the user was read.
    version: Option<u64>,
    guess: Guess,
}

#[derive(Clone, Debug)]
enum Guess {
    /// It is the one that is stored under this hash.
    Right { hash: String },
    /// For the operator, why not.
    Wrong { saw: String },
}

impl Examination<'_, '_> {
    pub(super) fn basic(&self, context: &mut Context, value: &[u8]) -> Result<Examined, Failure> {
        let malformed = |saw: &str| Failure::new(Reason::CredentialsMalformed, "credentials", saw);
        let mut decoded = basic::Room::new();
        let basic = basic::parse(value, &mut decoded).map_err(malformed)?;
        let name = name::canonical(basic.name)
            .ok_or_else(|| malformed("the user name holds characters that no user name can hold"))?;
        let given = basic.password;
        let mut room = self.peek(context, Attempt::Account(&name));
        let mut flight = None;
        for _ in 0..2 {
            if room.is_ok()
                && let Some(user) = self.remembered(context, &name, given)?
            {
                return Ok(Examined::Proved(Proof::Remembered, Facts::User(Some(user))));
            }
            flight = self.flight(&name, given, room.is_ok());
            if room.is_ok() || flight.is_some() {
                break;
            }
            // Full, and no twins that might have taken the room: unless they have come to their end just now.
            room = self.peek(context, Attempt::Account(&name));
        }
        if flight.is_none() {
            room.map_err(|failure| self.name_if_known(failure, &name))?;
        }
        let (name, sent) = (name.into_owned(), Sent::new(given));
        let place = match self.mode.read_only {
            true => None,
            false => {
                let place = self.reserve(context, Attempt::Account(&name), flight.as_ref().map(|flight| &flight.tag));
                Some(place.map_err(|failure| self.name_if_known(failure, &name))?)
            }
        };
        let waiting = context.snapshot.telling.as_ref().map(|telling| telling.teller.metrics.waiting());
        Ok(Examined::Needs(Box::new(Work::Password { name, sent, place, flight, waiting })))
    }

    /// Whose account is being guessed at, where there is one of this name and that is known without asking the state.
    fn name_if_known(&self, failure: Failure, name: &str) -> Failure {
        match self.process.facts.known_user(self.process.state.as_ref(), name) {
            Some(Some(user)) => failure.of(&user.name),
            _ => failure,
        }
    }

    /// The password was verified a moment ago: what a job would come to, without one. Asked only where there is room in
    /// the counters, as a full one is the answer to a right password too.
    fn remembered(&self, context: &mut Context, name: &str, given: &[u8]) -> Result<Option<Arc<Account>>, Failure> {
        let policy = &context.snapshot.policy;
        let seconds = policy.password.remember;
        if self.mode.read_only || seconds == 0 {
            return Ok(None);
        }
        let Some(Some(user)) = self.process.facts.known_user(self.process.state.as_ref(), name) else {
            return Ok(None);
        };
        if !self.process.remembered.holds(&user, given, seconds, context.now) {
            return Ok(None);
        }
        let (rules, attempt) = (&policy.throttle, Attempt::Account(name));
        self.process.throttle.passed(rules, attempt, context.client.address, context.now, &user.lately)?;
        context.trace.step("verify", || "a password that was verified a moment ago", || "remembered");
        Ok(Some(user))
    }

    /// The check of this password that is under way; where there is none and `begin`, a new one. `None` also while the
    /// state is being changed.
    fn flight(&self, name: &str, given: &[u8], begin: bool) -> Option<Arc<PasswordFlight>> {
        let process = self.process;
        if self.mode.read_only || !Sent::is_one(given) {
            return None;
        }
        let key = process.remembered.flight(name, given, process.state.version()?);
        match begin {
            true => Some(process.flights.join(key, || process.throttle.twins())),
            false => process.flights.find(&key),
        }
    }
}

/// Where passwords are checked.
#[derive(Clone, Copy)]
pub(super) struct Desk<'a> {
    pub(super) process: &'a Process,
    pub(super) mode: Mode,
    pub(super) policy: &'a Policy,
    pub(super) teller: Option<&'a Teller>,
    pub(super) now: i64,
}

impl Desk<'_> {
    /// Checks a password, or learns what came of an equal one, and settles the place of this attempt.
    pub(super) fn check(
        self,
        name: String,
        sent: Sent,
        mut place: Option<Place>,
        flight: Option<&PasswordFlight>,
    ) -> Result<Found, Failure> {
        let throttle = &self.process.throttle;
        let mut work = || {
            // Whoever does the work has a place for it, also where its twins left it none.
            if let (Some(place), Some(flight)) = (&mut place, flight) {
                throttle.claim(&self.policy.throttle, place, &flight.tag, self.now)?;
            }
            self.guess(&name, &sent, flight, place.as_ref())
        };
        let checked = match flight {
            Some(flight) => flight.share(&mut work),
            None => work(),
        };
        let checked = checked.inspect_err(|_| place.take().into_iter().for_each(|place| throttle.abandoned(place)))?;
        let failed = |place: Option<Place>| place.map_or(Ok(()), |place| throttle.failed(place, self.now));
        match checked.guess {
            Guess::Right { hash } => {
                if checked.user.as_ref().is_some_and(|user| user.disabled) {
                    // Given back, it would tell a guesser that the password was right.
                    failed(place)?;
                } else if let Some(place) = place {
                    throttle.succeeded(place, self.now)?;
                }
                let proof = Proof::Password { name, hash, sent };
                Ok(Found { proof, facts: Facts::User(checked.user), version: checked.version, round: 0 })
            }
            Guess::Wrong { saw } => {
                failed(place)?;
                let failure = Failure::new(Reason::CredentialsInvalid, "verify", saw);
                Err(match &checked.user {
                    Some(user) => failure.of(&user.name),
                    // Sooner or later somebody types a password there.
                    None => failure.told("there is no user of the name that was sent"),
                })
            }
        }
    }

    /// An unknown account, an account without a password, a disabled one and a password that can be nobody's all cost
    /// what a wrong password costs, and so does a right one that came too late: other processes have filled a counter
    /// since it took its place. Any other right one has an old hash replaced.
    fn guess(
        self,
        name: &str,
        sent: &Sent,
        flight: Option<&PasswordFlight>,
        place: Option<&Place>,
    ) -> Result<Checked, Failure> {
        let process = self.process;
        let rules = &self.policy.password;
        let unavailable = |error: Error| Failure::new(Reason::StateUnavailable, "verify", error.message());
        let cost = stored::cost_of(self.policy);
        let plan = stored::plan(process, cost).map_err(unavailable)?;
        let version = process.state.version();
        let user = process.facts.read_user(process.state.as_ref(), name).map_err(unavailable)?;
        let hash = user.as_ref().and_then(|user| user.hash.clone());
        let disabled = user.as_ref().is_some_and(|user| user.disabled);
        let late = OnceCell::new();
        let in_time = || place.is_none_or(|place| process.throttle.is_in_time(place, self.now));
        // Asked once it is known to be right, and for the first time then.
        let fails_all_the_same = || disabled || *late.get_or_init(|| !in_time());
        let remembers = !self.mode.read_only && rules.remember > 0 && sent.is_possible();
        if let (Some(user), Some(hash), true) = (&user, &hash, remembers)
            && process.remembered.holds(user, sent.given(), rules.remember, self.now)
            && !fails_all_the_same()
        {
            flight.iter().for_each(|flight| process.throttle.right(&flight.tag));
            let guess = Guess::Right { hash: hash.clone() };
            return Ok(Checked { user: Some(Arc::clone(user)), version, guess });
        }
        process.count_hash();
        let _running = self.teller.map(|teller| teller.metrics.hashing());
        let ends = || if fails_all_the_same() { RightEnds::Nothing } else { RightEnds::All };
        let checked = match plan.check(sent, hash.as_deref(), &ends) {
            Ok(checked) => checked,
            Err(HashError::Input(_) | HashError::Unsupported(_)) => password::Checked::Wrong,
            Err(HashError::Overloaded) => return Err(busy()),
            Err(HashError::System(what)) => return Err(Failure::new(Reason::Internal, "verify", what)),
        };
        let (Some(known), Some(hash)) = (&user, hash.filter(|_| checked != password::Checked::Wrong)) else {
            let saw = stored::why_wrong(user.as_deref().map(|account| &**account), name);
            return Ok(Checked { user, version, guess: Guess::Wrong { saw } });
        };
        let mut right = Checked { user: user.clone(), version, guess: Guess::Right { hash: hash.clone() } };
        if fails_all_the_same() {
            return Ok(right);
        }
        if !self.mode.read_only
            && let Some(new) = stored::renew(process, cost, known, &hash, sent, checked)
        {
            self.tell_of_renewal(&known.name);
            right.version = process.state.version();
            // What cannot be read now is read again by whoever finishes, since the state has changed.
            right.user = process.facts.read_user(process.state.as_ref(), name).unwrap_or(right.user);
            right.guess = Guess::Right { hash: new };
        }
        // Before anybody can find it remembered.
        flight.iter().for_each(|flight| process.throttle.right(&flight.tag));
        if let (Some(user), true) = (&right.user, remembers)
            && matches!(&right.guess, Guess::Right { hash } if user.hash.as_ref() == Some(hash))
        {
            process.remembered.note(user, sent.given(), self.now);
        }
        Ok(right)
    }
}

impl Desk<'_> {
    fn tell_of_renewal(self, name: &str) {
        let Some(teller) = self.teller else { return };
        let mut line = teller.line(Kind::PasswordRehashed, self.policy);
        line.text(Member::User, name);
        teller.note(Kind::PasswordRehashed, line);
    }
}

/// There is no room to hash in.
pub(super) fn busy() -> Failure {
    Failure::new(Reason::Overloaded, "verify", "the memory for password hashing is in use")
}
