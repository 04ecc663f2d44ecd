//! Names of functions as people read them.

/// A name without generic arguments: they are longer than the names and rarely tell more. Of
/// `<Type as Trait>::method` the type stays.
pub(crate) fn plain(function: &str) -> String {
    let mut plain = String::with_capacity(function.len());
    let (mut depth, mut rest) = (0_usize, function);
    if let Some(inner) = rest.strip_prefix('<') {
        let end = inner.find([' ', '<', '>']).unwrap_or(inner.len());
        plain.push_str(&inner[..end]);
        (depth, rest) = (1, &inner[end..]);
    }
    let mut previous = ' ';
    for character in rest.chars() {
        match character {
            '<' => depth += 1,
            // That of an arrow, as in `fn() -> u8`, closes nothing.
            '>' if previous != '-' => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(character),
            _ => {}
        }
        previous = character;
    }
    plain.replace("::::", "::").trim_end_matches("::").to_owned()
}

/// The last two parts of a plain name, closures not counted: enough where file and line stand beside it.
pub(crate) fn brief(function: &str) -> String {
    let plain = plain(function);
    let parts: Vec<&str> = plain.split("::").collect();
    let named = parts
        .iter()
        .rposition(|part| !part.starts_with('{'))
        .unwrap_or_default();
    parts[named.saturating_sub(1)..].join("::")
}

/// Whether a function only leads from one piece of work to the next: the thread pool's and the standard library's.
pub(crate) fn is_plumbing(function: &str) -> bool {
    const CRATES: [&str; 6] = ["rayon", "rayon_core", "crossbeam_deque", "core", "alloc", "std"];
    let is_of_crates = |path: &str| {
        path.split_once("::")
            .is_some_and(|(first, _)| CRATES.contains(&first))
    };
    match function.strip_prefix('<') {
        Some(method) => match method.split_once(" as ") {
            // `<f64 as core::iter::Sum>::sum`: that of a built-in type, unless the trait is somebody else's.
            Some((of_type, of_trait)) => {
                is_of_crates(of_type) || !of_type.contains("::") && is_of_crates(of_trait)
            }
            // `<[u8]>::sort`: only the standard library gives built-in types methods.
            None => method
                .split_once('>')
                .is_some_and(|(of_type, _)| !of_type.contains("::")),
        },
        None => is_of_crates(function),
    }
}
