//! Signals that mean a broken disk or file in; one line on the standard error out.
//!
//! A mapped file that somebody cuts short, or whose disk dies, ends the process with SIGBUS at the
//! next touch. That is right, for nothing after it could be believed; but it must not be a riddle.
//! SIGXFSZ (a file larger than the shell allows) is ignored, so that the call says EFBIG instead.

use std::io;

const CUT_SHORT: &[u8] = b"zomma: SIGBUS: a mapped file was cut short or its disk failed; trading \
    has ended here, see `zomma journal verify` for what is whole\n";

/// Takes both signals, for the whole process.
#[expect(unsafe_code, reason = "a handler may call no more than what is safe in one")]
pub fn install() -> io::Result<()> {
    let say = || {
        // SAFETY: write(2) may be called in a handler; the text is a constant.
        unsafe { libc::write(libc::STDERR_FILENO, CUT_SHORT.as_ptr().cast(), CUT_SHORT.len()) };
        // Back to the default, which ends the process at the same instruction, as SIGBUS.
        // SAFETY: signal(2) may be called in a handler.
        unsafe { libc::signal(libc::SIGBUS, libc::SIG_DFL) };
    };
    // SAFETY: the action makes two system calls that handlers may make, and nothing else.
    unsafe { signal_hook::low_level::register(signal_hook::consts::SIGBUS, say) }?;
    // SAFETY: no handler of ours is replaced.
    if unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) } == libc::SIG_ERR {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
