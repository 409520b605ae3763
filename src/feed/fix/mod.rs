//! FIX 4.4 from the broker: bytes in, reports and session messages out.
