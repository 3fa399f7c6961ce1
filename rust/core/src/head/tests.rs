//! Tests of detection and headers.

use super::*;
use crate::dialect::{Dialect, Encoding};
use crate::source::MemorySource;
use crate::table::missing::Missing;

fn detect(text: &str) -> Result<char, String> {
    let source = MemorySource::new(text.as_bytes());
    detect_delimiter(&source, vec![], Dialect::default(), &Header::Auto, &Missing::default())
        .map(|(dialect, _)| char::from(dialect.delimiter))
        .map_err(|error| error.kind.to_string())
}

fn sniffed(text: &[u8]) -> Result<Sniffed, String> {
    sniff(&MemorySource::new(text), vec![], &Given::default()).map_err(|error| error.kind.to_string())
}

#[test]
fn the_delimiter_is_that_of_a_table() {
    for (text, delimiter) in [
        ("a,b\n1,2\n", ','),
        ("a;b\n1,5;2,5\n", ';'),
        ("1,5;2,5;3,5\n1,5;2,5;3,5\n", ';'),
        ("a\tb\n1\t2\n", '\t'),
        ("a|b|c\n1|x, y|3\n", '|'),
        ("  a   b\n1.5   2\n  3 4\n", ' '),
        ("x\n1\n2\n", ','),
        ("an x\n1\n2\n", ','),
        ("1,5\n2,5\n", ','),
        ("1, 2, 3\n4, 5, 6\n", ','),
        ("2021-01-01 10:00;1,5\n2021-01-02 11:00;2,5\n", ';'),
        ("name,n\n\"a;b;c\",1\n\"d;e;f\",2\n", ','),
        ("a,b\n\"x\ny\",2\n", ','),
        ("SEP=|\na,b|c\n", '|'),
        ("a\x01b\n1\x012\n", '\x01'),
        ("a,b\n1,2\n3\n4,5\n", ','),
        ("name\nJohn Smith\nJane Doe\n", ','),
        ("a\n2020-01-01 01:02:03\n", ','),
    ] {
        assert_eq!(detect(text), Ok(delimiter), "{text:?}");
    }
}

#[test]
fn the_header_is_detected_from_the_rows_below_it() {
    for (text, header) in [
        ("x,y\n1,2\n3,4\n", Ok(Header::Present)),
        ("1,2\n3,4\n", Ok(Header::Absent)),
        ("5.1,0.2,setosa\n4.9,0.2,setosa\n7.0,1.4,virginica\n", Ok(Header::Absent)),
        ("M,0.455,15\nF,0.53,9\nI,0.33,7\n", Ok(Header::Absent)),
        ("a,b,y\noops,x,y\n1,2,3\n5,6,8\n9,1,1\n", Ok(Header::Present)),
        (",0,1\n0,0.5,1.5\n1,2.5,3.5\n", Ok(Header::Present)),
        ("name,2010,2011,2012\na,5.1,6.2,7.5\nb,1.5,2.5,3.5\n", Ok(Header::Present)),
        ("name,2010,2011\na,5.1,6.2\nb,1.5,2.5\n", Err("header=False")),
        ("a,1,2,3\nb,4,5,6\nc,7,8,9\n", Err("header=False")),
        ("sample,400,402.5,405\na,0.1,0.2,0.15\nb,0.3,0.2,0.25\n", Err("header=False")),
        ("dose,1,2,5,10\na,0.1,0.2,0.15,0.5\nb,0.3,0.2,0.25,0.25\n", Err("header=False")),
        ("class,100,label\na,0,x\nb,1,y\nc,1,z\n", Err("header=False")),
        ("city,20,5\na,20,3\na,10,4\na,30,5\na,1,6\nb,1,7\nb,9,9\nb,6,3\nb,5,2\n", Err("header=False")),
        ("root,x,0,1\nbin,x,1,5\nman,x,2,7\n", Err("header=False")),
        ("-,a,5\n11,b,4\n1,c,1\n13,d,0\n", Err("header=False")),
        ("#,name\n1,ann\n2,bob\n", Ok(Header::Present)),
        ("a,1,2,5,10\na,1,2,1,5\nb,3,2,2,2\n", Ok(Header::Absent)),
    ] {
        let (source, given, missing) = (MemorySource::new(text.as_bytes()), Dialect::default(), Missing::default());
        match (detect_delimiter(&source, vec![], given, &Header::Auto, &missing), header) {
            (Ok((_, found)), header) => assert_eq!(Ok(found), header, "{text:?}"),
            (Err(error), Err(advice)) => assert!(error.kind.to_string().contains(advice), "{text:?}"),
            (Err(error), _) => panic!("{text:?}: {}", error.kind),
        }
        let (_, known) = detect_delimiter(&source, vec![], given, &Header::Absent, &missing).unwrap();
        assert_eq!(known, Header::Absent);
    }
}

#[test]
fn an_ambiguous_file_is_a_question_that_shows_each_reading() {
    let message = detect("a b;c d,e f\ng h;i j,k l\n").unwrap_err();
    assert!(message.contains("delimiter=\",\" reads 2 columns"), "{message}");
    assert!(message.contains("delimiter=\";\" reads 2 columns"), "{message}");
    let message = detect("a,b,c\n1;2\n3\t4,5\n").unwrap_err();
    assert!(message.contains("2 ways"), "{message}");
    let message = detect("x\n1,5\n2,5\n").unwrap_err();
    assert!(message.contains("2 ways"), "{message}");
    let message = detect("Report of May\nid;value\n1;2\n3;4\n").unwrap_err();
    assert!(message.contains("delimiter=\";\", skip_rows=1"), "{message}");
}

#[test]
fn spaces_beside_quotes_are_found() {
    for (text, initial, last) in [
        ("x,c,y\n1, \"Paris, TX\", 0\n2, \"Rome\", 1\n", true, false),
        ("x,c,y\r\n1,\"Paris, TX\" ,0\r\n2,\"Rome\"\t,1\r\n", false, true),
        ("\"a\" , \"b, c\" \r\n1, 2\r\n3, 4\r\n", true, true),
        ("sep=,\na, \"b, c\"\n1,2\n3,4\n", true, false),
        ("a,b\n1,\"said \"\"hi\"\" , and\"\n2,\"b, \"\"c\"\"\"\n", false, false),
        ("name,n\nnail 5\",1\nnail 6\" ,2\nscrew 7\",3\n", false, false),
    ] {
        let (source, given, missing) = (MemorySource::new(text.as_bytes()), Dialect::default(), Missing::default());
        let (found, _) = detect_delimiter(&source, vec![], given, &Header::Auto, &missing).unwrap();
        assert_eq!((found.skip_initial_space, found.skip_final_space), (initial, last), "{text:?}");
        let found = sniffed(text.as_bytes()).unwrap().dialect;
        assert_eq!((found.skip_initial_space, found.skip_final_space), (initial, last), "{text:?}");
    }
    let prose = "text\nHe said, \"no\"\nShe, \"well\"\n";
    assert!(sniffed(prose.as_bytes()).unwrap_err().contains("skip_initial_space=True"));
}

#[test]
fn a_file_is_sniffed() {
    let semicolons = Dialect::new(b';', Some(b'"'));
    let decimals = Dialect { decimal: b',', ..semicolons };
    let german = sniffed(b"name;preis\r\nM\xFCller;1.234,50\r\nMaier;2,50\r\n").unwrap();
    assert_eq!(german.dialect, Dialect { thousands: Some(b'.'), encoding: Encoding::Latin1, ..decimals });
    assert!(german.is_named && german.returns);
    let mut lines: Vec<_> = (0..500).map(|n| format!("{};0,{}\n", n % 7, n + 100)).collect();
    lines[100] = "1;0,200;9\n".into();
    let titled = format!("Report\nx;y\n{}", lines.concat());
    let long = format!("x;y\n{}", lines.concat());
    for (text, expected) in [
        (
            &b"# made by a machine\n# of iron\nx y\n1 2\n3 4\n"[..],
            Dialect { comment: Some(b'#'), ..Dialect::new(b' ', Some(b'"')) },
        ),
        (b"Report of May\n\nid,value\n1,2\n3,4\n", Dialect { skip_rows: 1, ..Dialect::default() }),
        (
            b"1.5\ta\\\n\\\tb\t\\N\n2\tc\td\n3\te\tf\n",
            Dialect { escape: Some(b'\\'), ..Dialect::new(b'\t', Some(b'"')) },
        ),
        (b"a,b\n1,2\n3,4,5\n6,7\n8,9\n1,2\n3,4\n1,2\n3,4\n1,2\n3,4\n1,2\n", Dialect::default()),
        (long.as_bytes(), decimals),
        (titled.as_bytes(), Dialect { skip_rows: 1, ..decimals }),
        (b"Report of May\nid,value\n1,2\n3,4,5\n6,7\n8,9\n", Dialect { skip_rows: 1, ..Dialect::default() }),
        (b"x,y\n1,2,\n3,4,\n5,6,\n", Dialect::default()),
        (b"a,t\n1,it's\n2,'tis\n", Dialect::default()),
        (
            b"state,n,m\nCA,\"12,345\",\"6,789\"\nTX,\"9,876\",\"5,432\"\n",
            Dialect { thousands: Some(b','), ..Dialect::default() },
        ),
        (b"x,y,z\na,1,2,3\nb,4,5,6\n", Dialect::default()),
        (b"t\tn\nBoys' Town\t1\nBurn 'Em Up\t2\n", Dialect::new(b'\t', Some(b'"'))),
    ] {
        let found = sniffed(text).map(|sniffed| sniffed.dialect);
        assert_eq!(found, Ok(expected), "{:?}", String::from_utf8_lossy(&text[..text.len().min(60)]));
    }
    let numbers = sniffed(b"'1','2,5'\n'3','4'\n").unwrap();
    assert_eq!(numbers.dialect, Dialect { decimal: b',', ..Dialect::new(b',', Some(b'\'')) });
    assert!(!numbers.is_named);
    assert!(sniffed(b"x,y,z\na,1,2,3\nb,4,5,6\n").unwrap().has_index);
}

#[test]
fn amounts_and_percentages_decide_what_plain_numbers_leave_open() {
    let plain = (b'.', None);
    for (text, notation) in [
        ("a;b\n12,50 €;1\n3,00 €;2\n", (b',', None)),
        ("a;b\n1.234,56 EUR;1\n12,50 EUR;2\n", (b',', Some(b'.'))),
        ("a;b\n€ 1.234,56;2,5\n€ 2,50;3\n", (b',', Some(b'.'))),
        ("a;b\n12,50 €;2.903\n3,00 €;1.250\n", (b',', Some(b'.'))),
        ("a;b\n12,5 %;1\n3,25 %;2\n", (b',', None)),
        ("a,b\n\"$1,234\",1\n$5,2\n", (b'.', Some(b','))),
        ("a;b\n12,50 €;0.125\n3,00 €;1.5\n", plain),
        // What is open among amounts is no question: few read them as numbers.
        ("a;b\n1.234 €;1\n2.500 €;2\n", plain),
        ("a;b\n1,234 €;1\n2,500 €;2\n", plain),
        ("a;b\n1.234 %;1\n2,500 %;2\n", plain),
        ("a,b\n\"12,50 €\",2.903\n\"3,00 €\",1.250\n", plain),
    ] {
        let found = sniffed(text.as_bytes()).unwrap().dialect;
        assert_eq!((found.decimal, found.thousands), notation, "{text:?}");
    }
    let windows = sniffed(b"a;b\n12,50 \x80;1\n3,00 \x80;2\n").unwrap().dialect;
    assert_eq!((windows.decimal, windows.encoding), (b',', Encoding::Cp1252));
}

#[test]
fn ambiguous_groups_of_three_are_a_question() {
    let message = sniffed(b"a;b\n1,234;x\n5,678;y\n").unwrap_err();
    assert!(message.contains("decimal=\",\""), "{message}");
    assert!(message.contains("thousands=\",\""), "{message}");
    assert!(message.contains("[1.234, \"x\"]") && message.contains("[1234, \"x\"]"), "{message}");
}

#[test]
fn text_in_an_unsupported_encoding_is_named() {
    // Shift-JIS for "name, number".
    let message = sniffed(b"\x96\xBC\x91O,\x90\x94\n\x93\x8C\x8B\x9E,1\n\x91\xE5\x8D\xE3,2\n").unwrap_err();
    assert!(message.contains("Shift_JIS") && message.contains("iconv"), "{message}");
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_are_detected_or_refused(
            bytes in prop::collection::vec(prop::sample::select(&b"01a,;\t |\"'\\\n\r#.:\x01\xE9"[..]), 0..200),
        ) {
            let _ = sniffed(&bytes);
            let source = MemorySource::new(bytes);
            let _ = detect_delimiter(&source, vec![], Dialect::default(), &Header::Auto, &Missing::default());
        }

        #[test]
        fn pieces_from_elsewhere_may_begin_anywhere(
            bytes in prop::collection::vec(prop::sample::select(&b"01a,;\n\""[..]), 1..100),
            window in prop::collection::vec(any::<u8>(), 0..100),
        ) {
            let _ = sniff(&MemorySource::new(bytes), vec![window], &Given::default());
        }
    }
}
