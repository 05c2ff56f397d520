//! Paginated lists.

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

use crate::display_bytes::display_bytes;
use crate::read_ahead::read_ahead;
use crate::{ClientInfo, Error, ErrorKind, Result, Transport, printable};

/// Streams the items of a paginated list, and fetches the next page while the current one is read.
///
/// The [`Stream`] needs no pinning and borrows nothing. Nothing is fetched before the first item is requested. From then on one page is
/// prefetched by a task on the current tokio runtime: a future polled beside the reader would make no progress while the reader works. The
/// reader decodes the page. Dropping the pager ends the task. After an error the list ends; [`continuation`](Self::continuation) returns where
/// to resume.
///
/// The method `stream` of a call returns it, if the document describes the pages of the operation. [`Pager::new`] is for other lists:
///
/// ```no_run
/// # use usage_billing_core::{Pager, Result};
/// # struct Page { users: Vec<String>, last: i32 }
/// # async fn fetch(number: i32) -> Result<Page> { unimplemented!() }
/// # async fn list(saved: Option<String>) -> Result<()> {
/// let mut users = Pager::new(1, |number: i32| async move {
///     let page = fetch(number).await?;
///     Ok((page.users, (number < page.last).then_some(number + 1)))
/// });
/// if let Some(position) = saved {
///     users = users.resume_from(position);
/// }
/// while let Some(user) = users.next().await {
///     match user {
///         Ok(user) => println!("{user}"),
///         Err(error) => {
///             eprintln!("{error}; resume from {}", users.continuation());
///             break;
///         }
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is fetched until items are requested"]
pub struct Pager<T> {
    fetch: Fetch<T>,
    /// The position of the page that `items` are from, or of the page that failed.
    position: String,
    items: std::vec::IntoIter<T>,
    prefetch: Prefetch<T>,
    /// The difference between the offsets of two pages, if it is known, and the id of an item.
    step: Option<(i64, ItemId<T>)>,
    /// The id of the last item of the latest page.
    last_id: Option<String>,
    /// The page after the one in flight, fetched before its position is known.
    speculative: Option<Speculative<T>>,
    /// Hashes of all positions so far, to detect cycles.
    seen: HashSet<u64>,
    hasher: RandomState,
    /// The transport whose secrets are masked in errors.
    transport: Option<Transport>,
    map_err: Option<Box<dyn FnMut(Error) -> Error + Send>>,
}

/// A page that was requested before the page before it had arrived. The server may respond to both in any order, and new
/// items shift those of an offset. The page therefore begins with the last item of the page before it, as long as nothing
/// was shifted.
struct Speculative<T> {
    /// The position that is expected after the page before.
    expected: String,
    /// The position of the last item before.
    position: String,
    page: Fetched<T>,
}

/// The items with which a speculative page has to begin.
struct Overlap {
    last_id: String,
    /// The position of the page otherwise.
    next: String,
}

/// A function that returns the id of an item, if it has one.
type ItemId<T> = fn(&T) -> Option<&str>;
type Page<T> = (Vec<T>, Option<String>);
type Fetched<T> = BoxFuture<'static, Result<Page<T>>>;
type Fetch<T> = Box<dyn FnMut(&str) -> Fetched<T> + Send>;

/// The state of the next page.
enum Prefetch<T> {
    /// No item has been requested yet.
    NotStarted,
    Fetching(String, Fetched<T>, Option<Overlap>),
    End(Option<Error>),
}

impl<T: Send + 'static> Pager<T> {
    /// Creates a pager that starts at the position `first`; `fetch` returns a page and the position of the next one.
    ///
    /// A repeated position ends the list with an error, because the same pages would follow without end. A few bytes per page are kept to
    /// detect it.
    pub fn new<P, F>(first: P, mut fetch: impl FnMut(P) -> F + Send + 'static) -> Self
    where
        P: fmt::Display + FromStr,
        F: Future<Output = Result<(Vec<T>, Option<P>)>> + Send + 'static,
    {
        let fetch = move |position: &str| match position.parse() {
            Ok(position) => fetch(position).map_ok(|(items, next)| (items, next.map(|next| next.to_string()))).boxed(),
            Err(_) => {
                let message = format!(
                    "invalid position \"{}\": expected one that `continuation()` returned",
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
            last_id: None,
            speculative: None,
            seen: HashSet::new(),
            hasher: RandomState::new(),
            transport: None,
            map_err: None,
        }
    }

    /// Masks the secrets of a client in errors that quote its responses, such as positions. Errors of the calls themselves are masked already.
    #[doc(hidden)]
    pub fn masking(self, client: &impl ClientInfo<Transport>) -> Self {
        Self { transport: Some(client.inner().clone()), ..self }
    }

    /// Changes the error that ends the list, such as to add a hint.
    pub fn map_err(self, change: impl FnMut(Error) -> Error + Send + 'static) -> Self {
        Self { map_err: Some(Box::new(change)), ..self }
    }

    /// Sets the step between the offsets of pages. From the third page on, two pages are fetched concurrently. At the end of such a list one
    /// extra page is requested and dropped.
    ///
    /// The second page of a pair overlaps the first one by an item, which `id` identifies. If it begins with another item, because items
    /// were added or removed meanwhile, it is fetched again after the first one. No more items are skipped than in a list of one page after
    /// the other. If it fails, such as at a server that takes only multiples of the limit, it is fetched again as well, and so is every
    /// other page after the one before it.
    #[doc(hidden)]
    pub fn with_offset_step(self, step: i64, id: fn(&T) -> Option<&str>) -> Self {
        Self { step: Some((step, id)), ..self }
    }

    /// Starts at a position that [`continuation`](Self::continuation) returned, in this process or another.
    pub fn resume_from(self, position: impl Into<String>) -> Self {
        let (items, prefetch, seen) = (Vec::new().into_iter(), Prefetch::NotStarted, HashSet::new());
        Self { position: position.into(), items, prefetch, speculative: None, seen, ..self }
    }

    /// Returns where to resume an interrupted list: at the page of the latest item, or at the next page once all items of that page were read.
    /// The first items of the page may be returned twice then, but none is skipped.
    pub fn continuation(&self) -> &str {
        match &self.prefetch {
            Prefetch::Fetching(next, ..) if self.items.len() == 0 => next,
            _ => &self.position,
        }
    }

    /// Returns the next item; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<T>> {
        StreamExt::next(self).await
    }

    /// Collects the remaining items in memory.
    ///
    /// # Errors
    /// The first error of a page; the items before it are dropped. [`ErrorKind::Limit`] if the items take more than 48 MiB, not counting their
    /// strings and arrays: read such a list item by item.
    pub async fn try_collect(mut self) -> Result<Vec<T>> {
        let mut items = Vec::new();
        while let Some(item) = self.next().await.transpose()? {
            if items.len() >= COLLECTED_BYTES / size_of::<T>().max(1) {
                let message = format!("the list exceeds the limit of {} of memory", display_bytes(COLLECTED_BYTES));
                let hint = "this limit is fixed: read the items one by one";
                return Err(Error::new(ErrorKind::Limit, message).with_hint(hint));
            }
            items.push(item);
        }
        Ok(items)
    }

    /// Starts the fetch of a page, unless it was prefetched speculatively.
    fn start_next(&mut self, next: String) -> Prefetch<T> {
        if !self.seen.insert(self.hasher.hash_one(&next)) {
            let message = format!(
                "the vendor names {} as the page after {}, but it was already read: the list may be incomplete",
                printable(&next),
                printable(&self.position)
            );
            return Prefetch::End(Some(Error::new(ErrorKind::Decode, message)));
        }
        let (position, page, overlap) = match (self.speculative.take(), self.last_id.take()) {
            (Some(Speculative { expected, position, page }), Some(last_id)) if expected == next => {
                (position, page, Some(Overlap { last_id, next }))
            }
            _ => self.fetch_alone(next),
        };
        if self.seen.len() > PAGES_BEFORE_SPECULATION {
            self.speculative = self.step.and_then(|(step, _)| {
                let expected = position.parse::<i64>().ok()?.checked_add(step)?;
                let position = (expected - 1).to_string();
                Some(Speculative { expected: expected.to_string(), page: self.spawn_fetch(&position), position })
            });
        }
        Prefetch::Fetching(position, page, overlap)
    }

    fn fetch_alone(&mut self, next: String) -> (String, Fetched<T>, Option<Overlap>) {
        let page = self.spawn_fetch(&next);
        (next, page, None)
    }

    fn spawn_fetch(&mut self, position: &str) -> Fetched<T> {
        let task = tokio::spawn(read_ahead((self.fetch)(position)).instrument(Span::current()));
        let task = AbortOnDropHandle::new(task);
        async {
            match task.await {
                Ok(Either::Left(page)) => page,
                Ok(Either::Right(decode)) => decode.await,
                Err(error) => join_error(error),
            }
        }
        .boxed()
    }
}

/// The limit for collected items, without the memory that they own on the heap.
const COLLECTED_BYTES: usize = 48 << 20;
/// Pages before speculative fetches begin: most lists are shorter.
const PAGES_BEFORE_SPECULATION: usize = 2;

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
                    let error = error.map(|error| match &mut this.map_err {
                        Some(change) => change(error),
                        None => error,
                    });
                    return Poll::Ready(error.map(Err));
                }
                Prefetch::NotStarted => this.start_next(this.position.clone()),
                Prefetch::Fetching(position, page, overlap) => {
                    let page = ready!(page.poll_unpin(context));
                    let (position, overlap) = (std::mem::take(position), overlap.take());
                    let step = this.step;
                    let id = |item: Option<&T>| step.and_then(|(_, id)| id(item?).map(str::to_owned));
                    match (page, overlap) {
                        // A page of the overlap alone has not advanced.
                        (Ok((items, next)), Some(overlap))
                            if id(items.first()).as_deref() != Some(&*overlap.last_id)
                                || items.len() == 1 && next.is_some() =>
                        {
                            this.speculative = None;
                            let (position, page, overlap) = this.fetch_alone(overlap.next);
                            Prefetch::Fetching(position, page, overlap)
                        }
                        // A server may reject an offset that is not a multiple of the limit, or round it down.
                        (Err(_), Some(overlap)) => {
                            (this.step, this.speculative) = (None, None);
                            let (position, page, overlap) = this.fetch_alone(overlap.next);
                            Prefetch::Fetching(position, page, overlap)
                        }
                        (Ok((items, next)), overlap) => {
                            this.position = position;
                            this.last_id = id(items.last());
                            this.items = items.into_iter();
                            if overlap.is_some() {
                                this.items.next();
                            }
                            next.map_or(Prefetch::End(None), |next| this.start_next(next))
                        }
                        (Err(error), None) => {
                            this.position = position;
                            Prefetch::End(Some(error))
                        }
                    }
                }
            };
        }
    }
}

/// Items are moved out and never pinned in place.
impl<T> Unpin for Pager<T> {}

/// Handles a task that did not return: its panic resumes in the reader, as without a task.
fn join_error<T>(error: JoinError) -> Result<T> {
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
mod tests;
