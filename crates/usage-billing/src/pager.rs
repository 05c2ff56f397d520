//! Lists that come in pages.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::{StreamExt, TryStreamExt, stream};
use usage_billing_core::{Error, ErrorKind, Result};

/// The items of a paged list, one after the other; a page is fetched when its first item is asked for.
///
/// A [`Stream`] that needs no pinning and borrows nothing. After an error it ends.
#[must_use = "nothing is fetched until items are asked for"]
pub struct Pager<T>(Pin<Box<dyn Stream<Item = Result<T>> + Send>>);

impl<T: Send + 'static> Pager<T> {
    /// Pages from the position `first` on: `fetch` gives a page and the position of the next one. Also for lists that have no wrapper
    /// here, over a client's `api()`.
    ///
    /// A position that comes twice in a row ends the list with an error: going on would read the same page for ever.
    pub fn new<P, F>(first: P, fetch: impl FnMut(P) -> F + Send + 'static) -> Self
    where
        P: Clone + PartialEq + fmt::Display + Send + 'static,
        F: Future<Output = Result<(Vec<T>, Option<P>)>> + Send + 'static,
    {
        let pages = stream::try_unfold((Some(first), fetch), |(position, mut fetch)| async move {
            let Some(position) = position else { return Ok(None) };
            let (items, next) = fetch(position.clone()).await?;
            if next.as_ref() == Some(&position) {
                let message =
                    format!("the vendor names {position} as the page after {position}; the list may be incomplete");
                return Err(Error::new(ErrorKind::Decode, message));
            }
            Ok(Some((stream::iter(items.into_iter().map(Ok)), (next, fetch))))
        });
        Self(Box::pin(pages.try_flatten()))
    }

    /// The next item; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<T>> {
        self.0.next().await
    }

    /// All items that are left, in memory.
    ///
    /// # Errors
    /// The first error of a page; what came before it is lost.
    pub async fn collect_all(self) -> Result<Vec<T>> {
        self.0.try_collect().await
    }
}

impl<T> Stream for Pager<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

impl<T> fmt::Debug for Pager<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pager")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_pages_are_read_and_an_empty_one_in_the_middle_is_no_end() {
        let pages = [vec![1, 2], vec![], vec![3]];
        let pager = Pager::new(0usize, move |page| {
            let items = pages[page].clone();
            async move { Ok((items, (page < 2).then_some(page + 1))) }
        });
        assert_eq!(pager.collect_all().await.unwrap(), [1, 2, 3]);
    }

    #[tokio::test]
    async fn a_position_that_repeats_is_an_error_and_not_an_endless_list() {
        let mut pager = Pager::new(0, |page| async move { Ok((vec![page], Some(1))) });
        assert_eq!(pager.next().await.unwrap().unwrap(), 0);
        // The page after 1 is again 1; its items are not handed out.
        assert!(pager.next().await.unwrap().unwrap_err().to_string().contains("the page after 1"));
        assert!(pager.next().await.is_none());
    }
}
