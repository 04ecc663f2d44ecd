//! What functions, stacks and phases cost: sums over the samples, with their errors.

use std::collections::{BTreeMap, BTreeSet};

use super::naming::{NamedStack, Naming};
use super::samples::{Samples, Spreads, weight};
use crate::cpu::profile::{FunctionCost, PhaseCost, PhaseFunction, StackCost};
use crate::phase::Phase;

/// The sums, sorted by name.
#[derive(Debug)]
pub(super) struct Costs {
    pub(super) functions: Vec<FunctionCost>,
    pub(super) stacks: Vec<StackCost>,
    pub(super) phases: Vec<PhaseCost>,
    pub(super) truncated: u64,
    pub(super) rooted: u64,
    pub(super) unsymbolised: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    weight_ns: u64,
    samples: u64,
}

impl Cost {
    const fn of_sample(weight_ns: u64) -> Self {
        Self {
            weight_ns,
            samples: 1,
        }
    }

    fn add(&mut self, other: Self) {
        self.weight_ns += other.weight_ns;
        self.samples += other.samples;
    }
}

/// A function's cost by itself and with what it called.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    own: Cost,
    cumulative: Cost,
}

impl Costs {
    pub(super) fn of(samples: &Samples, naming: &mut Naming<'_>) -> Self {
        let stacks: Vec<Charged> = samples
            .stacks
            .iter()
            .map(|stack| Charged::new(naming.stack(stack), stack.truncated))
            .collect();
        let order = Order::by_name(&naming.names, &stacks);
        let count = |is_counted: fn(&Charged) -> bool| {
            let counted = samples.iter().filter(|sample| is_counted(&stacks[sample.stack]));
            counted.count() as u64
        };
        Self {
            truncated: count(|stack| stack.truncated),
            rooted: count(|stack| stack.named.rooted),
            unsymbolised: count(|stack| !stack.named.symbolised),
            functions: functions(samples, &stacks, &naming.names, &order),
            phases: phases(samples, &stacks, &naming.names, &order),
            stacks: sum_stacks(samples, &stacks, &order),
        }
    }
}

/// A stack by name, and the functions that its samples are charged to.
#[derive(Debug)]
struct Charged {
    named: NamedStack,
    truncated: bool,
    /// Each function once, however often it occurs.
    functions: Vec<usize>,
    own: usize,
}

impl Charged {
    fn new(named: NamedStack, truncated: bool) -> Self {
        let functions: BTreeSet<usize> = named.frames.iter().map(|frame| frame.function as usize).collect();
        Self {
            own: named.frames[named.own].function as usize,
            functions: functions.into_iter().collect(),
            named,
            truncated,
        }
    }
}

/// The functions that are on a stack after trimming, by name, and the place of each in that order.
#[derive(Debug)]
struct Order {
    numbers: Vec<usize>,
    places: Vec<u32>,
}

impl Order {
    fn by_name(names: &[String], stacks: &[Charged]) -> Self {
        let used: BTreeSet<u32> = stacks.iter().flat_map(|stack| stack.named.path()).collect();
        let mut numbers: Vec<usize> = used.into_iter().map(|number| number as usize).collect();
        numbers.sort_by_key(|&number| &names[number]);
        let mut places = vec![0; names.len()];
        for (place, &number) in numbers.iter().enumerate() {
            places[number] = place as u32;
        }
        Self { numbers, places }
    }
}

fn functions(samples: &Samples, stacks: &[Charged], names: &[String], order: &Order) -> Vec<FunctionCost> {
    let mut sums = vec![Sums::default(); names.len()];
    let mut lines = vec![BTreeMap::<&str, u64>::new(); names.len()];
    for (stack, cost) in stacks.iter().zip(cost_by_stack(samples, stacks.len())) {
        charge(&mut sums, stack, cost);
        add_lines(&mut lines, &stack.named, cost.weight_ns);
    }
    let mut spreads = [Spreads::new(names.len()), Spreads::new(names.len())];
    for tick in samples.ticks() {
        for sample in tick {
            let stack = &stacks[sample.stack];
            spreads[0].add(stack.own, sample.weight_ns);
            for &function in &stack.functions {
                spreads[1].add(function, sample.weight_ns);
            }
        }
        let whole = weight(tick);
        for spreads in &mut spreads {
            spreads.end_tick(whole);
        }
    }
    let whole = samples.whole();
    let function = |&number: &usize| {
        let Sums { own, cumulative } = sums[number];
        // Of lines that cost the same, the first.
        let hottest = lines[number]
            .iter()
            .rev()
            .max_by_key(|&(_, &weight_ns)| weight_ns);
        FunctionCost {
            function: names[number].clone(),
            location: hottest.map(|(&location, _)| location.to_owned()),
            self_ns: own.weight_ns,
            self_error_ns: spreads[0].error_ns(number, own.weight_ns, whole),
            self_samples: own.samples,
            cumulative_ns: cumulative.weight_ns,
            cumulative_error_ns: spreads[1].error_ns(number, cumulative.weight_ns, whole),
            cumulative_samples: cumulative.samples,
        }
    };
    order.numbers.iter().map(function).collect()
}

fn cost_by_stack(samples: &Samples, n_stacks: usize) -> Vec<Cost> {
    let mut costs = vec![Cost::default(); n_stacks];
    for sample in samples.iter() {
        costs[sample.stack].add(Cost::of_sample(sample.weight_ns));
    }
    costs
}

fn charge(sums: &mut [Sums], stack: &Charged, cost: Cost) {
    sums[stack.own].own.add(cost);
    for &function in &stack.functions {
        sums[function].cumulative.add(cost);
    }
}

/// Charges the line of each function's innermost frame.
fn add_lines<'stack>(lines: &mut [BTreeMap<&'stack str, u64>], stack: &'stack NamedStack, weight_ns: u64) {
    for (place, frame) in stack.frames.iter().enumerate() {
        let is_innermost = stack.frames[place + 1..]
            .iter()
            .all(|inner| inner.function != frame.function);
        if let Some(location) = frame.location.as_deref().filter(|_| is_innermost) {
            *lines[frame.function as usize].entry(location).or_default() += weight_ns;
        }
    }
}

fn sum_stacks(samples: &Samples, stacks: &[Charged], order: &Order) -> Vec<StackCost> {
    // Stacks that differ in addresses may be the same by name.
    let mut by_path = BTreeMap::<Vec<u32>, Cost>::new();
    for (stack, cost) in stacks.iter().zip(cost_by_stack(samples, stacks.len())) {
        let path = stack.named.path().into_iter();
        let path = path.map(|number| order.places[number as usize]).collect();
        by_path.entry(path).or_default().add(cost);
    }
    let stacks = by_path.into_iter().map(|(frames, cost)| StackCost {
        frames,
        weight_ns: cost.weight_ns,
        samples: cost.samples,
    });
    stacks.collect()
}

fn phases(samples: &Samples, stacks: &[Charged], names: &[String], order: &Order) -> Vec<PhaseCost> {
    let distinct: BTreeSet<Phase> = samples.iter().map(|sample| sample.phase).collect();
    let distinct: Vec<Phase> = distinct.into_iter().collect();
    let place = |phase| distinct.binary_search(&phase).unwrap_or_default();
    let mut spreads = Spreads::new(distinct.len());
    for tick in samples.ticks() {
        for sample in tick {
            spreads.add(place(sample.phase), sample.weight_ns);
        }
        spreads.end_tick(weight(tick));
    }
    let whole = samples.whole();
    let phase = |(place, &phase): (usize, &Phase)| {
        let mut cost = phase_cost(phase, samples, stacks, (names, order));
        cost.error_ns = spreads.error_ns(place, cost.cpu_ns, whole);
        cost
    };
    let mut phases: Vec<PhaseCost> = distinct.iter().enumerate().map(phase).collect();
    phases.sort_by(|a, b| a.phase.cmp(&b.phase));
    phases
}

fn phase_cost(
    phase: Phase,
    samples: &Samples,
    stacks: &[Charged],
    (names, order): (&[String], &Order),
) -> PhaseCost {
    let mut sums = vec![Sums::default(); names.len()];
    let mut total = Cost::default();
    for sample in samples.iter().filter(|sample| sample.phase == phase) {
        let cost = Cost::of_sample(sample.weight_ns);
        total.add(cost);
        charge(&mut sums, &stacks[sample.stack], cost);
    }
    let function = |&number: &usize| PhaseFunction {
        function: names[number].clone(),
        self_ns: sums[number].own.weight_ns,
        self_samples: sums[number].own.samples,
        cumulative_ns: sums[number].cumulative.weight_ns,
        cumulative_samples: sums[number].cumulative.samples,
    };
    PhaseCost {
        phase: phase.name().to_owned(),
        cpu_ns: total.weight_ns,
        error_ns: 0,
        samples: total.samples,
        functions: PhaseCost::costliest(order.numbers.iter().map(function).collect()),
    }
}
