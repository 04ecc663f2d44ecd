//! The gate of the signal handler: what is shared may be freed once it is closed.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use loom::thread;

use self::gate::Gate;
use crate::checked;

#[path = "../../../src/cpu/linux/gate.rs"]
mod gate;

mod atomic {
    pub(super) use loom::sync::atomic::{AtomicUsize, Ordering, fence};
    pub(super) use loom::thread::yield_now;
}

/// Handlers come and go on two threads while two measurements are opened and closed: none uses what is shared after it
/// was freed, or before it was made.
///
/// # Panics
/// If it isn't so.
pub fn nobody_is_inside_after_closing() {
    checked(3, || {
        let gate = Arc::new(Gate {
            active: AtomicUsize::new(0),
            inside: AtomicUsize::new(0),
        });
        // Of which measurements what is shared is there. Relaxed: it is the gate that has to order this.
        let shared = Arc::new([false, false, false].map(AtomicBool::new));
        let handlers = [(), ()].map(|()| {
            let (gate, shared) = (Arc::clone(&gate), Arc::clone(&shared));
            thread::spawn(move || {
                let generation = gate.enter();
                if generation != 0 {
                    assert!(shared[generation].load(Relaxed), "used when it isn't there");
                }
                gate.leave();
            })
        });
        for generation in [1, 2] {
            shared[generation].store(true, Relaxed);
            gate.open(generation);
            gate.close();
            shared[generation].store(false, Relaxed);
        }
        for handler in handlers {
            handler.join().expect("its assertions hold");
        }
    });
}
