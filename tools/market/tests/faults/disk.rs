//! Disks that are full, lie, are slow or lose a file under the engine in; trading that ends in one
//! line, or goes on and says what it risks, out.

use crate::{
    engine::{Site, alone, assert_sound, signal},
    rig::{assert_journal, behind, end, orders, slow, start, status, stop, strace, trading},
};
use std::{fs::File, time::Instant};
use zomma::{
    journal::{Reader, Status, Stream},
    run::report::Report,
    wire::Kind,
};

/// A mapped file is cut short under the running engine, by somebody with the right to.
#[test]
fn f10_a_journal_cut_short_under_the_engine_ends_it_at_once() {
    let _alone = alone();
    let mut cuts = 0;
    for name in ["in-000001.zj", "out-000001.zj"] {
        let served = slow();
        let site = Site::new(served.market.data, served.market.orders, &trading());
        let directory = site.run_directory();
        let mut engine = start(&site, &directory, &[], "");
        engine.until("orders", |engine| engine.counter("outcome", "orders") > 10);
        let mut segments: Vec<_> = std::fs::read_dir(&directory).unwrap().flatten().collect();
        let stream = name.split('-').next().unwrap().to_owned();
        segments.retain(|entry| entry.file_name().to_string_lossy().starts_with(&stream));
        for segment in segments {
            File::options().write(true).open(segment.path()).unwrap().set_len(4096).unwrap();
        }
        let ended = end(engine);
        assert_eq!(ended.signal, Some(7), "SIGBUS: {}", ended.error);
        assert_eq!(ended.told.len(), 1, "{}", ended.error);
        assert!(ended.told[0].contains("cut short"), "{}", ended.error);
        let (at_broker, _) = stop(served);
        assert_eq!(status(&directory), Status::Running, "nobody has ended it in order");
        if name.starts_with("in") {
            let written = orders(&directory).len() as u64;
            assert!(at_broker <= written, "{at_broker} at the broker, {written} in the journal");
            let mut inputs = Reader::open(&directory, Stream::Inputs).unwrap();
            while inputs.next_event().is_some() {}
            assert!(!inputs.verify().is_whole(), "the next start is told");
        }
        cuts += 1;
    }
    println!("F10 whole engine: {cuts} files cut, {cuts} times SIGBUS in one line, 0 orders after");
}

/// No segment can be made any more: the run ends with a line, its orders with it.
#[test]
fn f11_a_disk_without_room_ends_trading() {
    let _alone = alone();
    let mut injected = 0;
    for n in [3, 4, 5, 7] {
        let Some(tracer) = strace(&format!("fallocate:error=ENOSPC:when={n}+")) else { return };
        let served = slow();
        let site = Site::new(served.market.data, served.market.orders, &trading());
        let directory = site.run_directory();
        let began = Instant::now();
        let ended = end(start(&site, &directory, &tracer, ""));
        ended.assert_told(&[]);
        let said = &ended.told[0];
        let words = ["no room", "No space", "nearly full"];
        assert!(words.iter().any(|word| said.contains(word)), "{said}");
        let (at_broker, cancels) = stop(served);
        if !directory.join("manifest").exists() || status(&directory) == Status::Running {
            assert_eq!(at_broker, 0, "refused at the start");
        } else {
            assert_journal(&directory, at_broker);
            assert!(at_broker < 5 || cancels >= 5, "{at_broker} orders, {cancels} cancels");
        }
        injected += 1;
        println!("    fallocate {n}: ended after {:.1} s", began.elapsed().as_secs_f64());
    }
    println!("F11 whole engine: {injected} full disks, {injected} told, 0 orders after");
}

/// One sync fails, all later ones succeed and lie: the first is final.
#[test]
fn f12_a_failed_sync_ends_trading_and_what_was_open_is_canceled() {
    let _alone = alone();
    let mut injected = 0;
    for (call, n) in [("msync", 20), ("msync", 60), ("fsync", 14)] {
        let Some(tracer) = strace(&format!("{call}:error=EIO:when={n}")) else { return };
        let served = slow();
        let site = Site::new(served.market.data, served.market.orders, &trading());
        let directory = site.run_directory();
        let ended = end(start(&site, &directory, &tracer, ""));
        ended.assert_told(&["Input/output error"]);
        assert!(ended.printed.contains("KILL: "), "{}", ended.printed);
        let (at_broker, cancels) = stop(served);
        assert_eq!(status(&directory), Status::Failed, "not said to have ended well");
        assert_journal(&directory, at_broker);
        assert!(at_broker < 5 || cancels >= 5, "{at_broker} orders, {cancels} cancels");
        let outputs = crate::engine::events(&directory, Stream::Outputs);
        let halt = outputs.iter().position(|event| event.kind == Kind::HALT);
        let late = halt
            .map_or(0, |at| outputs[at..].iter().filter(|event| event.kind == Kind::ORDER).count());
        assert_eq!(late, 0, "no order after the halt");
        injected += 1;
    }
    println!("F12 whole engine: {injected} sync errors, {injected} told, 0 orders after");
}

/// Every sync takes 300 ms longer: trading goes on, the operator is told how much is at risk. The
/// same without the delay, behind the same tracer, for what the hot thread felt of it.
#[test]
fn f13_a_slow_disk_is_told_and_holds_nothing_up() {
    let _alone = alone();
    let Some(slow_disk) = strace("msync:delay_enter=300000") else { return };
    let Some(same_disk) = strace("msync:delay_enter=1") else { return };
    let (without, _) = under_a_disk(&same_disk, 0);
    let (with, lag) = under_a_disk(&slow_disk, 250_000_000);
    println!(
        "F13 whole engine: each sync 300 ms slower, lag up to {lag:.0} ms, told, 0 lost; \
         from read to gate p99 {:.1} µs, without the delay {:.1} µs",
        with, without
    );
}

/// A run until the journal has been `lag_min` ns behind; the hot thread's p99 in µs, the lag in ms.
fn under_a_disk(tracer: &[String], lag_min: u64) -> (f64, f64) {
    let served = slow();
    let mut extra = trading();
    extra.run += "\nlag_max = \"200ms\"";
    let site = Site::new(served.market.data, served.market.orders, &extra);
    let directory = site.run_directory();
    let mut engine = start(&site, &directory, tracer, "");
    engine.until("orders", |engine| engine.counter("outcome", "orders") > 10);
    engine.until("the lag", |engine| engine.counter("journal", "lag_ns_max") > lag_min);
    let (durable, quotes) =
        (engine.counter("journal", "inputs_durable"), engine.counter("market", "quotes"));
    engine.until("quotes", |engine| engine.counter("market", "quotes") > quotes + 10_000);
    engine.until("the mark", |engine| engine.counter("journal", "inputs_durable") > durable);
    signal(behind(&engine), "TERM");
    let ended = end(engine);
    assert_eq!(ended.code, Some(0), "{}", ended.error);
    let told = ended.printed.contains("DISK: the journal is ");
    assert!(told || lag_min == 0, "{}", ended.printed);
    let (at_broker, _) = stop(served);
    assert_journal(&directory, at_broker);
    assert_sound(&directory);
    let report = Report::read(&directory).unwrap();
    let last = report.since_receive.last().unwrap();
    let p99 = last.counts.value_at_quantile(0.99) as f64 / 1e3;
    (p99, crate::engine::counter(&directory, "journal", "lag_ns_max") as f64 / 1e6)
}
