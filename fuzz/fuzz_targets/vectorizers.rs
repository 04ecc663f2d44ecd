//! Any texts, a line each: what was fitted on them gives the rows of the fit, and comes back from its parts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use postroom::features::{CountVectorizer, CountVectorizerParams, TfidfParams, TfidfVectorizer, TokenBags};
use postroom::text::Language;

fuzz_target!(|input: (u8, &str)| {
    let (choice, text) = input;
    let language = Language::ALL.get(usize::from(choice) % 13).copied();
    let texts: Vec<&str> = text.split('\n').collect();
    let params = CountVectorizerParams {
        min_df: f64::from(choice / 13) / 20.0,
        ..CountVectorizerParams::default()
    };
    if let Ok((fitted, matrix)) = CountVectorizer::fit_transform(params, language, &texts) {
        let again = CountVectorizer::from_vocabulary(params, language, fitted.vocabulary().clone());
        let again = again.expect("a vocabulary that was fitted is valid");
        for (at, text) in texts.iter().enumerate() {
            assert_eq!(again.transform(text).as_row(), matrix.row(at));
        }
    }
    let bags = TokenBags::of(language, &texts).expect("there are few tokens");
    if let Ok((fitted, matrix)) = TfidfVectorizer::fit(&bags, TfidfParams::default()) {
        let again =
            TfidfVectorizer::from_parts(fitted.parts().clone()).expect("parts that were fitted are valid");
        for (at, text) in texts.iter().enumerate() {
            assert_eq!(again.transform(text), matrix.row(at));
            again.for_each_occurrence(text, |_, at| assert!(text.get(at).is_some()));
        }
    }
});
