//! The program that valgrind's DHAT watches: the script on the system's own allocator, or a single block.

mod script;

fn main() {
    if std::env::args().nth(1).as_deref() == Some("script") {
        script::run();
    } else {
        script::one_block();
    }
}
