#![no_main]

libfuzzer_sys::fuzz_target!(|input: csvfeed_fuzz::pipeline::Input<'_>| input.check());
