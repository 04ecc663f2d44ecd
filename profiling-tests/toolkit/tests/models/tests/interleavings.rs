//! Whether the sampler's lock-free parts keep their promises however threads take turns.

#[test]
fn sample_is_seen_whole_or_not_at_all() {
    profiling_models::samples_are_whole();
}

#[test]
fn bounds_of_two_mappings_never_go_together() {
    profiling_models::bounds_are_of_one_mapping();
}

#[test]
fn bounds_that_were_set_are_found() {
    profiling_models::thread_finds_what_it_was_given_last();
}

#[test]
fn handler_never_uses_what_a_closed_measurement_has_freed() {
    profiling_models::nobody_is_inside_after_closing();
}
