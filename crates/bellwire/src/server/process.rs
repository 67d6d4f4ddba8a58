//! Process settings of a server: shutdown signals and the limit of open files.

/// Raises the limit of open files to the maximum that this process is allowed. Every connection
/// needs one file descriptor.
pub fn raise_file_limit() {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(files) => tracing::debug!(files, "Raised the limit of open files"),
        Err(error) => tracing::warn!(%error, "Could not raise the limit of open files"),
    }
}

/// Listens for SIGTERM and Ctrl-C from the call on. The future completes at the first of them.
///
/// Call it before announcing that the server is ready, because a signal may follow at once. If the
/// system does not allow listening, its default handler stays in place.
#[cfg(unix)]
pub fn shutdown_signal() -> impl Future<Output = ()> + Send + 'static {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
    async move {
        let [terminated, interrupted] = signals.map(|signal| async {
            match signal {
                Ok(mut signal) => drop(signal.recv().await),
                Err(_) => std::future::pending().await,
            }
        });
        tokio::select! {
            () = terminated => {}
            () = interrupted => {}
        }
    }
}

/// Listens for Ctrl-C. The future completes when it is pressed.
#[cfg(not(unix))]
pub fn shutdown_signal() -> impl Future<Output = ()> + Send + 'static {
    async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
