//! The tables that the benchmarks read.

use std::fmt::Write;

/// How many columns most tables have.
const WIDE: usize = 29;

/// Sebastiano Vigna's splitmix64.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// A number between 0 and 1.
    fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / 2_f64.powi(53)
    }

    fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.uniform(), self.uniform());
        (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }
}

/// Writes the next field.
type Field = fn(&mut Random, &mut String, usize);

/// A file with one kind of field.
pub struct Table {
    /// Its name in results.
    pub name: &'static str,
    /// How many columns it has.
    pub columns: usize,
    /// Millions of bytes.
    pub size: usize,
    field: Field,
}

/// First the files of the comparison with other readers, then files that the fast paths decline.
pub const TABLES: [Table; 8] = [
    Table { name: "xy", columns: 2, size: 16, field: counted },
    Table { name: "wide6", columns: WIDE, size: 16, field: six_places },
    Table { name: "higgs", columns: WIDE, size: 16, field: eighteen_places },
    Table { name: "repr", columns: WIDE, size: 16, field: shortest },
    Table { name: "missing", columns: WIDE, size: 2, field: missing },
    Table { name: "quoted", columns: WIDE, size: 2, field: quoted },
    Table { name: "ties", columns: WIDE, size: 2, field: next_to_a_tie },
    Table { name: "mixed", columns: WIDE, size: 2, field: mixed },
];

fn counted(_: &mut Random, text: &mut String, at: usize) {
    write!(text, "{}", 100_000 + at / 2 % 900_000).unwrap();
}

fn six_places(random: &mut Random, text: &mut String, _: usize) {
    write!(text, "{:.6}", random.normal()).unwrap();
}

/// Prints like C's `%.18e` of a float32.
fn eighteen_places(random: &mut Random, text: &mut String, _: usize) {
    let printed = format!("{:.18e}", f64::from(random.normal() as f32));
    let (digits, exponent) = printed.split_once('e').unwrap();
    write!(text, "{digits}e{:+03}", exponent.parse::<i32>().unwrap()).unwrap();
}

fn shortest(random: &mut Random, text: &mut String, _: usize) {
    write!(text, "{}", random.normal()).unwrap();
}

fn missing(_: &mut Random, text: &mut String, _: usize) {
    text.push_str("NA");
}

fn quoted(random: &mut Random, text: &mut String, _: usize) {
    write!(text, "\"{:.6}\"", random.normal()).unwrap();
}

/// A number of any size, off a tie between two float32s by a digit far out: the slowest case for the standard library.
fn next_to_a_tie(random: &mut Random, text: &mut String, _: usize) {
    let below = f32::from_bits(random.bits() as u32 % f32::MAX.to_bits());
    let tie = format!("{:.40e}", f64::midpoint(below.into(), below.next_up().into()));
    let (digits, exponent) = tie.split_once('e').unwrap();
    write!(text, "{digits}1e{exponent}").unwrap();
}

fn mixed(random: &mut Random, text: &mut String, at: usize) {
    const FIELDS: [Field; 8] =
        [counted, six_places, eighteen_places, shortest, missing, quoted, next_to_a_tie, |random, text, _| {
            write!(text, "{:e}", random.normal() * 1e-200).unwrap();
        }];
    let field = FIELDS[(random.bits() >> 61) as usize];
    field(random, text, at);
}

impl Table {
    /// Its first rows, until they have so many bytes.
    #[must_use]
    pub fn write(&self, bytes: usize) -> String {
        let random = &mut Random(6);
        let mut text = String::new();
        let mut at = 0;
        while text.len() < bytes {
            for column in 0..self.columns {
                text.push_str(if column == 0 { "" } else { "," });
                (self.field)(random, &mut text, at);
                at += 1;
            }
            text.push('\n');
        }
        text
    }
}
