//! Runs jobs on several threads: keeps their order, limits how far they run ahead, and cancels. The first error wins.
//!
//! `Jobs` is an ordered sequence of work: parsing the texts of a file, counting their rows, or filling and emptying
//! the windows of a shuffle. Each thread takes the next job and puts its result where the consumer will look for it.
//! Threads never run more than a window ahead of the consumer, which takes items in the order of the jobs. Instead of
//! waiting for an item, the consumer runs a job itself, as one of the threads, unless jobs may take long.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::budget::within_memory;
use crate::error::{Error, Kind, Result};
use crate::process;

/// Work in a fixed order for several threads.
pub(crate) trait Jobs<T>: Send + Sync {
    /// The number of jobs; `u64::MAX` if they never end or the number is unknown. Called again when a worker finds no
    /// job.
    fn count(&self) -> u64;

    /// Jobs in one pass over the source.
    fn per_pass(&self) -> u64 {
        self.count()
    }

    /// A closure that runs jobs on one thread. Every job runs once. Jobs start in order, on any thread.
    fn worker(self: Arc<Self>) -> Worker<T>;

    /// Whether jobs are short: each waits for nothing but a disk and earlier jobs.
    fn are_short(&self) -> bool {
        false
    }

    /// Whether a job may wait for something outside this process. The consumer cannot run such a job, because it must
    /// react to signals.
    fn may_wait(&self) -> bool {
        false
    }

    /// Gives up: workers that wait for one another return.
    fn abandon(&self) {}
}

/// Runs a job. `None` ends the thread: there is no such job, an earlier one failed, or the jobs were abandoned.
pub(crate) type Worker<T> = Box<dyn FnMut(u64) -> Option<Done<T>> + Send>;

/// The result of a job: an item, and the error that ended it early.
pub(crate) struct Done<T> {
    pub item: Option<T>,
    pub error: Option<Error>,
}

impl<T> Done<T> {
    /// An item without an error.
    pub(crate) fn with(item: T) -> Self {
        Self { item: Some(item), error: None }
    }

    /// The result of a job on a text, after the attempt to read it. `None` if there is no such text.
    pub(crate) fn of_text(is_read: Result<bool>, work: impl FnOnce() -> Self) -> Option<Self> {
        match is_read {
            Ok(true) => Some(work()),
            Ok(false) => None,
            Err(error) => Some(Self::failed(error)),
        }
    }

    /// Nothing for the consumer.
    pub(crate) fn nothing() -> Self {
        Self { item: None, error: None }
    }

    /// A failure.
    pub(crate) fn failed(error: Error) -> Self {
        Self { item: None, error: Some(error) }
    }
}

/// Items in the order of their jobs, computed ahead of the consumer.
pub struct Pipeline<T: Send + 'static> {
    shared: Arc<Shared<T>>,
    threads: Vec<JoinHandle<()>>,
    /// Runs jobs on the consumer's thread instead of waiting.
    own: Option<Worker<T>>,
    /// The process that started the threads. A fork inherits the pipeline without them.
    process: u32,
}

/// State shared by the threads and the consumer.
struct Shared<T> {
    jobs: Arc<dyn Jobs<T>>,
    window: u64,
    queue: Mutex<Queue<T>>,
    /// Signals that something arrived for the consumer.
    arrived: Condvar,
    /// Signals that the window moved or that everything ends.
    moved: Condvar,
}

struct Queue<T> {
    /// The number of jobs, as far as it is known.
    count: u64,
    /// The next job for a thread to take.
    next: u64,
    /// The job whose item the consumer takes next.
    taken: u64,
    /// The results of the jobs from `taken` on; `None` for those not done.
    done: VecDeque<Option<Done<T>>>,
    /// Whether the consumer wants the next item as soon as it arrives.
    urgent: bool,
    stopped: bool,
    panicked: bool,
}

impl<T> Queue<T> {
    /// Whether the consumer can continue without waiting.
    fn is_ready(&self) -> bool {
        self.stopped || self.panicked || self.taken >= self.count || self.done.front().is_some_and(Option::is_some)
    }

    /// The next job, if the window allows it.
    fn take(&mut self, window: u64) -> Option<u64> {
        let is_there = !self.stopped && self.next < self.count && self.next < self.taken + window;
        is_there.then(|| {
            self.next += 1;
            self.next - 1
        })
    }

    /// The number of items ready for the consumer, up to `most`.
    fn ready(&self, most: usize) -> usize {
        self.done.iter().take(most).take_while(|done| done.is_some()).count()
    }
}

/// How many items justify waking the consumer, which takes a core from a working thread.
const WAKE_AT_LEAST: usize = 2;

/// How long the consumer waits for that many items before it takes a single one.
const GATHERING_TIME: Duration = Duration::from_millis(1);

/// The answer to a request for the next item.
pub enum Next<T> {
    /// The next item.
    Item(T),
    /// The item is not ready yet.
    Pending,
    /// There are no more items.
    End,
}

impl<T: Send + 'static> Pipeline<T> {
    /// Starts the jobs on up to `threads` threads, at most `window` jobs ahead of the consumer.
    pub(crate) fn run(jobs: impl Jobs<T> + 'static, threads: usize, window: usize) -> Result<Self> {
        let count = jobs.count();
        // A pass needs no more threads, and running many passes ahead is useless.
        let pass = usize::try_from(jobs.per_pass()).unwrap_or(usize::MAX).max(1);
        let threads = threads.clamp(1, pass);
        let window = window.min(pass.saturating_mul(2).saturating_add(2));
        let done = VecDeque::new();
        let queue = Queue { count, next: 0, taken: 0, done, urgent: false, stopped: false, panicked: false };
        let jobs: Arc<dyn Jobs<T>> = Arc::new(jobs);
        // Two threads that hand over to each other are faster than three on two cores, and one is faster than two on one
        // core.
        let is_core_shared = threads > 1 || std::thread::available_parallelism().is_ok_and(|cores| cores.get() == 1);
        let own = (is_core_shared && jobs.are_short()).then(|| Arc::clone(&jobs).worker());
        let threads = threads - usize::from(own.is_some());
        let shared = Arc::new(Shared {
            jobs,
            window: window as u64,
            queue: Mutex::new(queue),
            arrived: Condvar::new(),
            moved: Condvar::new(),
        });
        let mut pipeline = Self { shared, threads: Vec::with_capacity(threads), own, process: process::id() };
        for number in 0..threads {
            let shared = Arc::clone(&pipeline.shared);
            let thread = std::thread::Builder::new().name(format!("csvfeed-{number}"));
            match thread.spawn(move || shared.work()) {
                Ok(thread) => pipeline.threads.push(thread),
                Err(error) if number == 0 && pipeline.shared.jobs.may_wait() => return Err(Kind::Threads(error).into()),
                // Fewer threads suffice; without any, the consumer runs all jobs.
                Err(_) => break,
            }
        }
        if pipeline.threads.is_empty() && pipeline.own.is_none() {
            pipeline.own = Some(Arc::clone(&pipeline.shared.jobs).worker());
        }
        Ok(pipeline)
    }

    /// Whether the pipeline was started in this process and not in a parent from which it was forked.
    #[must_use]
    pub fn is_of_this_process(&self) -> bool {
        self.process == process::id()
    }

    /// Jobs in one pass over the source.
    pub(crate) fn per_pass(&self) -> u64 {
        self.shared.jobs.per_pass()
    }

    /// The next item. Waits up to `patience` for it. Nothing follows an error.
    ///
    /// If an error ended an item early, the item comes first and the error at the next call.
    pub fn next(&mut self, patience: Duration) -> Result<Next<T>> {
        if !self.is_of_this_process() {
            return Err(Kind::Forked.into());
        }
        let shared = &*self.shared;
        let deadline = (!patience.is_zero()).then(|| Instant::now() + patience);
        loop {
            let mut queue = shared.look(&mut self.own, deadline);
            if queue.panicked {
                return Err(Kind::Internal.into());
            }
            if queue.stopped || queue.taken >= queue.count {
                return Ok(Next::End);
            }
            let Some(Some(done)) = queue.done.front_mut() else { return Ok(Next::Pending) };
            let item = done.item.take();
            match done.error.take() {
                // The item counts; the error keeps its place in the queue.
                Some(error) if item.is_some() => done.error = Some(error),
                Some(error) => {
                    queue.stopped = true;
                    drop(queue);
                    shared.wake_all();
                    return Err(error);
                }
                None => {
                    queue.done.pop_front();
                    queue.taken += 1;
                    shared.moved.notify_one();
                }
            }
            if let Some(item) = item {
                return Ok(Next::Item(item));
            }
        }
    }

    /// Passes every item to `take`, in order. Calls `check` several times a second. The first error that either of them
    /// returns ends the work.
    pub(crate) fn drain<E: From<Error>>(
        mut self,
        mut take: impl FnMut(T) -> std::result::Result<(), E>,
        mut check: impl FnMut() -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let patience = Duration::from_millis(50);
        let mut checked = Instant::now();
        loop {
            match self.next(patience)? {
                Next::Item(item) => take(item)?,
                Next::Pending => {}
                Next::End => return Ok(()),
            }
            if checked.elapsed() >= patience {
                check()?;
                checked = Instant::now();
            }
        }
    }
}

impl<T: Send + 'static> Drop for Pipeline<T> {
    fn drop(&mut self) {
        if !self.is_of_this_process() {
            // The threads run in the other process only, and the locks are in the state that process left them in.
            return self.threads.drain(..).for_each(std::mem::forget);
        }
        let mut queue = self.shared.lock();
        let is_over = queue.taken >= queue.count;
        queue.stopped = true;
        drop(queue);
        if is_over {
            // Other users may read the source again.
            self.shared.moved.notify_all();
        } else {
            self.shared.wake_all();
        }
        for thread in self.threads.drain(..) {
            // A panic has already been reported through the queue.
            let _ = thread.join();
        }
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next item until the deadline, if there is one, and runs jobs meanwhile.
    fn look(&self, own: &mut Option<Worker<T>>, deadline: Option<Instant>) -> MutexGuard<'_, Queue<T>> {
        let mut queue = self.lock();
        while let Some(deadline) = deadline.filter(|_| !queue.is_ready()) {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { break };
            let Some(worker) = own else { return self.wait(queue, left) };
            let Some(index) = queue.take(self.window) else { return self.wait(queue, left) };
            drop(queue);
            if !self.help(worker, index) {
                *own = None;
            }
            queue = self.lock();
        }
        queue
    }

    /// Waits for the next item, and a little longer if more items will follow.
    fn wait<'a>(&self, queue: MutexGuard<'a, Queue<T>>, patience: Duration) -> MutexGuard<'a, Queue<T>> {
        let wait = |queue, patience| {
            let waiting = |queue: &mut Queue<T>| !queue.is_ready();
            self.arrived.wait_timeout_while(queue, patience, waiting).unwrap_or_else(PoisonError::into_inner).0
        };
        // A caller who has nothing yet gets the first item at once.
        let gathering = if queue.taken == 0 { Duration::ZERO } else { GATHERING_TIME };
        let mut queue = wait(queue, patience.min(gathering));
        let rest = patience.saturating_sub(gathering);
        if !queue.is_ready() && !rest.is_zero() {
            queue.urgent = true;
            queue = wait(queue, rest);
            queue.urgent = false;
        }
        queue
    }

    fn wake_all(&self) {
        self.jobs.abandon();
        self.arrived.notify_all();
        self.moved.notify_all();
    }

    /// Runs jobs until there are no more.
    fn work(&self) {
        let alarm = Alarm(self);
        let mut worker = Arc::clone(&self.jobs).worker();
        while let Some(index) = self.take() {
            if !self.finish(index, result_of(&mut worker, index)) {
                break;
            }
        }
        std::mem::forget(alarm);
    }

    /// Runs a job on the consumer's thread. Returns whether there may be more jobs.
    fn help(&self, worker: &mut Worker<T>, index: u64) -> bool {
        // As on a thread of its own, a panic is only reported.
        let goes_on = catch_unwind(AssertUnwindSafe(|| {
            let alarm = Alarm(self);
            let goes_on = self.finish(index, result_of(worker, index));
            std::mem::forget(alarm);
            goes_on
        }));
        goes_on.unwrap_or(false)
    }

    /// The next job, once the window allows it; `None` if there are no more.
    fn take(&self) -> Option<u64> {
        let mut queue = self.lock();
        loop {
            let index = queue.take(self.window);
            if index.is_some() || queue.stopped || queue.next >= queue.count {
                return index;
            }
            queue = self.moved.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Stores a result. Returns whether there may be more jobs.
    fn finish(&self, index: u64, done: Option<Done<T>>) -> bool {
        if let Some(done) = done {
            self.deliver(index, done);
            true
        } else {
            self.end();
            false
        }
    }

    /// Updates the number of jobs, which may be lower than assumed.
    fn end(&self) {
        let count = self.jobs.count();
        let mut queue = self.lock();
        queue.count = queue.count.min(count);
        drop(queue);
        self.arrived.notify_all();
        self.moved.notify_all();
    }

    fn deliver(&self, index: u64, done: Done<T>) {
        let mut queue = self.lock();
        let place = (index - queue.taken) as usize;
        if queue.done.len() <= place {
            queue.done.resize_with(place + 1, || None);
        }
        let is_failure = done.error.is_some();
        queue.done[place] = Some(done);
        let most = WAKE_AT_LEAST.min(self.window as usize).min((queue.count - queue.taken) as usize);
        let ready = queue.ready(most);
        let is_awaited = if queue.urgent { place == 0 } else { place < ready && ready == most };
        drop(queue);
        if is_awaited || is_failure {
            self.arrived.notify_all();
        }
    }
}

/// The result of a job, which may run out of memory.
fn result_of<T>(worker: &mut Worker<T>, index: u64) -> Option<Done<T>> {
    within_memory(|| worker(index)).unwrap_or_else(|| Some(Done::failed(Kind::OutOfMemory.into())))
}

/// Reports the panic of a thread to the consumer, which would otherwise wait for ever.
struct Alarm<'a, T>(&'a Shared<T>);

impl<T> Drop for Alarm<'_, T> {
    fn drop(&mut self) {
        self.0.lock().panicked = true;
        self.0.wake_all();
    }
}

#[cfg(test)]
mod tests {
    use std::thread::{ThreadId, current, sleep};

    use super::*;

    /// Jobs that report the thread they ran on.
    struct Traced {
        count: u64,
        are_short: bool,
        /// The job that panics.
        panics: Option<u64>,
    }

    impl Jobs<(u64, ThreadId)> for Traced {
        fn count(&self) -> u64 {
            self.count
        }

        fn worker(self: Arc<Self>) -> Worker<(u64, ThreadId)> {
            Box::new(move |index| {
                assert_ne!(Some(index), self.panics);
                sleep(Duration::from_micros(200));
                Some(Done::with((index, current().id())))
            })
        }

        fn are_short(&self) -> bool {
            self.are_short
        }
    }

    fn threads_of(are_short: bool, threads: usize) -> Vec<ThreadId> {
        let jobs = Traced { count: 100, are_short, panics: None };
        let mut found = vec![];
        let mut expected = 0;
        let done = Pipeline::run(jobs, threads, 2 * threads + 2).unwrap().drain(
            |(index, thread)| {
                assert_eq!(index, expected, "in the order of the jobs");
                expected += 1;
                if !found.contains(&thread) {
                    found.push(thread);
                }
                Ok::<_, Error>(())
            },
            || Ok(()),
        );
        done.unwrap();
        assert_eq!(expected, 100);
        found
    }

    #[test]
    fn the_consumer_is_one_of_the_threads_if_jobs_are_short() {
        let consumer = current().id();
        for threads in 2..5 {
            let found = threads_of(true, threads);
            assert!(found.contains(&consumer) && found.len() <= threads, "{found:?}");
        }
        assert!(!threads_of(true, 1).contains(&consumer), "one thread works while the consumer does something else");
        let found = threads_of(false, 3);
        assert!(!found.contains(&consumer) && found.len() <= 3, "{found:?}");
    }

    #[test]
    fn a_panic_on_any_thread_ends_the_pipeline() {
        for are_short in [true, false] {
            for panics in [0, 1, 50] {
                let jobs = Traced { count: 100, are_short, panics: Some(panics) };
                let done = Pipeline::run(jobs, 2, 6).unwrap().drain(|_| Ok::<_, Error>(()), || Ok(()));
                assert!(matches!(done.unwrap_err().kind, Kind::Internal));
            }
        }
    }

    #[test]
    fn the_consumer_runs_no_job_without_patience() {
        let jobs = Traced { count: 100_000, are_short: true, panics: None };
        let mut pipeline = Pipeline::run(jobs, 2, 1_000_000).unwrap();
        let consumer = current().id();
        for _ in 0..200 {
            if let Next::Item((_, thread)) = pipeline.next(Duration::ZERO).unwrap() {
                assert_ne!(thread, consumer);
            }
        }
    }
}
