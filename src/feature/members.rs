//! A schema in; which of its columns carry what models of this trade ask for by name, out.
//!
//! The names are those under which such features go elsewhere; several mean one thing here, and one
//! may be a choice of columns. `ROOT` stands for each root of `[features]`. What begins with
//! another name needs that series, those dates or that pair among the settings.

use super::schema::Schema;
use alloc::{format, string::String, vec::Vec};

/// Something that is asked for, and the columns that carry it.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// What it is a part of.
    pub group: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// Columns, `ROOT` for each root.
    pub columns: &'static [&'static str],
}

macro_rules! members {
    ($($group:literal { $($name:literal: $($column:literal)*;)* })*) => {
        /// All members, by group.
        pub const MEMBERS: &[Member] = &[$($(
            Member { group: $group, name: $name, columns: &[$($column),*] },
        )*)*];
    };
}

members! {
    "Greeks and exposures" {
        "gamma_exposure": "ROOT.gex_dealer_oi_all" "ROOT.gex_gross_oi_all" "ROOT.gex_tilt_oi_all";
        "gamma_flip_zones": "ROOT.gamma_flip" "ROOT.call_wall" "ROOT.put_wall";
        "vanna_effect": "ROOT.vanna_dealer_oi_all" "ROOT.vanna_gross_oi_all";
        "charm_acceleration": "ROOT.charm_dealer_oi_0dte" "ROOT.charm_dealer_oi_all";
        "speed_indicator": "ROOT.speed_dealer_oi_all" "ROOT.gex_slope";
        "zomma_risk": "ROOT.zomma_dealer_oi_all" "ROOT.zomma_gross_oi_all";
    }
    "Order flow" {
        "vpin_proxy": "ROOT.vpin_50_calls" "ROOT.vpin_50_puts" "ROOT.vpin_50_under";
        "block_trade_count": "ROOT.blocks_r60_0dte" "ROOT.blocks_r1800_later";
        "block_trade_imbalance": "ROOT.block_imbalance_r300_0dte" "ROOT.block_share_r300_0dte";
        "sweep_order_detected": "ROOT.sweeps_r10_0dte" "ROOT.sweeps_r300_week";
        "smart_money_flow": "ROOT.smart_money_flow_r300_0dte" "ROOT.smart_money_flow_r1800_later";
        "volume_acceleration": "ROOT.volume_acceleration_r60_0dte";
    }
    "Blocks and sweeps" {
        "block trades, against bid and ask": "ROOT.blocks_r60_0dte" "ROOT.block_imbalance_r60_0dte";
        "sweeps of strikes within 5 s": "ROOT.sweeps_r10_0dte";
    }
    "Open interest" {
        "oi_concentration_ratio": "ROOT.oi_concentration_e1";
        "oi_skewness": "ROOT.oi_skewness_e1";
        "oi_rollover_rate": "ROOT.oi_rollover_r300" "ROOT.oi_rollover_r1800";
        "oi_velocity": "ROOT.oi_velocity_calls_r60" "ROOT.oi_velocity_puts_r60";
        "smart_money_oi_ratio": "FII+DII/RETAIL.ratio";
    }
    "Put-call ratios" {
        "pcr by open interest": "ROOT.pcr_oi_e1" "ROOT.pcr_oi_e2";
        "pcr by volume": "ROOT.pcr_volume_r300_0dte" "ROOT.pcr_volume_r1800_week";
        "pcr divergence": "ROOT.pcr_divergence_r300";
    }
    "Expiry day" {
        "max_pain_distance": "ROOT.max_pain_distance_e1";
        "pin_risk_probability": "ROOT.pin_risk" "ROOT.pin_distance";
        "gamma_exposure_concentration": "ROOT.gex_concentration";
        "gamma_flip_zones": "ROOT.gamma_flip";
        "theta_acceleration": "ROOT.theta_acceleration" "ROOT.theta_share";
        "iv_crush_expectation": "ROOT.iv_crush";
    }
    "Microstructure" {
        "order_flow_imbalance": "ROOT.ofi_r60_calls" "ROOT.ofi_depth_r60_puts";
        "bid_ask_spread_dynamics": "ROOT.spread_r10_calls" "ROOT.spread_r300_calls";
        "volume_weighted_price_impact": "ROOT.impact_r300_under" "ROOT.illiquidity_r300_under";
        "tick_by_tick_momentum": "ROOT.tick_momentum_r60_under";
    }
    "Toxicity and hidden liquidity" {
        "order-flow toxicity": "ROOT.toxicity_rise_calls" "ROOT.vpin_10_under";
        "hidden liquidity": "ROOT.hidden_share_r300_under" "ROOT.hidden_share_r300_calls";
    }
    "Volume profile" {
        "volume profile": "ROOT.poc_gap" "ROOT.volume_below" "ROOT.volume_peak_e1";
        "order flow": "ROOT.trade_lean_r300_under" "ROOT.call_lean_r300_0dte";
    }
    "VWAP" {
        "vwap and deviation from it": "ROOT.session_vwap_gap" "ROOT.vwap_gap_20_1m";
    }
    "Technical indicators" {
        "RSI": "ROOT.rsi_14_1m" "ROOT.rsi_14_5m" "ROOT.rsi_14_15m" "ROOT.rsi_14_1h";
        "MACD": "ROOT.macd_1m" "ROOT.macd_hist_5m";
        "Bollinger": "ROOT.bb_place_20_1m" "ROOT.bb_width_100_1h";
        "ATR": "ROOT.natr_14_1m" "ROOT.natr_20_15m";
    }
    "Price and momentum" {
        "returns": "ROOT.return_1m" "ROOT.live_return_1m" "ROOT.session_return";
        "momentum": "ROOT.roc_5_1m" "ROOT.roc_20_5m" "ROOT.slope_20_1m" "ROOT.efficiency_20_1m";
        "distance from averages": "ROOT.sma_gap_20_1m" "ROOT.ema_gap_50_1m" "ROOT.wma_gap_20_1m";
        "gaps and ranges": "ROOT.session_gap" "ROOT.session_place" "ROOT.opening_place";
    }
    "Volatility" {
        "realised volatility, 20 days": "ROOT.rv_close_20_1d" "ROOT.rv_yang_zhang_20_1d";
        "realised against implied": "ROOT.rv_iv_1d" "ROOT.rv_iv_1m" "ROOT.vrp_1m";
        "IV rank": "ROOT.iv_rank" "ROOT.iv_percentile" "VIX.rank_252" "VIX.percentile_252";
        "term structure": "ROOT.iv_term_12" "ROOT.forward_iv_12" "ROOT.iv_ratio_13";
        "skew": "ROOT.rr_25_1" "ROOT.bf_25_1" "ROOT.skew_rank";
    }
    "Options, volume and open interest" {
        "options": "ROOT.atm_iv_1" "ROOT.iv_slope_1" "ROOT.straddle" "ROOT.expected_move_1";
        "volume": "ROOT.call_volume_r300_0dte" "ROOT.put_volume_r300_0dte"
            "ROOT.volume_ratio_20_1m";
        "open interest": "ROOT.oi_calls_e1" "ROOT.oi_puts_e1" "ROOT.oi_growth_r300";
    }
    "Time" {
        "time of day": "ROOT.session_share" "ROOT.session_left";
        "days to expiry": "ROOT.dte_1" "ROOT.monthly_days";
        "calendar": "ROOT.weekday" "ROOT.month_day" "ROOT.half_day" "ROOT.expiry_today";
    }
    "Derived and cross" {
        "scores": "ROOT.z_rsi_14_1m_600" "ROOT.rank_atm_iv_1";
        "ratios and products": "ROOT.rv_fast_slow_1m" "ROOT.move_used" "ROOT.skew_trend";
    }
    "Across markets" {
        "VIX term structure": "VIX/VIX9D.ratio";
        "correlation of VIX, SPX and QQQ": "SPX-CLOSE/VIX.correlation_20"
            "SPXW/VIX.correlation_r1800" "SPY/QQQ.correlation_r1800";
        "sector rotation": "XLK/XLU.ratio_z_20" "XLK/XLU.relative_return_20";
        "bond_equity_correlation": "SPX-CLOSE/TLT.correlation_20";
        "currency_carry_signals": "USD-RATE/JPY-RATE.difference";
        "commodity_momentum": "GOLD.return_20" "OIL.return_20";
        "crypto_sentiment": "BTC.return_20" "BTC.z_20" "BTC.rank_252";
    }
    "Alternative data" {
        "news_sentiment_scores": "NEWS.value" "NEWS.z_20" "NEWS.stale";
        "social_media_buzz": "SOCIAL.value" "SOCIAL.z_20";
        "earnings_calendar_proximity": "GOOG-EARNINGS.ahead" "GOOG-EARNINGS.behind";
        "fed_meeting_proximity": "FOMC.ahead" "FOMC.behind";
    }
    "Internals and trend" {
        "breadth": "ALL.breadth_r300" "ALL.dispersion_r300";
        "trend strength": "ROOT.adx_14_1m" "ROOT.trend_strength_1m" "ROOT.r_squared_20_5m";
    }
    "Layers" {
        "technical layer": "ROOT.rsi_14_5m" "ROOT.bb_place_20_5m";
        "internals layer": "ALL.breadth_r60" "SPY/QQQ.relative_return_r300";
        "flow layer": "ROOT.smart_money_flow_r300_0dte" "ROOT.ofi_r300_calls";
        "options flow": "ROOT.call_premium_r300_0dte" "ROOT.delta_bought_r300_0dte"
            "ROOT.put_lean_r300_0dte";
    }
    "Timescales" {
        "one statistic, many scales": "ROOT.rv_close_20_1s" "ROOT.rv_close_20_1m"
            "ROOT.rv_close_20_1h" "ROOT.rv_scale_1m_15m";
    }
}

impl Member {
    /// Its columns under this schema, for each of its roots.
    pub fn columns_of(&self, schema: &Schema) -> Vec<String> {
        let roots = &schema.settings().roots;
        let mut found = Vec::new();
        for column in self.columns {
            match column.strip_prefix("ROOT.") {
                Some(name) => found.extend(roots.iter().map(|root| format!("{root}.{name}"))),
                None => found.push((*column).into()),
            }
        }
        found
    }

    /// Those that a schema does not have.
    pub fn missing(&self, schema: &Schema) -> Vec<String> {
        let columns = self.columns_of(schema).into_iter();
        columns.filter(|name| schema.column(name).is_none()).collect()
    }
}
