//! Processes that count together, against a model that knows all that ever happened.

use proptest::prelude::*;

use super::tests::{Ground, MONTH, NOW, ip, reserve};
use crate::policy::model::{Limit, ThrottleRules};
use crate::throttle::{Attempt, Place};

/// The naive model: all that ever happened, in whichever process.
#[derive(Default)]
struct Model {
    events: Vec<Event>,
    successes: Vec<(String, i64)>,
}

#[derive(Clone, Debug)]
struct Event {
    id: usize,
    process: usize,
    key: String,
    at: i64,
    failed: bool,
}

impl Model {
    /// Counters and their limits.
    fn keys(&self, rules: &ThrottleRules, name: u8, address: u8, now: i64) -> Vec<(String, Limit)> {
        let pair = format!("pair {name} {address}");
        let known = rules.pair.is_some() && self.successes.iter().any(|(key, at)| *key == pair && now - at < MONTH);
        let others = [(format!("account {name}"), rules.account), (format!("address {address}"), rules.address)];
        let others = others.into_iter().filter(|_| !known);
        others.chain([(pair, rules.pair)]).filter_map(|(key, limit)| Some((key, limit?))).collect()
    }

    fn count(&self, (key, limit): &(String, Limit), now: i64, counts: impl Fn(&Event) -> bool) -> bool {
        let live = self.events.iter().filter(|event| event.key == *key && event.at + limit.per > now && counts(event));
        live.count() >= limit.failures as usize
    }

    /// As it is by now.
    fn remove(&mut self, id: usize) -> Event {
        let position = self.events.iter().position(|event| event.id == id).unwrap();
        self.events.remove(position)
    }

    /// A process whose clock shows this dates what is under way in it, under this key or all.
    fn date(&mut self, process: usize, key: Option<&str>, now: i64) {
        let own = self.events.iter_mut().filter(|event| event.process == process && !event.failed);
        own.filter(|event| key.is_none_or(|key| event.key == key)).for_each(|event| event.at = event.at.min(now));
    }
}

#[derive(Clone, Debug)]
struct Step {
    process: usize,
    name: u8,
    address: u8,
    wait: i64,
    /// By how much the time that is told is older: of what had to wait before it came to the counters.
    lag: i64,
    what: u8,
}

fn step() -> impl Strategy<Value = Step> {
    let lag = prop_oneof![2 => Just(0), 1 => 0..50i64];
    (0..3usize, 0..2u8, 0..3u8, 0..40i64, lag, 0..10u8).prop_map(|(process, name, address, wait, lag, what)| Step {
        process,
        name,
        address,
        wait,
        lag,
        what,
    })
}

type UnderWay = (usize, Place, String, Vec<(usize, String, Limit)>);

proptest! {
    #[test]
    fn any_history_of_three_processes_is_answered_as_the_naive_model_answers_it(
        steps in proptest::collection::vec(step(), 1..150),
        limits in proptest::collection::vec(proptest::option::weighted(0.8, (1..6u32, 1..300i64)), 3),
    ) {
        let limit = |n: usize| limits[n].map(|(failures, per)| Limit { failures, per });
        let rules = ThrottleRules { account: limit(0), address: limit(1), prefix: None, pair: limit(2) };
        let ground = Ground::new();
        let mut processes = [ground.process(), ground.process(), ground.process()];
        let (mut model, mut under_way, mut clock, mut id) = (Model::default(), Vec::<UnderWay>::new(), NOW, 0);
        let mut latest = NOW;
        for Step { process, name, address, wait, lag, what } in steps {
            clock += wait;
            let now = clock - lag;
            latest = latest.max(now);
            // What is over for whoever came later may be so for it too, or not.
            let is_same = |full: &dyn Fn(i64) -> bool| full(now) == full(latest);
            let throttle = &processes[process];
            match what {
                0..=5 => {
                    let text = format!("user{name}");
                    let keys = model.keys(&rules, name, address, now);
                    let counts = |event: &Event| event.failed || event.process == process;
                    let full = |now| keys.iter().any(|key| model.count(key, now, counts));
                    if !is_same(&full) {
                        continue;
                    }
                    let is_full = full(now);
                    prop_assert_eq!(throttle.peek(&rules, Attempt::Account(&text), ip(address), now).is_err(), is_full);
                    let reserved = reserve(throttle, &rules, &text, ip(address), now);
                    prop_assert_eq!(reserved.is_err(), is_full);
                    if let Ok(place) = reserved {
                        let mut events = Vec::new();
                        for (key, limit) in keys {
                            model.date(process, Some(&key), now);
                            id += 1;
                            model.events.push(Event { id, process, key: key.clone(), at: now, failed: false });
                            events.push((id, key, limit));
                        }
                        under_way.push((process, place, format!("pair {name} {address}"), events));
                    }
                }
                6..=8 if !under_way.is_empty() => {
                    let chosen = usize::from(address) % under_way.len();
                    let full = |now| {
                        let mut keys = under_way[chosen].3.iter().map(|(_, key, limit)| (key.clone(), *limit));
                        keys.any(|key| model.count(&key, now, |other| other.failed))
                    };
                    if !is_same(&full) {
                        continue;
                    }
                    let is_full = full(now);
                    let (process, place, pair, events) = under_way.remove(chosen);
                    let throttle = &processes[process];
                    let events: Vec<_> = events.iter().map(|(id, ..)| model.remove(*id)).collect();
                    if what == 6 {
                        if wait % 2 == 0 {
                            prop_assert_eq!(throttle.is_in_time(&place, now), !is_full);
                        }
                        prop_assert_eq!(throttle.succeeded(place, now).is_err(), is_full);
                        model.successes.extend((!is_full).then_some((pair, now)));
                    } else if what == 7 && wait % 4 == 0 {
                        throttle.abandoned(place);
                    } else {
                        prop_assert_eq!(throttle.failed(place, now).is_err(), is_full);
                        let failed = events.into_iter().filter(|_| !is_full);
                        model.events.extend(failed.map(|event| Event { failed: true, at: event.at.min(now), ..event }));
                    }
                }
                9 if wait % 3 == 0 => {
                    // It ends with all that it was at, and another one begins.
                    processes[process] = ground.process();
                    under_way.retain(|(of, ..)| *of != process);
                    model.events.retain(|event| event.failed || event.process != process);
                }
                _ => {
                    throttle.sweep(now);
                    model.date(process, None, now);
                }
            }
        }
    }
}
