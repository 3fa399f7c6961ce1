#![no_main]

libfuzzer_sys::fuzz_target!(|input: csvfeed_core::checks::number::Input<'_>| input.check());
