//! What must not compile, and that the compiler says what to do instead.
//!
//! The texts are those of the newest stable compiler; another may word what surrounds them otherwise.
//! `TRYBUILD=overwrite cargo test -p portcullis-tests --test contract misuse` writes them anew.

#[test]
fn misuse_explains_itself() {
    trybuild::TestCases::new().compile_fail("contract/ui/*.rs");
}
