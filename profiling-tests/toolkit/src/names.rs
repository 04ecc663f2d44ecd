//! Demangled names of functions: whose they are, and how people read them.
//!
//! In come names as a symbolizer gives them, in Rust's old mangling or its new one, or a C function's; out go parts of
//! them. `<Type as Trait>::method::<Arguments>` is the longest form that a name has.

/// Longer arguments of a generic function aren't shown.
const LONGEST_ARGUMENTS: usize = 40;

/// The crate whose code a function is. `<my::Type as core::Trait>::method` is of `my`; where the type has no path
/// (`<[T] as alloc::slice::Join>::join`, `<T as …>`) the trait decides, and without a trait it is `core`, which alone
/// gives methods to such types.
pub fn crate_of(function: &str) -> &str {
    let Some((own_type, of_trait, _)) = split_qualified(function) else {
        return function.split("::").next().unwrap_or(function);
    };
    match leading_crate(own_type) {
        Some(name) => name,
        None => of_trait.and_then(leading_crate).unwrap_or("core"),
    }
}

/// A name as short as it can be without becoming another's: of `<Type as Trait>::method` the type and the method,
/// of generic arguments those of the function itself, each by the last part of its path.
pub fn plain(function: &str) -> String {
    if is_mark(function) {
        return function.to_owned();
    }
    let (path, arguments) = split_own_arguments(function);
    let arguments = arguments.map(brief_arguments);
    match arguments.filter(|brief| !brief.is_empty() && brief.len() <= LONGEST_ARGUMENTS) {
        Some(arguments) => format!("{}<{arguments}>", without_arguments(path)),
        None => without_arguments(path),
    }
}

/// The last two parts of a name, closures not counted: enough where file and line stand beside it.
pub fn brief(function: &str) -> String {
    if is_mark(function) {
        return function.to_owned();
    }
    let plain = without_arguments(function);
    let parts: Vec<&str> = plain.split("::").collect();
    let named = parts
        .iter()
        .rposition(|part| !part.starts_with('{'))
        .unwrap_or_default();
    parts[named.saturating_sub(1)..].join("::")
}

/// `[deeper]`: what an instrument puts where there is no function.
fn is_mark(function: &str) -> bool {
    function.starts_with('[')
}

/// A path without any generic arguments, and of `<Type as Trait>` the type.
fn without_arguments(path: &str) -> String {
    let path = bare(path);
    let (mut plain, rest) = match split_qualified(path) {
        Some((own_type, _, rest)) => (without_arguments(own_type), rest),
        None => (String::with_capacity(path.len()), path),
    };
    for (character, depth) in with_depth(rest, 0) {
        if depth == 0 {
            plain.push(character);
        }
    }
    plain.replace("::::", "::").trim_end_matches("::").to_owned()
}

/// `<Type as Trait>rest` in its parts.
fn split_qualified(name: &str) -> Option<(&str, Option<&str>, &str)> {
    let inside = name.strip_prefix('<')?;
    let mut of_trait = None;
    let mut at = 0;
    for (character, depth) in with_depth(inside, 1) {
        match character {
            '>' if depth == 1 && !inside[..at].ends_with('-') => {
                let own_type = &inside[..of_trait.unwrap_or(at)];
                let of_trait = of_trait.map(|start| &inside[start + " as ".len()..at]);
                return Some((bare(own_type), of_trait, &inside[at + 1..]));
            }
            ' ' if depth == 1 && of_trait.is_none() && inside[at..].starts_with(" as ") => {
                of_trait = Some(at);
            }
            _ => {}
        }
        at += character.len_utf8();
    }
    None
}

/// Splits off the generic arguments that a name ends in, if it does: `path::<arguments>`, of a type `path<arguments>`.
fn split_own_arguments(name: &str) -> (&str, Option<&str>) {
    let Some(inside) = name.strip_suffix('>') else {
        return (name, None);
    };
    let mut depth = 1_usize;
    for (at, character) in inside.char_indices().rev() {
        match character {
            '>' if !inside[..at].ends_with('-') => depth += 1,
            '<' => depth -= 1,
            _ => {}
        }
        if depth == 0 && at > 0 {
            return (inside[..at].trim_end_matches("::"), Some(&inside[at + 1..]));
        }
    }
    (name, None)
}

/// Each argument by the last part of its path; lifetimes, tuples and closures, which have none, are left out.
fn brief_arguments(arguments: &str) -> String {
    let mut ends: Vec<usize> = Vec::new();
    let mut at = 0;
    for (character, depth) in with_depth(arguments, 0) {
        if character == ',' && depth == 0 {
            ends.push(at);
        }
        at += character.len_utf8();
    }
    let starts = std::iter::once(0).chain(ends.iter().map(|end| end + 1));
    let arguments = starts
        .zip(ends.iter().copied().chain([arguments.len()]))
        .map(|(start, end)| &arguments[start..end]);
    let with_a_name = arguments.filter(|argument| !argument.trim().starts_with(['(', '\'']));
    let brief = with_a_name.map(|argument| {
        let (path, own) = split_own_arguments(argument.trim());
        let plain = without_arguments(path);
        let last = plain.rsplit("::").next().unwrap_or_default();
        match own.map(brief_arguments) {
            Some(own) if !own.is_empty() => format!("{last}<{own}>"),
            _ => last.to_owned(),
        }
    });
    let named: Vec<String> = brief
        .filter(|part| !part.is_empty() && !part.starts_with('{'))
        .collect();
    named.join(", ")
}

/// Each character with the number of brackets that it is inside of, given the number open before; a bracket is inside
/// itself.
fn with_depth(text: &str, open_before: usize) -> impl Iterator<Item = (char, usize)> {
    let (mut depth, mut previous) = (open_before, ' ');
    text.chars().map(move |character| {
        let inside = match character {
            '<' | '(' | '[' => {
                depth += 1;
                depth
            }
            // That of an arrow, as in `fn() -> u8`, closes nothing.
            '>' if previous == '-' => depth,
            '>' | ')' | ']' => {
                depth = depth.saturating_sub(1);
                depth + 1
            }
            _ => depth,
        };
        previous = character;
        (character, inside)
    })
}

/// A type without what stands before its path.
fn bare(own_type: &str) -> &str {
    let own_type = own_type.trim_start_matches(['&', '*', '(', '[', ' ']);
    let own_type = own_type
        .strip_prefix("mut ")
        .or_else(|| own_type.strip_prefix("const "))
        .unwrap_or(own_type);
    own_type.strip_prefix("dyn ").unwrap_or(own_type)
}

/// The first segment of a path of more than one, inside however many brackets.
fn leading_crate(path: &str) -> Option<&str> {
    if path.starts_with('<') {
        return Some(crate_of(path));
    }
    let end = path
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(path.len());
    path[end..].starts_with("::").then_some(&path[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crate_is_that_of_the_type_unless_the_type_has_no_path() {
        for (function, expected) in [
            ("alloc::raw_vec::RawVec<T,A>::grow_one", "alloc"),
            ("<my::Doc as core::clone::Clone>::clone", "my"),
            ("<alloc::vec::Vec<my::Doc> as core::clone::Clone>::clone", "alloc"),
            ("<alloc::vec::Vec<my::Doc>>::push", "alloc"),
            ("<[T] as alloc::slice::Join<&T>>::join", "alloc"),
            ("<T as my::Tokenize>::tokens", "my"),
            ("<[u8]>::to_vec", "core"),
            ("<&mut my::Doc as core::fmt::Display>::fmt", "my"),
            (
                "<fn(&my::Doc) -> my::Label as core::ops::FnOnce<()>>::call_once",
                "core",
            ),
            (
                "<<your::Zip<my::B> as your::Pieces>::with::Callback<D> as your::Callback<G>>::callback",
                "your",
            ),
            ("main", "main"),
        ] {
            assert_eq!(crate_of(function), expected, "{function}");
        }
    }

    #[test]
    fn plain_names_have_no_arguments_of_types() {
        assert_eq!(plain("a::Vec<T,A>::push"), "a::Vec::push");
        assert_eq!(plain("<a::Table<T>>::grow"), "a::Table::grow");
        assert_eq!(plain("a::call::<fn(u8) -> Vec<u8>>::run"), "a::call::run");
    }

    #[test]
    fn of_a_trait_method_the_type_stays() {
        assert_eq!(plain("<a::Rows<'_> as b::Iterator<T>>::next"), "a::Rows::next");
        let nested = "<<a::Zip<B> as c::Pieces>::with::Callback<D, E> as f::Callback<G>>::callback";
        assert_eq!(plain(nested), "a::Zip::with::Callback::callback");
        assert_eq!(
            plain("<&mut a::f::{closure#0} as b::FnMut<(u8,)>>::call_mut"),
            "a::f::{closure#0}::call_mut"
        );
    }

    #[test]
    fn a_function_keeps_the_last_parts_of_its_own_arguments() {
        assert_eq!(
            plain("a::run::<b::c::Kernel<f32, d::E>>"),
            "a::run<Kernel<f32, E>>"
        );
        assert_eq!(
            plain("<a::Table<T>>::grow::<b::C, a::f::{closure#0}, (u8, u8)>"),
            "a::Table::grow<C>"
        );
        assert_eq!(plain(&format!("a::run::<{}>", "x".repeat(41))), "a::run");
    }

    #[test]
    fn name_without_generics_is_plain_already() {
        assert_eq!(plain("sqlite3_step"), "sqlite3_step");
        assert_eq!(plain("a::f::{{closure}}"), "a::f::{{closure}}");
    }

    #[test]
    fn marks_of_the_instruments_stay() {
        assert_eq!(
            [plain("[deeper]"), brief("[freed, from before]")],
            ["[deeper]", "[freed, from before]"]
        );
    }

    #[test]
    fn brief_names_are_type_and_method() {
        assert_eq!(brief("a::b::Table<T>::grow"), "Table::grow");
        assert_eq!(
            brief("a::b::Table::grow::{{closure}}::{{closure}}"),
            "Table::grow::{{closure}}::{{closure}}"
        );
        assert_eq!(brief("malloc"), "malloc");
    }
}
