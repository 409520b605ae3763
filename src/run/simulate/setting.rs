//! Dice in; the files of a configuration, random within bounds that make its limits bite, out.

use crate::{
    run::Files,
    sim::{Dice, gateway::Way},
};
use std::{format, string::String, vec::Vec};

/// Nanoseconds between two beats.
pub(super) const BEAT_NS: u64 = 50_000_000;

/// A configuration, and how its market comes.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) files: Files,
    pub(super) way: Way,
}

impl Setting {
    pub(super) fn new(dice: &mut Dice) -> Setting {
        let way = *dice.pick(&[Way::Stream, Way::Stream, Way::Datagrams]);
        let list = [
            ("main", main(dice, way)),
            ("universe", UNIVERSE.into()),
            ("limits", limits(dice)),
            ("strategies", strategies(dice)),
        ];
        let list = list.map(|(name, text)| (String::from(name), text));
        Setting { files: Files::from_list(Vec::from(list)), way }
    }

    /// The same files, but with another value for a key of the limits.
    pub(super) fn loosened(&self, key: &str, value: &str) -> Files {
        let changed = |line: &str| match line.strip_prefix(key) {
            Some(rest) if rest.starts_with(" =") => format!("{key} = {value}\n"),
            _ => format!("{line}\n"),
        };
        let file = |(name, text): &(String, String)| match name.as_str() {
            "limits" => (name.clone(), text.lines().map(changed).collect()),
            _ => (name.clone(), text.clone()),
        };
        Files::from_list(self.files.list().iter().map(file).collect())
    }
}

const UNIVERSE: &str = r#"
[chain]
instruments_max = 128
expiries_max = 2
strikes_max = 48
roots_max = 2
sessions_max = 4
[[calendar]]
name = "us"
zone = "America/New_York"
[[root]]
name = "SPXW"
style = "european"
settles = "16:00"
tick_from = [0.0]
tick_size = [0.05]
"#;

fn main(dice: &mut Dice, way: Way) -> String {
    let kind = match way {
        Way::Stream => "databento",
        Way::Datagrams => "udp",
    };
    let segment = *dice.pick(&[65_536, 131_072]);
    let (beat, answer) = (dice.between(1, 3), dice.between(1, 3));
    format!(
        r#"
[run]
universe = "universe"
limits = "limits"
strategies = ["strategies"]
[features]
roots = ["SPXW"]
resolutions = ["1s", "1m"]
windows = [5, 20]
volume_bar = 0
dollar_bar = 0
[feed]
batch_max = {batch}
beat = "50ms"
instruments_max = 128
[[session]]
name = "options"
kind = "{kind}"
address = "127.0.0.1:1"
dataset = "OPRA.PILLAR"
schemas = ["cmbp-1", "trades", "definition", "statistics"]
symbols = ["SPXW.OPT"]
stype = "parent"
heartbeat = "1s"
stale_after = "{stale}s"
drop_after = "{drop}s"
login_timeout = "2s"
backoff_min = "50ms"
backoff_max = "2s"
[[session]]
name = "broker"
kind = "broker"
address = "127.0.0.1:2"
drop_after = "30s"
backoff_min = "50ms"
backoff_max = "2s"
[broker]
heartbeat = "{beat}s"
answer = "{answer}s"
resend_age = "{resend}ms"
reset_on_logon = false
instruments_max = 128
[journal]
segment_bytes = {segment}
output_segment_bytes = 65_536
sync = "none"
"#,
        batch = dice.pick(&[1, 4, 64, 1_024]),
        stale = dice.between(2, 4),
        drop = dice.between(5, 9),
        resend = dice.pick(&[0, 200, 5_000, 20_000]),
    )
}

/// Values at which limits bite that most runs have wide open, so that there is something to trade.
const TIGHT: [(&str, &str); 38] = [
    ("unknown_greeks_allowed", "false"),
    ("leg_collar_max", "1.0"),
    ("theory_collar_max", "5.0"),
    ("last_collar_max", "20.0"),
    ("fat_finger_max", "3.0"),
    ("order_to_trade_free", "50"),
    ("order_to_trade_max", "20.0"),
    ("repeated_fills_max", "40"),
    ("working_premium_max", "5_000.0"),
    ("expiry_contracts_max", "40"),
    ("root_contracts_max", "60"),
    ("root_loss_share_max", "0.4"),
    ("book_loss_share_max", "0.6"),
    ("margin_share_max", "1.0"),
    ("cash_left_min", "0.0"),
    ("root_share_max", "0.4"),
    ("delta_share_max", "4.0"),
    ("delta_gross_share_max", "100.0"),
    ("gamma_share_max", "40.0"),
    ("gamma_gross_share_max", "400.0"),
    ("vega_share_max", "0.05"),
    ("vega_gross_share_max", "0.5"),
    ("theta_share_max", "0.05"),
    ("root_delta_share_max", "4.0"),
    ("correlated_share_max", "4.0"),
    ("cluster_share_max", "4.0"),
    ("grid_loss_share_max", "0.2"),
    ("grid_age_max", "\"60s\""),
    ("size_intraday_share_max", "0.3"),
    ("size_expiry_share_max", "0.3"),
    ("loss_intraday_share_max", "0.02"),
    ("loss_expiry_share_max", "0.02"),
    ("drawdown_reduce", "0.02"),
    ("drawdown_halt", "0.04"),
    ("losses_in_a_row_max", "5"),
    ("traded_rate_max", "300"),
    ("var_share_max", "0.10"),
    ("es_share_max", "0.15"),
];

/// In a third of the runs about half of the limits bite that the others have wide open.
fn wide(dice: &Dice) -> String {
    // Numbers of its own: what else a seed means stays as it is.
    let mut dice = dice.clone().fork();
    let some = dice.chance(0.35);
    let tight: Vec<_> = TIGHT.iter().filter(|_| dice.chance(0.5) && some).collect();
    let is_set = |line: &str| {
        let key = line.split('=').next().unwrap_or_default().trim();
        tight.iter().any(|(name, _)| *name == key)
    };
    let open = include_str!("wide.toml").lines().filter(|line| !is_set(line)).map(String::from);
    let set = tight.iter().map(|(name, value)| format!("{name} = {value}"));
    open.chain(set).collect::<Vec<String>>().join("\n")
}

fn limits(dice: &mut Dice) -> String {
    format!(
        r#"
[account]
capital = 50_000.0
fee_per_contract = 0.65
orders_max = 4_096
packages_max = 256
instruments_max = 128
[limits]
order_contracts_max = {contracts}
order_premium_max = {premium}
order_loss_max = {loss}
trade_risk_share_max = 1.0
expiry_loss_max = {expiry}
strategy_risk_share_max = 1.0
open_packages_max = {packages}
working_orders_max = {working}
position_contracts_max = {position}
daily_loss_max = {daily}
quote_age_max = "{age}ms"
size_share_max = 1.0
collar_max = 1.0
message_rate_max = {rate}
message_burst = {burst}
duplicate_window = "{window}ms"
unreconciled_fills_max = {odd}
rejects_in_a_row_max = {rejects}
reconcile_every = "{every}"
reconcile_again_after = "500ms"
{wide}"#,
        wide = wide(dice),
        contracts = dice.between(1, 6),
        premium = dice.pick(&["300.0", "3_000.0", "20_000.0"]),
        loss = dice.pick(&["800.0", "4_000.0", "20_000.0"]),
        expiry = dice.pick(&["3_000.0", "30_000.0", "1_000_000.0"]),
        packages = dice.between(1, 12),
        working = dice.between(1, 6),
        position = dice.between(1, 12),
        daily = dice.pick(&["60.0", "500.0", "5_000.0", "100_000.0"]),
        age = dice.between(300, 6_000),
        rate = dice.between(1, 20),
        burst = dice.between(1, 5),
        window = dice.pick(&[0, 10, 500]),
        odd = dice.pick(&[0, 0, 1, 1_000]),
        rejects = dice.between(1, 10),
        every = dice.pick(&["0s", "2s", "10s"]),
    )
}

fn strategies(dice: &mut Dice) -> String {
    let mut text = String::new();
    for i in 0..dice.between(1, 2) {
        text += &format!(
            r#"
[[probe]]
name = "probe {i}"
every = {every}
quantity = {quantity}
place = "{place}"
cancel_after = "{after}ms"
working_max = {working}
cancel_again_after = "{again}ms"
"#,
            every = dice.pick(&[1, 3, 20]),
            quantity = dice.between(1, 7),
            place = dice.pick(&["ask", "bid", "far"]),
            after = dice.pick(&[50, 300, 2_000]),
            working = dice.between(1, 8),
            again = dice.pick(&[100, 1_000]),
        );
    }
    for i in 0..dice.between(0, 2) {
        text += &condor(i, dice);
    }
    text
}

fn condor(i: u64, dice: &mut Dice) -> String {
    let windows: Vec<String> = (0..20).map(|m| format!("\"10:{m:02}-10:{:02}\"", m + 1)).collect();
    format!(
        r#"
[[iron_condor]]
name = "condor {i}"
root = "SPXW"
entry_windows = [{windows}]
attempts_max = 100
cooldown = "300ms"
look_every = "100ms"
open_max = 4
short_delta = 0.25
short_delta_tolerance = 0.2
wing_width = 10.0
wing_width_max = 15.0
credit_min = 0.05
credit_width_share_min = 0.0
leg_spread_max = 3.0
leg_spread_share_max = 2.0
quote_age_max = "6s"
quantity = {quantity}
risk_share = 0.0
entry_steps = {steps}
reprice_after = "{reprice}ms"
quote_wait = "2s"
profit_target = {target}
stop = {stop}
stop_confirm = "100ms"
time_exit = "10:30"
exit_reprice_after = "{reprice}ms"
exit_retry = "200ms"
cancel_again_after = "500ms"
"#,
        windows = windows.join(", "),
        quantity = dice.between(1, 4),
        steps = dice.between(1, 4),
        reprice = dice.pick(&[100, 400, 2_000]),
        target = dice.pick(&["0.05", "0.3"]),
        stop = dice.pick(&["0.05", "1.0"]),
    )
}
