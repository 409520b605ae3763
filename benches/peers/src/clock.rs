//! A pass over many options in; samples of its time out, ns an option.

use std::time::{Duration, Instant};

/// A sample takes at least so long, so that reading the clock does not count.
const SAMPLE: Duration = Duration::from_micros(200);
/// A round of samples takes at most so long.
const ROUND: Duration = Duration::from_millis(150);
const SAMPLES_MIN: usize = 3;
const SAMPLES_MAX: usize = 101;

/// Samples of one round.
pub fn sample(options: usize, mut pass: impl FnMut()) -> Vec<f64> {
    let began = Instant::now();
    pass();
    let once = began.elapsed();
    if once > ROUND {
        return vec![once.as_nanos() as f64 / options as f64];
    }
    let began = Instant::now();
    pass();
    let once = began.elapsed();
    let repeats = (SAMPLE.as_nanos() / once.as_nanos().max(1)).max(1) as usize;
    let mut samples = Vec::new();
    let began = Instant::now();
    while samples.len() < SAMPLES_MIN || (samples.len() < SAMPLES_MAX && began.elapsed() < ROUND) {
        let start = Instant::now();
        (0..repeats).for_each(|_| pass());
        samples.push(start.elapsed().as_nanos() as f64 / (repeats * options) as f64);
    }
    samples
}
