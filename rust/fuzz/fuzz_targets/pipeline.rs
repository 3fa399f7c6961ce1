#![no_main]

libfuzzer_sys::fuzz_target!(|input: csvfeed_core::checks::pipeline::Input<'_>| input.check());
