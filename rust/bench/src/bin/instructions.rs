//! Takes a text through one stage so often, for an emulator or a profiler that counts instructions.
//!
//! `instructions TABLE STAGE ROUNDS` prints how many fields a round has. STAGE is "index" or "number". The difference of
//! two counts with different rounds is the work of the stage alone. `CSVFEED_SIMD` names the instruction set.

use std::hint::black_box;

use csvfeed_bench::tables::TABLES;
use csvfeed_bench::{BLOCK_BYTES, DIALECT, GROUP, convert_all, text_of};
use csvfeed_core::index::Index;
use csvfeed_core::simd::simd;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, name, stage, rounds] = arguments.as_slice() else { panic!("instructions TABLE STAGE ROUNDS") };
    let rounds: usize = rounds.parse().expect("a number of rounds");
    let table = TABLES.iter().find(|table| table.name == name).expect("the name of a table");
    let columns = table.columns;
    let simd = simd().expect("an instruction set of this machine");
    let text = text_of(&table.write(BLOCK_BYTES / 4));
    let mut index = Index::default();
    assert!(index.fill(simd, &text, DIALECT, columns, "header").is_none());
    let (mut values, mut declined) = (vec![0.0; GROUP], vec![]);
    for _ in 0..rounds {
        match stage.as_str() {
            "index" => assert!(index.fill(simd, black_box(&text), DIALECT, columns, "header").is_none()),
            "number" => convert_all(simd, black_box(&text), &index, columns, &mut values, &mut declined),
            _ => panic!("{stage}: \"index\" or \"number\""),
        }
    }
    println!("{}", index.rows() * columns);
}
