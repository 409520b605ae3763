//! A configuration in; everything that can be wrong with it, before the market opens, out.

use super::{
    Failure, Files, Plan,
    live::{hash_of, secret},
    plan,
    say::{print, println},
    series::observations,
};
use crate::{feed::Key, rt::pin};
use std::{format, net::ToSocketAddrs, string::String, vec::Vec};

/// Checks the files, and what they name on this host: cores, addresses, keys.
pub fn check(files: &Files) -> Result<(), Failure> {
    let plan = Plan::new(files)?;
    let observations = observations(&plan)?.len();
    let wrong = surroundings(&plan);
    if !wrong.is_empty() {
        return Err(Failure::environment(wrong.join("\n")));
    }
    println!(
        "ok: {} sessions, {} roots, {} series with {observations} observations, {} strategies, \
         {} on {} thread(s)",
        plan.sessions.len(),
        plan.universe.roots.len(),
        plan.universe.series.len(),
        plan.strategies.names().len(),
        plan.run.threads.name(),
        plan.run.threads.count(),
    );
    plan.strategies.names().for_each(|name| println!("strategy: {name}"));
    println!("{}", turns(&plan));
    println!("configuration: {}", hash_of(files)?);
    Ok(())
}

/// How long anything can wait for its turn to be valued.
fn turns(plan: &Plan) -> String {
    let (greeks, beat) = (&plan.universe.revaluation, plan.feed.beat.nanos());
    let expiries = plan.universe.limits.expiries_max;
    let most = greeks.rounds(expiries) as u64 * beat;
    format!(
        "Greeks: the {} nearest expiries at every batch; all else within {:.3} s ({expiries} \
         expiries, {} a beat of {:.3} s)",
        greeks.active,
        most as f64 / 1e9,
        greeks.turns,
        beat as f64 / 1e9,
    )
}

/// What the host does not have.
fn surroundings(plan: &Plan) -> Vec<String> {
    let mut wrong = Vec::new();
    let cores = pin::cores();
    for core in plan.run.cores.iter().map(|core| *core as usize) {
        if !cores.contains(&core) {
            wrong.push(format!("[run] cores: core {core} is not ours; there are {cores:?}"));
        }
    }
    for session in &plan.sessions {
        let name = &session.name;
        if let Err(e) = session.address.to_socket_addrs() {
            wrong.push(format!("[[session]] {name}: address {:?}: {e}", session.address));
        }
        if session.kind == "databento" {
            let variable = &session.key_env;
            let key = secret(variable).ok_or_else(|| String::from("there is no API key"));
            if let Err(what) = key.and_then(|text| Key::new(&text).map(drop)) {
                wrong.push(format!("[[session]] {name}: {what}; put the key into {variable}"));
            }
        }
    }
    wrong
}

/// Prints every key of every section with type, default, bounds, unit and meaning.
pub fn keys() -> Result<(), Failure> {
    for (section, keys) in plan::sections() {
        println!("{section}");
        for key in keys {
            let default = key.default.map_or("required".into(), |default| format!("= {default}"));
            let bounds = if key.bounds.is_empty() { "" } else { ", in " };
            let unit = if key.unit == "-" { String::new() } else { format!(" ({})", key.unit) };
            print!("  {} {default}{unit}{bounds}{}\n     {}\n", key.name, key.bounds, key.about);
        }
        println!();
    }
    Ok(())
}
