//! Equal cost for all accounts, where their hashes cost differently.
//!
//! A plan holds every kind of work that any stored hash in the state asks for, and that of a new hash. Each attempt that
//! fails does all of it: with a stored hash its own part for real and the rest for nothing, without one all for
//! nothing, in the same code with the same password. So an unknown name, an account without a password and a wrong
//! password run the same operations, whichever forms are mixed. Amounts of one algorithm are not added up: a cheaper
//! hash is followed by what it lacks to the dearest. Only a right password ends earlier, and that is no secret to whoever
//! sent it.
//!
//! The memory of all of it is reserved before any of it begins, so that a full ceiling refuses all alike. The works run
//! one after the other, so what fits under the ceiling alone fits together with all others.

use std::borrow::Cow;

use super::{Stored, Work};
use crate::crypto::arena::{self, Lease};
use crate::crypto::password::{Checked, Cost, HashError, Sent};

/// The work of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    groups: Vec<Group>,
    /// The ceiling that it was made under.
    ceiling: u32,
}

/// What a right password puts an end to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RightEnds {
    /// The attempt: the rest of the work is left out.
    All,
    /// Nothing: the attempt fails for another reason, and must cost what a wrong password costs.
    Nothing,
}

/// All works of one family.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    /// The dearest.
    top: Work,
    /// There are others, which are made up to it.
    mixed: bool,
}

impl Plan {
    /// For a state whose hashes ask for `works`, under a policy that makes hashes at `cost`. What can never fit under the
    /// ceiling is left out: a hash of that kind cannot be checked at all.
    pub fn new(cost: Cost, works: &[Work]) -> Plan {
        let mut plan = Plan { groups: Vec::new(), ceiling: arena::pool().ceiling() };
        for work in std::iter::once(&Work::of_new(cost)).chain(works) {
            plan.add(*work);
        }
        plan
    }

    /// No higher ceiling has let more kinds in since.
    pub(crate) fn is_current(&self) -> bool {
        self.ceiling == arena::pool().ceiling()
    }

    fn add(&mut self, work: Work) {
        if fits(work).is_err() {
            return;
        }
        match self.groups.iter_mut().find(|group| group.top.family() == work.family()) {
            Some(group) => {
                group.mixed |= group.top != work;
                if work.amount() > group.top.amount() {
                    group.top = work;
                }
            }
            None => self.groups.push(Group { top: work, mixed: false }),
        }
        self.groups.sort_by_key(|group| group.top);
    }

    /// The plan with this work in it, which it has but for a change at this very moment.
    fn including(&self, work: Work) -> Cow<'_, Plan> {
        let group = self.groups.iter().find(|group| group.top.family() == work.family());
        if group.is_some_and(|group| group.top == work || group.mixed && work.amount() <= group.top.amount()) {
            return Cow::Borrowed(self);
        }
        let mut plan = self.clone();
        plan.add(work);
        Cow::Owned(plan)
    }

    fn holds(&self, work: Work) -> bool {
        self.groups.iter().any(|group| group.top.family() == work.family() && work.amount() <= group.top.amount())
    }

    /// The stored hash can be checked together with all others under the ceiling in force.
    pub fn takes(&self, stored: &str) -> Result<(), HashError> {
        let work = Stored::parse(stored)?.work();
        if self.including(work).holds(work) {
            return Ok(());
        }
        Err(too_large(work))
    }

    /// Takes the kind of a stored hash in, where it can be checked together with all others.
    pub fn take(&mut self, stored: &str) -> Result<(), HashError> {
        self.takes(stored)?;
        self.add(Stored::parse(stored)?.work());
        Ok(())
    }

    /// Checks what was sent against a stored hash, or does the same work where there is none. `ends` is asked once it is
    /// known to be right, and must go on saying the same.
    pub fn check(&self, sent: &Sent, stored: Option<&str>, ends: &dyn Fn() -> RightEnds) -> Result<Checked, HashError> {
        let stored = stored.and_then(|stored| Stored::parse(stored).ok());
        let plan = stored.as_ref().map_or(Cow::Borrowed(self), |stored| self.including(stored.work()));
        let stored = stored.filter(|stored| plan.holds(stored.work()));
        let mut lease = plan.lease()?;
        let mut checked = Checked::Wrong;
        if let Some(stored) = &stored {
            checked = prove(stored, sent, &mut lease, ends)?;
            if checked != Checked::Wrong && ends() == RightEnds::All {
                return Ok(checked);
            }
        }
        let done = stored.map(|stored| stored.work());
        for group in &plan.groups {
            let done = done.filter(|done| done.family() == group.top.family());
            let left = match (done, group.mixed) {
                (Some(_), false) => Vec::new(),
                (None, false) => vec![group.top],
                (done, true) => group.top.missing_after(done),
            };
            for work in left {
                std::hint::black_box(prove(&work.specimen(), sent, &mut lease, ends)?);
            }
        }
        Ok(checked)
    }

    /// What a failed attempt costs, in words.
    pub fn describe(&self) -> Vec<String> {
        self.groups.iter().map(|group| super::known::name_of(group.top)).collect()
    }

    fn lease(&self) -> Result<Lease<'static>, HashError> {
        let most = |of: fn(Work) -> u32| self.groups.iter().map(|group| of(group.top)).max().unwrap_or(0);
        let (blocks, own) = (most(Work::blocks), most(Work::own_kib));
        let mut lease = arena::pool().lease_either(blocks, own)?;
        lease.wipe = self.groups.iter().any(|group| group.top.is_single_pass());
        Ok(lease)
    }
}

/// Checks what was sent against one stored hash, whatever the others cost.
pub(crate) fn verify(sent: &Sent, stored: &str) -> Result<Checked, HashError> {
    let stored = Stored::parse(stored)?;
    let mut lease = lease_for(stored.work())?;
    prove(&stored, sent, &mut lease, &|| RightEnds::All)
}

/// The work fits under the ceiling in force.
pub(crate) fn fits(work: Work) -> Result<(), HashError> {
    if u64::from(work.blocks()) + u64::from(work.own_kib()) > u64::from(arena::pool().ceiling()) {
        return Err(too_large(work));
    }
    Ok(())
}

/// A buffer for one work.
pub(crate) fn lease_for(work: Work) -> Result<Lease<'static>, HashError> {
    fits(work)?;
    let mut lease = arena::pool().lease(work.blocks(), work.own_kib())?;
    lease.wipe = work.is_single_pass();
    Ok(lease)
}

/// Does the work of one hash, for each form of the password that it may have been made from.
fn prove(
    stored: &Stored,
    sent: &Sent,
    lease: &mut Lease<'_>,
    ends: &dyn Fn() -> RightEnds,
) -> Result<Checked, HashError> {
    let other = sent.prepared().filter(|prepared| stored.is_argon2() && *prepared != sent.given());
    let (blocks, own) = (stored.work().blocks(), stored.work().own_kib());
    let right = match other {
        Some(prepared) => stored.matches(prepared, lease.turn(blocks, own)?)?,
        None => false,
    };
    if right && ends() == RightEnds::All {
        return Ok(Checked::Right);
    }
    let as_given = stored.matches(sent.given(), lease.turn(blocks, own)?)? && sent.is_possible();
    Ok(match (right, as_given, sent.prepared() == Some(sent.given())) {
        (true, _, _) | (_, true, true) => Checked::Right,
        (_, true, false) => Checked::RightAsGiven,
        (false, false, _) => Checked::Wrong,
    })
}

fn too_large(work: Work) -> HashError {
    let (needed, ceiling) = (u64::from(work.blocks()) + u64::from(work.own_kib()), arena::pool().ceiling());
    HashError::Unsupported(format!(
        "a password hash of {needed} KiB does not fit under the memory ceiling of {ceiling} KiB; raise the ceiling for \
         hashing, or set the password anew at a lower cost"
    ))
}
