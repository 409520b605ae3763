//! `zomma price` and `zomma iv` as a user types them in: files and pipes, good rows and bad ones.
#![allow(missing_docs)]
mod support;

use std::{
    fs,
    io::{Read as _, Write as _},
    process::{Command, Output, Stdio},
};
use support::folder;

const PRICE: &str = "id,model,cp,S,K,T,r,q,sigma";
const IV: &str = "id,model,cp,S,K,T,r,q,price";

/// Runs a command with this text on its standard input.
fn zomma(arguments: &[&str], text: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_zomma"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut input, text) = (child.stdin.take().unwrap(), text.to_vec());
    let writer = std::thread::spawn(move || drop(input.write_all(&text)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn lines(bytes: &[u8]) -> Vec<&str> {
    std::str::from_utf8(bytes).unwrap().lines().collect()
}

/// Rows of a table by column.
struct Table<'a>(Vec<Vec<&'a str>>);

impl<'a> Table<'a> {
    fn of(text: &'a [u8]) -> Table<'a> {
        Table(lines(text).iter().map(|line| line.split(',').collect()).collect())
    }

    fn column(&self, name: &str) -> Vec<&'a str> {
        let at = self.0[0].iter().position(|column| *column == name);
        self.0[1..].iter().map(|row| row[at.unwrap_or_else(|| panic!("no {name}"))]).collect()
    }

    fn numbers(&self, name: &str) -> Vec<f64> {
        self.column(name).iter().map(|text| text.parse().unwrap()).collect()
    }
}

/// A reference file's text, unpacked.
fn reference(name: &str) -> Option<Vec<u8>> {
    let bytes = fs::read(folder("ZOMMA_REFERENCE", "reference", name)?).unwrap();
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut text).unwrap();
    Some(text)
}

/// 20,000 rows with their answers beside them: the answers are written anew, the rest is kept.
#[test]
fn the_reference_through_the_command_has_the_references_values() {
    let Some(text) = reference("reference.csv.gz") else { return };
    let output = zomma(&["price"], &text);
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
    let (wanted, found) = (Table::of(&text), Table::of(&output.stdout));
    for column in PRICE.split(',').chain(["stratum", "d2"]) {
        assert_eq!(found.column(column), wanted.column(column), "{column}");
    }
    let tradable: Vec<bool> = wanted.column("stratum").iter().map(|s| *s == "chain").collect();
    for column in ["price", "delta", "gamma", "theta_day", "rho", "charm", "ultima", "dual_gamma"] {
        let pairs = found.numbers(column).into_iter().zip(wanted.numbers(column));
        let errors = pairs.zip(&tradable).filter(|((_, wanted), t)| **t && *wanted != 0.0);
        let mut errors: Vec<f64> =
            errors.map(|((found, wanted), _)| (found / wanted - 1.0).abs()).collect();
        errors.sort_by(f64::total_cmp);
        println!("{column}: median {:e} of {}", errors[errors.len() / 2], errors.len());
        assert!(errors[errors.len() / 2] <= 1e-14, "{column}");
    }
    let models = found.column("model");
    for (model, phi) in models.iter().zip(found.column("phi")) {
        assert_eq!(phi == "nan", *model == "b76", "a forward has no phi");
    }
}

/// 9,000 prices with a volatility and 1,000 without, each with its reason; and a file as the way.
#[test]
fn the_prices_of_the_reference_have_its_volatilities_and_reasons() {
    let Some(text) = reference("implied_vol.csv.gz") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("in.csv"), &text).unwrap();
    let output = zomma(&["iv", "--in", &path("in.csv"), "--out", &path("out.csv")], b"");
    assert_eq!((output.status.code(), output.stderr.len(), output.stdout.len()), (Some(0), 0, 0));
    let written = fs::read(path("out.csv")).unwrap();
    let (wanted, found) = (Table::of(&text), Table::of(&written));
    let bare = |status: &&str| status.trim_end_matches("_ulp").to_owned();
    let statuses: Vec<String> = wanted.column("status").iter().map(bare).collect();
    assert_eq!(found.column("status"), statuses);
    let mut solved = 0;
    for (found, wanted) in found.numbers("sigma").iter().zip(wanted.numbers("sigma")) {
        assert_eq!(found.is_nan(), wanted.is_nan());
        assert!(wanted.is_nan() || (found / wanted - 1.0).abs() < 1e-8);
        solved += usize::from(!wanted.is_nan());
    }
    assert_eq!(solved, 9_000);
    let same = zomma(&["iv", "--in", "-", "--out", "-"], &text);
    assert_eq!(same.stdout, written);
    let twice = zomma(&["iv", "--in", &path("in.csv"), "--out", &path("in.csv")], b"");
    assert_eq!(twice.status.code(), Some(2), "the input must survive");
    assert_eq!(fs::read(path("in.csv")).unwrap(), text);
}

/// A reference file that has no column `model`, with one: all rows are American.
fn american() -> Option<Vec<u8>> {
    let text = reference("american.csv.gz")?;
    let mut lines = lines(&text).into_iter();
    let mut with = format!("model,{}\n", lines.next().unwrap().replace("price", "wanted"));
    lines.for_each(|line| with += &format!("american,{line}\n"));
    Some(with.into_bytes())
}

/// 2,000 American options through the command: errors as shares of the spot for the price, of the
/// value (or a thousandth of its scale) for the Greeks, at the 99th percentile of the rows whose
/// reference does not straddle the boundary. Their prices give their volatilities back.
#[test]
fn the_american_reference_through_the_command_has_its_values() {
    let Some(text) = american() else { return };
    let output = zomma(&["price"], &text);
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
    let (wanted, found) = (Table::of(&text), Table::of(&output.stdout));
    let spots = wanted.numbers("S");
    let free: Vec<bool> = ["early_exercise", "near_boundary"]
        .map(|flag| wanted.column(flag).into_iter().map(|f| f == "0").collect::<Vec<_>>())
        .into_iter()
        .reduce(|a, b| a.iter().zip(b).map(|(a, b)| *a && b).collect())
        .unwrap();
    let errors = |name: &str, as_named: &str, scale: fn(f64) -> f64| {
        let pairs = found.numbers(name).into_iter().zip(wanted.numbers(as_named));
        let rows = pairs.zip(&spots).zip(&free).filter(|(_, free)| **free || name == "price");
        let mut errors: Vec<f64> = rows
            .map(|(((found, wanted), spot), _)| {
                let scale = scale(*spot);
                let of = if name == "price" { scale } else { wanted.abs().max(1e-3 * scale) };
                (found - wanted).abs() / of
            })
            .collect();
        errors.sort_by(f64::total_cmp);
        let at = |share: f64| errors[((errors.len() - 1) as f64 * share) as usize];
        println!("{name:>6} {:>5}: {:.1e} {:.1e} {:.1e}", errors.len(), at(0.5), at(0.99), at(1.0));
        at(0.99)
    };
    assert!(errors("price", "wanted", |s| s) <= 1e-7);
    assert!(errors("delta", "delta", |_| 1e3) <= 5e-6);
    assert!(errors("gamma", "gamma", |s| 1.0 / s) <= 5e-5);
    assert!(errors("theta", "theta_pde", |s| s) <= 2e-4);
    assert!(errors("vega", "vega", |s| s) <= 5e-5);
    assert!(errors("rho", "rho", |s| s) <= 2e-4);
    let priced = String::from_utf8(output.stdout).unwrap();
    let (header, rows) = priced.split_once('\n').unwrap();
    let header = header.replacen("sigma", "held", 1);
    let output = zomma(&["iv"], format!("{header}\n{rows}").as_bytes());
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
    let back = Table::of(&output.stdout);
    let (mut solved, vegas) = (0, back.numbers("vega"));
    let vols = back.numbers("sigma").into_iter().zip(back.numbers("held"));
    for ((vol, held), (vega, spot)) in vols.zip(vegas.iter().zip(&spots)) {
        if *vega > 1e-6 * spot {
            assert!((vol - held).abs() <= 1e-7 + 1e-12 * spot / vega, "{vol} for {held}");
            solved += 1;
        }
    }
    println!("{solved} volatilities came back");
    assert!(solved > 1_500);
}

/// The Greeks of an American option are the slopes of the command's own prices and Greeks.
#[test]
fn american_greeks_are_slopes_of_american_prices() {
    let row = |cp: i32, [s, k, t, r, q, vol]: [f64; 6]| {
        format!("american,{cp},{s:e},{k:e},{t:e},{r:e},{q:e},{vol:e}\n")
    };
    let steps = [("S", 0, 0.25), ("sigma", 5, 2e-3), ("T", 2, 2e-3), ("K", 1, 0.25)];
    let mut text = "model,cp,S,K,T,r,q,sigma\n".to_owned();
    let mut cases = Vec::new();
    for (cp, r, q) in [(-1, 0.06, 0.02), (1, 0.03, 0.07), (1, -0.02, 0.03), (-1, 0.04, -0.01)] {
        for spot in [88.0, 97.0, 100.0, 108.0, 120.0] {
            cases.push((cp, spot));
            let terms = [spot, 100.0, 0.5, r, q, 0.3];
            text += &row(cp, terms);
            for (_, at, step) in steps {
                for step in [step, -step] {
                    let mut moved = terms;
                    moved[at] += step;
                    text += &row(cp, moved);
                }
            }
        }
    }
    let output = zomma(&["price"], text.as_bytes());
    assert_eq!(output.status.code(), Some(0), "{:?}", lines(&output.stderr));
    let table = Table::of(&output.stdout);
    let column = |name: &str| table.numbers(name);
    let mut compared = 0;
    // A Greek, what it is the slope of, in which step, with which sign.
    for (greek, of, by, sign) in [
        ("delta", "price", 0, 1.0),
        ("gamma", "delta", 0, 1.0),
        ("vega", "price", 1, 1.0),
        ("theta", "price", 2, -1.0),
        ("vanna", "vega", 0, 1.0),
        ("vanna", "delta", 1, 1.0),
        ("charm", "delta", 2, -1.0),
        ("vomma", "vega", 1, 1.0),
        ("veta", "vega", 2, 1.0),
        ("speed", "gamma", 0, 1.0),
        ("zomma", "gamma", 1, 1.0),
        ("color", "gamma", 2, 1.0),
        ("ultima", "vomma", 1, 1.0),
        ("dual_delta", "price", 3, 1.0),
        ("dual_gamma", "dual_delta", 3, 1.0),
    ] {
        let (greeks, values) = (column(greek), column(of));
        let size = greeks.iter().fold(0.0f64, |most, value| most.max(value.abs()));
        for (case, _) in cases.iter().enumerate() {
            let base = case * (1 + 2 * steps.len());
            let at = base + 1 + 2 * by;
            if [base, at, at + 1].iter().any(|row| column("gamma")[*row] == 0.0) {
                continue;
            }
            let slope = sign * (values[at] - values[at + 1]) / (2.0 * steps[by].2);
            let far = (slope - greeks[base]).abs();
            assert!(far <= 4e-3 * size, "{greek} {:?}: {slope} {}", cases[case], greeks[base]);
            compared += 1;
        }
    }
    assert!(compared > 200, "{compared}");
}

/// Two boundaries are refused in words, and what is at its end has a value: no NaN among the rest.
#[test]
fn american_rows_at_their_ends_are_values_and_two_boundaries_are_refused() {
    let mut text = "model,cp,S,K,T,r,q,sigma\n".to_owned();
    let (times, vols) = ([0.0, 1e-12, 0.5, 50.0], [0.0, 1e-12, 1e-3, 0.5, 50.0, 1e12]);
    let rates = [(0.05, 0.02), (0.0, 0.0), (0.02, 0.05), (-0.01, 0.02), (0.03, -0.01)];
    let mut rows = 0;
    for (spot, strike) in [(100.0, 100.0), (80.0, 100.0), (125.0, 100.0), (0.0, 9.0), (9.0, 0.0)] {
        for (years, vol) in times.iter().flat_map(|t| vols.map(|v| (*t, v))) {
            for (cp, (r, q)) in [1, -1].into_iter().flat_map(|cp| rates.map(|rates| (cp, rates))) {
                text += &format!("american,{cp},{spot},{strike},{years:e},{r},{q},{vol:e}\n");
                rows += 1;
            }
        }
    }
    text += "american,-1,100,100,1,-0.02,-0.03,0.2\namerican,1,100,100,1,-0.03,-0.02,0.2\n";
    let output = zomma(&["price"], text.as_bytes());
    let said = lines(&output.stderr);
    assert_eq!((output.status.code(), said.len()), (Some(2), 3), "{said:?}");
    assert!(said[0].contains(&format!("{}: q < r < 0", rows + 2)), "{}", said[0]);
    assert!(said[1].contains("r < q < 0"), "{}", said[1]);
    let table = Table::of(&output.stdout);
    assert_eq!(table.0.len(), rows + 1);
    let bad: Vec<String> = table.0.iter().map(|row| row.join(",")).collect();
    let bad = bad.iter().filter(|row| row.contains("nan") || row.contains("inf"));
    let bad: Vec<&String> = bad.collect();
    assert!(bad.is_empty(), "{} rows, such as {:?}", bad.len(), &bad[..3.min(bad.len())]);
    let (prices, floors) = (table.numbers("price"), table.numbers("cp"));
    let terms = table.numbers("S").into_iter().zip(table.numbers("K"));
    for ((price, cp), (spot, strike)) in prices.iter().zip(floors).zip(terms) {
        let most = if cp > 0.0 { spot } else { strike };
        let floor = (cp * (spot - strike)).max(0.0);
        // A rate below 0 makes what is paid later worth more than it is now.
        assert!(*price >= floor && *price <= most * 2.0, "{price} {cp} {spot} {strike}");
    }
}

/// Columns in any order, quotes, blanks, CRLF, a byte order mark, an empty line, no last newline.
#[test]
fn a_file_as_spreadsheets_write_it_is_read() {
    let plain =
        format!("{PRICE}\n7,bsm,1,100,105,0.5,0.03,0.01,0.2\n8,b76,-1,100,105,0.5,0.03,,0.2\n");
    let dressed = "\u{feff}note,\"id\",sigma,model,K,cp,S,T,r,q\r\n\"a, \"\"b\"\"\",7,\"0.2\",bsm,\
                   105,1, 100 ,5e-1,0.03,0.01\r\n\r\nx,8,0.2,b76,105,-1,100,0.5,0.03,0.7";
    let (plain, dressed) =
        (zomma(&["price"], plain.as_bytes()), zomma(&["price"], dressed.as_bytes()));
    assert_eq!((plain.status.code(), dressed.status.code()), (Some(0), Some(0)));
    let (plain, dressed) = (lines(&plain.stdout), lines(&dressed.stdout));
    assert_eq!((plain.len(), dressed.len()), (3, 3));
    assert!(dressed[0].starts_with("\u{feff}note,\"id\",sigma,model,K,cp,S,T,r,q,price,delta,"));
    assert!(dressed[1].starts_with("\"a, \"\"b\"\"\",7,\"0.2\",bsm,105,1, 100 ,5e-1,"));
    for (plain, dressed) in plain.iter().zip(&dressed) {
        let values = |line: &str| line.rsplitn(19, ',').take(18).collect::<Vec<_>>().join(",");
        assert_eq!(values(plain), values(dressed));
    }
    let price: f64 = plain[1].split(',').nth(9).unwrap().parse().unwrap();
    assert!((price - 3.965_7).abs() < 1e-4, "{price}");
}

/// Each bad row is told with its line and what is wrong with it; the others are done.
#[test]
fn bad_rows_are_told_and_the_rest_is_done() {
    let huge = format!("4,bsm,1,{},105,0.5,0.03,0.01,0.2", "1".repeat(1 << 21));
    let rows: [(&str, &str); 12] = [
        ("1,bsm,1,100,105,0.5,0.03,0.01,0.2", ""),
        ("2,bsm,1,100,105,0.5,0.03,0.01,much", "sigma is \"much\""),
        ("3,bsm,1,100,105,0.5", "6 fields; the header has 9"),
        (&huge, "longer than"),
        ("5,heston,1,100,105,0.5,0.03,0.01,0.2", "write bsm, b76 or american"),
        ("6,bsm,0,100,105,0.5,0.03,0.01,0.2", "cp is \"0\""),
        ("7,bsm,1,100,105,-0.5,0.03,0.01,0.2", "T is -0.5"),
        ("8,bsm,1,nan,105,0.5,0.03,0.01,0.2", "S is NaN"),
        ("9,bsm,1,100,105,0.5,,0.01,0.2", "r is \"\""),
        ("\"10,bsm,1,100,105,0.5,0.03,0.01,0.2", "a quote is not closed"),
        ("11,bsm,1,100,105,0.5,0.03,0.01,inf", "sigma is inf"),
        ("12,bsm,-1,100,105,0,0.03,0.01,0", ""),
    ];
    let text = rows.iter().fold(PRICE.to_owned(), |text, (row, _)| text + "\n" + row);
    let output = zomma(&["price"], text.as_bytes());
    let (said, done) = (lines(&output.stderr), lines(&output.stdout));
    assert_eq!(output.status.code(), Some(2), "{said:?}");
    let bad = rows.iter().enumerate().filter(|(_, (_, reason))| !reason.is_empty());
    for ((at, (_, reason)), said) in bad.zip(&said) {
        assert!(said.starts_with(&format!("zomma: stdin:{}: ", at + 2)), "{said}");
        assert!(said.contains(reason), "{said}: {reason}");
    }
    assert_eq!(said.len(), 11);
    assert!(said[10].contains("10 of 12 rows"), "{}", said[10]);
    assert_eq!(done.len(), 3);
    assert!(done[1].starts_with("1,") && done[2].starts_with("12,"));
    // At expiry: the floor, delta -1, and nothing else but what interest leaves.
    assert!(done[2].starts_with("12,bsm,-1,100,105,0,0.03,0.01,0,5,-1,0,"), "{}", done[2]);
}

/// A price without a volatility is no bad row: it has a status.
#[test]
fn refusals_are_values_and_no_errors() {
    let text = format!(
        "{IV}\n1,bsm,1,100,105,0.5,0,0,nan\n2,bsm,1,100,105,0,0,0,1\n3,bsm,1,x,1,1,0,0,1\n"
    );
    let output = zomma(&["iv"], text.as_bytes());
    assert_eq!(output.status.code(), Some(2));
    let done = lines(&output.stdout);
    assert_eq!(done[0], format!("{IV},status,sigma"));
    assert!(done[1].ends_with(",nan_price,nan") && done[2].ends_with(",expired_T0,nan"));
    assert_eq!((done.len(), lines(&output.stderr).len()), (3, 2));
}

/// What cannot be read at all is one line and exit code 2.
#[test]
fn an_unusable_file_is_refused_in_one_line() {
    for (arguments, text, part) in [
        (&["price"][..], "", "empty"),
        (&["price"], "id,model,cp,S,K,T,r,q\n", "no column sigma"),
        (&["iv"], PRICE, "no column price"),
        (&["price"], "id,model,cp,S,K,T,r,q,sigma,S\n", "two columns S"),
        (&["price", "--in", "nowhere.csv"], "", "nowhere.csv"),
    ] {
        let output = zomma(arguments, text.as_bytes());
        let said = lines(&output.stderr);
        assert_eq!((output.status.code(), said.len()), (Some(2), 1), "{said:?}");
        assert!(said[0].contains(part), "{said:?}");
        assert!(output.stdout.is_empty());
    }
    let output = zomma(&["price", "--out", "/nowhere/out.csv"], PRICE.as_bytes());
    assert_eq!(output.status.code(), Some(3));
    let header = zomma(&["price"], PRICE.as_bytes());
    assert_eq!((header.status.code(), lines(&header.stdout).len()), (Some(0), 1));
}
