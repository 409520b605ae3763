//! Samples and errors in, ours, the peers' and Python's; one table of each job out.

use crate::{accuracy::Errors, ours};
use std::collections::BTreeMap;

/// What is asked for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Job {
    /// The price alone.
    Price,
    /// The price with Greeks.
    Greeks,
    /// An implied volatility.
    Volatility,
    /// An American option.
    American,
}

const JOBS: [(Job, &str, &str); 4] = [
    (Job::Price, "price", "Price, ns an option"),
    (Job::Greeks, "greeks", "Price and Greeks, ns an option"),
    (Job::Volatility, "volatility", "Implied volatility, ns an option"),
    (Job::American, "american", "American options, ns an option"),
];

/// Everything that was measured, in the order in which it came.
#[derive(Default)]
pub struct Table {
    speeds: Vec<Speed>,
    accuracies: Vec<Accuracy>,
    notes: BTreeMap<String, String>,
}

struct Speed {
    peer: String,
    job: Job,
    what: String,
    samples: Vec<f64>,
}

struct Accuracy {
    peer: String,
    job: Job,
    set: String,
    errors: Errors,
}

impl Speed {
    fn fastest(&self) -> f64 {
        self.samples.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn median(&self) -> f64 {
        let mut sorted = self.samples.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    }
}

impl Table {
    /// Samples, ns an option; more of the same add to them.
    pub fn speed(&mut self, peer: &str, job: Job, what: &str, samples: Vec<f64>) {
        let is_it = |s: &&mut Speed| s.peer == peer && s.job == job && s.what == what;
        match self.speeds.iter_mut().find(is_it) {
            Some(speed) => speed.samples.extend(samples),
            None => {
                let (peer, what) = (peer.to_string(), what.to_string());
                self.speeds.push(Speed { peer, job, what, samples });
            }
        }
    }

    /// Errors over a set of rows.
    pub fn accuracy(&mut self, peer: &str, job: Job, set: &str, errors: Errors) {
        let (peer, set) = (peer.to_string(), set.to_string());
        self.accuracies.push(Accuracy { peer, job, set, errors });
    }

    /// What a reader must know of a peer.
    pub fn note(&mut self, peer: &str, note: &str) {
        if !note.is_empty() {
            self.notes.insert(peer.into(), note.into());
        }
    }

    /// Lines that `python/peers.py` wrote: `speed,PEER,JOB,WHAT,NS NS …`,
    /// `error,PEER,JOB,SET,MEDIAN,P99,MAX,WORST,LOST,ANSWERED,REFUSALS`, `note,PEER,WORDS`.
    pub fn read(&mut self, text: &str) -> Result<(), String> {
        for (at, line) in text.lines().enumerate() {
            let cells: Vec<&str> = line.split(',').collect();
            self.take(&cells).ok_or_else(|| format!("line {}: not understood: {line}", at + 1))?;
        }
        Ok(())
    }

    fn take(&mut self, cells: &[&str]) -> Option<()> {
        let job = |name: &str| JOBS.iter().find(|job| job.1 == name).map(|job| job.0);
        let number = |cell: &str| cell.parse::<f64>().ok();
        match *cells {
            ["speed", peer, name, what, samples] => {
                let samples: Option<Vec<f64>> = samples.split(' ').map(number).collect();
                self.speed(peer, job(name)?, what, samples?);
            }
            ["error", peer, name, set, median, p99, max, worst, lost, answered, refusals] => {
                let errors = Errors {
                    median: number(median)?,
                    p99: number(p99)?,
                    max: number(max)?,
                    worst: String::leak(worst.to_string()),
                    lost: lost.parse().ok()?,
                    answered: answered.parse().ok().zip(refusals.parse().ok()),
                };
                self.accuracy(peer, job(name)?, set, errors);
            }
            ["note", peer, note] => self.note(peer, note),
            _ => return None,
        }
        Some(())
    }

    /// All of it, as Markdown.
    pub fn print(&self) {
        JOBS.iter().for_each(|(job, _, title)| self.print_speed(*job, title));
        self.print_accuracy();
        for (peer, note) in &self.notes {
            println!("- {peer}: {note}");
        }
    }

    fn print_speed(&self, job: Job, title: &str) {
        let rows: Vec<&Speed> = self.speeds.iter().filter(|speed| speed.job == job).collect();
        let Some(ours) = rows.iter().find(|row| row.peer == ours::NAME) else { return };
        let base = (ours.fastest(), ours.median());
        println!("\n### {title}\n\n| | what | fastest | median | ratio to ours, fastest, median |");
        println!("|---|---|--:|--:|--:|");
        for row in rows {
            let (fastest, median) = (row.fastest(), row.median());
            let (share, half) = (fastest / base.0, median / base.1);
            let (peer, what) = (&row.peer, &row.what);
            println!("| {peer} | {what} | {fastest:.1} | {median:.1} | {share:.2}, {half:.2} |");
        }
    }

    fn print_accuracy(&self) {
        println!("\n### Relative errors (American: shares of the spot)\n");
        println!("| | of | over | median | 99 % | worst | without a value | answered wrongly |");
        println!("|---|---|---|--:|--:|--:|--:|--:|");
        let name = |job| JOBS.iter().find(|known| known.0 == job).map_or("", |known| known.1);
        for Accuracy { peer, job, set, errors } in &self.accuracies {
            let Errors { median, p99, max, worst, lost, answered } = errors;
            let of = if worst.is_empty() { name(*job) } else { worst };
            let wrong = answered.map_or(String::new(), |(wrong, all)| format!("{wrong} of {all}"));
            let quantiles = format!("{median:.1e} | {p99:.1e} | {max:.1e}");
            println!("| {peer} | {of} | {set} | {quantiles} | {lost} | {wrong} |");
        }
        println!();
    }
}
