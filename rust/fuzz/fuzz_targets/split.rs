#![no_main]

libfuzzer_sys::fuzz_target!(|input: csvfeed_core::checks::split::Input<'_>| input.check());
