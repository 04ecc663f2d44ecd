//! Who makes a request: in which phase of the program, on which thread.
//!
//! Threads are told apart by name, so that a thread that comes and goes with each piece of work stays one row of
//! a table. A thread looks its name up once a region; afterwards its number is a thread-local read away.

use std::cell::Cell;

use crate::phase::Phase;

/// The name of threads that were given none.
pub(super) const UNNAMED: &str = "[threads without a name]";

/// The phase and the thread of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) phase: Phase,
    /// Index into the names of [`Threads`].
    pub(super) thread: u32,
}

/// The names of the threads that made a request in a region, in the order of their first one.
#[derive(Debug)]
pub(super) struct Threads {
    region: u64,
    names: Vec<String>,
}

impl Threads {
    pub(super) fn new(region: u64) -> Self {
        Self {
            region,
            names: Vec::new(),
        }
    }

    /// The calling thread with what it is busy with.
    #[inline]
    pub(super) fn origin(&mut self) -> Origin {
        let number = NUMBER.get();
        Origin {
            phase: Phase::current(),
            thread: if number.region == self.region {
                number.thread
            } else {
                self.enter()
            },
        }
    }

    pub(super) fn name(&self, thread: u32) -> &str {
        &self.names[thread as usize]
    }

    #[cold]
    fn enter(&mut self) -> u32 {
        // Since Rust 1.93 a global allocator may ask for the current thread: its handle is the system
        // allocator's. After the thread's local data are gone it would panic; no request for a *new* block is
        // made then, and the release of one doesn't come here.
        let handle = std::thread::current();
        let name = handle.name().unwrap_or(UNNAMED);
        let known = self.names.iter().position(|known| known == name);
        let thread = known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        }) as u32;
        NUMBER.set(Number {
            region: self.region,
            thread,
        });
        thread
    }
}

/// The number of a thread in a region.
#[derive(Debug, Clone, Copy)]
struct Number {
    region: u64,
    thread: u32,
}

thread_local! {
    // `const` and without a destructor: reading it neither allocates nor registers anything.
    static NUMBER: Cell<Number> = const {
        Cell::new(Number { region: u64::MAX, thread: 0 })
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin_on(threads: &mut Threads, name: &str) -> Origin {
        std::thread::scope(|scope| {
            let builder = std::thread::Builder::new().name(name.to_owned());
            let origin = builder.spawn_scoped(scope, || threads.origin()).unwrap();
            origin.join().unwrap()
        })
    }

    #[test]
    fn threads_of_one_name_are_one() {
        let mut threads = Threads::new(u64::MAX - 1);
        let [first, other, again] = ["a", "b", "a"].map(|name| origin_on(&mut threads, name));
        assert_eq!(first, again);
        assert_eq!(
            (threads.name(first.thread), threads.name(other.thread)),
            ("a", "b")
        );
    }

    #[test]
    fn a_thread_has_a_number_of_its_own_in_each_region() {
        let mut earlier = Threads::new(u64::MAX - 2);
        origin_on(&mut earlier, "somebody else");
        let mut later = Threads::new(u64::MAX - 3);
        let [in_earlier, in_later] = [&mut earlier, &mut later].map(|threads| threads.origin().thread);
        assert_eq!((in_earlier, in_later), (1, 0));
        assert_eq!(earlier.name(1), later.name(0));
    }
}
