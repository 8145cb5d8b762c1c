//! What a decision saw and concluded, step by step. Costs nothing where nobody asked.

/// One step of a decision, for `--explain`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which step, like `target`, `route`, `credentials`.
    pub name: &'static str,
    /// What it saw.
    pub saw: String,
    /// What it concluded.
    pub concluded: String,
    /// The request was refused here.
    pub refused: bool,
}

/// The steps so far, where somebody asked.
#[derive(Debug, Default)]
#[allow(clippy::box_collection, reason = "almost always there is none, and then it should take no room")]
pub(super) struct Trace(Option<Box<Vec<Step>>>);

impl Trace {
    pub(super) fn new(wanted: bool) -> Trace {
        Trace(wanted.then(Box::default))
    }

    /// Notes a step that went well; the texts are made only where they are wanted.
    pub(super) fn step<A: Into<String>, B: Into<String>>(
        &mut self,
        name: &'static str,
        saw: impl FnOnce() -> A,
        concluded: impl FnOnce() -> B,
    ) {
        if let Some(steps) = &mut self.0 {
            steps.push(Step { name, saw: saw().into(), concluded: concluded().into(), refused: false });
        }
    }

    /// Somebody asked.
    pub(super) fn is_wanted(&self) -> bool {
        self.0.is_some()
    }

    /// Notes the step that refused.
    pub(super) fn refused(&mut self, name: &'static str, saw: &str, concluded: impl FnOnce() -> String) {
        if let Some(steps) = &mut self.0 {
            steps.push(Step { name, saw: saw.to_owned(), concluded: concluded(), refused: true });
        }
    }

    pub(super) fn into_steps(self) -> Vec<Step> {
        self.0.map(|steps| *steps).unwrap_or_default()
    }
}
