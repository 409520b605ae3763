//! The clock and the calendar in; where in the session, the week and the expiry cycle we are, out.

use super::{
    block::{Block, See, Setup},
    table::{Axis, Stat, Table, all_by, stat},
};
use crate::wire::{NANOS_PER_SECOND, Timestamp};

const DAY_SECONDS: f64 = 86_400.0;
const WEEK_NS: u64 = 7 * 86_400 * NANOS_PER_SECOND;

const STATS: &[Stat] = &all_by(
    "the exchange's calendar",
    [
        stat("session_share", "1", [0.0, 1.0], "(now − open)/(close − open), cut at 0 and 1"),
        stat("session_left", "s", [0.0, 86_400.0], "close of today's session − now, 0 after it"),
        stat("session_open", "0/1", [0.0, 1.0], "open ≤ now < close"),
        stat("half_day", "0/1", [0.0, 1.0], "today closes early"),
        stat("weekday", "day", [1.0, 7.0], "1 Monday to 7 Sunday"),
        stat("month_day", "day", [1.0, 31.0], "day of the month"),
        stat("month", "month", [1.0, 12.0], "month of the year"),
        stat("month_left", "sessions", [0.0, 23.0], "sessions of this month after today"),
        stat("next_session", "days", [1.0, 30.0], "days to the next day with a session"),
        stat("monthly_days", "days", [0.0, 35.0], "days to the next third Friday, 0 on it"),
        stat(
            "quarterly",
            "0/1",
            [0.0, 1.0],
            "that Friday is in March, June, September or December",
        ),
        stat(
            "expiry_today",
            "0/1",
            [0.0, 1.0],
            "an expiry of the root settles today and has not yet",
        ),
        stat("expiries_week", "expiries", [0.0, 64.0], "expiries that settle within seven days"),
        stat("dte_1", "days", [0.0, 4_000.0], "seconds to the nearest expiry's settlement / 86400"),
        stat("dte_2", "days", [0.0, 4_000.0], "seconds to the second expiry's settlement / 86400"),
        stat("dte_3", "days", [0.0, 4_000.0], "seconds to the third expiry's settlement / 86400"),
    ],
);

const NEAREST: usize = 3;

/// The next settlements of the root; 0 for none.
#[derive(Clone, Debug, Default)]
pub(super) struct Time {
    next: [Timestamp; NEAREST],
    week: u32,
    expiries: usize,
    until: Timestamp,
}

impl Time {
    /// Looks the expiries through when there are new ones and when one has settled.
    fn refresh(&mut self, see: &See<'_>) {
        if see.chain.expiries_len() == self.expiries && see.now < self.until {
            return;
        }
        self.expiries = see.chain.expiries_len();
        (self.next, self.week, self.until) = ([Timestamp::MAX; NEAREST], 0, see.day.ends);
        for (_, expiry) in see.chain.expiries() {
            if expiry.root != see.root || expiry.settles <= see.now {
                continue;
            }
            let within = expiry.settles - see.now <= WEEK_NS;
            self.week += u32::from(within);
            // What leaves or enters the week changes the count.
            let edge = if within { expiry.settles } else { expiry.settles - WEEK_NS };
            self.until = self.until.min(edge);
            let mut settles = expiry.settles;
            for place in &mut self.next {
                if settles < *place {
                    core::mem::swap(place, &mut settles);
                }
            }
        }
    }
}

/// Seconds from `from` to `to`, negative where it lies before.
fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    (to as i64 - from as i64) as f64 / NANOS_PER_SECOND as f64
}

fn flag(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

impl Block for Time {
    const TABLE: &'static Table =
        &Table { family: "time", outer: Axis::One, inner: Axis::One, stats: STATS };

    fn new(_: &Setup<'_>) -> Time {
        Time::default()
    }

    fn fill(&mut self, see: &See<'_>, _: &[f64], out: &mut [f64]) {
        self.refresh(see);
        let day = &see.day;
        if day.date == 0 {
            return out.fill(f64::NAN);
        }
        let dte = self.next.map(|settles| match settles {
            Timestamp::MAX => f64::NAN,
            settles => seconds(see.now, settles) / DAY_SECONDS,
        });
        let session = if day.trades() {
            let (elapsed, left) = (seconds(day.opens, see.now), seconds(see.now, day.closes));
            let share = elapsed / seconds(day.opens, day.closes);
            [share.clamp(0.0, 1.0), left.max(0.0), flag(elapsed >= 0.0 && left > 0.0)]
        } else {
            [f64::NAN, f64::NAN, 0.0]
        };
        out[..3].copy_from_slice(&session);
        out[3..13].copy_from_slice(&[
            flag(day.half),
            f64::from(day.weekday),
            f64::from(day.date % 100),
            f64::from(day.date / 100 % 100),
            f64::from(day.month_left),
            f64::from(day.to_next_session),
            f64::from(day.to_third_friday),
            flag(day.quarter),
            flag(self.next[0] < day.ends),
            f64::from(self.week),
        ]);
        out[13..].copy_from_slice(&dte);
    }
}
