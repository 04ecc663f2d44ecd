//! The sampler's lock-free parts under a model checker.
//!
//! In come the sources of the toolkit as they are, out go models: small programs around them that loom runs in all
//! the ways that the threads may take turns. The tests run them.

mod handing_over;
mod opening_and_closing;

pub use handing_over::{bounds_are_of_one_mapping, samples_are_whole, thread_finds_what_it_was_given_last};
pub use opening_and_closing::nobody_is_inside_after_closing;

/// Runs `model` in all the ways in which its threads are interrupted so many times at most where they could go on.
fn checked(n_interruptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(n_interruptions);
    builder.check(model);
}

/// As the toolkit's, of which the arena needs the number.
mod phase {
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) struct Phase(u16);

    impl Phase {
        pub(crate) fn number(self) -> u16 {
            self.0
        }

        pub(crate) fn from_number(number: u16) -> Self {
            Self(number)
        }
    }
}
