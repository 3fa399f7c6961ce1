//! Stage 6: threads, order, back-pressure, cancellation; the first error wins.
//!
//! What is done is a row of [`Jobs`]: parsing the texts of a file one after the other, counting their rows, filling and
//! emptying the windows of a shuffle. Each thread takes the next job and puts what comes of it where the consumer will look
//! for it. Threads never run more than a window ahead of the consumer, and the consumer takes items in the order of the jobs.
//! While it would have to wait for one it does a job itself, as one of the threads, unless jobs may take long.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::budget::within_memory;
use crate::error::{Error, Kind, Result};

/// Work in a fixed order that several threads do.
pub(crate) trait Jobs<T>: Send + Sync {
    /// How many jobs there are; `u64::MAX` when they never end, or as long as nobody knows: it is asked again when a worker
    /// finds none.
    fn count(&self) -> u64;

    /// Jobs in one pass over what is read.
    fn in_a_pass(&self) -> u64 {
        self.count()
    }

    /// What does the jobs of one thread. Every job is done once; jobs begin in their order, on any thread.
    fn worker(self: Arc<Self>) -> Worker<T>;

    /// Whether each is soon done: it waits for nothing but a disk and jobs before it.
    fn are_short(&self) -> bool {
        false
    }

    /// Whether a job may wait for somebody who is not in this process, so that the consumer cannot do it: it has to hear
    /// signals.
    fn may_wait(&self) -> bool {
        false
    }

    /// Gives up: workers that wait for each other return.
    fn abandon(&self) {}
}

/// Does a job. `None` ends the thread: there is no such job, an earlier one failed, or they were abandoned.
pub(crate) type Worker<T> = Box<dyn FnMut(u64) -> Option<Done<T>> + Send>;

/// What comes of a job: an item, and the error that ended it early.
pub(crate) struct Done<T> {
    pub item: Option<T>,
    pub error: Option<Error>,
}

impl<T> Done<T> {
    /// An item alone.
    pub(crate) fn with(item: T) -> Self {
        Self { item: Some(item), error: None }
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

/// Items in the order of their jobs, made ahead of the consumer.
pub struct Pipeline<T: Send + 'static> {
    shared: Arc<Shared<T>>,
    threads: Vec<JoinHandle<()>>,
    /// Does jobs for the consumer that would have to wait.
    own: Option<Worker<T>>,
    /// The process that has the threads: a fork inherits the pipeline without them.
    process: u32,
}

/// What the threads work on, and where they meet the consumer.
struct Shared<T> {
    jobs: Arc<dyn Jobs<T>>,
    window: u64,
    queue: Mutex<Queue<T>>,
    /// Something arrived for the consumer.
    arrived: Condvar,
    /// The window moved, or everything ends.
    moved: Condvar,
}

struct Queue<T> {
    /// How many jobs there are, as far as is known.
    count: u64,
    /// The next job that a thread may take.
    next: u64,
    /// The job whose item the consumer takes next.
    taken: u64,
    /// What came of the jobs from `taken` on, as far as they are done.
    done: VecDeque<Option<Done<T>>>,
    /// Whether the consumer wants the next item as soon as it is there.
    urgent: bool,
    stopped: bool,
    panicked: bool,
}

impl<T> Queue<T> {
    /// Whether the consumer need not wait.
    fn is_ready(&self) -> bool {
        self.stopped || self.panicked || self.taken >= self.count || self.done.front().is_some_and(Option::is_some)
    }

    /// The next job, if the window lets it in.
    fn take(&mut self, window: u64) -> Option<u64> {
        let is_there = !self.stopped && self.next < self.count && self.next < self.taken + window;
        is_there.then(|| {
            self.next += 1;
            self.next - 1
        })
    }

    /// How many items the consumer can take, up to some number.
    fn ready(&self, most: usize) -> usize {
        self.done.iter().take(most).take_while(|done| done.is_some()).count()
    }
}

/// Items that are worth waking the consumer for: each time it takes a core from a thread that works.
const WORTH_WAKING: usize = 2;

/// How long the consumer waits for as many before it takes what there is.
const LEISURE: Duration = Duration::from_millis(1);

/// What the consumer finds when it looks for the next item.
pub enum Next<T> {
    /// The next item.
    Item(T),
    /// It is not ready yet.
    Pending,
    /// There are no more.
    End,
}

impl<T: Send + 'static> Pipeline<T> {
    /// Starts the jobs on so many threads, or as many as there can be, at most `window` of them ahead of the consumer.
    pub(crate) fn run(jobs: impl Jobs<T> + 'static, threads: usize, window: usize) -> Result<Self> {
        let count = jobs.count();
        // A pass needs no more, and nobody wants many passes ahead.
        let pass = usize::try_from(jobs.in_a_pass()).unwrap_or(usize::MAX).max(1);
        let threads = threads.clamp(1, pass);
        let window = window.min(pass.saturating_mul(2).saturating_add(2));
        let done = VecDeque::new();
        let queue = Queue { count, next: 0, taken: 0, done, urgent: false, stopped: false, panicked: false };
        let jobs: Arc<dyn Jobs<T>> = Arc::new(jobs);
        // Two threads that meet are faster than three on two cores.
        let own = (threads > 1 && jobs.are_short()).then(|| Arc::clone(&jobs).worker());
        let threads = threads - usize::from(own.is_some());
        let shared = Arc::new(Shared {
            jobs,
            window: window as u64,
            queue: Mutex::new(queue),
            arrived: Condvar::new(),
            moved: Condvar::new(),
        });
        let mut pipeline = Self { shared, threads: Vec::with_capacity(threads), own, process: std::process::id() };
        for number in 0..threads {
            let shared = Arc::clone(&pipeline.shared);
            let thread = std::thread::Builder::new().name(format!("csvfeed-{number}"));
            match thread.spawn(move || shared.work()) {
                Ok(thread) => pipeline.threads.push(thread),
                Err(error) if number == 0 && pipeline.shared.jobs.may_wait() => return Err(Kind::Threads(error).into()),
                // Fewer will do, and without any the consumer does all jobs.
                Err(_) => break,
            }
        }
        if pipeline.threads.is_empty() && pipeline.own.is_none() {
            pipeline.own = Some(Arc::clone(&pipeline.shared.jobs).worker());
        }
        Ok(pipeline)
    }

    /// Whether it was started in this process, and not in one that this one was forked from.
    #[must_use]
    pub fn is_of_this_process(&self) -> bool {
        self.process == std::process::id()
    }

    /// Jobs in one pass over what is read.
    pub(crate) fn in_a_pass(&self) -> u64 {
        self.shared.jobs.in_a_pass()
    }

    /// The next item, waiting up to `patience` for it. After an error there is nothing more.
    ///
    /// An item that an error ended early comes first, and its error at the next call.
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

    /// Everything, in order, each item given to `take`. Calls `check` several times a second; an error that one of them
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
            // There is nobody to stop, and the locks are as some thread of the other process left them.
            return self.threads.drain(..).for_each(std::mem::forget);
        }
        let mut queue = self.shared.lock();
        let is_over = queue.taken >= queue.count;
        queue.stopped = true;
        drop(queue);
        if is_over {
            // What was read may be read again by others.
            self.shared.moved.notify_all();
        } else {
            self.shared.wake_all();
        }
        for thread in self.threads.drain(..) {
            // A panic was reported through the queue.
            let _ = thread.join();
        }
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks for the next item, until the deadline if there is one, doing jobs rather than waiting for it.
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

    /// Waits for the next item; a little longer if that makes it several.
    fn wait<'a>(&self, queue: MutexGuard<'a, Queue<T>>, patience: Duration) -> MutexGuard<'a, Queue<T>> {
        let wait = |queue, patience| {
            let waiting = |queue: &mut Queue<T>| !queue.is_ready();
            self.arrived.wait_timeout_while(queue, patience, waiting).unwrap_or_else(PoisonError::into_inner).0
        };
        let mut queue = wait(queue, patience.min(LEISURE));
        let rest = patience.saturating_sub(LEISURE);
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

    /// Does jobs until there are no more.
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

    /// Does a job on the consumer's thread; whether there may be more for it to do.
    fn help(&self, worker: &mut Worker<T>, index: u64) -> bool {
        // As on a thread of its own, nothing is left of a panic but the word of it.
        let goes_on = catch_unwind(AssertUnwindSafe(|| {
            let alarm = Alarm(self);
            let goes_on = self.finish(index, result_of(worker, index));
            std::mem::forget(alarm);
            goes_on
        }));
        goes_on.unwrap_or(false)
    }

    /// The next job, once the window lets it in; `None` when there is none.
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

    /// Takes in what a worker did; whether there may be more for it to do.
    fn finish(&self, index: u64, done: Option<Done<T>>) -> bool {
        if let Some(done) = done {
            self.deliver(index, done);
            true
        } else {
            self.end();
            false
        }
    }

    /// There may be fewer jobs than was known.
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
        let most = WORTH_WAKING.min(self.window as usize).min((queue.count - queue.taken) as usize);
        let ready = queue.ready(most);
        let is_awaited = if queue.urgent { place == 0 } else { place < ready && ready == most };
        drop(queue);
        if is_awaited || is_failure {
            self.arrived.notify_all();
        }
    }
}

/// What comes of a job, which may get no memory.
fn result_of<T>(worker: &mut Worker<T>, index: u64) -> Option<Done<T>> {
    within_memory(|| worker(index)).unwrap_or_else(|| Some(Done::failed(Kind::OutOfMemory.into())))
}

/// Tells the consumer when a thread panics, which would otherwise wait for ever.
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

    /// Each tells which thread did it.
    struct Telling {
        count: u64,
        are_short: bool,
        /// The one that panics.
        panics: Option<u64>,
    }

    impl Jobs<(u64, ThreadId)> for Telling {
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
        let jobs = Telling { count: 100, are_short, panics: None };
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
    fn the_consumer_is_one_of_several_threads_where_jobs_are_short() {
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
    fn a_panic_ends_the_pipeline_on_whatever_thread() {
        for are_short in [true, false] {
            for panics in [0, 1, 50] {
                let jobs = Telling { count: 100, are_short, panics: Some(panics) };
                let done = Pipeline::run(jobs, 2, 6).unwrap().drain(|_| Ok::<_, Error>(()), || Ok(()));
                assert!(matches!(done.unwrap_err().kind, Kind::Internal));
            }
        }
    }

    #[test]
    fn the_consumer_does_no_job_without_patience() {
        let jobs = Telling { count: 100_000, are_short: true, panics: None };
        let mut pipeline = Pipeline::run(jobs, 2, 1_000_000).unwrap();
        let consumer = current().id();
        for _ in 0..200 {
            if let Next::Item((_, thread)) = pipeline.next(Duration::ZERO).unwrap() {
                assert_ne!(thread, consumer);
            }
        }
    }
}
