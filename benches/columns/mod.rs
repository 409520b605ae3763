//! The chain that kernels are measured on in: `reference/chain_1024.csv`, or one made alike; one
//! pass of each kernel over it out. Benches and the peers' table share it.
#![allow(dead_code, reason = "every bench uses its own part")]

pub(crate) mod puts;

use std::path::{Path, PathBuf};
use wide::f64x8;
use zomma::greeks::{
    black::{Pair, Row, Slice, pair},
    implied::Priced,
    math,
    options::Options,
    sets::{Model, Price, Set},
};

type V = f64x8;
const LANES: usize = 8;
/// Options of the chain: four expiries, 128 strikes, call and put.
pub(crate) const OPTIONS: usize = 1_024;
const STRIKES: usize = 128;
const SPOT: f64 = 6000.25;
const RATE: f64 = 0.043;
const YIELD: f64 = 0.013;
// A price below this share of the spot says nothing of the volatility.
const PRICE_MIN: f64 = 1e-10;

fn all(x: f64) -> V {
    V::splat(x)
}

/// One option as a file has it, in the units of the numerical conventions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Call, or put.
    pub(crate) call: bool,
    /// Spot.
    pub(crate) spot: f64,
    /// Strike.
    pub(crate) strike: f64,
    /// Years to expiry.
    pub(crate) years: f64,
    /// Continuous rate a year.
    pub(crate) r: f64,
    /// Continuous yield a year.
    pub(crate) q: f64,
    /// Volatility, annual.
    pub(crate) vol: f64,
    /// Price.
    pub(crate) price: f64,
}

impl Terms {
    /// Forward at expiry.
    pub(crate) fn forward(&self) -> f64 {
        self.spot * ((self.r - self.q) * self.years).exp()
    }

    fn out_of_the_money(&self) -> bool {
        self.call == (self.strike > self.forward())
    }
}

/// The folder of reference values, beside the repository or where `ZOMMA_REFERENCE` says.
pub(crate) fn reference(name: &str) -> Option<PathBuf> {
    let beside = || {
        let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
        above.map(|folder| folder.join("../shared/reference")).find(|folder| folder.exists())
    };
    #[allow(clippy::disallowed_methods, reason = "a bench finds its data through it")]
    let folder = std::env::var_os("ZOMMA_REFERENCE").map(PathBuf::from).or_else(beside)?;
    Some(folder.join(name)).filter(|path| path.exists())
}

/// Eight strikes of one expiry, as the engine keeps them: what a spot tick reads.
#[derive(Clone, Copy)]
pub(crate) struct Block {
    strike: V,
    log: V,
    vol: V,
    inv_vol: V,
    otm: V,
    call: V,
}

struct Expiry {
    slice: Slice,
    blocks: Vec<Block>,
}

/// The chain, row by row and as columns.
pub(crate) struct Columns {
    /// Calls and puts by turns, expiry after expiry.
    pub(crate) rows: Vec<Terms>,
    /// The file's further columns, by name: nothing where the chain was made.
    pub(crate) known: Vec<(String, Vec<f64>)>,
    expiries: Vec<Expiry>,
}

impl Columns {
    /// From the file where it is there, else made; it says which.
    pub(crate) fn load() -> Columns {
        let (rows, known) = match reference("chain_1024.csv") {
            Some(path) => from_file(&path),
            None => {
                println!("no reference/chain_1024.csv: a chain made alike; set ZOMMA_REFERENCE");
                (made(), Vec::new())
            }
        };
        assert_eq!(rows.len(), OPTIONS, "rows of the chain");
        let expiries = rows.chunks(2 * STRIKES).map(Expiry::of).collect();
        Columns { rows, known, expiries }
    }

    /// Out-of-the-money options whose price tells the volatility.
    pub(crate) fn quoted(&self) -> impl Iterator<Item = &Terms> {
        let told = |row: &&Terms| row.out_of_the_money() && row.price > PRICE_MIN * row.spot;
        self.rows.iter().filter(told)
    }

    /// 30 expiries of 200 strikes, call and put: 12,000 options, the columns alone.
    pub(crate) fn whole(&self) -> Columns {
        let Expiry { slice, blocks } = &self.expiries[2];
        let blocks = || blocks.iter().chain(&blocks[..9]).copied().collect();
        let expiries = (0..30).map(|_| Expiry { slice: *slice, blocks: blocks() }).collect();
        Columns { rows: Vec::new(), known: Vec::new(), expiries }
    }

    fn blocks(&self) -> usize {
        self.expiries[0].blocks.len()
    }

    /// Reads and adds the columns: what a pass costs that computes nothing.
    pub(crate) fn nothing(&self) -> V {
        let blocks = self.expiries.iter().flat_map(|expiry| &expiry.blocks);
        blocks.fold(all(0.0), |sum, b| sum + b.strike + b.log + b.vol + b.inv_vol)
    }

    /// One set of Greeks, calls then puts, after the logarithm of the spot moved by `shift`.
    pub(crate) fn value<S: Set<V>>(&self, shift: f64, out: &mut [S]) {
        let shift = all(shift);
        let half = out.len() / 2;
        for (sign, out) in [0.0, -0.0].into_iter().zip(out.chunks_mut(half)) {
            let sign = all(core::hint::black_box(sign));
            for (expiry, out) in self.expiries.iter().zip(out.chunks_mut(self.blocks())) {
                for (block, out) in expiry.blocks.iter().zip(out) {
                    let Block { strike, log, vol, inv_vol, .. } = *block;
                    let row = Row { strike, x: shift - log, vol, inv_vol };
                    *out = S::of(&expiry.slice.value(&row).side(sign));
                }
            }
        }
    }

    /// Room for [`Columns::value`].
    pub(crate) fn room<S: Set<V>>(&self) -> Vec<S> {
        let row = Row { strike: all(1.0), x: all(0.0), vol: all(1.0), inv_vol: all(1.0) };
        let blocks = 2 * self.expiries.len() * self.blocks();
        vec![S::of(&self.expiries[0].slice.value(&row).call()); blocks]
    }

    /// What the tick path reads, call and put of a strike together.
    pub(crate) fn pairs(&self, shift: f64, out: &mut [Pair]) {
        let shift = all(shift);
        for (expiry, out) in self.expiries.iter().zip(out.chunks_mut(self.blocks())) {
            for (block, out) in expiry.blocks.iter().zip(out) {
                let x = shift - block.log;
                *out = pair(&expiry.slice, block.strike, x, block.vol, block.inv_vol);
            }
        }
    }

    /// Room for [`Columns::pairs`].
    pub(crate) fn room_for_pairs(&self) -> Vec<Pair> {
        let slice = &self.expiries[0].slice;
        let blocks = self.expiries.len() * self.blocks();
        vec![pair(slice, all(1.0), all(0.0), all(1.0), all(1.0)); blocks]
    }

    /// Volatilities of the 512 out-of-the-money options from nothing.
    pub(crate) fn cold(&self, out: &mut [V]) {
        for (expiry, out) in self.expiries.iter().zip(out.chunks_mut(self.blocks())) {
            for (block, out) in expiry.blocks.iter().zip(out) {
                *out = expiry.priced(block).implied().0;
            }
        }
    }

    /// The same from volatilities that are 1 % off.
    pub(crate) fn warm(&self, out: &mut [V]) {
        for (expiry, out) in self.expiries.iter().zip(out.chunks_mut(self.blocks())) {
            for (block, out) in expiry.blocks.iter().zip(out) {
                let (vol, inv_vol) = (block.vol * all(1.01), block.inv_vol * all(1.0 / 1.01));
                let priced = expiry.priced(block);
                *out = priced.implied_from(vol, inv_vol, expiry.slice.root_t).0;
            }
        }
    }

    /// Room for volatilities.
    pub(crate) fn room_for_volatilities(&self) -> Vec<V> {
        vec![all(0.0); OPTIONS / LANES / 2]
    }
}

impl Expiry {
    fn of(rows: &[Terms]) -> Expiry {
        let Terms { spot, years, r, q, .. } = rows[0];
        let strikes: Vec<&[Terms]> = rows.chunks(2).collect();
        let slice = Slice {
            a: all(spot * (-q * years).exp()),
            discount: all((-r * years).exp()),
            inv_spot: all(1.0 / spot),
            root_t: all(years.sqrt()),
            inv_root_t: all(1.0 / years.sqrt()),
            r: all(r),
            q: all(q),
        };
        Expiry { slice, blocks: strikes.chunks(LANES).map(Block::of).collect() }
    }

    #[inline(always)]
    fn priced(&self, block: &Block) -> Priced {
        Priced {
            price: block.otm,
            call: block.call,
            a: self.slice.a,
            b: block.strike * self.slice.discount,
            x: -block.log,
            inv_root_t: self.slice.inv_root_t,
        }
    }
}

impl Block {
    /// Of eight strikes, each a call and a put.
    fn of(strikes: &[&[Terms]]) -> Block {
        let lane = |of: fn(&Terms) -> f64| V::new(core::array::from_fn(|i| of(&strikes[i][0])));
        let otm = |i: usize| strikes[i].iter().find(|row| row.out_of_the_money());
        let otm = |i: usize| otm(i).unwrap_or(&strikes[i][0]);
        let mask = |set: bool| f64::from_bits(if set { u64::MAX } else { 0 });
        let (strike, vol) = (lane(|row| row.strike), lane(|row| row.vol));
        Block {
            strike,
            log: math::ln_ratio(strike, lane(Terms::forward)),
            vol,
            inv_vol: all(1.0) / vol,
            otm: V::new(core::array::from_fn(|i| otm(i).price.max(PRICE_MIN * otm(i).spot))),
            call: V::new(core::array::from_fn(|i| mask(otm(i).call))),
        }
    }
}

/// Rows, and the columns behind `price` by name.
fn from_file(path: &Path) -> (Vec<Terms>, Vec<(String, Vec<f64>)>) {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let number = |cell: &str| cell.parse().unwrap_or_else(|_| panic!("{cell:?}: not a number"));
    let cells: Vec<Vec<f64>> = lines.map(|line| line.split(',').map(number).collect()).collect();
    let at = |name: &str| names.iter().position(|n| *n == name).expect(name);
    let at = ["cp", "S", "K", "T", "r", "q", "sigma", "price"].map(at);
    let rows = cells.iter().map(|cells| {
        let [cp, spot, strike, years, r, q, vol, price] = at.map(|at| cells[at]);
        Terms { call: cp > 0.0, spot, strike, years, r, q, vol, price }
    });
    let column = |at: usize| cells.iter().map(|cells| cells[at]).collect();
    let known = names.iter().enumerate().skip(at[7]).map(|(i, name)| (name.to_string(), column(i)));
    (rows.collect(), known.collect())
}

/// The same shape: strikes within four deviations, a skewed smile, prices of our own.
fn made() -> Vec<Terms> {
    let expiry = |days: f64| {
        let years = days / 365.0;
        let reach = 4.0 * 0.15 * years.sqrt();
        (0..STRIKES).flat_map(move |at| {
            let strike = (SPOT * (reach * (at as f64 / 64.0 - 1.0)).exp() * 100.0).round() / 100.0;
            let vol = 0.15 - 0.3 * (strike / SPOT).ln() / (1.0 + 4.0 * years.sqrt());
            [true, false].map(|call| priced(call, strike, years, vol))
        })
    };
    [0.27, 1.27, 7.27, 30.27].into_iter().flat_map(expiry).collect()
}

fn priced(call: bool, strike: f64, years: f64, vol: f64) -> Terms {
    let [s, k, t, r, q, v] = [SPOT, strike, years, RATE, YIELD, vol].map(all);
    let options = Options { spot: s, strike: k, years: t, r, q, vol: v };
    let value: Price = options.value(Model::Spot).side(all(if call { 0.0 } else { -0.0 }));
    let price = value.price.to_array()[0];
    Terms { call, spot: SPOT, strike, years, r: RATE, q: YIELD, vol, price }
}
