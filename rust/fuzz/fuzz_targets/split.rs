#![no_main]

libfuzzer_sys::fuzz_target!(|input: csvfeed_fuzz::split::Input<'_>| input.check());
