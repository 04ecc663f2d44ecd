//! What the toolkit claims of its own speed and judgement, measured here and now.
//!
//! `cargo bench -p profiling-toolkit` on a machine that does nothing else: a line a claim, and exit code 1 if one isn't
//! met. These judge times, which a busy machine falsifies, so they are no tests.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program that shows what it measured"
)]

use std::env;
use std::hint::black_box;
use std::io;
use std::process::{Command, ExitCode, Stdio};
use std::thread;

use profiling_toolkit::compare::{ALL_PAIRS, FEW_PAIRS, Verdict, compare_pairs, compare_times, pair_of};
use profiling_toolkit::cpu::{CpuOptions, measure_cpu};
use profiling_toolkit::cpu_clock::process_cpu_ns;
use profiling_toolkit::memory::{ProfilingAllocator, measure_tracker_cost};
use profiling_toolkit::timing::{Samples, TimedCalls, TimingOptions};
use profiling_toolkit::turns::{Partner, Turns, take_turns};

#[global_allocator]
static GLOBAL: ProfilingAllocator = ProfilingAllocator::new();

/// Comparisons of the same work, and of work with a fifth more.
const N_COMPARISONS: usize = 10;

/// Pairs of a run with the sampler and one without.
const N_PAIRS: usize = 15;

/// Set for a process that takes turns: how much work it times.
const ROUNDS: &str = "CLAIMS_ROUNDS";

fn main() -> ExitCode {
    if let Ok(rounds) = env::var(ROUNDS) {
        time_in_turn(rounds.parse().unwrap());
        return ExitCode::SUCCESS;
    }
    let claims = [
        tracker(),
        comparisons(),
        comparisons_in_turn(),
        sampler("one busy thread", 1),
        sampler("a busy thread on each processor", n_processors()),
    ];
    for claim in claims.iter().flatten() {
        let verdict = if claim.met { "met" } else { "NOT MET" };
        println!("{verdict:>8}  {}", claim.text);
    }
    ExitCode::from(u8::from(!claims.iter().flatten().all(|claim| claim.met)))
}

struct Claim {
    text: String,
    met: bool,
}

fn tracker() -> Vec<Claim> {
    let cost = measure_tracker_cost().unwrap();
    let claim = |name, ns: f64, most: f64| Claim {
        text: format!("memory tracker {name}: {ns:.1} ns for an allocation and its release, at most {most}"),
        met: ns <= most,
    };
    vec![
        claim("on", cost.switched_on_extra_ns(), 130.0),
        claim("off", cost.switched_off_extra_ns(), 15.0),
    ]
}

/// Hashes, so that processor and caches both have something to do.
fn work(n_rounds: u64) {
    let mut table = vec![0_u64; 4_096];
    let mut state = 1_u64;
    for round in 0..n_rounds {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(round);
        let place = (state >> 52) as usize;
        table[place] ^= state;
    }
    black_box(table);
}

fn comparisons() -> Vec<Claim> {
    let compare = |n_rounds| {
        let mut calls = TimedCalls::new(TimingOptions::default());
        for n_rounds in [300_000, n_rounds] {
            calls.call(move || work(n_rounds));
        }
        calls.measure_rest();
        let samples: Vec<Samples> = calls.finish().into_iter().map(|timing| timing.samples).collect();
        compare_times(&samples[0], &samples[1]).unwrap().verdict
    };
    judgement("two runs", compare)
}

fn comparisons_in_turn() -> Vec<Claim> {
    let compare = |n_rounds| {
        let mut pairs = Vec::new();
        while pairs.len() < ALL_PAIRS {
            if pairs.len() == FEW_PAIRS && !compare_pairs(&pairs).unwrap().is_open {
                break;
            }
            let [first, second] = timed_in_turn([300_000, n_rounds]);
            pairs.push(pair_of(&first, &second).unwrap());
        }
        compare_pairs(&pairs).unwrap().verdict
    };
    judgement("processes that take turns", compare)
}

/// What `compare` says of some work beside the same, and beside so much more.
fn judgement(of: &str, compare: impl Fn(u64) -> Verdict) -> Vec<Claim> {
    let claim = |what: &str, n_rounds, expected| {
        let n_right = (0..N_COMPARISONS)
            .filter(|_| compare(n_rounds) == expected)
            .count();
        Claim {
            text: format!("{of}: {what}: {n_right} of {N_COMPARISONS} comparisons"),
            met: n_right == N_COMPARISONS,
        }
    };
    vec![
        claim("the same work is within noise", 300_000, Verdict::WithinNoise),
        claim("a fifth more work is worse", 360_000, Verdict::Worse),
    ]
}

/// Times of two processes of this program, each with so much work.
fn timed_in_turn(n_rounds: [u64; 2]) -> [Samples; 2] {
    let mut processes = Vec::new();
    take_turns(n_rounds, |n_rounds| -> io::Result<Partner> {
        let (partner, line) = Partner::new()?;
        let mut command = Command::new(env::current_exe()?);
        command
            .env(ROUNDS, n_rounds.to_string())
            .stdin(line)
            .stdout(Stdio::piped());
        processes.push(command.spawn()?);
        Ok(partner)
    })
    .unwrap();
    let samples = processes.into_iter().map(|process| {
        let output = process.wait_with_output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    });
    samples.collect::<Vec<_>>().try_into().unwrap()
}

/// Times work in the turns that this process is given.
fn time_in_turn(n_rounds: u64) {
    let mut calls = TimedCalls::new(TimingOptions {
        turns: Turns::over_stdin().unwrap(),
        ..TimingOptions::default()
    });
    calls.call(move || work(n_rounds));
    calls.measure_rest();
    let timing = calls.finish().swap_remove(0);
    println!("{}", serde_json::to_string(&timing.samples).unwrap());
}

/// By how much sampling slows threads that are busy, in CPU time; with that of the sampler's own thread where they leave it
/// no processor. Medians of alternating runs.
fn sampler(name: &str, n_threads: usize) -> Vec<Claim> {
    let is_free = n_threads < n_processors();
    let busy = || {
        thread::scope(|scope| {
            for _ in 0..n_threads {
                scope.spawn(|| work(600_000_000));
            }
        });
    };
    let unsampled_ns = || {
        let before = process_cpu_ns().unwrap();
        busy();
        process_cpu_ns().unwrap() - before
    };
    let mut rates = Vec::new();
    let mut slowdown = |_| {
        let without_ns = unsampled_ns();
        let ((), profile) = measure_cpu(&CpuOptions::default(), busy).unwrap();
        rates.push(profile.sampling.rate_reached_hz);
        let of_the_sampler = if is_free { 0 } else { profile.sampling.sampler_ns };
        (profile.cpu_ns + of_the_sampler) as f64 / without_ns as f64 - 1.0
    };
    let percent = 100.0 * median((0..N_PAIRS).map(&mut slowdown).collect());
    let rate = median(rates);
    vec![Claim {
        text: format!(
            "CPU sampler, {name}: {percent:.2} % more CPU time, at most 2; {rate:.0} samples a second"
        ),
        met: percent <= 2.0,
    }]
}

fn n_processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
