//! What each thread is busy with, by a name that the profiled program gives it: the instruments tell memory and time
//! by phase.
//!
//! A program that logs through `tracing` has its phases already: [`SpanPhases`] makes every span one, from when a
//! thread enters it until it exits. Work handed to another thread belongs to the phase of the span that is
//! entered *there*; without one, to [`Phase::NONE`].

use std::cell::Cell;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tracing_core::span::{Attributes, Current, Id, Record};
use tracing_core::subscriber::Interest;
use tracing_core::{Event, Metadata, Subscriber};

/// Spans within spans that are kept apart; what is entered deeper belongs to the deepest of these.
const MAX_NESTED: usize = 16;

/// Room for so many phases is made beforehand, so that no memory region counts it.
const EXPECTED_PHASES: usize = 64;

/// A phase of the profiled program, known by its number; the same name is the same phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Phase(u16);

impl Phase {
    /// No span is entered.
    pub const NONE: Self = Self(0);

    /// The phase of this name. There are at most 65,534; further names share the last one.
    pub fn named(name: &'static str) -> Self {
        let mut names = names();
        let known = names.iter().position(|&known| known == name);
        let position = known.unwrap_or_else(|| {
            if names.len() < usize::from(u16::MAX) - 1 {
                names.push(name);
            }
            names.len() - 1
        });
        Self(position as u16 + 1)
    }

    /// Its name; empty for [`Phase::NONE`].
    pub fn name(self) -> &'static str {
        let position = usize::from(self.0).checked_sub(1);
        position.map_or("", |position| names()[position])
    }

    /// The phase that the calling thread is in. Neither allocates nor locks: instruments ask in the middle of an
    /// allocation and in a signal handler.
    pub fn current() -> Self {
        Self(CURRENT.with(|current| current.load(Ordering::Relaxed)))
    }

    /// Its number; 0 for [`Phase::NONE`].
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    pub(crate) fn number(self) -> u16 {
        self.0
    }

    /// The phase that [`Phase::number`] gave this number.
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    pub(crate) fn from_number(number: u16) -> Self {
        Self(number)
    }

    /// As a span's, which may not be zero; [`Phase::NONE`] is no span.
    fn id(self) -> Id {
        Id::from_u64(u64::from(self.0))
    }

    /// Puts the calling thread into this phase, inside the one that it is in, until [`Phase::exit`].
    pub fn enter(self) {
        let (mut outer, depth) = OUTER.get();
        if let Some(slot) = outer.get_mut(depth) {
            *slot = Self::current();
            CURRENT.with(|current| current.store(self.0, Ordering::Relaxed));
        }
        OUTER.set((outer, depth + 1));
    }

    /// Puts the calling thread back into the phase that it was in before [`Phase::enter`].
    pub fn exit() {
        let (outer, depth) = OUTER.get();
        let depth = depth.saturating_sub(1);
        if let Some(phase) = outer.get(depth) {
            CURRENT.with(|current| current.store(phase.0, Ordering::Relaxed));
        }
        OUTER.set((outer, depth));
    }
}

thread_local! {
    // `const` and without destructors: neither allocates nor registers anything. The first is an atomic because a
    // signal handler reads it on the thread that may be writing it.
    static CURRENT: AtomicU16 = const { AtomicU16::new(0) };
    static OUTER: Cell<([Phase; MAX_NESTED], usize)> = const { Cell::new(([Phase::NONE; MAX_NESTED], 0)) };
}

fn names() -> MutexGuard<'static, Vec<&'static str>> {
    static NAMES: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());
    unpoisoned(&NAMES)
}

/// Whoever panicked holding one of these locks had not begun to change anything.
fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A `tracing` subscriber for which the name of a span is the name of a phase; takes only the spans of one target and
/// no events. Entering and leaving a span allocates nothing.
#[derive(Debug)]
pub struct SpanPhases {
    target: &'static str,
    /// The spans seen, by phase: who asks which span it is in gets more than a number.
    spans: Mutex<Vec<(Phase, &'static Metadata<'static>)>>,
}

impl SpanPhases {
    /// Makes phases of the spans that have this target.
    pub fn of_target(target: &'static str) -> Self {
        names().reserve(EXPECTED_PHASES);
        Self {
            target,
            spans: Mutex::new(Vec::with_capacity(EXPECTED_PHASES)),
        }
    }
}

impl Subscriber for SpanPhases {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.enabled(metadata) {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.target() == self.target
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let phase = Phase::named(span.metadata().name());
        let mut spans = unpoisoned(&self.spans);
        if spans.iter().all(|&(known, _)| known != phase) {
            spans.push((phase, span.metadata()));
        }
        phase.id()
    }

    fn current_span(&self) -> Current {
        let phase = Phase::current();
        let spans = unpoisoned(&self.spans);
        match spans.iter().find(|(known, _)| *known == phase) {
            Some((_, metadata)) => Current::new(phase.id(), metadata),
            None => Current::none(),
        }
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, span: &Id) {
        Phase(span.into_u64() as u16).enter();
    }

    fn exit(&self, _: &Id) {
        Phase::exit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_phase() {
        assert_eq!(Phase::named("sorting"), Phase::named("sorting"));
        assert_ne!(Phase::named("sorting"), Phase::named("merging"));
        assert_eq!(
            (Phase::named("merging").name(), Phase::NONE.name()),
            ("merging", "")
        );
    }

    #[test]
    fn leaving_a_phase_returns_to_the_one_around_it() {
        let (outer, inner) = (Phase::named("outer"), Phase::named("inner"));
        outer.enter();
        inner.enter();
        assert_eq!(Phase::current(), inner);
        Phase::exit();
        assert_eq!(Phase::current(), outer);
        Phase::exit();
        assert_eq!(Phase::current(), Phase::NONE);
    }

    #[test]
    fn phases_nested_too_deep_belong_to_the_deepest_kept() {
        let (kept, deeper) = (Phase::named("kept"), Phase::named("deeper"));
        (0..MAX_NESTED).for_each(|_| kept.enter());
        deeper.enter();
        assert_eq!(Phase::current(), kept);
        (0..=MAX_NESTED).for_each(|_| Phase::exit());
        assert_eq!(Phase::current(), Phase::NONE);
    }

    #[test]
    fn spans_of_the_target_are_phases_of_the_thread_that_enters_them() {
        tracing::subscriber::with_default(SpanPhases::of_target("a program"), || {
            let sorting = tracing::info_span!(target: "a program", "sorting");
            let other = tracing::info_span!(target: "another program", "parsing");
            let inside = sorting.in_scope(|| other.in_scope(Phase::current));
            assert_eq!(inside.name(), "sorting");
            let elsewhere = std::thread::spawn(Phase::current).join().expect("it only reads");
            assert_eq!(elsewhere, Phase::NONE);
            let handed_on = sorting.in_scope(tracing::Span::current);
            assert_eq!(handed_on.in_scope(Phase::current).name(), "sorting");
        });
        assert_eq!(Phase::current(), Phase::NONE);
    }
}
