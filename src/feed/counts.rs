//! What a session counts, as plain numbers: the keeper mirrors them to the mapped counters.

macro_rules! counts {
    ($($name:ident $about:literal;)*) => {
        /// Counters of one session. They only grow.
        #[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
        pub struct Counts {
            $(#[doc = $about] pub $name: u64,)*
        }

        impl Counts {
            /// Names and meanings, in the order of [`Counts::values`].
            pub const NAMES: &[(&str, &str)] = &[$((stringify!($name), $about)),*];

            /// The sums of both.
            pub fn plus(&self, other: &Counts) -> Counts {
                Counts { $($name: self.$name + other.$name),* }
            }

            /// All values.
            pub fn values(&self) -> [u64; Counts::NAMES.len()] {
                [$(self.$name),*]
            }
        }
    };
}

counts! {
    bytes "bytes read from the socket";
    reads "reads that gave at least one byte";
    records "records framed, whatever became of them";
    quotes "records with a best bid and ask";
    trades "prints";
    interests "open-interest statistics";
    statistics "statistics of other types, passed over";
    definitions "definition records";
    mappings "symbol mappings";
    repeats "definitions and mappings that said nothing new";
    observations "numbers of external series";
    statuses "trading statuses";
    heartbeats "heartbeats of the gateway";
    notices "other system messages of the gateway";
    errors "error messages of the gateway";
    passed_over "records of known types that the pipeline has no use for";
    unknown_records "records of unknown types";
    unknown_instruments "records of instruments that nothing had named";
    faults "bytes or records refused, and refusals by the peer";
    gaps "gaps announced or detected";
    lost "records or datagrams known to be lost";
    duplicates "datagrams seen before, dropped";
    late "datagrams that came after their gap was announced, dropped";
    connects "connections made";
    drops "connections lost or given up";
    stales "times that nothing was heard for too long";
}
