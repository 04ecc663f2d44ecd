//! The same program as `profiling-control`, without the allocator that measures memory.

#[path = "../work.rs"]
mod work;

fn main() {
    work::print_findings();
}
