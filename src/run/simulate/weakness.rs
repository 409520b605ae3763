//! The table of weaknesses: what an engine could do wrong, done on purpose, so that the simulation
//! shows that it would be found.

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct WeaknessDoc {
    /// Which.
    pub weakness: Weakness,
    /// Its name on the command line.
    pub name: &'static str,
    /// What the engine does wrong.
    pub about: &'static str,
}

macro_rules! weaknesses {
    ($($id:ident $name:literal $about:literal;)*) => {
        /// Something that the engine does wrong on purpose.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum Weakness { $(#[doc = $about] $id,)* }

        /// All weaknesses.
        pub const WEAKNESSES: &[WeaknessDoc] = &[$(WeaknessDoc {
            weakness: Weakness::$id, name: $name, about: $about,
        }),*];
    };
}

weaknesses! {
    DropInput "drop-input" "every 50th input is acted on without being journaled";
    ChangeInput "change-input" "a quote is changed between the journal and the stages";
    DropOutput "drop-output" "every 10th output is sent without being recorded";
    SendFirst "send-first" "outputs are sent before they are recorded";
    LoseFill "lose-fill" "every third fill is journaled and then forgotten";
    DoubleFill "double-fill" "every third fill is counted twice";
    LooseSize "loose-size" "the bound on an order's contracts is taken four times as high";
    LoosePosition "loose-position" "the bound on a position is taken ten times as high";
    LooseWorking "loose-working" "the bound on working orders is taken ten times as high";
    LooseLoss "loose-loss" "the bound on an order's loss is not held";
    LooseDay "loose-day" "the bound on the day's loss is not held";
    LooseRate "loose-rate" "the bound on orders a second is not held";
    LooseAge "loose-age" "the bound on a quote's age is not held";
    LooseOdd "loose-odd" "fills that cannot be explained halt nothing";
    IgnoreGaps "ignore-gaps" "gaps and lost sessions of the market are not heard of";
    IgnoreKill "ignore-kill" "the kill switch is not heard of";
    IgnoreStop "ignore-stop" "the stop is not heard of";
    IgnoreLeave "ignore-leave" "that the stop's time is over is not heard of";
    IgnorePauses "ignore-pauses" "pauses of trading are not heard of";
    WrongQuantity "wrong-quantity" "the venue understands one contract more than was approved";
    SendTwice "send-twice" "an order's message is written twice";
    BelieveResends "believe-resends" "what a resend leaves out is taken for rejected";
    BelievePositions "believe-positions" "what the broker holds is taken for what we hold";
    ForgetNumbers "forget-numbers" "the session's numbers do not survive a crash";
    ForgetTail "forget-tail" "the last inputs do not survive a crash";
}

impl Weakness {
    /// The limit that the engine takes otherwise than the witness: its key and a loose value.
    pub(super) fn loosens(self) -> Option<(&'static str, &'static str)> {
        match self {
            Weakness::LooseSize => Some(("order_contracts_max", "1_000")),
            Weakness::LoosePosition => Some(("position_contracts_max", "1_000")),
            Weakness::LooseWorking => Some(("working_orders_max", "1_000")),
            Weakness::LooseLoss => Some(("order_loss_max", "1_000_000.0")),
            Weakness::LooseDay => Some(("daily_loss_max", "1_000_000.0")),
            Weakness::LooseRate => Some(("message_rate_max", "1_000")),
            Weakness::LooseAge => Some(("quote_age_max", "\"1h\"")),
            Weakness::LooseOdd => Some(("unreconciled_fills_max", "1_000_000")),
            _ => None,
        }
    }

    /// Whether it is the journal and its replay that must show it; everything else must be seen
    /// while it happens.
    pub(super) fn is_for_the_journal(self) -> bool {
        use Weakness::{ChangeInput, DropInput, DropOutput};
        matches!(self, DropInput | ChangeInput | DropOutput)
    }

    /// The weakness of a name.
    pub fn named(name: &str) -> Option<Weakness> {
        WEAKNESSES.iter().find(|row| row.name == name).map(|row| row.weakness)
    }
}
