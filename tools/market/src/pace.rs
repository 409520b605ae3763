//! A record's own time in; the wall time at which it is to be sent out.

/// From here on, wall time passes so much slower than the market's.
#[derive(Clone, Copy, Debug)]
struct Segment {
    record_ns: f64,
    wall_ns: f64,
    speed: f64,
}

/// The schedule: the market's time to wall time, piece by piece linear.
#[derive(Clone, Debug)]
pub struct Pace {
    opens: u64,
    start: u64,
    segments: Vec<Segment>,
}

/// A burst: from `at_ns` of wall time after the start, `factor` times faster for `for_ns`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Burst {
    /// After the start.
    pub at_ns: u64,
    /// How long.
    pub for_ns: u64,
    /// How much faster.
    pub factor: f64,
}

impl Pace {
    /// A schedule whose clock starts at wall time `start` with the market's time `opens`. Without a
    /// speed everything is due at once.
    pub fn new(opens: u64, start: u64, speed: Option<f64>, burst: Option<Burst>) -> Pace {
        let mut segments = Vec::new();
        if let Some(speed) = speed {
            segments.push(Segment { record_ns: 0.0, wall_ns: 0.0, speed });
            if let Some(b) = burst {
                let (from, long) = (b.at_ns as f64, b.for_ns as f64);
                let faster = speed * b.factor;
                segments.push(Segment { record_ns: from * speed, wall_ns: from, speed: faster });
                let record_ns = from * speed + long * faster;
                segments.push(Segment { record_ns, wall_ns: from + long, speed });
            }
        }
        Pace { opens, start, segments }
    }

    /// When a record of the market's time `at` is to be sent; `None` where all goes flat out.
    #[inline]
    pub fn due(&self, at: u64) -> Option<u64> {
        let passed = at.saturating_sub(self.opens) as f64;
        let segment = self.segments.iter().rev().find(|s| s.record_ns <= passed)?;
        let wall = segment.wall_ns + (passed - segment.record_ns) / segment.speed;
        Some(self.start + wall as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_at_sixty_times_is_a_second() {
        let pace = Pace::new(1_000, 5_000, Some(60.0), None);
        assert_eq!(pace.due(0), Some(5_000), "what comes before the opening is due at once");
        assert_eq!(pace.due(1_000 + 60_000_000_000), Some(5_000 + 1_000_000_000));
        assert_eq!(Pace::new(0, 0, None, None).due(7), None);
    }

    #[test]
    fn a_burst_brings_forward_what_follows_and_keeps_the_order() {
        let burst = Burst { at_ns: 1_000, for_ns: 100, factor: 100.0 };
        let pace = Pace::new(0, 0, Some(1.0), Some(burst));
        assert_eq!(pace.due(999), Some(999));
        assert_eq!(pace.due(1_000 + 5_000), Some(1_050));
        assert_eq!(pace.due(1_000 + 10_000), Some(1_100));
        assert_eq!(pace.due(1_000 + 10_000 + 7), Some(1_107));
        let due: Vec<_> = (0..20_000).map(|at| pace.due(at)).collect();
        assert!(due.is_sorted());
    }
}
