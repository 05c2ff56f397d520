//! Bodies of a connection: a request's with a deadline, and a response's that marks its end. Both mark when they wait for the peer.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};

use super::table::{Busy, Ticket};

/// The body of a request, which ends with an error at its deadline.
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

/// The body of a response; the connection is busy until it is sent or dropped.
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
        // hyper asks for the next one when its peer has taken enough.
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
