//! Who may use the machine at the same time.

use tokio::sync::{Semaphore, SemaphorePermit};

/// So many Envoys run at once. Each watches up to two dozen files, and Linux lets a user's processes watch 128 (`fs.inotify.max_user_instances`).
const ENVOYS: u32 = 4;

static MACHINE: Semaphore = Semaphore::const_new(ENVOYS as usize);

/// Until it is dropped, a few other tests may run.
pub async fn alongside() -> SemaphorePermit<'static> {
    MACHINE.acquire().await.unwrap()
}

/// Until it is dropped, no other test runs: for those that measure milliseconds.
pub async fn alone() -> SemaphorePermit<'static> {
    MACHINE.acquire_many(ENVOYS).await.unwrap()
}
