//! Bodies of a connection: that of a request has a deadline, that of a response marks its end. Both record when they wait for the peer.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};

use super::table::{Busy, Ticket};

/// The body of a request, which fails at its deadline.
pub(super) struct RequestBody {
    body: Incoming,
    deadline: Pin<Box<Sleep>>,
    ticket: Arc<Ticket>,
}

impl RequestBody {
    pub(super) fn new(body: Incoming, limit: Duration, ticket: Arc<Ticket>) -> Self {
        Self { body, deadline: Box::pin(tokio::time::sleep_until(Instant::now() + limit)), ticket }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(frame) => {
                self.ticket.works();
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Poll::Pending => {
                self.ticket.waits();
                ready!(self.deadline.as_mut().poll(context));
                self.ticket.works();
                Poll::Ready(Some(Err("the body took too long".into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a response. The connection is busy until the body is sent or dropped.
pub(super) struct ResponseBody {
    body: axum::body::Body,
    busy: Busy,
}

impl ResponseBody {
    pub(super) fn new(body: axum::body::Body, busy: Busy) -> Self {
        busy.responds();
        Self { body, busy }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.busy.ticket().works();
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        // hyper polls for the next frame when its peer has read enough.
        self.busy.ticket().waits();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
