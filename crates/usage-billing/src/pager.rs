//! Lists that come in pages.

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::str::FromStr;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_util::future::{BoxFuture, Either};
use futures_util::{FutureExt, StreamExt, TryFutureExt};
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument, Span};
use usage_billing_core::__private::read_ahead;
use usage_billing_core::{ClientInfo, Error, ErrorKind, Result, Transport, printable};

use crate::memory_limit::MemoryLimit;

/// The items of a paged list, one after the other; while you read a page, the next one is fetched.
///
/// A [`Stream`] that needs no pinning and borrows nothing. Nothing is fetched before the first item is asked for. From then on one page is
/// ahead of the reader, fetched by a task of its own on the current tokio runtime: a future polled beside the reader would stand still
/// while the reader works. The reader decodes it. Dropping the pager ends the task. After an error the list ends;
/// [`continuation`](Self::continuation) says where to go on.
///
/// ```no_run
/// # use usage_billing::{Result, suger::Client};
/// # async fn list(client: Client, saved: Option<String>) -> Result<()> {
/// let mut groups = client.usage_record_groups(|request| request.entitlement_id("ent-7"));
/// if let Some(position) = saved {
///     groups = groups.resume_from(position);
/// }
/// while let Some(group) = groups.next().await {
///     match group {
///         Ok(group) => println!("{:?} {:?}", group.id, group.status),
///         Err(error) => {
///             eprintln!("{error}; to be resumed at {}", groups.continuation());
///             break;
///         }
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// A list of your own, of an operation that has no wrapper:
///
/// ```no_run
/// use usage_billing::{Pager, genesys};
///
/// fn users(client: genesys::Client) -> Pager<genesys::types::UserLicenses> {
///     Pager::new(1, move |number: i32| {
///         let client = client.clone();
///         async move {
///             let request = client.api().get_license_users().page_size(100).page_number(number);
///             let page = request.send().await?.into_inner();
///             let next = page.page_count.filter(|last| number < *last).map(|_| number + 1);
///             Ok((page.entities, next))
///         }
///     })
/// }
/// ```
#[must_use = "nothing is fetched until items are asked for"]
pub struct Pager<T> {
    fetch: Fetch<T>,
    /// Of the page that `items` are of, or of the one that could not be had.
    position: String,
    items: std::vec::IntoIter<T>,
    prefetch: Prefetch<T>,
    /// How far apart pages stand, if that is known beforehand.
    step: Option<i64>,
    /// The page after the one that is coming, fetched on the guess that it will be named.
    speculative: Option<(String, Fetched<T>)>,
    /// Hashes of all positions so far, against going round in circles.
    seen: HashSet<u64>,
    hasher: RandomState,
    /// Whose secrets are masked in errors.
    transport: Option<Transport>,
}

type Page<T> = (Vec<T>, Option<String>);
type Fetched<T> = BoxFuture<'static, Result<Page<T>>>;
type Fetch<T> = Box<dyn FnMut(&str) -> Fetched<T> + Send>;

/// What comes after the page that is read.
enum Prefetch<T> {
    /// Nobody has asked for an item yet.
    NotStarted,
    Coming(String, Fetched<T>),
    End(Option<Error>),
}

impl<T: Send + 'static> Pager<T> {
    /// Pages from the position `first` on: `fetch` gives a page and the position of the next one. Also for lists that have no wrapper
    /// here, over a client's `api()`.
    ///
    /// A position that comes again ends the list with an error: going on would read the same pages for ever. (To know it, a few bytes are
    /// kept of each page.)
    pub fn new<P, F>(first: P, mut fetch: impl FnMut(P) -> F + Send + 'static) -> Self
    where
        P: fmt::Display + FromStr,
        F: Future<Output = Result<(Vec<T>, Option<P>)>> + Send + 'static,
    {
        let fetch = move |position: &str| match position.parse() {
            Ok(position) => fetch(position).map_ok(|(items, next)| (items, next.map(|next| next.to_string()))).boxed(),
            Err(_) => {
                let message = format!(
                    "`{}` is no position in this list: give one that `continuation()` gave",
                    printable(position)
                );
                std::future::ready(Err(Error::new(ErrorKind::Request, message))).boxed()
            }
        };
        Self {
            fetch: Box::new(fetch),
            position: first.to_string(),
            items: Vec::new().into_iter(),
            prefetch: Prefetch::NotStarted,
            step: None,
            speculative: None,
            seen: HashSet::new(),
            hasher: RandomState::new(),
            transport: None,
        }
    }

    /// Masks the secrets of a client in errors that are made of what its calls answered, positions among them. Of the calls' own errors they
    /// are masked already.
    pub fn masking(self, client: &impl ClientInfo<Transport>) -> Self {
        Self { transport: Some(client.inner().clone()), ..self }
    }

    /// For lists whose pages stand at offsets, `step` apart: from the third page on, two are fetched at a time. At the end of
    /// such a list one page too many is asked for, and dropped.
    pub fn with_offset_step(self, step: i64) -> Self {
        Self { step: Some(step), ..self }
    }

    /// Starts at a position that [`continuation`](Self::continuation) gave, in this process or another.
    pub fn resume_from(self, position: impl Into<String>) -> Self {
        let (items, prefetch, seen) = (Vec::new().into_iter(), Prefetch::NotStarted, HashSet::new());
        Self { position: position.into(), items, prefetch, speculative: None, seen, ..self }
    }

    /// Where an interrupted listing goes on: at the page of the latest item, or at the one after it once all its items were read. The
    /// page's first items may come a second time then, but none is left out.
    pub fn continuation(&self) -> &str {
        match &self.prefetch {
            Prefetch::Coming(next, _) if self.items.len() == 0 => next,
            _ => &self.position,
        }
    }

    /// The next item; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<T>> {
        StreamExt::next(self).await
    }

    /// All items that are left, in memory.
    ///
    /// # Errors
    /// The first error of a page; what came before it is lost. [`ErrorKind::Limit`] if the items take more than 48 MiB, without their texts
    /// and lists: read such a list one item after the other.
    pub async fn try_collect(mut self) -> Result<Vec<T>> {
        let mut memory = MemoryLimit::new(COLLECTED_BYTES);
        let mut items = Vec::new();
        while let Some(item) = self.next().await.transpose()? {
            let kept = memory.keep(size_of::<T>().max(1), || "the list");
            kept.map_err(|error| error.with_setting(None).with_hint("this limit is fixed: read the items one by one"))?;
            items.push(item);
        }
        Ok(items)
    }

    /// All items that are left, which may take `memory`, each with `more` bytes for what is made of it.
    #[cfg(any(feature = "acronis", feature = "genesys", feature = "suger"))]
    #[cfg(any(feature = "acronis", feature = "genesys"))]
    pub(crate) async fn collect_within(mut self, memory: &mut MemoryLimit, more: usize, what: &str) -> Result<Vec<T>>
    where
        T: serde::Serialize,
    {
        let mut items = Vec::new();
        while let Some(item) = self.next().await.transpose()? {
            memory.keep(crate::memory_limit::value_bytes(&item) + more, || what)?;
            items.push(item);
        }
        Ok(items)
    }

    /// Has a page fetched, unless it has been already.
    fn start_next(&mut self, next: String) -> Prefetch<T> {
        if !self.seen.insert(self.hasher.hash_one(&next)) {
            let message = format!(
                "the vendor names {} as the page after {}, but it came before: the list may be incomplete",
                printable(&next),
                printable(&self.position)
            );
            return Prefetch::End(Some(Error::new(ErrorKind::Decode, message)));
        }
        let page = match self.speculative.take() {
            Some((guess, page)) if guess == next => page,
            _ => self.begin(&next),
        };
        if self.seen.len() > SHORT {
            let guess =
                self.step.and_then(|step| next.parse::<i64>().ok()?.checked_add(step)).map(|guess| guess.to_string());
            self.speculative = guess.map(|guess| (guess.clone(), self.begin(&guess)));
        }
        Prefetch::Coming(next, page)
    }

    fn begin(&mut self, position: &str) -> Fetched<T> {
        let task = tokio::spawn(read_ahead((self.fetch)(position)).instrument(Span::current()));
        let task = AbortOnDropHandle::new(task);
        async {
            match task.await {
                Ok(Either::Left(page)) => page,
                Ok(Either::Right(decode)) => decode.await,
                Err(error) => ended(error),
            }
        }
        .boxed()
    }
}

/// Of the items of a list that is collected, without what hangs on them.
const COLLECTED_BYTES: usize = 48 << 20;
/// Pages of a list for which nothing is speculative: most lists are no longer.
const SHORT: usize = 2;

impl<T: Send + 'static> Stream for Pager<T> {
    type Item = Result<T>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(item) = this.items.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            this.prefetch = match &mut this.prefetch {
                Prefetch::End(error) => {
                    this.speculative = None;
                    let error = error.take().map(|error| match &this.transport {
                        Some(transport) => transport.masked(error),
                        None => error,
                    });
                    return Poll::Ready(error.map(Err));
                }
                Prefetch::NotStarted => this.start_next(this.position.clone()),
                Prefetch::Coming(position, page) => {
                    let page = ready!(page.poll_unpin(context));
                    this.position = std::mem::take(position);
                    match page {
                        Ok((items, next)) => {
                            this.items = items.into_iter();
                            next.map_or(Prefetch::End(None), |next| this.start_next(next))
                        }
                        Err(error) => Prefetch::End(Some(error)),
                    }
                }
            };
        }
    }
}

/// Items are moved out, never pinned in place.
impl<T> Unpin for Pager<T> {}

/// The task has come to no end of its own: a panic in it is the reader's, as if there were no task.
fn ended<T>(error: JoinError) -> Result<T> {
    match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(error) => {
            Err(Error::new(ErrorKind::Connection, "the runtime stopped while a page was fetched").with_source(error))
        }
    }
}

impl<T> fmt::Debug for Pager<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pager").field("position", &self.position).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::time::Duration;

    use super::*;
    use tokio::time::Instant;

    /// Pages of two items, and how many were asked for.
    fn numbers(pages: u32) -> (Pager<u32>, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let pager = Pager::new(0, move |page: u32| {
            count.fetch_add(1, SeqCst);
            async move { Ok((vec![2 * page, 2 * page + 1], (page + 1 < pages).then_some(page + 1))) }
        });
        (pager, asked)
    }

    async fn idle() {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn all_pages_are_read_and_an_empty_one_in_the_middle_is_no_end() {
        let pages = [vec![1, 2], vec![], vec![3]];
        let pager = Pager::new(0usize, move |page| {
            let items = pages[page].clone();
            async move { Ok((items, (page < 2).then_some(page + 1))) }
        });
        assert_eq!(pager.try_collect().await.unwrap(), [1, 2, 3]);
    }

    #[tokio::test]
    async fn one_page_is_fetched_ahead_and_no_more_and_none_before_the_first_item_is_asked_for() {
        let (mut pager, asked) = numbers(5);
        idle().await;
        assert_eq!(asked.load(SeqCst), 0);
        pager.next().await.unwrap().unwrap();
        idle().await;
        assert_eq!(asked.load(SeqCst), 2);
        pager.next().await.unwrap().unwrap();
        idle().await;
        assert_eq!(asked.load(SeqCst), 2, "the second page is there, but not begun");
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_page_comes_while_this_one_is_worked_on() {
        let ten = Duration::from_secs(10);
        let mut pager = Pager::new(1, move |page| async move {
            tokio::time::sleep(ten).await;
            Ok((vec![page], (page < 5).then_some(page + 1)))
        });
        let start = Instant::now();
        while let Some(item) = pager.next().await {
            item.unwrap();
            tokio::time::sleep(ten).await;
        }
        assert_eq!(start.elapsed(), 6 * ten, "and not 10 times");
    }

    #[tokio::test(start_paused = true)]
    async fn of_pages_at_offsets_two_come_at_a_time_and_one_too_many_is_asked_for() {
        for (pages, asked_for, seconds) in [(1, 1, 10), (2, 2, 20), (3, 4, 30), (9, 10, 60)] {
            let asked = Arc::new(AtomicUsize::new(0));
            let count = asked.clone();
            let pager = Pager::new(0, move |offset: i64| {
                count.fetch_add(1, SeqCst);
                async move {
                    tokio::time::sleep(Duration::from_secs(10)).await;
                    Ok((vec![offset], (offset + 7 < pages * 7).then_some(offset + 7)))
                }
            });
            let start = Instant::now();
            let all = pager.with_offset_step(7).try_collect().await.unwrap();
            assert_eq!(all, (0..pages).map(|page| page * 7).collect::<Vec<_>>());
            assert_eq!((asked.load(SeqCst), start.elapsed().as_secs()), (asked_for, seconds), "{pages} pages");
        }
    }

    #[tokio::test]
    async fn a_wrong_guess_is_dropped() {
        let pager = Pager::new(0, |offset: i64| async move {
            assert_eq!(offset % 5, 0, "what is not awaited is not heard of");
            Ok((vec![offset], (offset < 20).then_some(offset + 5)))
        });
        assert_eq!(pager.with_offset_step(3).try_collect().await.unwrap(), [0, 5, 10, 15, 20]);
    }

    #[tokio::test]
    async fn a_pager_that_is_dropped_fetches_no_more() {
        let (done, mut ended) = tokio::sync::oneshot::channel::<()>();
        let mut done = Some(done);
        let mut pager = Pager::new(0, move |page| {
            let held = if page == 1 { done.take() } else { None };
            async move {
                if held.is_some() {
                    std::future::pending::<()>().await;
                }
                Ok((vec![page], Some(page + 1)))
            }
        });
        pager.next().await.unwrap().unwrap();
        idle().await;
        assert!(ended.try_recv().is_err_and(|error| error == tokio::sync::oneshot::error::TryRecvError::Empty));
        drop(pager);
        assert!(ended.await.is_err(), "the task is gone, and what it held");
    }

    #[tokio::test]
    async fn a_position_that_comes_again_is_an_error_and_not_an_endless_list() {
        for circle in [1, 2, 3] {
            let pager = Pager::new(0, move |page| async move { Ok((vec![page], Some((page + 1) % circle))) });
            let outcomes: Vec<_> = pager.collect().await;
            let (error, items) = outcomes.split_last().unwrap();
            assert_eq!(items.len(), circle, "each page once");
            let error = error.as_ref().unwrap_err().to_string();
            assert!(error.contains(&format!("names 0 as the page after {}", circle - 1)), "{error}");
        }
    }

    #[tokio::test]
    async fn an_interrupted_list_goes_on_where_it_was() {
        let broken = |page: u32| async move {
            match page {
                2 => Err(Error::new(ErrorKind::Connection, "cut")),
                _ => Ok((vec![2 * page, 2 * page + 1], Some(page + 1))),
            }
        };
        let mut pager = Pager::new(0, broken);
        let mut read = Vec::new();
        while let Some(Ok(item)) = pager.next().await {
            read.push(item);
        }
        assert_eq!((read, pager.continuation()), (vec![0, 1, 2, 3], "2"));
        assert!(pager.next().await.is_none());
        let (again, _) = numbers(4);
        assert_eq!(again.resume_from(pager.continuation()).try_collect().await.unwrap(), [4, 5, 6, 7]);
        let (mut begun, _) = numbers(4);
        begun.next().await.unwrap().unwrap();
        assert_eq!(begun.resume_from("3").try_collect().await.unwrap(), [6, 7]);

        let (mut pager, _) = numbers(3);
        let positions = [(0, "0"), (1, "1"), (2, "1"), (3, "2"), (4, "2"), (5, "2")];
        assert_eq!(pager.continuation(), "0");
        for (item, position) in positions {
            assert_eq!((pager.next().await.unwrap().unwrap(), pager.continuation()), (item, position));
        }
        let error = numbers(3).0.resume_from("x").try_collect().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Request, "{error}");
    }

    #[tokio::test]
    #[should_panic(expected = "a fault in here")]
    async fn a_panic_while_fetching_is_the_readers() {
        let _ = Pager::<u8>::new(0, |_: u8| async { panic!("a fault in here") }).next().await;
    }

    proptest::proptest! {
        /// However pages are filled and wherever a list breaks: what was read of whole pages and what comes from the position on is all.
        #[test]
        fn a_list_that_breaks_anywhere_goes_on_without_loss(
            sizes in proptest::collection::vec(0usize..4, 1..8),
            read in 0usize..30,
            step in proptest::option::of(1i64..3),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let all: Vec<Vec<(i64, usize)>> = (0..).zip(&sizes).map(|(page, size)| (0..*size).map(|item| (page, item)).collect()).collect();
            let list = || {
                let all = all.clone();
                let pager = Pager::new(0, move |page: i64| {
                    let items = all.get(page as usize).cloned().unwrap_or_default();
                    let next = (page + 1 < all.len() as i64).then_some(page + 1);
                    async move { Ok((items, next)) }
                });
                Pager { step, ..pager }
            };
            runtime.block_on(async {
                let (mut first, mut before) = (list(), Vec::new());
                while before.len() < read && let Some(item) = first.next().await {
                    before.push(item.unwrap());
                }
                let position: i64 = first.continuation().parse().unwrap();
                before.retain(|(page, _)| *page < position);
                before.extend(list().resume_from(first.continuation()).try_collect().await.unwrap());
                proptest::prop_assert_eq!(before, all.concat());
                Ok(())
            })?;
        }
    }
}
