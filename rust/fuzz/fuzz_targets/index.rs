#![no_main]

libfuzzer_sys::fuzz_target!(|input: csvfeed_fuzz::index::Input<'_>| input.check());
