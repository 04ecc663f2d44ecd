//! An archive in SQLite: what is read of it, what is refused, and that it is left as it was.

mod broken;
#[path = "../hand_made/mod.rs"]
mod hand_made;
mod hostile;
mod large;
mod parity;
mod schemas;
mod selected;
mod selection;
#[path = "../shared/mod.rs"]
mod shared;
mod untouched;
