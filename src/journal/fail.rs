//! The name of an instant in; in a test's child process that was told so, its end by SIGKILL out.
//! In every other build nothing is left of it.

/// An instant at which a process may die.
#[cfg(not(test))]
#[inline(always)]
pub(super) fn point(_: &'static str) {}

/// Dies here, at the n-th time, if `ZOMMA_KILL_AT` says `name:n`.
#[cfg(test)]
pub(super) fn point(name: &'static str) {
    use core::sync::atomic::{AtomicU64, Ordering};
    use std::{string::String, sync::LazyLock};
    static WANTED: LazyLock<Option<(String, u64)>> = LazyLock::new(|| {
        let text = std::env::var_os("ZOMMA_KILL_AT")?.into_string().ok()?;
        let (name, times) = text.rsplit_once(':')?;
        Some((name.into(), times.parse().ok()?))
    });
    static TIMES: AtomicU64 = AtomicU64::new(0);
    if let Some((wanted, times)) = &*WANTED
        && wanted == name
        && TIMES.fetch_add(1, Ordering::Relaxed) + 1 == *times
    {
        let _ = signal_hook::low_level::raise(signal_hook::consts::SIGKILL);
    }
}
