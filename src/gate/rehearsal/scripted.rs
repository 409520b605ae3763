//! The gate against a peer that does on purpose what a good one does not.
