//! Numbers that come again for a seed in; a small market, and claims on it, out.

/// 1e-9 of currency in one.
pub(crate) const NANO: i128 = 1_000_000_000;

/// Strikes of a settlement.
pub(crate) const STRIKES: usize = 9;
/// Settlements of a root.
pub(crate) const EXPIRIES: usize = 3;
/// The share behind the second root's options, after all options.
pub(crate) const STOCK: u32 = (2 * EXPIRIES * STRIKES * 2) as u32;

/// A generator of numbers that come again for a seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub(crate) fn between(&mut self, from: i64, to: i64) -> i64 {
        from + self.below((to - from + 1) as u64) as i64
    }

    pub(crate) fn sign(&mut self) -> i64 {
        if self.below(2) == 0 { 1 } else { -1 }
    }

    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// One instrument, as the market has it. Prices in cents.
pub(crate) struct Row {
    pub(crate) root: usize,
    pub(crate) expiry: usize,
    pub(crate) strike: i64,
    pub(crate) call: bool,
    pub(crate) bid: i64,
    pub(crate) ask: i64,
    pub(crate) size: u32,
    /// iv, delta, gamma, vega per 1.00, theta a year.
    pub(crate) greeks: [f64; 5],
}

/// Two roots with three settlements each, and a share behind the second one.
pub(crate) struct Market {
    pub(crate) rows: Vec<Row>,
    pub(crate) forwards: [[f64; EXPIRIES]; 2],
    pub(crate) discounts: [f64; EXPIRIES],
    pub(crate) years: [[f64; EXPIRIES]; 2],
    pub(crate) settles: [[u64; EXPIRIES]; 2],
    /// Bid and ask of the share, cents.
    pub(crate) stock: [i64; 2],
}

pub(crate) const FIRST: [i64; 2] = [5_380, 680];

impl Market {
    pub(crate) fn new(dice: &mut Dice) -> Market {
        let mut rows = Vec::new();
        for (root, first) in FIRST.into_iter().enumerate() {
            for expiry in 0..EXPIRIES {
                for k in 0..STRIKES {
                    for call in [true, false] {
                        let bid = dice.between(1, 40) * 10;
                        let ask = bid + dice.between(1, 12) * 10;
                        let size = dice.between(2, 30) as u32;
                        let strike = first + 5 * k as i64;
                        let sign = if call { 1.0 } else { -1.0 };
                        // What a wire of 32 bits holds, so that both sides see the same.
                        let wire = |value: f64| f64::from(value as f32);
                        let greeks = [
                            0.05 + 0.4 * dice.unit(),
                            wire(sign * dice.unit()),
                            wire(0.01 * dice.unit()),
                            wire(600.0 * dice.unit()),
                            wire(-3_000.0 * dice.unit()),
                        ];
                        rows.push(Row { root, expiry, strike, call, bid, ask, size, greeks });
                    }
                }
            }
        }
        let mid = |root: usize| FIRST[root] as f64 + 20.0;
        let mut around = |root: usize| mid(root) * (0.99 + 0.02 * dice.unit());
        let mut forwards = [[0.0; EXPIRIES]; 2];
        for (root, its) in forwards.iter_mut().enumerate() {
            its.iter_mut().for_each(|forward| *forward = around(root));
        }
        // Whole points in the middle, where margin is reckoned.
        let (points, half) = (around(1).round() as i64, dice.between(1, 8));
        let (years, settles) = ([[0.0; EXPIRIES]; 2], [[0; EXPIRIES]; 2]);
        let stock = [-half, half].map(|off| 100 * points + off);
        let discounts = [1.0, 0.996, 0.99];
        Market { rows, forwards, discounts, years, settles, stock }
    }

    /// Price of the share, half way between bid and ask.
    pub(crate) fn share(&self) -> f64 {
        (self.stock[0] + self.stock[1]) as f64 / 200.0
    }

    /// What the underlying of a claim is worth: the share behind the second root; for the first,
    /// which has none, the forward.
    pub(crate) fn spot(&self, root: usize, expiry: usize) -> f64 {
        if root == 1 { self.share() } else { self.forwards[root][expiry] }
    }

    /// Bid, ask and size of any instrument; prices in cents.
    pub(crate) fn quote(&self, instrument: u32) -> (i64, i64, u32) {
        let of = |row: &Row| (row.bid, row.ask, row.size);
        self.rows.get(instrument as usize).map_or((self.stock[0], self.stock[1], 100), of)
    }

    pub(crate) fn instrument(&self, root: usize, expiry: usize, k: usize, call: bool) -> u32 {
        (((root * EXPIRIES + expiry) * STRIKES + k) * 2 + usize::from(!call)) as u32
    }

    pub(crate) fn top(&self, root: usize) -> f64 {
        (FIRST[root] + 5 * (STRIKES as i64 - 1)) as f64
    }

    /// Any instrument; of the first root, and of the nearer settlement alone if asked.
    pub(crate) fn pick(&self, dice: &mut Dice, near_only: bool) -> u32 {
        let expiry = if near_only { 0 } else { dice.below(EXPIRIES as u64) as usize };
        let (root, k) = (dice.below(2) as usize, dice.below(STRIKES as u64) as usize);
        self.instrument(root, expiry, k, dice.below(2) == 0)
    }

    pub(crate) fn claim(&self, instrument: u32, contracts: i64, price: i64) -> Claim {
        let right = |call| if call { Right::Call } else { Right::Put };
        let of = |row: &Row| (row.root, row.expiry, row.strike, right(row.call));
        let found = self.rows.get(instrument as usize).map(of);
        let (root, expiry, strike, right) = found.unwrap_or((1, 0, 0, Right::Price));
        Claim { instrument, root, expiry, strike, right, contracts, price }
    }

    /// Instruments with sides and ratios: the structures that strategies trade, and some that
    /// nobody would.
    pub(crate) fn structure(&self, dice: &mut Dice, near_only: bool) -> Vec<(u32, i64, i64)> {
        let root = dice.below(2) as usize;
        let far = if near_only { 0 } else { dice.between(1, EXPIRIES as i64 - 1) as usize };
        let k = dice.between(2, 4) as usize;
        let (w, v) = (dice.between(1, 2) as usize, dice.between(1, 4) as usize);
        let of = |expiry, k: usize, call| self.instrument(root, expiry, k.min(STRIKES - 1), call);
        let sign = dice.sign();
        let (c, p) = (true, false);
        let near = |k, call| self.instrument(1, 0, k, call);
        let legs = match dice.below(if near_only { 16 } else { 12 }) {
            0 => vec![(of(0, k, c), 1, 1)],
            1 => vec![(of(0, k, c), -1, 1), (of(0, k + v, c), 1, 1)],
            2 => vec![(of(0, k, p), 1, 1), (of(0, k + v, p), -1, 1)],
            // Condors with unequal wings.
            3 | 4 => vec![
                (of(0, k - w.min(k), p), 1, 1),
                (of(0, k, p), -1, 1),
                (of(0, k + 1, c), -1, 1),
                (of(0, k + 1 + v, c), 1, 1),
            ],
            5 => vec![(of(0, k - 1, c), 1, 1), (of(0, k, c), -1, 2), (of(0, k + v, c), 1, 1)],
            6 => vec![(of(0, k, c), 1, 1), (of(0, k + v, c), -1, 2)],
            7 => vec![(of(0, k, c), 1, 1), (of(0, k, p), 1, 1)],
            8 => vec![(of(0, k, c), -1, 1), (of(far, k, c), 1, 1)],
            9 => vec![(of(0, k + v, p), -1, 1), (of(far, k, p), 1, 1)],
            // A flyagonal: a call butterfly near, a put diagonal.
            10 => vec![
                (of(0, k, c), 1, 1),
                (of(0, k + 1, c), -1, 2),
                (of(0, k + 1 + v, c), 1, 1),
                (of(0, k - 1, p), -1, 1),
                (of(far, k - 2, p), 1, 1),
            ],
            // A covered call, a protective put, shares for a straddle, shares alone.
            12 => vec![(STOCK, 1, 100), (near(k + 1, c), -1, 1)],
            13 => vec![(near(k - 1, p), 1, 1), (STOCK, 1, 100)],
            14 => vec![(near(k, c), 1, 1), (near(k, p), 1, 1), (STOCK, -1, dice.between(1, 110))],
            15 => vec![(STOCK, 1, dice.between(1, 60))],
            _ => {
                let count = dice.between(1, 6);
                let mut legs = Vec::new();
                for _ in 0..count {
                    legs.push((self.pick(dice, near_only), dice.sign(), dice.between(1, 2)));
                }
                legs
            }
        };
        let mut seen: Vec<(u32, i64, i64)> = Vec::new();
        for (instrument, side, ratio) in legs {
            if seen.iter().all(|leg| leg.0 != instrument) {
                seen.push((instrument, side * sign, ratio));
            }
        }
        seen
    }
}

/// What a claim pays.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Right {
    Call,
    Put,
    /// The price itself, whenever it is asked: a share.
    Price,
}

/// Contracts of an option or shares, and what each unit cost, 1e-9.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    pub(crate) instrument: u32,
    pub(crate) root: usize,
    /// Of a share it says nothing.
    pub(crate) expiry: usize,
    pub(crate) strike: i64,
    pub(crate) right: Right,
    pub(crate) contracts: i64,
    pub(crate) price: i64,
}

impl Claim {
    pub(crate) fn is_share(&self) -> bool {
        self.right == Right::Price
    }

    /// Units of the underlying, signed.
    pub(crate) fn units(&self) -> i64 {
        self.contracts * if self.is_share() { 1 } else { 100 }
    }

    /// Contracts as limits count them: a hundred shares are one.
    pub(crate) fn counted(&self) -> i64 {
        if self.is_share() { (self.contracts.abs() + 99) / 100 } else { self.contracts.abs() }
    }

    pub(crate) fn cost(&self) -> i128 {
        i128::from(self.units()) * i128::from(self.price)
    }

    /// Worth at settlement, 1e-9, at a price in whole points.
    pub(crate) fn worth(&self, price: i128) -> i128 {
        let strike = i128::from(self.strike);
        let each = match self.right {
            Right::Call => (price - strike).max(0),
            Right::Put => (strike - price).max(0),
            Right::Price => price,
        };
        i128::from(self.units()) * each * NANO
    }

    /// What a unit gives when it is exercised.
    pub(crate) fn inside(&self, price: f64) -> f64 {
        let strike = self.strike as f64;
        match self.right {
            Right::Call => (price - strike).max(0.0),
            Right::Put => (strike - price).max(0.0),
            Right::Price => price,
        }
    }
}
