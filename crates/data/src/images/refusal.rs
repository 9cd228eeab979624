//! Says what is wrong inside a picture, also where the decoder of another project fails.

pub(super) use glauber_files::Refusal;

/// Runs a decoder of another project; a panic in it becomes a refusal. The hook that prints panics stays as it is for
/// every other thread: the message of this one is swallowed by marking the thread.
pub(super) fn without_panic<T>(decode: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    // What is borrowed by the closure is dropped or never looked at again after a panic.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(decode)).unwrap_or_else(|_| {
        Err(Refusal::unsupported(
            "made its decoder fail in a way that is no error of yours",
            "save it again by another program, uncompressed",
        ))
    })
}
