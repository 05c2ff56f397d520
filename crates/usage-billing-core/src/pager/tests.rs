use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use super::*;
use tokio::time::Instant;

/// Pages of two items, and a counter of requested pages.
fn numbers(pages: u32) -> (Pager<u32>, Arc<AtomicUsize>) {
    let requests = Arc::new(AtomicUsize::new(0));
    let count = requests.clone();
    let pager = Pager::new(0, move |page: u32| {
        count.fetch_add(1, SeqCst);
        async move { Ok((vec![2 * page, 2 * page + 1], (page + 1 < pages).then_some(page + 1))) }
    });
    (pager, requests)
}

async fn idle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn all_pages_are_read_after_an_empty_one() {
    let pages = [vec![1, 2], vec![], vec![3]];
    let pager = Pager::new(0usize, move |page| {
        let items = pages[page].clone();
        async move { Ok((items, (page < 2).then_some(page + 1))) }
    });
    assert_eq!(pager.try_collect().await.unwrap(), [1, 2, 3]);
}

#[tokio::test]
async fn one_page_is_prefetched_after_first_item_is_requested() {
    let (mut pager, requests) = numbers(5);
    idle().await;
    assert_eq!(requests.load(SeqCst), 0);
    pager.next().await.unwrap().unwrap();
    idle().await;
    assert_eq!(requests.load(SeqCst), 2);
    pager.next().await.unwrap().unwrap();
    idle().await;
    assert_eq!(requests.load(SeqCst), 2, "the second page is fetched, but not read");
}

#[tokio::test(start_paused = true)]
async fn next_page_is_fetched_while_current_one_is_processed() {
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

/// A page of seven of the first `end` items, which `item` names by their offset.
fn page_of(offset: i64, end: i64, item: impl Fn(i64) -> i64) -> (Vec<String>, Option<i64>) {
    let page: Vec<_> = (offset..end.min(offset + 7)).map(|at| item(at).to_string()).collect();
    (page, (offset + 7 < end).then_some(offset + 7))
}

#[expect(clippy::ptr_arg, reason = "the items are strings")]
fn text(item: &String) -> Option<&str> {
    Some(item)
}

#[tokio::test(start_paused = true)]
async fn items_that_are_added_between_concurrent_requests_skip_none() {
    // A new item is before all others. The server handles a page before, and the one before that after the addition.
    for (before, after) in [(20, 14), (32, 26), (14, 20), (26, 32), (7, 14), (999, 999)] {
        let added = Arc::new(AtomicUsize::new(0));
        let pager = Pager::new(0, move |offset: i64| {
            let added = added.clone();
            async move {
                if (after..after + 2).contains(&offset) {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                let new = added.load(SeqCst) as i64;
                let page = page_of(offset, 60 + new, |at| at - new);
                if (before..before + 2).contains(&offset) {
                    added.store(1, SeqCst);
                }
                Ok(page)
            }
        });
        let all = pager.with_offset_step(7, text).try_collect().await.unwrap();
        let all: std::collections::BTreeSet<i64> = all.iter().map(|item| item.parse().unwrap()).collect();
        assert!((0..60).all(|item| all.contains(&item)), "{before} {after}: {all:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn offset_pages_are_fetched_in_pairs_with_one_extra() {
    for (pages, requested, seconds) in [(1, 1, 10), (2, 2, 20), (3, 4, 30), (9, 11, 60)] {
        let requests = Arc::new(AtomicUsize::new(0));
        let count = requests.clone();
        let pager = Pager::new(0, move |offset: i64| {
            count.fetch_add(1, SeqCst);
            async move {
                tokio::time::sleep(Duration::from_secs(10)).await;
                Ok(page_of(offset, pages * 7, |at| at))
            }
        });
        let start = Instant::now();
        let all = pager.with_offset_step(7, text).try_collect().await.unwrap();
        assert_eq!(all, (0..pages * 7).map(|at| at.to_string()).collect::<Vec<_>>());
        assert_eq!((requests.load(SeqCst), start.elapsed().as_secs()), (requested, seconds), "{pages} pages");
    }
}

#[tokio::test]
async fn rejected_overlapping_offset_makes_requests_sequential() {
    let requests = Arc::new(AtomicUsize::new(0));
    let count = requests.clone();
    let pager = Pager::new(0, move |offset: i64| {
        count.fetch_add(1, SeqCst);
        async move {
            match offset % 7 {
                0 => Ok(page_of(offset, 60, |at| at)),
                _ => Err(Error::new(ErrorKind::Api, "the offset is not a multiple of 7")),
            }
        }
    });
    let all = pager.with_offset_step(7, text).try_collect().await.unwrap();
    assert_eq!(all, (0..60).map(|at| at.to_string()).collect::<Vec<_>>());
    // Of nine pages, the one after the third was requested at a rejected offset as well, and so was the one after it.
    assert_eq!(requests.load(SeqCst), 11);
}

#[tokio::test]
async fn repeated_error_of_an_overlapping_page_ends_the_list() {
    let pager = Pager::new(0, |offset: i64| async move {
        match offset {
            0..20 => Ok(page_of(offset, 60, |at| at)),
            _ => Err(Error::new(ErrorKind::Connection, format!("cut at {offset}"))),
        }
    });
    let mut pager = pager.with_offset_step(7, text);
    let mut read = 0;
    let error = loop {
        match pager.next().await.unwrap() {
            Ok(_) => read += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((read, error.message(), pager.continuation()), (21, "cut at 21", "21"));
    assert!(pager.next().await.is_none());
}

#[tokio::test]
async fn a_wrong_guess_is_dropped() {
    let pager = Pager::new(0, |offset: i64| async move {
        assert_eq!(offset % 5, 0, "a page that is not awaited reports nothing");
        Ok((vec![offset.to_string()], (offset < 20).then_some(offset + 5)))
    });
    let all = pager.with_offset_step(3, text).try_collect().await.unwrap();
    assert_eq!(all, ["0", "5", "10", "15", "20"]);
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
    assert!(ended.await.is_err(), "the task and its values are dropped");
}

#[tokio::test]
async fn repeated_position_is_an_error() {
    for cycle in [1, 2, 3] {
        let pager = Pager::new(0, move |page| async move { Ok((vec![page], Some((page + 1) % cycle))) });
        let outcomes: Vec<_> = pager.collect().await;
        let (error, items) = outcomes.split_last().unwrap();
        assert_eq!(items.len(), cycle, "each page once");
        let error = error.as_ref().unwrap_err().to_string();
        assert!(error.contains(&format!("names 0 as the page after {}", cycle - 1)), "{error}");
    }
}

#[tokio::test]
async fn interrupted_list_resumes_at_its_continuation() {
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
    let (mut started, _) = numbers(4);
    started.next().await.unwrap().unwrap();
    assert_eq!(started.resume_from("3").try_collect().await.unwrap(), [6, 7]);

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
async fn panic_of_a_fetch_resumes_in_the_reader() {
    let _ = Pager::<u8>::new(0, |_: u8| async { panic!("a fault in here") }).next().await;
}

proptest::proptest! {
    /// For any page sizes and any interruption: items of complete pages and items from the continuation on are all items.
    #[test]
    fn list_interrupted_anywhere_resumes_without_loss(
        sizes in proptest::collection::vec(1i64..5, 1..8),
        end in 0i64..40,
        read in 0usize..40,
        step in proptest::option::of(1i64..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let list = || {
            let sizes = sizes.clone();
            let pager = Pager::new(0, move |offset: i64| {
                let next = offset + sizes[offset as usize % sizes.len()];
                let items: Vec<_> = (offset..next.min(end)).map(|item| item.to_string()).collect();
                async move { Ok((items, (next < end).then_some(next))) }
            });
            match step {
                Some(step) => pager.with_offset_step(step, text),
                None => pager,
            }
        };
        runtime.block_on(async {
            let (mut first, mut before) = (list(), Vec::new());
            while before.len() < read && let Some(item) = first.next().await {
                before.push(item.unwrap().parse::<i64>().unwrap());
            }
            let position: i64 = first.continuation().parse().unwrap();
            before.retain(|item| *item < position);
            let rest = list().resume_from(first.continuation()).try_collect().await.unwrap();
            before.extend(rest.iter().map(|item| item.parse::<i64>().unwrap()));
            proptest::prop_assert_eq!(before, (0..end).collect::<Vec<_>>());
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn error_of_a_page_can_be_changed() {
    let failing = |_: u8| async { Err::<(Vec<u8>, _), _>(Error::new(ErrorKind::Connection, "cut")) };
    let error = Pager::new(0, failing).map_err(|error| error.with_hint("try later")).try_collect().await.unwrap_err();
    assert_eq!(error.hint(), Some("try later"));
}
