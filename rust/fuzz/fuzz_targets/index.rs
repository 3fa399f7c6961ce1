#![no_main]

libfuzzer_sys::fuzz_target!(|input: csvfeed_core::checks::index::Input<'_>| input.check());
