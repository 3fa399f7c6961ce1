#![no_main]

libfuzzer_sys::fuzz_target!(|input: csvfeed_fuzz::number::Input<'_>| input.check());
